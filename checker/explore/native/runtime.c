/* The search: findings, threads and levels, and the exported functions.
 *
 * It knows a model only by its descriptor (search.h) and so is compiled once; what happens for each state is in kernel.h,
 * where states are kept in store.h, and how runs are found again in trace.h.
 */
#define _GNU_SOURCE
#include "search.h"

#include "store.h"
#include "trace.h"

#include <stdlib.h>

#define WORTH_WAKING 2e-4 /* seconds of work in a level from which on other threads are woken */
#define DEFAULT_SLOTS (UINT64_C(1) << 16)
#define BEFORE_INITIAL UINT32_MAX /* the depth of the level that leads to the initial states, which have depth 0 */

/* --- findings ---------------------------------------------------------------------------------------------------- */

static size_t record_bytes(void)
{
    return sizeof(Record) + 2 * 8 * (size_t)model.state_words;
}

static Record *record_at(char *records, uint32_t finding)
{
    return (Record *)(void *)(records + finding * record_bytes());
}

/* The same order as in kernel.h: level, state, action, next state. */
static bool comes_before(const Record *a, const Record *b)
{
    uint32_t words = model.state_words;
    if (a->where != b->where) return a->where < b->where;
    for (uint32_t i = 0; i < words; i++)
        if (a->words[i] != b->words[i]) return a->words[i] < b->words[i];
    if (a->action != b->action) return a->action < b->action;
    for (uint32_t i = words; a->is_step && i < 2 * words; i++)
        if (a->words[i] != b->words[i]) return a->words[i] < b->words[i];
    return false;
}

/* Takes over what the workers found in this level; true if some of it ends the search. */
static bool merge_findings(Search *search)
{
    bool stop = false;
    for (uint32_t f = 0; f < model.shape.findings; f++) {
        Record *best = record_at(search->records, f);
        bool before = best->found;
        for (uint32_t i = 0; i < search->options.threads; i++) {
            Record *record = record_at(search->workers[i].records, f);
            if (record->found && !before && (!best->found || comes_before(record, best)))
                memcpy(best, record, record_bytes());
            record->found = 0;
        }
        if (before || !best->found) continue;
        best->depth = best->where == IN_EXPANDED ? search->depth : search->depth + 1;
        stop |= search->stop_on[f];
    }
    return stop;
}

/* --- levels and threads -------------------------------------------------------------------------------------------- */

/* Waits until no worker has work, and takes part in growing the table meanwhile. */
static void finish(Worker *w)
{
    Search *search = w->search;
    pthread_mutex_lock(&search->mutex);
    uint64_t closed = search->closed, growths = search->growths;
    search->finished++;
    while (search->closed == closed) {
        if (search->finished == search->active) {
            search->closed++;
            pthread_cond_broadcast(&search->changed);
            break;
        }
        if (search->arrived && search->arrived + search->finished == search->active) open_growth(search);
        if (search->growths != growths) {
            growths = search->growths;
            pthread_mutex_unlock(&search->mutex);
            rehash(search);
            pthread_mutex_lock(&search->mutex);
        } else
            pthread_cond_wait(&search->changed, &search->mutex);
    }
    pthread_mutex_unlock(&search->mutex);
}

static void work(Worker *w)
{
    Search *search = w->search;
    uint64_t size = search->level_end - search->level_start, chunk = size / (16 * search->active) + 1, first;
    if (chunk > 512) chunk = 512;
    while (!__atomic_load_n(&search->stopped, __ATOMIC_RELAXED)
           && (first = __atomic_fetch_add(&search->cursor, chunk, __ATOMIC_RELAXED)) < search->level_end) {
        uint64_t end = first + chunk < search->level_end ? first + chunk : search->level_end;
        __atomic_load_n(&search->code, __ATOMIC_ACQUIRE)->expand_range(w, first, end);
        look_at_clock(w);
    }
    __atomic_load_n(&search->code, __ATOMIC_ACQUIRE)->flush(w);
    finish(w);
}

static void *help(void *argument)
{
    Worker *w = argument;
    Search *search = w->search;
    for (uint64_t done = 0;;) {
        pthread_mutex_lock(&search->mutex);
        while (search->opened == done && !search->ended) pthread_cond_wait(&search->changed, &search->mutex);
        bool ended = search->opened == done;
        pthread_mutex_unlock(&search->mutex);
        if (ended) return NULL;
        done++;
        work(w);
    }
}

static void start_helpers(Search *search)
{
    while (search->helpers + 1 < search->options.threads) {
        Worker *w = &search->workers[search->helpers + 1];
        if (pthread_create(&w->thread, NULL, help, w)) return;
        search->helpers++;
    }
}

static void stop_helpers(Search *search)
{
    pthread_mutex_lock(&search->mutex);
    search->ended = true;
    pthread_cond_broadcast(&search->changed);
    pthread_mutex_unlock(&search->mutex);
    for (uint32_t i = 1; i <= search->helpers; i++) pthread_join(search->workers[i].thread, NULL);
}

static void expand_level(Search *search)
{
    double size = (double)(search->level_end - search->level_start), start = now();
    bool parallel = search->options.threads > 1 && size * search->pace > WORTH_WAKING;
    if (parallel && !search->helpers) start_helpers(search);
    search->cursor = search->level_start;
    pthread_mutex_lock(&search->mutex);
    search->active = parallel ? search->helpers + 1 : 1;
    search->finished = 0;
    if (parallel) {
        search->opened++;
        pthread_cond_broadcast(&search->changed);
    }
    pthread_mutex_unlock(&search->mutex);
    work(&search->workers[0]);
    search->pace = (now() - start) * search->active / size;
}

static bool note_level(Search *search)
{
    if (search->level_count + 2 > search->level_room) {
        uint32_t room = search->level_room * 2;
        uint64_t *levels = realloc(search->levels, room * sizeof *levels);
        if (!levels) return false;
        search->levels = levels;
        search->level_room = room;
    }
    search->levels[search->level_count++] = search->level_end;
    search->levels[search->level_count] = search->used;
    return true;
}

/* The states stored last become the level to expand; false if there are none or a bound ends the search. */
static bool advance(Search *search)
{
    bool stop = merge_findings(search);
    close_gaps(search);
    if (search->used > search->level_end) {
        if (!note_level(search)) halt(search, STOPPED_MEMORY);
        __atomic_store_n(&search->depth, search->depth + 1, __ATOMIC_RELAXED);
        if (stop) halt(search, STOPPED_FOUND);
        if (search->depth == search->options.max_depth) halt(search, STOPPED_DEPTH);
    }
    search->level_start = search->level_end;
    search->level_end = search->used;
    if (model.shape.hash_compact) {
        Range *drained = &search->frontier_ranges[search->expanding == search->frontier_ranges[1].base];
        char *expanding = search->filling;
        madvise(drained->base, drained->bytes, MADV_DONTNEED);
        search->filling = search->expanding;
        search->expanding = expanding;
    }
    return search->level_end > search->level_start && !__atomic_load_n(&search->stopped, __ATOMIC_RELAXED);
}

Outcome search_run(Search *search)
{
    search->start = now();
    __atomic_store_n(&search->running, 1, __ATOMIC_RELEASE);
    search->active = 1;
    model.begin(&search->workers[0]);
    model.flush(&search->workers[0]);
    while (advance(search)) expand_level(search);
    stop_helpers(search);
    double seconds = now() - search->start;
    __atomic_store(&search->seconds, &seconds, __ATOMIC_RELAXED);
    __atomic_store_n(&search->running, 0, __ATOMIC_RELEASE);
    return __atomic_load_n(&search->outcome, __ATOMIC_RELAXED);
}

/* --- making and freeing ---------------------------------------------------------------------------------------------- */

/* Zeros, in cache lines (and their neighbours, which are fetched with them) that belong to one worker alone. */
static void *own_memory(size_t bytes)
{
    void *memory;
    bytes = (bytes / OWN + 1) * OWN;
    return posix_memalign(&memory, OWN, bytes) ? NULL : memset(memory, 0, bytes);
}

static bool new_worker(Worker *w, Search *search, uint32_t id)
{
    const Shape *shape = &model.shape;
    w->search = search;
    w->id = id;
    w->spare = NO_INDEX;
    w->batch = own_memory(model.batch_bytes);
    w->taken = own_memory(shape->actions * sizeof *w->taken);
    w->discovered = own_memory((shape->actions + 1) * sizeof *w->discovered);
    w->bounds = own_memory(shape->bounds * sizeof *w->bounds);
    w->marks = own_memory(shape->marks);
    w->records = own_memory(shape->findings * record_bytes());
    return w->batch && w->taken && w->discovered && w->bounds && w->marks && w->records;
}

static void free_worker(Worker *w)
{
    free(w->batch);
    free(w->taken);
    free(w->discovered);
    free(w->bounds);
    free(w->marks);
    free(w->records);
}

static uint64_t first_slots(const Options *options)
{
    uint64_t wanted = options->initial_slots ? options->initial_slots : DEFAULT_SLOTS;
    uint64_t least = (uint64_t)options->threads * 16 * (BLOCK + BATCH), slots = 1024;
    while (slots < wanted || slots < least) slots *= 2;
    return slots;
}

static bool new_search(Search *search, const Options *options)
{
    search->options = *options;
    if (!search->options.threads) search->options.threads = 1;
    if (!search->options.max_bytes) search->options.max_bytes = default_memory();
    search->code = &model;
    search->depth = BEFORE_INITIAL;
    search->level_room = 64;
    search->workers = own_memory(search->options.threads * sizeof *search->workers);
    search->levels = calloc(search->level_room, sizeof *search->levels);
    search->stop_on = calloc(model.shape.findings, 1);
    search->records = calloc(model.shape.findings, record_bytes());
    if (!search->workers || !search->levels || !search->stop_on || !search->records) return false;
    if (options->stop_on) memcpy(search->stop_on, options->stop_on, model.shape.findings);
    for (uint32_t i = 0; i < search->options.threads; i++)
        if (!new_worker(&search->workers[i], search, i)) return false;
    return reserve_arena(search) && reserve_frontiers(search) && reserve_table(search, first_slots(&search->options));
}

Search *search_new(const Options *options)
{
    void *memory;
    if (posix_memalign(&memory, CACHE_LINE, sizeof(Search))) return NULL;
    Search *search = memset(memory, 0, sizeof(Search));
    pthread_mutex_init(&search->mutex, NULL);
    pthread_cond_init(&search->changed, NULL);
    if (new_search(search, options)) return search;
    search_free(search);
    return NULL;
}

void search_free(Search *search)
{
    release(&search->arena_range);
    release(&search->table_range);
    release(&search->frontier_ranges[0]);
    release(&search->frontier_ranges[1]);
    for (uint32_t i = 0; search->workers && i < search->options.threads; i++) free_worker(&search->workers[i]);
    free(search->workers);
    free(search->levels);
    free(search->stop_on);
    free(search->records);
    pthread_cond_destroy(&search->changed);
    pthread_mutex_destroy(&search->mutex);
    free(search);
}

/* --- answers ----------------------------------------------------------------------------------------------------------- */

Shape model_shape(void)
{
    return model.shape;
}

const Model *model_code(void)
{
    return &model;
}

bool search_adopt(Search *search, const Model *other)
{
    if (memcmp(&other->shape, &model.shape, sizeof model.shape) != 0) return false;
    __atomic_store_n(&search->code, other, __ATOMIC_RELEASE);
    return true;
}

void search_stop(Search *search)
{
    halt(search, STOPPED_INTERRUPTED);
}

void search_progress(const Search *search, Progress *progress)
{
    uint64_t transitions = 0, expanded = 0;
    for (uint32_t i = 0; i < search->options.threads; i++) {
        transitions += __atomic_load_n(&search->workers[i].transitions, __ATOMIC_RELAXED);
        expanded += __atomic_load_n(&search->workers[i].expanded, __ATOMIC_RELAXED);
    }
    progress->states = __atomic_load_n(&search->used, __ATOMIC_RELAXED);
    progress->transitions = transitions;
    progress->expanded = expanded;
    progress->bytes = __atomic_load_n(&search->bytes, __ATOMIC_RELAXED);
    uint32_t depth = __atomic_load_n(&search->depth, __ATOMIC_RELAXED);
    progress->depth = depth == BEFORE_INITIAL ? 0 : depth;
    progress->running = __atomic_load_n(&search->running, __ATOMIC_ACQUIRE);
    __atomic_load(&search->seconds, &progress->seconds, __ATOMIC_RELAXED);
    if (progress->running) progress->seconds = now() - search->start;
}

void search_counts(const Search *search, uint64_t *taken, uint64_t *discovered, uint64_t *bounds, uint8_t *marks)
{
    const Shape *shape = &model.shape;
    memset(taken, 0, shape->actions * sizeof *taken);
    memset(discovered, 0, shape->actions * sizeof *discovered);
    memset(bounds, 0, shape->bounds * sizeof *bounds);
    memset(marks, 0, shape->marks);
    for (uint32_t i = 0; i < search->options.threads; i++) {
        const Worker *w = &search->workers[i];
        for (uint32_t a = 0; a < shape->actions; a++) taken[a] += w->taken[a];
        for (uint32_t a = 0; a < shape->actions; a++) discovered[a] += (uint64_t)w->discovered[a];
        for (uint32_t b = 0; b < shape->bounds; b++) bounds[b] += w->bounds[b];
        for (uint32_t m = 0; m < shape->marks; m++) marks[m] |= w->marks[m];
    }
}

uint32_t search_levels(const Search *search, uint64_t *sizes, uint32_t room)
{
    for (uint32_t i = 0; i < search->level_count && i < room; i++)
        sizes[i] = search->levels[i + 1] - search->levels[i];
    return search->level_count;
}

void search_finding(const Search *search, uint32_t finding, Finding *out)
{
    const Record *record = record_at(search->records, finding);
    *out = (Finding){record->found, record->depth, record->action, record->is_step};
}

double search_expected_loss(const Search *search)
{
    double states = (double)search->used;
    return model.shape.hash_compact ? states * (states - 1) / 2 / 18446744073709551616.0 : 0;
}

uint32_t search_trace(Search *search, uint32_t finding, uint8_t *states, uint32_t room)
{
    const Record *record = record_at(search->records, finding);
    uint32_t words = model.state_words, length = record->depth + 1 + record->is_step;
    if (!record->found || length > room) return 0;
    uint64_t *path = calloc((size_t)length * words, sizeof *path);
    Worker scratch = {0};
    bool whole = new_worker(&scratch, search, 0) && path;
    if (whole) {
        memcpy(path + (size_t)record->depth * words, record->words, (length - record->depth) * words * sizeof *path);
        whole = (model.shape.hash_compact ? walk_hashes : walk_back)(search, &scratch, record->depth, path);
    }
    for (uint32_t i = 0; whole && i < length; i++)
        memcpy(states + (size_t)i * model.shape.state_bytes, path + (size_t)i * words, model.shape.state_bytes);
    free_worker(&scratch);
    free(path);
    return whole ? length : 0;
}
