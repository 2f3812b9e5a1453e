/* Runs one search with options from the command line and prints all that it reports as JSON.
 *
 *     toy THREADS DEPTH STATES BYTES SECONDS SLOTS STOP_ON INTERRUPT_AT
 *
 * STOP_ON is a number whose bits are findings; INTERRUPT_AT a number of states after which the search is stopped.
 */
#include "runtime.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST 64

extern uint64_t permutations;

static uint64_t interrupt_at;
static uint32_t over;

static void *interrupt(void *argument)
{
    Search *search = argument;
    Progress progress = {0};
    while (progress.states < interrupt_at && !__atomic_load_n(&over, __ATOMIC_RELAXED)) {
        search_progress(search, &progress);
        sched_yield();
    }
    search_stop(search);
    return NULL;
}

static void print_numbers(const char *name, const uint64_t *numbers, uint32_t count)
{
    printf("\"%s\": [", name);
    for (uint32_t i = 0; i < count; i++) printf("%s%llu", i ? ", " : "", (unsigned long long)numbers[i]);
    printf("], ");
}

static void print_finding(Search *search, uint32_t f, uint32_t state_bytes)
{
    Finding finding;
    search_finding(search, f, &finding);
    printf("%s{\"found\": %u", f ? ", " : "", finding.found);
    if (finding.found) {
        uint32_t room = finding.depth + 2;
        uint8_t *states = malloc((size_t)room * state_bytes);
        uint32_t length = states ? search_trace(search, f, states, room) : 0;
        printf(", \"depth\": %u, \"action\": %d, \"is_step\": %u, \"trace\": [", finding.depth, (int)finding.action,
               finding.is_step);
        for (uint32_t i = 0; i < length; i++) {
            printf("%s\"", i ? ", " : "");
            for (uint32_t b = 0; b < state_bytes; b++) printf("%02x", states[i * state_bytes + b]);
            printf("\"");
        }
        printf("]");
        free(states);
    }
    printf("}");
}

int main(int argc, char **argv)
{
    if (argc != 9) return 2;
    uint64_t stop_bits = strtoull(argv[7], NULL, 0), taken[MOST], discovered[MOST], bounds[MOST], levels[4096];
    uint8_t stop_on[MOST], marks[MOST];
    for (int f = 0; f < MOST; f++) stop_on[f] = stop_bits >> f & 1;
    Options options = {
        .threads = (uint32_t)strtoul(argv[1], NULL, 0),
        .max_depth = (uint32_t)strtoul(argv[2], NULL, 0),
        .max_states = strtoull(argv[3], NULL, 0),
        .max_bytes = strtoull(argv[4], NULL, 0),
        .max_seconds = strtod(argv[5], NULL),
        .initial_slots = (uint32_t)strtoul(argv[6], NULL, 0),
        .stop_on = stop_on,
    };
    Shape shape = model_shape();
    Search *search = search_new(&options);
    if (!search) return 3;
    interrupt_at = strtoull(argv[8], NULL, 0);
    pthread_t thread;
    if (interrupt_at) pthread_create(&thread, NULL, interrupt, search);
    Outcome outcome = search_run(search);
    __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
    if (interrupt_at) pthread_join(thread, NULL);
    Progress progress;
    search_progress(search, &progress);
    search_counts(search, taken, discovered, bounds, marks);
    printf("{\"outcome\": %d, \"states\": %llu, \"transitions\": %llu, \"expanded\": %llu, \"depth\": %u, "
           "\"bytes\": %llu, \"running\": %u, \"loss\": %g, ",
           outcome, (unsigned long long)progress.states, (unsigned long long)progress.transitions,
           (unsigned long long)progress.expanded, progress.depth, (unsigned long long)progress.bytes,
           progress.running, search_expected_loss(search));
    print_numbers("permutations", &permutations, 1);
    print_numbers("taken", taken, shape.actions);
    print_numbers("discovered", discovered, shape.actions);
    print_numbers("bounds", bounds, shape.bounds);
    print_numbers("levels", levels, search_levels(search, levels, 4096));
    printf("\"marks\": [%u, %u], \"findings\": [", marks[0], marks[1]);
    for (uint32_t f = 0; f < shape.findings; f++) print_finding(search, f, shape.state_bytes);
    printf("]}\n");
    search_free(search);
    return 0;
}
