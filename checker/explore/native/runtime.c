/* The search: memory, growth of the visited set, threads and levels, findings and traces, and the exported functions.
 *
 * It knows a model only by its descriptor (search.h) and so is compiled once; what happens for each state is in kernel.h.
 */
#define _GNU_SOURCE
#include "search.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define WORTH_WAKING 2e-4  /* seconds of work in a level from which on other threads are woken */
#define BEFORE_INITIAL UINT32_MAX /* the depth of the level that leads to the initial states, which have depth 0 */
#define HUGE_PAGE (UINT64_C(1) << 21)
#define DEFAULT_SLOTS (UINT64_C(1) << 16)
#define QUICK_SLOTS (UINT64_C(1) << 21) /* below, the table grows fourfold */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* --- memory ------------------------------------------------------------------------------------------------------ */

static uint64_t round_up(uint64_t n, uint64_t unit)
{
    return (n + unit - 1) / unit * unit;
}

/* Address space, zero where it is read for the first time, in large pages if the system has them; but not at its
 * beginning, since clearing one large page takes longer than many a small search. */
static bool reserve(Range *range, uint64_t bytes)
{
    bytes = round_up(bytes, bytes >= HUGE_PAGE ? HUGE_PAGE : 4096);
    void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) return false;
#ifdef MADV_HUGEPAGE
    if (bytes > HUGE_PAGE) madvise((char *)base + HUGE_PAGE, bytes - HUGE_PAGE, MADV_HUGEPAGE);
#endif
    range->base = base;
    range->bytes = bytes;
    return true;
}

static void release(Range *range)
{
    if (range->base) munmap(range->base, range->bytes);
    range->base = NULL;
}

/* The number in a file of the system, or UINT64_MAX if there is none. */
static uint64_t number_in(const char *path)
{
    unsigned long long number;
    FILE *file = fopen(path, "r");
    if (!file) return UINT64_MAX;
    int read = fscanf(file, "%llu", &number);
    fclose(file);
    return read == 1 ? number : UINT64_MAX;
}

/* Where the caller sets no bound: most of what the machine, or the control group on Linux, has. */
static uint64_t default_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    uint64_t bytes = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : UINT64_C(1) << 30;
    uint64_t groups[] = {number_in("/sys/fs/cgroup/memory.max"),
                         number_in("/sys/fs/cgroup/memory/memory.limit_in_bytes")};
    for (int i = 0; i < 2; i++)
        if (groups[i] < bytes) bytes = groups[i];
    return bytes / 10 * 8;
}

/* As much as the bound on memory could ever need, or less if the system does not give so many addresses. */
static bool reserve_arena(Search *search)
{
    uint64_t bytes = search->options.max_bytes;
    while (!reserve(&search->arena_range, bytes))
        if ((bytes /= 2) < HUGE_PAGE) return false;
    search->arena = search->arena_range.base;
    search->capacity = search->arena_range.bytes / model.entry_bytes;
    if (search->capacity > INDEX_MASK - 1) search->capacity = INDEX_MASK - 1;
    return true;
}

static bool reserve_frontiers(Search *search)
{
    uint64_t bytes = search->capacity * model.state_words * 8;
    if (!model.shape.hash_compact) return true;
    if (!reserve(&search->frontier_ranges[0], bytes) || !reserve(&search->frontier_ranges[1], bytes)) return false;
    search->expanding = search->frontier_ranges[0].base;
    search->filling = search->frontier_ranges[1].base;
    return true;
}

static char *entry_at(const Search *search, uint64_t index)
{
    return search->arena + index * model.entry_bytes;
}

static bool is_hole(const Search *search, uint64_t index)
{
    static const char zeros[sizeof(uint64_t)];
    return memcmp(entry_at(search, index), zeros, model.link_bytes) == 0;
}

static uint64_t bytes_for(const Search *search, uint64_t slots, uint64_t entries)
{
    uint64_t bytes = slots * 8 + entries * model.entry_bytes;
    if (model.shape.hash_compact) bytes += (entries - search->level_start) * model.state_words * 8;
    return bytes;
}

/* --- the visited set --------------------------------------------------------------------------------------------- */

/* Entries that may be given out after workers were asked to come together, before they do. */
static uint64_t slack(const Search *search)
{
    return (uint64_t)search->options.threads * 2 * (BLOCK + BATCH);
}

static bool new_table(Search *search, uint64_t slots)
{
    Range table;
    if (!reserve(&table, slots * 8)) return false;
    release(&search->table_range);
    search->table_range = table;
    search->slots = (uint64_t *)(void *)table.base;
    search->mask = slots - 1;
    search->limit = slots / 4 * 3 - slack(search);
    return true;
}

/* Called while all workers stand still. */
static void open_growth(Search *search)
{
    uint64_t slots = search->mask + 1, larger = slots * (slots < QUICK_SLOTS ? 4 : 2);
    __atomic_store_n(&search->growing, 0, __ATOMIC_RELEASE);
    search->rehashed = 0;
    if (bytes_for(search, larger, search->used) > search->options.max_bytes || !new_table(search, larger)) {
        search->full = true;
        search->limit = slots - slots / 16 - slack(search);
        search->rehashed = search->used;
    }
    search->arrived = 0;
    search->rehashing = search->active;
    search->growths++;
    pthread_cond_broadcast(&search->changed);
}

static void insert_entry(Search *search, uint64_t index, uint64_t hash)
{
    for (uint64_t at = hash & search->mask;; at = (at + 1) & search->mask) {
        uint64_t empty = 0;
        if (__atomic_load_n(&search->slots[at], __ATOMIC_RELAXED)) continue;
        if (__atomic_compare_exchange_n(&search->slots[at], &empty, tag_of(hash) | (index + 1), false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            return;
    }
}

static void rehash_range(Search *search, uint64_t first, uint64_t end)
{
    uint64_t hashes[64], indices[64];
    while (first < end) {
        int count = 0;
        for (; first < end && count < 64; first++) {
            if (is_hole(search, first)) continue;
            hashes[count] = model.hash_entry(entry_at(search, first));
            indices[count] = first;
            __builtin_prefetch(&search->slots[hashes[count++] & search->mask], 1);
        }
        for (int i = 0; i < count; i++) insert_entry(search, indices[i], hashes[i]);
    }
}

/* Each worker's part in putting all entries into the new table; returns when all parts are done. */
static void rehash(Search *search)
{
    const uint64_t part = 16384;
    uint64_t first, end = search->used;
    while ((first = __atomic_fetch_add(&search->rehashed, part, __ATOMIC_RELAXED)) < end)
        rehash_range(search, first, first + part < end ? first + part : end);
    pthread_mutex_lock(&search->mutex);
    uint64_t rehashes = search->rehashes;
    if (--search->rehashing == 0) {
        search->rehashes++;
        pthread_cond_broadcast(&search->changed);
    } else
        while (search->rehashes == rehashes) pthread_cond_wait(&search->changed, &search->mutex);
    pthread_mutex_unlock(&search->mutex);
}

void meet_to_grow(Worker *w)
{
    Search *search = w->search;
    pthread_mutex_lock(&search->mutex);
    uint64_t growths = search->growths;
    if (++search->arrived + search->finished == search->active) open_growth(search);
    while (search->growths == growths) pthread_cond_wait(&search->changed, &search->mutex);
    pthread_mutex_unlock(&search->mutex);
    rehash(search);
}

void halt(Search *search, Outcome outcome)
{
    uint32_t none = COMPLETE;
    __atomic_compare_exchange_n(&search->outcome, &none, outcome, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    __atomic_store_n(&search->stopped, 1, __ATOMIC_RELEASE);
}

/* How many entries a block may have here: few when the bound on states is near, so that it is met exactly. */
static uint64_t block_size(const Search *search)
{
    uint64_t most = search->options.max_states, used = search->used;
    if (!most || most - used > (uint64_t)2 * BLOCK * search->options.threads) return BLOCK;
    return most > used ? 1 : 0;
}

bool take_block(Worker *w)
{
    Search *search = w->search;
    pthread_mutex_lock(&search->mutex);
    uint64_t first = search->used, size = block_size(search), bytes = bytes_for(search, search->mask + 1, first + size);
    bool room = first + size <= search->capacity && bytes <= search->options.max_bytes
                && !(search->full && first + size > search->limit);
    if (size == 0 || !room) halt(search, size == 0 ? STOPPED_STATES : STOPPED_MEMORY);
    if (size && room) {
        w->next = first;
        w->end = first + size;
        __atomic_store_n(&search->used, w->end, __ATOMIC_RELAXED);
        __atomic_store_n(&search->bytes, bytes, __ATOMIC_RELAXED);
        if (!search->full && w->end > search->limit) __atomic_store_n(&search->growing, 1, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&search->mutex);
    return size && room;
}

void look_at_clock(Worker *w)
{
    Search *search = w->search;
    double most = search->options.max_seconds;
    if (most > 0 && now() - search->start > most) halt(search, STOPPED_TIME);
}

/* The slot that holds the entry, which is in the table. */
static uint64_t *slot_of(const Search *search, uint64_t index, uint64_t hash)
{
    uint64_t at = hash & search->mask;
    while (index_in(search->slots[at]) != index) at = (at + 1) & search->mask;
    return &search->slots[at];
}

static void move_entry(Search *search, uint64_t from, uint64_t to)
{
    uint64_t bytes = model.state_words * UINT64_C(8), base = search->level_end;
    uint64_t hash = model.hash_entry(entry_at(search, from));
    *slot_of(search, from, hash) = tag_of(hash) | (to + 1);
    memcpy(entry_at(search, to), entry_at(search, from), model.entry_bytes);
    memset(entry_at(search, from), 0, model.link_bytes);
    if (model.shape.hash_compact)
        memcpy(search->filling + (to - base) * bytes, search->filling + (from - base) * bytes, bytes);
}

static void fill_hole(Search *search, uint64_t hole, uint64_t live, uint64_t *last)
{
    if (hole >= live) return;
    do --*last;
    while (is_hole(search, *last));
    move_entry(search, *last, hole);
}

/* After a level, entries are numbered without gaps: the last ones take the places that workers did not use. */
static void close_gaps(Search *search)
{
    uint64_t live = search->used, last = search->used;
    for (uint32_t i = 0; i < search->options.threads; i++) {
        Worker *w = &search->workers[i];
        live -= w->end - w->next + (w->spare != NO_INDEX);
    }
    for (uint32_t i = 0; i < search->options.threads; i++) {
        Worker *w = &search->workers[i];
        for (; w->next < w->end; w->next++) fill_hole(search, w->next, live, &last);
        if (w->spare != NO_INDEX) fill_hole(search, w->spare, live, &last);
        w->next = w->end = 0;
        w->spare = NO_INDEX;
    }
    __atomic_store_n(&search->used, live, __ATOMIC_RELAXED);
}

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
        model.expand_range(w, first, first + chunk < search->level_end ? first + chunk : search->level_end);
        look_at_clock(w);
    }
    model.flush(w);
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

static bool new_worker(Worker *w, Search *search, uint32_t id)
{
    const Shape *shape = &model.shape;
    w->search = search;
    w->id = id;
    w->spare = NO_INDEX;
    w->batch = malloc(model.batch_bytes);
    w->taken = calloc(shape->actions, sizeof *w->taken);
    w->discovered = calloc(shape->actions + 1, sizeof *w->discovered);
    w->bounds = calloc(shape->bounds + 1, sizeof *w->bounds);
    w->marks = calloc(shape->marks + 1, 1);
    w->records = calloc(shape->findings, record_bytes());
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
    search->depth = BEFORE_INITIAL;
    search->level_room = 64;
    search->workers = calloc(search->options.threads, sizeof *search->workers);
    search->levels = calloc(search->level_room, sizeof *search->levels);
    search->stop_on = calloc(model.shape.findings, 1);
    search->records = calloc(model.shape.findings, record_bytes());
    if (!search->workers || !search->levels || !search->stop_on || !search->records) return false;
    if (options->stop_on) memcpy(search->stop_on, options->stop_on, model.shape.findings);
    for (uint32_t i = 0; i < search->options.threads; i++)
        if (!new_worker(&search->workers[i], search, i)) return false;
    return reserve_arena(search) && reserve_frontiers(search) && new_table(search, first_slots(&search->options));
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

/* --- traces -------------------------------------------------------------------------------------------------------------- */

/* The entry of a stored state, or of a stored hash if `state` is NULL; NO_INDEX if it is not stored. */
static uint64_t find_entry(const Search *search, uint64_t hash, const uint64_t *state)
{
    for (uint64_t at = hash & search->mask, slot; (slot = search->slots[at]); at = (at + 1) & search->mask) {
        const char *entry = entry_at(search, index_in(slot));
        if (tag_of(slot) != tag_of(hash) || model.hash_entry(entry) != hash) continue;
        if (!state || model.holds(entry, state)) return index_in(slot);
    }
    return NO_INDEX;
}

/* The next entry in [from, end) that could be the state before, judged by the bits that the link has of its hash. */
static uint64_t next_candidate(const Search *search, uint64_t from, uint64_t end, uint64_t bits)
{
    for (; from < end; from++)
        if (model.parent_bits(model.hash_entry(entry_at(search, from))) == bits) return from;
    return NO_INDEX;
}

static bool less(const uint64_t *a, const uint64_t *b)
{
    for (uint32_t i = 0; i < model.state_words; i++)
        if (a[i] != b[i]) return a[i] < b[i];
    return false;
}

/* The least state of the level before from which a step leads to `state`, among those that its link may name. */
static bool step_back(Search *search, Worker *w, uint32_t depth, const uint64_t *state, uint64_t *before)
{
    uint64_t hash = model.hash_state(state), index = find_entry(search, hash, state), end = search->levels[depth];
    uint64_t other[model.state_words], reached[model.state_words];
    Pursuit pursuit = {.hash = hash, .target = state, .best = reached};
    bool any = false;
    if (index == NO_INDEX) return false;
    uint64_t bits = model.link_parent(entry_at(search, index));
    w->pursuit = &pursuit;
    for (uint64_t at = search->levels[depth - 1]; (at = next_candidate(search, at, end, bits)) != NO_INDEX; at++) {
        model.load_entry(entry_at(search, at), other);
        pursuit.hit = false;
        model.expand_one(w, other);
        if (!pursuit.hit || (any && !less(other, before))) continue;
        memcpy(before, other, sizeof other);
        any = true;
    }
    w->pursuit = NULL;
    return any;
}

/* Writes states depth-1, ..., 0 before state number depth, which is there. */
static bool walk_back(Search *search, Worker *w, uint32_t depth, uint64_t *states)
{
    for (uint32_t k = depth; k > 0; k--) {
        uint64_t *state = states + (size_t)k * model.state_words;
        if (!step_back(search, w, k, state, state - model.state_words)) return false;
    }
    return true;
}

/* With hashes alone: first the hashes of the states before, from the links, then the states, by taking steps. */
static bool walk_hashes(Search *search, Worker *w, uint32_t depth, uint64_t *states)
{
    uint64_t *hashes = malloc((depth + 1) * sizeof *hashes);
    bool whole = hashes != NULL;
    if (whole) hashes[depth] = model.hash_state(states + (size_t)depth * model.state_words);
    for (uint32_t k = depth; whole && k > 0; k--) {
        uint64_t index = find_entry(search, hashes[k], NULL);
        if (index != NO_INDEX)
            index = next_candidate(search, search->levels[k - 1], search->levels[k],
                                   model.link_parent(entry_at(search, index)));
        whole = index != NO_INDEX;
        if (whole) hashes[k - 1] = model.hash_entry(entry_at(search, index));
    }
    for (uint32_t k = 0; whole && k < depth; k++) {
        uint64_t *state = states + (size_t)k * model.state_words;
        Pursuit pursuit = {.hash = hashes[k], .best = state};
        w->pursuit = &pursuit;
        if (k) {
            model.expand_one(w, state - model.state_words);
        } else {
            model.begin(w);
            model.flush(w);
        }
        whole = pursuit.hit;
    }
    w->pursuit = NULL;
    free(hashes);
    return whole;
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
