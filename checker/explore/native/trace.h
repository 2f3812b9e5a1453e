/* Traces: from a finding back to an initial state, by the links of entries.
 *
 * Part of runtime.c; runs after the search, on one thread.
 */
#ifndef TRACE_H
#define TRACE_H

#include "store.h"

#include <stdlib.h>

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

#endif
