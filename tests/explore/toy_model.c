/* A model with known counts, as generated code would be: COUNTERS counters that run from 0 to TOP, one step at a time.
 *
 * All that a search reports is a formula of COUNTERS and TOP. The counters lie across the words of the state.
 */
#ifndef COUNTERS
#define COUNTERS 5
#endif
#ifndef TOP
#define TOP 7
#endif

#define FIRST_BIT 50
#define WIDTH 4
#define STATE_BYTES ((FIRST_BIT + WIDTH * COUNTERS + 7) / 8)
#define ACTIONS COUNTERS
#define BOUNDS 1
#define MARKS 2
#define STILL 0
#ifdef GROUP
#define SORTS 1
#endif

enum { DEADLOCK, LARGE_SUM, LAST_STEP, BROKEN, FINDINGS_END };
#define FINDINGS FINDINGS_END

#include "runtime.h"

uint64_t permutations; /* how many were tried */

static unsigned counter(const State *s, unsigned i)
{
    return (unsigned)get_bits(s, FIRST_BIT + WIDTH * i, WIDTH);
}

static unsigned sum(const State *s)
{
    unsigned total = 0;
    for (unsigned i = 0; i < COUNTERS; i++) total += counter(s, i);
    return total;
}

static void initial_states(Worker *w)
{
    State s;
    memset(&s, 0, sizeof s);
#ifdef MANY_INITIAL
    for (unsigned code = 0; code < 1u << COUNTERS; code++) {
        for (unsigned i = 0; i < COUNTERS; i++) set_bits(&s, FIRST_BIT + WIDTH * i, WIDTH, code >> i & 1);
        emit_initial(w, &s);
    }
#else
    emit_initial(w, &s);
#endif
}

static void expand(Worker *w, const State *s)
{
    for (unsigned i = 0; i < COUNTERS; i++) {
        State next = *s;
        if (counter(s, i) == TOP) {
#ifndef NO_BOUND
            cut(w, 0);
#endif
            continue;
        }
#ifdef BROKEN_AT
        if (sum(s) == BROKEN_AT && i > 0) {
            undefined(w, BROKEN, i);
            continue;
        }
#endif
#ifdef OVERFLOW_AT
        if (sum(s) == OVERFLOW_AT) {
            overflow(w);
            return;
        }
#endif
        set_bits(&next, FIRST_BIT + WIDTH * i, WIDTH, counter(s, i) + 1);
        emit(w, i, ALL_TOUCHED, &next);
    }
}

static void check_state(Worker *w, uint64_t touched, const State *s)
{
    (void)touched;
#ifdef LARGE_AT
    if (sum(s) == LARGE_AT && counter(s, 1) > 0 && counter(s, 2) > 0) found(w, LARGE_SUM, s);
#endif
    if (sum(s) == COUNTERS * TOP) mark(w, 1);
}

static void check_step(Worker *w, uint64_t touched, const State *s, uint32_t action, const State *next)
{
    (void)touched;
    if (sum(next) == COUNTERS * TOP && action == 2) found_step(w, LAST_STEP, s, action, next);
}

static bool terminal(Worker *w, const State *s)
{
    (void)w, (void)s;
    return false;
}

#ifdef GROUP
static const uint8_t sort_sizes[SORTS] = {COUNTERS};

#if GROUP == 2 /* rotations only */
static const uint8_t rotations[5 * 5] = {0, 1, 2, 3, 4, 1, 2, 3, 4, 0, 2, 3, 4, 0, 1, 3, 4, 0, 1, 2, 4, 0, 1, 2, 3};
static const Group sort_groups[SORTS] = {{rotations, 5}};
#else
static const Group sort_groups[SORTS] = {{NULL, 0}};
#endif

static uint64_t element_key(const State *s, const Colours *colours, uint32_t sort, uint32_t e)
{
    (void)colours, (void)sort;
#if GROUP == 3 /* a useless key, so that all is left to the search among ties */
    (void)s, (void)e;
    return 0;
#else
    return counter(s, e) / 2; /* leaves ties */
#endif
}

static void permute(const State *s, const Renaming *to, State *out)
{
    __atomic_fetch_add(&permutations, 1, __ATOMIC_RELAXED);
    memset(out, 0, sizeof *out);
    for (unsigned i = 0; i < COUNTERS; i++)
        set_bits(out, FIRST_BIT + WIDTH * to->of[0][i], WIDTH, counter(s, i));
}
#endif

#include "kernel.h"
