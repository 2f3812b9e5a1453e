/* The contract between a generated model and the hand-written search: types, and what each side offers the other.
 *
 * A generated file is one translation unit of this shape:
 *
 *     #define STATE_BYTES 18            // bytes of a packed state, at least 1
 *     #define ACTIONS 4                 // kinds of steps, at least 1, at most MAX_ACTIONS; a step names one of 0..ACTIONS-1
 *     #define FINDINGS 5                // things a search may find; finding 0 is always the deadlock
 *     #define BOUNDS 2                  // bounds of the instance that may cut a step off, at most 64
 *     #define MARKS 3                   // things that may be seen to happen (left sides of implications)
 *     #define STILL 0                   // the step properties that even a step may break that changes nothing: bits, as below
 *     #define SORTS 2                   // only with symmetry: how many sorts are permuted, at most MAX_SORTS
 *     #define HASH_COMPACT 1            // only to store 64-bit hashes of states instead of states
 *     #include "runtime.h"
 *     static void initial_states(Worker *w) { ... emit_initial(w, &state); ... }
 *     static void expand(Worker *w, const State *s) { ... emit(w, action, touched, &next); ... }
 *     static void check_state(Worker *w, uint64_t touched, const State *s) { ... found(w, finding, s); ... }
 *     static void check_step(Worker *w, uint64_t touched, const State *s, uint32_t action, const State *next) {
 *         ... found_step(w, finding, s, action, next); ... }
 *     static bool terminal(Worker *w, const State *s) { ... }
 *     ... with symmetry also the functions described under "Symmetry" ...
 *     #include "kernel.h"               // closes the file: the hot path, and the exported descriptor `model`
 *
 * and is linked with runtime.c, which never changes with the model:
 *
 *     cc -O1 -fPIC -c runtime.c                                   (once; needs no macros)
 *     cc -O3 -march=native -fPIC -shared model.c runtime.o -pthread -o model.so
 *
 * Rules for generated code. The functions above are pure but for calls into this header: no static variables (several
 * threads run them), no allocation, no input or output. Everything stays in bounds and defined for every packed state
 * that the model itself can produce. What a spec leaves undefined is reported (`undefined`), never executed.
 *
 * States are packed into STATE_WORDS 64-bit words, bit 0 the lowest bit of w[0]. Bits from 8 * STATE_BYTES on are zero,
 * and so are all unused bits below: equal states are equal words. All states of one model have the same size. A set over
 * a large domain is a sorted list of codes with a capacity that the generator chose; when it would overflow, generated
 * code calls `overflow(w)`, which ends the search with STOPPED_CAPACITY, and the caller generates the model again with
 * more room: no state is ever dropped or truncated.
 */
#ifndef RUNTIME_H
#define RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CONTRACT 2 /* changes with every incompatible change of this file */
#define MAX_ACTIONS 4095
#define MAX_SORTS 8
#define MAX_ELEMENTS 16 /* of one permuted sort */
#define BATCH 64        /* steps that a worker collects before it looks them up */

typedef struct Search Search;
typedef struct Worker Worker;
typedef struct Model Model;

/* --- what the caller (Python, by ctypes) sees ------------------------------------------------------------- */

typedef enum {
    COMPLETE,            /* every reachable state was expanded */
    STOPPED_FOUND,       /* a finding of `Options.stop_on` was made; the level in which it was made was completed */
    STOPPED_DEPTH,       /* `max_depth` levels were expanded and there was more */
    STOPPED_STATES,      /* `max_states` were stored */
    STOPPED_TIME,        /* `max_seconds` went by */
    STOPPED_MEMORY,      /* `max_bytes` would not have been enough, or the system refused memory */
    STOPPED_INTERRUPTED, /* `search_stop` was called */
    STOPPED_CAPACITY,    /* a state did not fit its packed form: generate the model with larger capacities */
} Outcome;

typedef struct {
    uint32_t threads;       /* at least 1 */
    uint32_t max_depth;     /* greatest number of levels to expand; UINT32_MAX: no bound */
    uint64_t max_states;    /* 0: no bound; looked at between batches, so a few more may be stored */
    uint64_t max_bytes;     /* of all memory that grows with the number of states; 0: 80 % of what the system has */
    double max_seconds;     /* wall; 0: no bound */
    uint32_t initial_slots; /* of the visited set, rounded up to a power of two; 0: chosen by the runtime */
    uint32_t reserved;
    const uint8_t *stop_on; /* one byte for each finding: 1 if finding it ends the search after its level */
} Options;

/* May be read at any time while a search runs. */
typedef struct {
    uint64_t states;      /* distinct states stored */
    uint64_t transitions; /* steps taken */
    uint64_t expanded;    /* states whose steps were taken */
    uint64_t bytes;       /* memory in use that grows with the number of states */
    uint32_t depth;       /* of the deepest state stored */
    uint32_t running;     /* 0 once the search has ended */
    double seconds;       /* wall time since the start */
} Progress;

typedef struct {
    uint32_t found;   /* 0: never, and the rest is void */
    uint32_t depth;   /* of the state it was found in: steps from an initial state */
    uint32_t action;  /* of the step, for step properties and undefined operations; else UINT32_MAX */
    uint32_t is_step; /* 1: it was found in the step from the state to another one */
} Finding;

typedef struct {
    uint32_t contract, state_bytes, actions, findings, bounds, marks, sorts, hash_compact;
} Shape;

/* All functions are exported; a Search is used by one thread, but for `search_stop` and `search_progress`. */
Shape model_shape(void);
Search *search_new(const Options *options);          /* NULL: out of memory */
Outcome search_run(Search *search);                  /* once; blocks until the search ends */
void search_stop(Search *search);                    /* from any thread or signal handler */
void search_progress(const Search *search, Progress *progress);
void search_counts(const Search *search, uint64_t *taken, uint64_t *discovered, uint64_t *bounds, uint8_t *marks);
uint32_t search_levels(const Search *search, uint64_t *sizes, uint32_t room); /* returns how many levels there are */
void search_finding(const Search *search, uint32_t finding, Finding *out);
/* The run that leads to a finding: `depth + 1` packed states (one more for a step), each of `state_bytes` bytes, written
 * to `states`, and returned as their number; 0 if there is none or it does not fit `room` states. With symmetry each is
 * the canonical form of its state. The same for any number of threads. */
uint32_t search_trace(Search *search, uint32_t finding, uint8_t *states, uint32_t room);
double search_expected_loss(const Search *search); /* with HASH_COMPACT: expected number of states lost; else 0 */
/* Goes on with other code for the same model, at once and while the search runs: that of a library made from the same
 * text and macros by a compiler that takes more time to optimise, which must stay loaded as long as the search lives.
 * So a search may begin with code that was compiled quickly. False, and nothing happens, if it cannot be the same model. */
bool search_adopt(Search *search, const Model *model);
const Model *model_code(void); /* what `search_adopt` takes */
void search_free(Search *search);

/* `discovered[a]` counts each state for the smallest action that leads to it from the level before, so it does not
 * depend on threads, and initial states for none. `taken[a]` counts steps. `bounds[b]` counts states in which bound b
 * cut a step off. With symmetry all counts are of canonical states. */

#ifdef STATE_BYTES /* --- what generated code uses ----------------------------------------------------------- */

#define STATE_WORDS ((STATE_BYTES + 7) / 8)
#define ALL_TOUCHED (~UINT64_C(0))

typedef struct {
    uint64_t w[STATE_WORDS];
} State;

/* One step, or one for each choice: counted as taken, whether or not the state is new. `touched` has the bits of all
 * properties that the step may have changed, and is handed on to `check_state` and `check_step`, which need not judge
 * any other. Which property has which bit is the model's business; ALL_TOUCHED is always right. Steps that change
 * nothing, as when a message is sent once more, are common: what is found to be one is better given to `emit_still`. */
static void emit(Worker *w, uint32_t action, uint64_t touched, const State *next);
static inline void emit_still(Worker *w, uint32_t action); /* a step to the same state */
static inline void emit_initial(Worker *w, const State *state);

/* In `expand`: an operation outside its domain, or a value outside its range, while taking a step of `action` from the
 * state in hand. The step does not happen; the generated code goes on with the next choice. Also in `terminal`, with
 * UINT32_MAX for the action. A state with an undefined step is no deadlock. */
static inline void undefined(Worker *w, uint32_t finding, uint32_t action);

/* In `expand`: a step was cut off by a bound of the instance. Counted once a state. A state in which all steps were cut
 * off is no deadlock. */
static inline void cut(Worker *w, uint32_t bound);

/* In `check_state`, called once for each state stored: the state violates an invariant, shows a `reachable`, or a
 * property is undefined in it. In `check_step`, called for each step before symmetry (with STILL for one that changes
 * nothing): the step violates a property, or a step property is undefined. */
static inline void found(Worker *w, uint32_t finding, const State *s);
static inline void found_step(Worker *w, uint32_t finding, const State *s, uint32_t action, const State *next);

/* Whether a finding can still matter: false once an earlier level had one, so that costly checks may be skipped. */
static inline bool wanted(const Worker *w, uint32_t finding);

static inline void mark(Worker *w, uint32_t mark); /* something happened at least once; cheap */
static inline void overflow(Worker *w);            /* a packed list is too short: ends the search */

/* Bits [at, at + width) of a state, width at most 64, which may lie across two words. */
static inline uint64_t get_bits(const State *s, unsigned at, unsigned width)
{
    unsigned word = at / 64, shift = at % 64;
    uint64_t value = s->w[word] >> shift;
    if (shift + width > 64) value |= s->w[word + 1] << (64 - shift);
    return width == 64 ? value : value & ((UINT64_C(1) << width) - 1);
}

static inline void set_bits(State *s, unsigned at, unsigned width, uint64_t value)
{
    unsigned word = at / 64, shift = at % 64;
    uint64_t mask = width == 64 ? ~UINT64_C(0) : (UINT64_C(1) << width) - 1;
    s->w[word] = (s->w[word] & ~(mask << shift)) | value << shift;
    if (shift + width > 64) s->w[word + 1] = (s->w[word + 1] & ~(mask >> (64 - shift))) | value >> (64 - shift);
}

/* for (each bit i set in a 64-bit mask) */
#define FOR_EACH_BIT(i, mask) \
    for (uint64_t i##_rest = (mask), i; i##_rest && (i = (uint64_t)__builtin_ctzll(i##_rest), 1); i##_rest &= i##_rest - 1)

/* The order of states that makes every choice of the search deterministic: words from w[0] on, as unsigned integers. */
static inline int compare_states(const State *a, const State *b)
{
    for (int i = 0; i < STATE_WORDS; i++)
        if (a->w[i] != b->w[i]) return a->w[i] < b->w[i] ? -1 : 1;
    return 0;
}

/* --- Symmetry --------------------------------------------------------------------------------------------------
 *
 * With SORTS defined, the elements of sorts 0..SORTS-1 are interchangeable, and states are stored as the least image
 * under a group of permutations. Generated code offers
 *
 *     static const uint8_t sort_sizes[SORTS] = {4, 2};
 *     // Permutations that also preserve listed quorum families: NULL means all; else `count` rows of `size` bytes.
 *     static const Group sort_groups[SORTS] = {{NULL, 0}, {NULL, 0}};
 *     // A summary of element e of a sort in a state, the same for every renaming of both: it may use other elements
 *     // only through their colour (colours->of[sort][element]), and sums or sorts over them. Finer is faster.
 *     static uint64_t element_key(const State *s, const Colours *colours, uint32_t sort, uint32_t e);
 *     // The state in which element e of each sort is renamed to to->of[sort][e]; unused bits stay zero.
 *     static void permute(const State *s, const Renaming *to, State *out);
 *
 * The runtime partitions the elements of each sort by key, splits further while keys that see the colours split, and
 * takes the least image over the renamings that order the cells by key and differ only inside a cell; elements that a
 * transposition can exchange without changing the state are not told apart. A wrong key costs reduction, never
 * soundness, since what is stored is always an image of the state.
 */
typedef struct {
    uint8_t of[MAX_SORTS][MAX_ELEMENTS];
} Renaming;

typedef Renaming Colours;

typedef struct {
    const uint8_t *rows;
    uint32_t count;
} Group;

/* A good mixture of two words, for keys of elements. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)(a ^ UINT64_C(0x9e3779b97f4a7c15)) * (b ^ UINT64_C(0xd1b54a32d192ed03));
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

#endif /* STATE_BYTES */
#endif /* RUNTIME_H */
