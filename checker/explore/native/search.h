/* What the two halves of the search share: its data, and the layout of the visited set.
 *
 * kernel.h (compiled with each model, knows the size of a state) and runtime.c (compiled once) both include this file;
 * generated code does not look in here.
 *
 * The visited set is an open-addressed table of 64-bit slots, each 0 or a 24-bit tag from the hash and the number of an
 * entry plus one. Entries lie one after the other in an arena, in order of levels. An entry is a link, which names the
 * step by which the state was first reached, and the packed state (or, with HASH_COMPACT, the 64-bit hash of it).
 * A link holds an action, plus one, and leading bits of the hash of the state before; of all steps from the level
 * before that reach a state it keeps the least. 0 marks a hole: an entry that was allocated and is not in use.
 */
#ifndef SEARCH_H
#define SEARCH_H

#include "runtime.h"

#include <pthread.h>

#define INDEX_BITS 40
#define INDEX_MASK ((UINT64_C(1) << INDEX_BITS) - 1)
#define NO_INDEX UINT64_MAX
#define BLOCK 256 /* entries that a worker takes from the arena at once */
#define CACHE_LINE 64
#define OWN 128 /* two lines: what threads write is kept this far apart */

/* A finding: where the search saw it, and the least state (and step) that shows it at the least depth. */
typedef struct {
    uint32_t found, depth, action;
    uint32_t where;   /* IN_EXPANDED or IN_STORED: of the level that is expanded, or of the one that it leads to */
    uint32_t is_step; /* 1: `words` holds the state before and the state after, else the state alone */
    uint32_t reserved;
    uint64_t words[]; /* two states */
} Record;

enum { IN_EXPANDED = 0, IN_STORED = 1 };

/* Replaces the insertion of steps when a trace is built: the least state among those that steps lead to and whose hash
 * is `hash`, and which equals `target` where there is one. */
typedef struct {
    uint64_t hash;
    const uint64_t *target;
    uint64_t *best;
    bool hit;
} Pursuit;

/* The model, as kernel.h exports it to runtime.c. */
struct Model {
    Shape shape;
    uint32_t state_words, link_bytes, entry_bytes, batch_bytes;
    void (*begin)(Worker *w); /* puts the initial states into the batch */
    void (*expand_range)(Worker *w, uint64_t first, uint64_t end);
    void (*flush)(Worker *w); /* looks up and stores what is in the batch */
    void (*expand_one)(Worker *w, const uint64_t *state);       /* for pursuits */
    uint64_t (*hash_entry)(const char *entry);
    uint64_t (*hash_state)(const uint64_t *state);
    bool (*holds)(const char *entry, const uint64_t *state);    /* whether the entry is that of the state */
    void (*load_entry)(const char *entry, uint64_t *state);     /* NULL with HASH_COMPACT */
    uint64_t (*link_parent)(const char *entry);                 /* the bits that the link has of the state before */
    uint64_t (*parent_bits)(uint64_t hash);                     /* the bits that a link has of a hash */
};

struct Worker {
    Search *search;
    const void *state;   /* the state in hand */
    uint64_t parent;     /* its hash */
    uint64_t cuts;       /* bounds that cut a step of it off */
    bool failed;         /* a step of it was undefined */
    uint64_t steps;      /* taken so far; compared before and after `expand` to see a deadlock */
    uint64_t *taken;     /* for each action */
    uint8_t *marks;
    void *batch;         /* BATCH candidates */
    uint32_t pending;
    uint32_t ticks;      /* batches done, to look at the clock now and then */
    uint64_t next, end;  /* entries of this worker's block that are not used yet */
    uint64_t spare;      /* an entry that lost the race for its slot, or NO_INDEX */
    int64_t *discovered; /* for each action, and for being initial */
    uint64_t *bounds;
    char *records;       /* a Record for each finding, of the level under way */
    Pursuit *pursuit;    /* NULL but while a trace is built */
    uint64_t transitions, expanded; /* published for `search_progress` */
    uint32_t id;
    pthread_t thread;
} __attribute__((aligned(OWN)));

/* An address range of which the system gives memory where it is touched. */
typedef struct {
    char *base;
    uint64_t bytes;
} Range;

struct Search {
    /* read by all, written only while all workers stand still */
    uint64_t *slots;
    uint64_t mask;         /* number of slots less one, a power of two less one */
    char *arena;
    uint64_t level_start;  /* first entry of the level that is expanded */
    uint64_t level_end;    /* one past its last entry, and the first of the level that it leads to */
    char *expanding;       /* with HASH_COMPACT: the states of the level that is expanded, */
    char *filling;         /* and of the level that it leads to */
    char *records;         /* a Record for each finding, of all levels before this one */
    uint64_t capacity;     /* greatest number of entries */
    uint64_t limit;        /* number of entries at which the table grows, or may grow no more */
    bool full;             /* the table may grow no more */

    /* written while workers run */
    const Model *code; /* what workers expand and store states with: `model`, or the same compiled with more care */
    uint64_t cursor __attribute__((aligned(CACHE_LINE))); /* next state to expand */
    uint64_t used __attribute__((aligned(CACHE_LINE)));   /* entries given out */
    uint32_t stopped;      /* 1: come to an end soon */
    uint32_t growing;      /* 1: come together to grow the table */
    uint32_t outcome;
    uint64_t rehashed;     /* next entry to put into a new table */

    /* rendezvous of workers */
    pthread_mutex_t mutex __attribute__((aligned(CACHE_LINE)));
    pthread_cond_t changed;
    uint32_t active;       /* workers of this level */
    uint32_t finished;     /* workers that found no more work in this level */
    uint32_t arrived;      /* workers that wait for the table to grow, with work left */
    uint32_t rehashing;    /* workers that have not come to the end of their part of it */
    uint64_t opened, closed; /* levels begun by all workers, and ended */
    uint64_t growths, rehashes; /* of the table: begun and ended */
    bool ended;            /* no more levels */
    uint32_t helpers;      /* threads that were started, worker 0 is the caller's */
    double pace;           /* seconds of work for a state, in the last level */

    Options options;
    Worker *workers;
    uint32_t depth;        /* of the level that is expanded */
    uint64_t *levels;      /* first entry of each level, and of the one after the last */
    uint32_t level_count, level_room;
    uint8_t *stop_on;
    Range arena_range, table_range, frontier_ranges[2];
    double start, seconds;
    uint32_t running;
    uint64_t bytes;
};

extern const Model model;

static inline uint64_t tag_of(uint64_t hash)
{
    return hash & ~INDEX_MASK;
}

static inline uint64_t index_in(uint64_t slot)
{
    return (slot & INDEX_MASK) - 1;
}

/* What kernel.h needs of runtime.c. */
bool take_block(Worker *w);        /* a new block of entries; false: the search has to stop */
void halt(Search *search, Outcome outcome);
void meet_to_grow(Worker *w);      /* waits for all workers, and grows the table with them */
void look_at_clock(Worker *w);

#endif
