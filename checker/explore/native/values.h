/* Rows of bits: what generated models do with parts of states and with values that do not fit a word.
 *
 * A row begins at bit `at` of an array of 64-bit words, bit 0 the lowest of word 0. Widths are constants after inlining,
 * so that most of this becomes a shift and a mask. Nothing here allocates, fails or knows a spec.
 */
#ifndef VALUES_H
#define VALUES_H

#include <stdbool.h>
#include <stdint.h>

#define ROW static inline __attribute__((always_inline, unused))

ROW uint64_t low_mask(unsigned width)
{
    return width >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << width) - 1;
}

/* Up to 64 bits. */
ROW uint64_t load(const uint64_t *w, unsigned at, unsigned width)
{
    if (width == 0) return 0;
    unsigned word = at / 64, shift = at % 64;
    uint64_t value = w[word] >> shift;
    if (shift + width > 64) value |= w[word + 1] << (64 - shift);
    return value & low_mask(width);
}

ROW void store(uint64_t *w, unsigned at, unsigned width, uint64_t value)
{
    if (width == 0) return;
    unsigned word = at / 64, shift = at % 64;
    uint64_t mask = low_mask(width);
    w[word] = (w[word] & ~(mask << shift)) | value << shift;
    if (shift + width > 64) w[word + 1] = (w[word + 1] & ~(mask >> (64 - shift))) | value >> (64 - shift);
}

ROW bool has_bit(const uint64_t *w, unsigned at)
{
    return w[at / 64] >> (at % 64) & 1;
}

ROW void put_bit(uint64_t *w, unsigned at)
{
    w[at / 64] |= UINT64_C(1) << (at % 64);
}

ROW void drop_bit(uint64_t *w, unsigned at)
{
    w[at / 64] &= ~(UINT64_C(1) << (at % 64));
}

/* for (each piece of at most 64 bits of a row): its offset and its width */
#define FOR_EACH_PIECE(offset, piece, width) \
    for (unsigned offset = 0, piece; offset < (width) && (piece = (width) - offset < 64 ? (width) - offset : 64, 1); offset += 64)

ROW void copy_row(uint64_t *to, unsigned at, const uint64_t *from, unsigned start, unsigned width)
{
    FOR_EACH_PIECE(i, n, width) store(to, at + i, n, load(from, start + i, n));
}

ROW void clear_row(uint64_t *w, unsigned at, unsigned width)
{
    FOR_EACH_PIECE(i, n, width) store(w, at + i, n, 0);
}

ROW bool same_row(const uint64_t *a, unsigned at, const uint64_t *b, unsigned start, unsigned width)
{
    FOR_EACH_PIECE(i, n, width) if (load(a, at + i, n) != load(b, start + i, n)) return false;
    return true;
}

ROW bool any_bit(const uint64_t *w, unsigned at, unsigned width)
{
    FOR_EACH_PIECE(i, n, width) if (load(w, at + i, n)) return true;
    return false;
}

ROW unsigned count_bits(const uint64_t *w, unsigned at, unsigned width)
{
    unsigned count = 0;
    FOR_EACH_PIECE(i, n, width) count += (unsigned)__builtin_popcountll(load(w, at + i, n));
    return count;
}

/* Whether a row has a bit in common with a mask, which begins with a word. */
ROW bool meets_row(const uint64_t *w, unsigned at, const uint64_t *mask, unsigned width)
{
    FOR_EACH_PIECE(i, n, width) if (load(w, at + i, n) & mask[i / 64]) return true;
    return false;
}

/* Of bit sets: all bits of a in b; and to = to | a, to & a, to & ~a. */
ROW bool inside_row(const uint64_t *a, unsigned at, const uint64_t *b, unsigned start, unsigned width)
{
    FOR_EACH_PIECE(i, n, width) if (load(a, at + i, n) & ~load(b, start + i, n)) return false;
    return true;
}

ROW void join_row(uint64_t *to, unsigned at, const uint64_t *a, unsigned start, unsigned width)
{
    FOR_EACH_PIECE(i, n, width) store(to, at + i, n, load(to, at + i, n) | load(a, start + i, n));
}

ROW void meet_row(uint64_t *to, unsigned at, const uint64_t *a, unsigned start, unsigned width)
{
    FOR_EACH_PIECE(i, n, width) store(to, at + i, n, load(to, at + i, n) & load(a, start + i, n));
}

ROW void less_row(uint64_t *to, unsigned at, const uint64_t *a, unsigned start, unsigned width)
{
    FOR_EACH_PIECE(i, n, width) store(to, at + i, n, load(to, at + i, n) & ~load(a, start + i, n));
}

/* As numbers, the highest bits first: negative, zero or positive. */
ROW int compare_rows(const uint64_t *a, unsigned at, const uint64_t *b, unsigned start, unsigned width)
{
    for (unsigned end = (width + 63) / 64 * 64; end; end -= 64) {
        unsigned i = end - 64, n = width - i < 64 ? width - i : 64;
        uint64_t x = load(a, at + i, n), y = load(b, start + i, n);
        if (x != y) return x < y ? -1 : 1;
    }
    return 0;
}

/* --- lists: their length in `head` bits, then items of `width` bits each, ascending; what is unused is zero ------------- */

/* The first position whose item is not below the given one. */
ROW unsigned list_seek(const uint64_t *w, unsigned at, unsigned head, unsigned width, const uint64_t *item, unsigned start)
{
    unsigned low = 0, high = (unsigned)load(w, at, head);
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (compare_rows(w, at + head + middle * width, item, start, width) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

ROW bool list_at(const uint64_t *w, unsigned at, unsigned head, unsigned width, unsigned position, const uint64_t *item,
                 unsigned start)
{
    return position < load(w, at, head) && same_row(w, at + head + position * width, item, start, width);
}

ROW bool list_has(const uint64_t *w, unsigned at, unsigned head, unsigned width, const uint64_t *item, unsigned start)
{
    return list_at(w, at, head, width, list_seek(w, at, head, width, item, start), item, start);
}

/* Inserts before a position; false if there is no room. */
ROW bool list_insert(uint64_t *w, unsigned at, unsigned head, unsigned width, unsigned room, unsigned position,
                     const uint64_t *item, unsigned start)
{
    unsigned count = (unsigned)load(w, at, head), first = at + head;
    if (count >= room) return false;
    for (unsigned i = count; i > position; i--) copy_row(w, first + i * width, w, first + (i - 1) * width, width);
    copy_row(w, first + position * width, item, start, width);
    store(w, at, head, count + 1);
    return true;
}

ROW void list_remove(uint64_t *w, unsigned at, unsigned head, unsigned width, unsigned position)
{
    unsigned count = (unsigned)load(w, at, head), first = at + head;
    for (unsigned i = position; i + 1 < count; i++) copy_row(w, first + i * width, w, first + (i + 1) * width, width);
    clear_row(w, first + (count - 1) * width, width);
    store(w, at, head, count - 1);
}

/* A set's item (once), a bag's item (once more), a queue's item (at the end); false if there is no room. */
ROW bool set_put(uint64_t *w, unsigned at, unsigned head, unsigned width, unsigned room, const uint64_t *item, unsigned start)
{
    unsigned position = list_seek(w, at, head, width, item, start);
    return list_at(w, at, head, width, position, item, start)
           || list_insert(w, at, head, width, room, position, item, start);
}

ROW bool bag_put(uint64_t *w, unsigned at, unsigned head, unsigned width, unsigned room, const uint64_t *item, unsigned start)
{
    return list_insert(w, at, head, width, room, list_seek(w, at, head, width, item, start), item, start);
}

ROW bool queue_put(uint64_t *w, unsigned at, unsigned head, unsigned width, unsigned room, const uint64_t *item, unsigned start)
{
    return list_insert(w, at, head, width, room, (unsigned)load(w, at, head), item, start);
}

/* Takes an item out, once; nothing happens if it is not there. */
ROW void list_drop(uint64_t *w, unsigned at, unsigned head, unsigned width, const uint64_t *item, unsigned start)
{
    unsigned position = list_seek(w, at, head, width, item, start);
    if (list_at(w, at, head, width, position, item, start)) list_remove(w, at, head, width, position);
}

#endif
