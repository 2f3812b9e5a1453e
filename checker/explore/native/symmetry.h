/* Canonical states: the least image of a state under renamings of the elements of its sorts.
 *
 * Part of kernel.h where a model defines SORTS; what the model provides is described in runtime.h. The renamings are
 * not all tried: keys that no renaming changes order the elements first (as colour refinement does for graphs), and
 * only elements with equal keys are permuted, once for each arrangement that interchangeable elements leave.
 */
#ifndef SYMMETRY_H
#define SYMMETRY_H

#define MAX_CELLS (SORTS * MAX_ELEMENTS / 2)

/* The elements of one sort in order of their colours; a colour is the place of the first element that has it. */
typedef struct {
    uint8_t at[MAX_ELEMENTS];
} Ordering;

/* Elements that keys do not tell apart, to be placed in every order: at places first, first + 1, ... of their sort.
 * Labels are equal for elements that can be exchanged without changing the state, so that only the different sequences
 * of labels count. */
typedef struct {
    uint8_t sort, first, size;
    uint8_t labels[MAX_ELEMENTS];
    uint8_t members[MAX_ELEMENTS]; /* members[i] has labels[i] */
} Cell;

/* One of the renamings to try, and what is needed to go on to the next. */
typedef struct {
    Renaming to;
    Cell cells[MAX_CELLS]; /* that have more than one arrangement */
    uint32_t cell_count;
    uint32_t rows[SORTS]; /* for a sort with a listed group: the row in use, */
    uint8_t least[SORTS][MAX_ELEMENTS]; /* and the colours by place that any row to be tried has to give */
} Arrangement;

/* Whether the element in a place shares its colour with another one. */
static inline bool tied(const uint8_t *colour, const uint8_t *at, uint32_t place, uint32_t size)
{
    return (place > 0 && colour[at[place - 1]] == colour[at[place]])
           || (place + 1 < size && colour[at[place + 1]] == colour[at[place]]);
}

/* Splits the cells of a sort by the keys of their elements; returns how many cells there are then. */
static inline uint32_t split_by_keys(const State *s, Colours *colours, uint32_t sort, Ordering *order)
{
    uint64_t keys[MAX_ELEMENTS];
    uint8_t *colour = colours->of[sort], *at = order->at;
    uint32_t size = sort_sizes[sort], cells = 0;
    for (uint32_t i = 0; i < size; i++) keys[at[i]] = tied(colour, at, i, size) ? element_key(s, colours, sort, at[i]) : 0;
    for (uint32_t i = 1; i < size; i++) {
        uint8_t e = at[i];
        uint32_t j = i;
        for (; j > 0; j--) {
            uint8_t f = at[j - 1];
            if (colour[f] < colour[e] || (colour[f] == colour[e] && keys[f] <= keys[e])) break;
            at[j] = f;
        }
        at[j] = e;
    }
    uint8_t fresh[MAX_ELEMENTS];
    for (uint32_t i = 0; i < size; i++) {
        bool same = i > 0 && colour[at[i]] == colour[at[i - 1]] && keys[at[i]] == keys[at[i - 1]];
        fresh[at[i]] = same ? fresh[at[i - 1]] : (uint8_t)i;
        cells += !same;
    }
    memcpy(colour, fresh, size);
    return cells;
}

/* Orders the elements of all sorts by key, again and again while a new colour of one tells others apart. */
static inline void refine(const State *s, Colours *colours, Ordering orders[SORTS])
{
    uint32_t cells = SORTS, elements = 0;
    for (uint32_t sort = 0; sort < SORTS; sort++) {
        elements += sort_sizes[sort];
        for (uint32_t e = 0; e < sort_sizes[sort]; e++) {
            orders[sort].at[e] = (uint8_t)e;
            colours->of[sort][e] = 0;
        }
    }
    for (uint32_t before = 0; cells > before && cells < elements;) {
        before = cells;
        cells = 0;
        for (uint32_t sort = 0; sort < SORTS; sort++) cells += split_by_keys(s, colours, sort, &orders[sort]);
    }
}

static inline void identity(Renaming *to)
{
    for (uint32_t sort = 0; sort < SORTS; sort++)
        for (uint32_t e = 0; e < sort_sizes[sort]; e++) to->of[sort][e] = (uint8_t)e;
}

static inline bool interchangeable(const State *s, uint32_t sort, uint8_t e, uint8_t f)
{
    Renaming to;
    State image;
    identity(&to);
    to.of[sort][e] = f;
    to.of[sort][f] = e;
    permute(s, &to, &image);
    return compare_states(s, &image) == 0;
}

/* Labels the elements of a cell by their classes, the members in order of their labels; returns how many classes. */
static inline uint32_t label(const State *s, Cell *cell, const uint8_t *elements)
{
    uint8_t class[MAX_ELEMENTS], first[MAX_ELEMENTS];
    uint32_t classes = 0, placed = 0;
    for (uint32_t i = 0; i < cell->size; i++) {
        uint32_t c = 0;
        while (c < classes && !interchangeable(s, cell->sort, first[c], elements[i])) c++;
        if (c == classes) first[classes++] = elements[i];
        class[i] = (uint8_t)c;
    }
    for (uint32_t c = 0; c < classes; c++)
        for (uint32_t i = 0; i < cell->size; i++)
            if (class[i] == c) {
                cell->labels[placed] = (uint8_t)c;
                cell->members[placed++] = elements[i];
            }
    return classes;
}

static inline void place(const Cell *cell, Renaming *to)
{
    for (uint32_t i = 0; i < cell->size; i++) to->of[cell->sort][cell->members[i]] = (uint8_t)(cell->first + i);
}

/* Finds the cells of a sort that has all permutations, and places the elements in order. */
static inline void start_cells(const State *s, const Colours *colours, uint32_t sort, const uint8_t *at, Arrangement *a)
{
    const uint8_t *colour = colours->of[sort];
    for (uint32_t i = 0, end; i < sort_sizes[sort]; i = end) {
        for (end = i; end < sort_sizes[sort] && colour[at[end]] == colour[at[i]]; end++)
            a->to.of[sort][at[end]] = (uint8_t)end;
        if (end == i + 1) continue;
        Cell *cell = &a->cells[a->cell_count];
        *cell = (Cell){.sort = (uint8_t)sort, .first = (uint8_t)i, .size = (uint8_t)(end - i)};
        if (label(s, cell, at + i) == 1) continue;
        place(cell, &a->to);
        a->cell_count++;
    }
}

static inline void swap_members(Cell *cell, uint32_t i, uint32_t j)
{
    uint8_t label = cell->labels[i], member = cell->members[i];
    cell->labels[i] = cell->labels[j];
    cell->members[i] = cell->members[j];
    cell->labels[j] = label;
    cell->members[j] = member;
}

/* The next sequence of labels in lexicographic order; false, and the first one again, after the last. */
static inline bool next_sequence(Cell *cell)
{
    const uint8_t *labels = cell->labels;
    uint32_t pivot = cell->size - 1, low, high = cell->size - 1;
    while (pivot > 0 && labels[pivot - 1] >= labels[pivot]) pivot--;
    if (pivot > 0) {
        uint32_t other = cell->size - 1;
        while (labels[other] <= labels[pivot - 1]) other--;
        swap_members(cell, pivot - 1, other);
    }
    for (low = pivot; low < high; low++, high--) swap_members(cell, low, high);
    return pivot > 0;
}

/* The colours by place that a row of a listed group gives, compared with the least so far. */
static inline int compare_row(const Colours *colours, uint32_t sort, uint32_t row, const Arrangement *a)
{
    const uint8_t *to = sort_groups[sort].rows + row * sort_sizes[sort];
    uint8_t places[MAX_ELEMENTS];
    for (uint32_t e = 0; e < sort_sizes[sort]; e++) places[to[e]] = colours->of[sort][e];
    return memcmp(places, a->least[sort], sort_sizes[sort]);
}

static inline void use_row(uint32_t sort, uint32_t row, Arrangement *a)
{
    a->rows[sort] = row;
    memcpy(a->to.of[sort], sort_groups[sort].rows + row * sort_sizes[sort], sort_sizes[sort]);
}

static inline bool next_row(const Colours *colours, uint32_t sort, uint32_t from, Arrangement *a)
{
    for (uint32_t row = from; row < sort_groups[sort].count; row++)
        if (compare_row(colours, sort, row, a) == 0) {
            use_row(sort, row, a);
            return true;
        }
    return false;
}

static inline void start_rows(const Colours *colours, uint32_t sort, Arrangement *a)
{
    memset(a->least[sort], MAX_ELEMENTS, MAX_ELEMENTS);
    for (uint32_t row = 0; row < sort_groups[sort].count; row++) {
        if (compare_row(colours, sort, row, a) >= 0) continue;
        const uint8_t *to = sort_groups[sort].rows + row * sort_sizes[sort];
        for (uint32_t e = 0; e < sort_sizes[sort]; e++) a->least[sort][to[e]] = colours->of[sort][e];
    }
    next_row(colours, sort, 0, a);
}

static inline bool next_arrangement(const Colours *colours, Arrangement *a)
{
    for (uint32_t i = 0; i < a->cell_count; i++) {
        bool more = next_sequence(&a->cells[i]);
        place(&a->cells[i], &a->to);
        if (more) return true;
    }
    for (uint32_t sort = 0; sort < SORTS; sort++) {
        if (!sort_groups[sort].rows) continue;
        if (next_row(colours, sort, a->rows[sort] + 1, a)) return true;
        next_row(colours, sort, 0, a);
    }
    return false;
}

static __attribute__((noinline)) void canonical(const State *s, State *least)
{
    Colours colours;
    Ordering orders[SORTS];
    Arrangement a;
    State image;
    refine(s, &colours, orders);
    a.cell_count = 0;
    for (uint32_t sort = 0; sort < SORTS; sort++) {
        if (sort_groups[sort].rows) {
            start_rows(&colours, sort, &a);
        } else {
            start_cells(s, &colours, sort, orders[sort].at, &a);
        }
    }
    permute(s, &a.to, least);
    while (next_arrangement(&colours, &a)) {
        permute(s, &a.to, &image);
        if (compare_states(&image, least) < 0) *least = image;
    }
}

#endif
