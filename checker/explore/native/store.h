/* Where states are kept: memory in large ranges, the arena of entries, and the table of the visited set, which grows.
 *
 * Part of runtime.c. Inserting and looking up while the search runs is in kernel.h; here all workers stand still, but
 * for those that put the entries of an old table into a new one together.
 */
#ifndef STORE_H
#define STORE_H

#include "search.h"

#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define HUGE_PAGE (UINT64_C(1) << 21)
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

/* How many entries there can be in all with a table of this size that does not grow. */
static uint64_t room_with(const Search *search, uint64_t slots)
{
    uint64_t most = slots - slots / 16 - slack(search), bytes = search->options.max_bytes;
    if (slots * 8 > search->table_range.bytes) return 0;
    uint64_t fit = slots * 8 < bytes ? (bytes - slots * 8) / model.entry_bytes : 0;
    return fit < most ? fit : most;
}

static void set_table(Search *search, uint64_t slots)
{
    search->slots = (uint64_t *)(void *)search->table_range.base;
    search->mask = slots - 1;
    search->limit = slots / 4 * 3 - slack(search);
}

/* Addresses for the largest table that the bound on memory allows; it grows in its place. */
static bool reserve_table(Search *search, uint64_t slots)
{
    uint64_t most = slots;
    while (most * 2 * 8 <= search->options.max_bytes) most *= 2;
    while (!reserve(&search->table_range, most * 8))
        if ((most /= 2) < slots) return false;
    set_table(search, slots);
    return true;
}

/* Makes the table larger and empties it; false if that would leave room for no more entries than there can be now. */
static bool enlarge_table(Search *search)
{
    uint64_t slots = search->mask + 1, larger = slots * (slots < QUICK_SLOTS ? 4 : 2);
    while (larger > slots && room_with(search, larger) <= room_with(search, larger / 2)) larger /= 2;
    if (larger == slots) return false;
    memset(search->slots, 0, slots * 8); /* cheaper than fresh pages */
    set_table(search, larger);
    return true;
}

/* Called while all workers stand still. */
static void open_growth(Search *search)
{
    __atomic_store_n(&search->growing, 0, __ATOMIC_RELEASE);
    search->rehashed = 0;
    if (!enlarge_table(search)) {
        search->full = true;
        search->limit = room_with(search, search->mask + 1);
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

#endif
