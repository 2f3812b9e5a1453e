/* The hot path of the search, compiled together with a model: hashing, looking up and storing states, taking steps.
 *
 * It closes a generated file (see runtime.h) and exports the descriptor `model`; it starts no threads, allocates no
 * memory and makes no decision about when to stop.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include "search.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "packed states are stored by their low bytes first"
#endif

/* --- entries and links ---------------------------------------------------------------------------------------- */

#ifdef HASH_COMPACT
typedef uint64_t Link;
#define STORED_BYTES 8
#else
typedef uint32_t Link;
#define STORED_BYTES ((STATE_BYTES + 3) / 4 * 4)
#endif

#define ENTRY_BYTES (sizeof(Link) + STORED_BYTES)
#define INITIAL ACTIONS /* stands for an action in the link of an initial state */

enum { ACTION_BITS = 32 - __builtin_clz(ACTIONS + 1), PARENT_BITS = 8 * sizeof(Link) - ACTION_BITS };

typedef struct {
    State state;
    uint64_t hash;
    uint64_t at;      /* the slot at which to go on looking */
    uint64_t touched; /* by the step to it */
    Link link;
} Candidate;

static inline Link parent_bits_of(uint64_t hash)
{
    return (Link)((hash << 8) >> (64 - PARENT_BITS));
}

static inline Link link_of(uint32_t action, uint64_t parent)
{
    return (Link)(action + 1) << PARENT_BITS | parent_bits_of(parent);
}

static inline uint32_t action_of(Link link)
{
    return (uint32_t)(link >> PARENT_BITS) - 1;
}

static inline char *entry_at(const Search *search, uint64_t index)
{
    return search->arena + index * ENTRY_BYTES;
}

static inline Link *link_at(const Search *search, uint64_t index)
{
    return (Link *)(void *)entry_at(search, index);
}

/* --- hashing --------------------------------------------------------------------------------------------------- */

/* Multiply and fold, as in Wang Yi's wyhash: two words a multiplication, and one more to finish. */
static inline uint64_t hash_of(const State *s)
{
    uint64_t h = UINT64_C(0x2d358dccaa6c78a5);
    int i = 0;
    for (; i + 1 < STATE_WORDS; i += 2) {
        __uint128_t product = (__uint128_t)(s->w[i] ^ UINT64_C(0x8bb84b93962eacc9) ^ h)
                              * (s->w[i + 1] ^ UINT64_C(0x4b33a62ed433d4a3) ^ (h << 32 | h >> 32));
        h = (uint64_t)product ^ (uint64_t)(product >> 64);
    }
    if (i < STATE_WORDS) h ^= s->w[i];
    __uint128_t product = (__uint128_t)(h ^ UINT64_C(0x4d5a2da51de1aa47)) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline void load_state(const char *packed, State *s)
{
    s->w[STATE_WORDS - 1] = 0;
    memcpy(s, packed, (STATE_BYTES + 3) / 4 * 4);
}

static inline uint64_t hash_of_entry(const char *entry)
{
#ifdef HASH_COMPACT
    uint64_t hash;
    memcpy(&hash, entry + sizeof(Link), 8);
    return hash;
#else
    State s;
    load_state(entry + sizeof(Link), &s);
    return hash_of(&s);
#endif
}

/* --- findings ---------------------------------------------------------------------------------------------------- */

static inline Record *record_at(char *records, uint32_t finding)
{
    return (Record *)(void *)(records + finding * (sizeof(Record) + 2 * sizeof(State)));
}

static inline bool wanted(const Worker *w, uint32_t finding)
{
    return !record_at(w->search->records, finding)->found;
}

/* Keeps the least of all candidates, in the order: level, state, action, next state. */
static __attribute__((noinline, cold)) void
keep_finding(Worker *w, uint32_t finding, uint32_t where, const State *s, uint32_t action, const State *next)
{
    Record *record = record_at(w->records, finding);
    State *before = (State *)(void *)record->words, *after = before + 1;
    if (record->found) {
        int order = record->where != where ? (record->where < where ? -1 : 1) : compare_states(before, s);
        if (order == 0) order = record->action != action ? (record->action < action ? -1 : 1) : 0;
        if (order == 0) order = next ? compare_states(after, next) : 0;
        if (order <= 0) return;
    }
    record->found = 1;
    record->where = where;
    record->action = action;
    record->is_step = next != NULL;
    *before = *s;
    if (next) *after = *next;
}

static inline void found(Worker *w, uint32_t finding, const State *s)
{
    if (wanted(w, finding)) keep_finding(w, finding, IN_STORED, s, UINT32_MAX, NULL);
}

static inline void found_step(Worker *w, uint32_t finding, const State *s, uint32_t action, const State *next)
{
    if (wanted(w, finding)) keep_finding(w, finding, IN_EXPANDED, s, action, next);
}

static inline void undefined(Worker *w, uint32_t finding, uint32_t action)
{
    w->failed = true;
    if (wanted(w, finding)) keep_finding(w, finding, IN_EXPANDED, (const State *)w->state, action, NULL);
}

static inline void cut(Worker *w, uint32_t bound)
{
    w->cuts |= UINT64_C(1) << bound;
}

static inline void mark(Worker *w, uint32_t mark)
{
    w->marks[mark] = 1;
}

static inline void overflow(Worker *w)
{
    halt(w->search, STOPPED_CAPACITY);
}

/* --- the visited set ----------------------------------------------------------------------------------------------- */

static inline bool same_state(const char *entry, const Candidate *c)
{
#ifdef HASH_COMPACT
    return memcmp(entry + sizeof(Link), &c->hash, 8) == 0;
#else
    return memcmp(entry + sizeof(Link), &c->state, STORED_BYTES) == 0;
#endif
}

static inline bool take_entry(Worker *w, uint64_t *index)
{
    if (w->spare != NO_INDEX) {
        *index = w->spare;
        w->spare = NO_INDEX;
        return true;
    }
    if (w->next == w->end && !take_block(w)) return false;
    *index = w->next++;
    return true;
}

static inline void write_entry(const Search *search, uint64_t index, const Candidate *c)
{
    char *entry = entry_at(search, index);
    *link_at(search, index) = c->link;
#ifdef HASH_COMPACT
    memcpy(entry + sizeof(Link), &c->hash, 8);
    memcpy(search->filling + (index - search->level_end) * sizeof(State), &c->state, sizeof(State));
#else
    memcpy(entry + sizeof(Link), &c->state, STORED_BYTES);
#endif
}

/* A state of the new level was reached once more: its link is the least of all, whatever the order of threads. */
static inline void lower_link(Worker *w, uint64_t index, Link link)
{
    Link *at = link_at(w->search, index);
    Link seen = __atomic_load_n(at, __ATOMIC_RELAXED);
    while (link < seen)
        if (__atomic_compare_exchange_n(at, &seen, link, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
            w->discovered[action_of(seen)]--;
            w->discovered[action_of(link)]++;
            return;
        }
}

/* The state's number if it is stored already, or else it is stored now. */
static inline void settle(Worker *w, const Candidate *c)
{
    Search *search = w->search;
    uint64_t *slots = search->slots, mask = search->mask, tag = tag_of(c->hash), mine = NO_INDEX;
    for (uint64_t at = c->at;; at = (at + 1) & mask) {
        uint64_t slot = __atomic_load_n(&slots[at], __ATOMIC_ACQUIRE);
        if (slot == 0) {
            if (mine == NO_INDEX) {
                if (!take_entry(w, &mine)) return;
                write_entry(search, mine, c);
            }
            if (__atomic_compare_exchange_n(&slots[at], &slot, tag | (mine + 1), false, __ATOMIC_ACQ_REL,
                                            __ATOMIC_ACQUIRE)) {
                w->discovered[action_of(c->link)]++;
                check_state(w, c->touched, &c->state);
                return;
            }
        }
        if (tag_of(slot) == tag && same_state(entry_at(search, index_in(slot)), c)) {
            if (mine != NO_INDEX) {
                *link_at(search, mine) = 0;
                w->spare = mine;
            }
            if (index_in(slot) >= search->level_end) lower_link(w, index_in(slot), c->link);
            return;
        }
    }
}

/* Goes along the slots to the first that is empty or bears the right tag, and asks for its entry to be fetched. */
static inline void approach(const Search *search, Candidate *c)
{
    const uint64_t *slots = search->slots;
    uint64_t mask = search->mask, at = c->hash & mask, tag = tag_of(c->hash), slot;
    while ((slot = __atomic_load_n(&slots[at], __ATOMIC_RELAXED)) != 0 && tag_of(slot) != tag) at = (at + 1) & mask;
    c->at = at;
    if (slot) {
        const char *entry = entry_at(search, index_in(slot));
        __builtin_prefetch(entry, 1);
        if (ENTRY_BYTES > 16) __builtin_prefetch(entry + ENTRY_BYTES - 1);
    }
}

static inline void pursue(Pursuit *pursuit, const Candidate *c)
{
    if (c->hash != pursuit->hash) return;
    if (pursuit->target && memcmp(pursuit->target, &c->state, sizeof(State)) != 0) return;
    if (pursuit->hit && compare_states(&c->state, (const State *)(const void *)pursuit->best) >= 0) return;
    pursuit->hit = true;
    memcpy(pursuit->best, &c->state, sizeof(State));
}

static __attribute__((noinline)) void flush(Worker *w)
{
    Search *search = w->search;
    Candidate *batch = w->batch;
    uint32_t count = w->pending;
    w->pending = 0;
    if (w->pursuit) {
        for (uint32_t i = 0; i < count; i++) pursue(w->pursuit, &batch[i]);
        return;
    }
    if (__atomic_load_n(&search->growing, __ATOMIC_ACQUIRE)) meet_to_grow(w);
    for (uint32_t i = 0; i < count; i++) approach(search, &batch[i]);
    for (uint32_t i = 0; i < count; i++) settle(w, &batch[i]);
    __atomic_store_n(&w->transitions, w->steps, __ATOMIC_RELAXED);
    if ((++w->ticks & 31) == 0) look_at_clock(w);
}

/* --- taking steps ---------------------------------------------------------------------------------------------------- */

#ifdef SORTS
#include "symmetry.h"
#endif

static inline bool in_hand(const Worker *w, const State *s)
{
    return w->state && compare_states(w->state, s) == 0;
}

static inline void push(Worker *w, uint64_t touched, const State *next, Link link)
{
    Candidate *c = (Candidate *)w->batch + w->pending;
#ifdef SORTS
    canonical(next, &c->state);
    if (in_hand(w, &c->state)) return;
#else
    c->state = *next;
#endif
    c->link = link;
    c->touched = touched;
    c->hash = hash_of(&c->state);
    __builtin_prefetch(&w->search->slots[c->hash & w->search->mask], 1);
    if (++w->pending == BATCH) flush(w);
}

static inline void emit_still(Worker *w, uint32_t action)
{
    w->taken[action]++;
    w->steps++;
    if (STILL) check_step(w, STILL, (const State *)w->state, action, (const State *)w->state);
}

static void emit(Worker *w, uint32_t action, uint64_t touched, const State *next)
{
    w->taken[action]++;
    w->steps++;
    check_step(w, touched, (const State *)w->state, action, next);
    push(w, touched, next, link_of(action, w->parent));
}

static inline void emit_initial(Worker *w, const State *state)
{
    push(w, ALL_TOUCHED, state, (Link)(INITIAL + 1) << PARENT_BITS);
}

static void begin(Worker *w)
{
    w->state = NULL;
    initial_states(w);
}

static inline void expand_state(Worker *w, const State *s)
{
    uint64_t steps = w->steps;
    w->state = s;
    w->parent = hash_of(s);
    w->cuts = 0;
    w->failed = false;
    expand(w, s);
    if (w->steps == steps && w->cuts == 0 && !w->failed && wanted(w, 0) && !terminal(w, s))
        keep_finding(w, 0, IN_EXPANDED, s, UINT32_MAX, NULL);
    for (uint64_t rest = w->cuts; rest; rest &= rest - 1) w->bounds[__builtin_ctzll(rest)]++;
}

static void expand_range(Worker *w, uint64_t first, uint64_t end)
{
    const Search *search = w->search;
    for (uint64_t index = first; index < end; index++) {
        State s;
        if (__atomic_load_n(&search->stopped, __ATOMIC_RELAXED)) return;
#ifdef HASH_COMPACT
        memcpy(&s, search->expanding + (index - search->level_start) * sizeof(State), sizeof(State));
#else
        load_state(entry_at(search, index) + sizeof(Link), &s);
#endif
        expand_state(w, &s);
        __atomic_store_n(&w->expanded, w->expanded + 1, __ATOMIC_RELAXED);
    }
}

static void expand_one(Worker *w, const uint64_t *state)
{
    State s;
    memcpy(&s, state, sizeof(State));
    expand_state(w, &s);
    flush(w);
}

/* --- the descriptor ---------------------------------------------------------------------------------------------------- */

static uint64_t hash_words(const uint64_t *state)
{
    State s;
    memcpy(&s, state, sizeof(State));
    return hash_of(&s);
}

static uint64_t hash_stored(const char *entry)
{
    return hash_of_entry(entry);
}

static bool holds(const char *entry, const uint64_t *state)
{
    Candidate c;
    memcpy(&c.state, state, sizeof(State));
    c.hash = hash_of(&c.state);
    return same_state(entry, &c);
}

#ifndef HASH_COMPACT
static void load_words(const char *entry, uint64_t *state)
{
    State s;
    load_state(entry + sizeof(Link), &s);
    memcpy(state, &s, sizeof(State));
}
#endif

static uint64_t stored_parent(const char *entry)
{
    Link link;
    memcpy(&link, entry, sizeof link);
    return link & (((Link)1 << PARENT_BITS) - 1);
}

static uint64_t parent_bits(uint64_t hash)
{
    return parent_bits_of(hash);
}

_Static_assert(STATE_BYTES >= 1 && ACTIONS >= 1 && ACTIONS <= MAX_ACTIONS && FINDINGS >= 1, "limits of runtime.h");
_Static_assert(BOUNDS <= 64, "bounds are bits of a word");

const Model model = {
#ifdef SORTS
    .shape.sorts = SORTS,
#endif
#ifdef HASH_COMPACT
    .shape.hash_compact = 1,
    .load_entry = NULL,
#else
    .load_entry = load_words,
#endif
    .shape.contract = CONTRACT,
    .shape.state_bytes = STATE_BYTES,
    .shape.actions = ACTIONS,
    .shape.findings = FINDINGS,
    .shape.bounds = BOUNDS,
    .shape.marks = MARKS,
    .state_words = STATE_WORDS,
    .link_bytes = sizeof(Link),
    .entry_bytes = ENTRY_BYTES,
    .batch_bytes = BATCH * sizeof(Candidate),
    .begin = begin,
    .expand_range = expand_range,
    .flush = flush,
    .expand_one = expand_one,
    .hash_entry = hash_stored,
    .hash_state = hash_words,
    .link_parent = stored_parent,
    .parent_bits = parent_bits,
    .holds = holds,
};

#endif
