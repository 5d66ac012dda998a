/* Chains of dense layers for several members at once: y = bend(x W' + b), and their gradients.

   Every product is one of a panel, as many columns as fit into a few registers side by side,
   copied so that they lie one line after the other, with a matrix that is read as it lies: the sums
   of a tile, HIGH rows by WIDE registers, stay in registers. dense.py compiles and calls
   this.

   Sums are added in the same order however many threads there are. */

#include "phases.h"

/* HIGH x WIDE sums, and what they need, fit into all registers. */
#if defined(__AVX512F__) || defined(__aarch64__)
enum { HIGH = 8, WIDE = 2 };
#else
enum { HIGH = 4, WIDE = 2 };
#endif
enum { PANEL = WIDE * LANES, DEPTH = 512, FEW = 4, DOTS = 8, MOST_LAYERS = 64 };

/* Zero where `of` is not above 0; NaN stays. As torch does it. */
INLINE vec open(vec z, vec of) {
    mask closed = of <= 0.0f;
    return (vec)(~closed & (mask)z);
}

/* --- one product: to = a panel, a tile at a time --- */

typedef struct {
    const float *a;
    int64_t a_row, a_depth, rows, depth; /* strides of a; extent of a */
    float *to;
    int64_t to_row, columns; /* columns of the panel that are wanted */
    const float *first;      /* what the sums begin with, PANEL numbers; NULL: with `to` */
    int bend;                /* ReLU at the end */
} product;

INLINE void tile(const product *p, const float *panel, int64_t row, const int high, const int wide,
                 const int turned) {
    const int64_t a_row = turned ? 1 : p->a_row, a_depth = turned ? p->a_depth : 1;
    const float *a = p->a + row * a_row;
    float *to = p->to + row * p->to_row, edge[PANEL];
    const int whole = p->columns == wide * LANES;
    vec z[HIGH][WIDE];
#pragma GCC unroll 16
    for (int i = 0; i < high; i++) {
        const float *from = p->first;
        if (!from) from = whole ? to + i * p->to_row
                                : memcpy(edge, to + i * p->to_row, 4 * p->columns);
#pragma GCC unroll 4
        for (int v = 0; v < wide; v++) z[i][v] = LOAD(from + v * LANES);
    }
    for (int64_t k = 0; k < p->depth; k++, a += a_depth, panel += PANEL) {
        vec line[WIDE];
#pragma GCC unroll 4
        for (int v = 0; v < wide; v++) line[v] = LOAD(panel + v * LANES);
#pragma GCC unroll 16
        for (int i = 0; i < high; i++)
#pragma GCC unroll 4
            for (int v = 0; v < wide; v++) z[i][v] += line[v] * a[i * a_row];
    }
#pragma GCC unroll 16
    for (int i = 0; i < high; i++) {
        float *line = whole ? to + i * p->to_row : edge;
#pragma GCC unroll 4
        for (int v = 0; v < wide; v++)
            STORE(line + v * LANES, p->bend ? open(z[i][v], z[i][v]) : z[i][v]);
        if (!whole) memcpy(to + i * p->to_row, edge, 4 * p->columns);
    }
}

INLINE void tiles(const product *p, const float *panel, const int wide, const int turned) {
    int64_t row = 0;
    for (; row + HIGH <= p->rows; row += HIGH) tile(p, panel, row, HIGH, wide, turned);
    switch (p->rows - row) {
    case 7: tile(p, panel, row, 7 % HIGH, wide, turned); break;
    case 6: tile(p, panel, row, 6 % HIGH, wide, turned); break;
    case 5: tile(p, panel, row, 5 % HIGH, wide, turned); break;
    case 4: tile(p, panel, row, 4 % HIGH, wide, turned); break;
    case 3: tile(p, panel, row, 3, wide, turned); break;
    case 2: tile(p, panel, row, 2, wide, turned); break;
    case 1: tile(p, panel, row, 1, wide, turned); break;
    }
}

static void narrow(const product *p, const float *panel) { tiles(p, panel, 1, 0); }
static void broad(const product *p, const float *panel) { tiles(p, panel, WIDE, 0); }
static void narrow_turned(const product *p, const float *panel) { tiles(p, panel, 1, 1); }
static void broad_turned(const product *p, const float *panel) { tiles(p, panel, WIDE, 1); }

static void multiply(const product *p, const float *panel) {
    const int slim = p->columns <= LANES;
    if (p->a_depth == 1)
        slim ? narrow(p, panel) : broad(p, panel);
    else
        slim ? narrow_turned(p, panel) : broad_turned(p, panel);
}

/* --- panels --- */

/* Copy `count` columns of `depth` lines. */
static void copied(float *panel, const float *from, int64_t step, int64_t depth, int64_t count) {
    if (count == PANEL)
        for (int64_t k = 0; k < depth; k++)
            for (int v = 0; v < PANEL; v += LANES)
                STORE(panel + k * PANEL + v, LOAD(from + k * step + v));
    else
        for (int64_t k = 0; k < depth; k++)
            for (int64_t i = 0; i < PANEL; i++)
                panel[k * PANEL + i] = i < count ? from[k * step + i] : 0;
}

#if defined(__clang__)
enum { SQUARES = 0 };
INLINE void square(vec *line) { (void)line; }
#else
enum { SQUARES = 1 };
/* Turn a square of LANES x LANES around: halves of pairs of lines change places, at every size. */
INLINE void square(vec *line) {
#pragma GCC unroll 4
    for (int size = LANES / 2; size; size /= 2) {
        mask low, high;
        for (int i = 0; i < LANES; i++) {
            low[i] = i & size ? i - size + LANES : i;
            high[i] = i & size ? i + LANES : i + size;
        }
#pragma GCC unroll 16
        for (int i = 0; i < LANES; i++)
            if (!(i & size)) {
                vec top = line[i], end = line[i + size];
                line[i] = __builtin_shuffle(top, end, low);
                line[i + size] = __builtin_shuffle(top, end, high);
            }
    }
}
#endif

/* Copy `count` lines of `depth` columns, turned around. */
static void turned(float *panel, const float *from, int64_t step, int64_t depth, int64_t count) {
    int64_t k = 0;
    if (SQUARES && count == PANEL)
        for (; k + LANES <= depth; k += LANES)
            for (int v = 0; v < PANEL; v += LANES) {
                vec line[LANES];
#pragma GCC unroll 16
                for (int i = 0; i < LANES; i++) line[i] = LOAD(from + (v + i) * step + k);
                square(line);
#pragma GCC unroll 16
                for (int i = 0; i < LANES; i++) STORE(panel + (k + i) * PANEL + v, line[i]);
            }
    for (; k < depth; k++)
        for (int64_t i = 0; i < PANEL; i++)
            panel[k * PANEL + i] = i < count ? from[i * step + k] : 0;
}

/* --- layers and what is done to them --- */

typedef struct { /* as dense.py fills it */
    int64_t members, rows, before, after, bend;
    int64_t x_member, x_row, w_member, b_member, keep_member, dw_member, db_member; /* strides */
    int64_t squares_member;
    const float *x, *w, *b; /* b may be NULL */
    const float *keep;      /* what the result is multiplied by, or NULL */
    float *y;               /* (members, rows, after) */
    const float *above;     /* the gradient by y */
    float *g;               /* room for the gradient before the bend; may be `above` */
    float *dx, *dw, *db;    /* gradients, each of them or NULL */
    double *squares;        /* sums of squares of the panels of dw, then of db; or NULL */
} layer;

INLINE int64_t panels(int64_t columns) { return up(columns, PANEL) / PANEL; }

/* Multiply a whole depth, in parts whose panel stays near. */
INLINE void multiply_deep(product p, int64_t depth, int64_t columns, float *room, const float *from,
                          int64_t step, const int turn) {
    const int bend = p.bend;
    p.columns = columns;
    for (int64_t k = 0; k < depth; k += DEPTH) {
        p.depth = least(DEPTH, depth - k);
        p.bend = bend && k + DEPTH >= depth;
        if (turn)
            turned(room, from + k, step, p.depth, columns);
        else
            copied(room, from + k * step, step, p.depth, columns);
        multiply(&p, room);
        p.a += k + DEPTH < depth ? DEPTH * p.a_depth : 0;
        p.first = NULL;
    }
}

/* For few rows a panel is not worth its copy: lanes go along the depth. */
INLINE void dots(const layer *l, int64_t m, int64_t j, const int count, float *to) {
    const float *w = l->w + m * l->w_member + j * l->before, *x = l->x + m * l->x_member;
    for (int64_t row = 0; row < l->rows; row++, x += l->x_row, to += l->after) {
        vec z[DOTS] = {{0}};
        int64_t k = 0;
        for (; k + LANES <= l->before; k += LANES)
#pragma GCC unroll 8
            for (int i = 0; i < count; i++) z[i] += LOAD(w + i * l->before + k) * LOAD(x + k);
        for (int i = 0; i < count; i++) {
            float sum = l->b ? l->b[m * l->b_member + j + i] : 0, parts[LANES];
            for (int64_t rest = k; rest < l->before; rest++)
                sum += w[i * l->before + rest] * x[rest];
            STORE(parts, z[i]);
            for (int half = LANES / 2; half; half /= 2)
                for (int v = 0; v < half; v++) parts[v] += parts[v + half];
            sum += parts[0];
            to[i] = l->bend && sum <= 0 ? 0 : sum;
        }
    }
}

static void forward_unit(const void *given, int64_t unit, float *room) {
    const layer *l = given;
    const int64_t wide = panels(l->after), m = unit / wide, j = unit % wide * PANEL;
    const int64_t columns = least(PANEL, l->after - j);
    float first[PANEL] = {0}, *y = l->y + m * l->rows * l->after + j;
    if (l->rows <= FEW) {
        int64_t i = 0;
        for (; i + DOTS <= columns; i += DOTS) dots(l, m, j + i, DOTS, y + i);
        for (; i < columns; i++) dots(l, m, j + i, 1, y + i);
    } else {
        const float *w = l->w + m * l->w_member + j * l->before;
        if (l->b) memcpy(first, l->b + m * l->b_member + j, 4 * columns);
        product p = {l->x + m * l->x_member, l->x_row, 1, l->rows, 0, y, l->after, 0, first,
                     l->bend};
        multiply_deep(p, l->before, columns, room, w, l->before, 1);
    }
    if (!l->keep) return;
    const float *keep = l->keep + m * l->keep_member + j;
    for (int64_t row = 0; row < l->rows; row++)
        for (int64_t i = 0; i < columns; i++) y[row * l->after + i] *= keep[row * l->after + i];
}

/* g = the gradient where y is above 0, and db = its sum over rows. */
static void slope_unit(const void *given, int64_t unit, float *room) {
    const layer *l = given;
    const int64_t wide = panels(l->after), m = unit / wide, j = unit % wide * PANEL;
    const int64_t at = m * l->rows * l->after + j, columns = least(PANEL, l->after - j);
    const float *above = l->above + at, *y = l->y + at;
    const float *keep = l->keep ? l->keep + m * l->keep_member + j : NULL;
    float *g = l->g + at, *sums = room;
    memset(sums, 0, 4 * PANEL);
    for (int64_t row = 0; row < l->rows; row++, above += l->after, y += l->after, g += l->after)
        for (int64_t i = 0; i < columns; i++) {
            const float slope = keep ? above[i] * keep[row * l->after + i] : above[i];
            sums[i] += g[i] = l->bend && y[i] <= 0 ? 0 : slope;
        }
    if (l->db) memcpy(l->db + m * l->db_member + j, sums, 4 * columns);
    if (l->squares) {
        double *to = l->squares + m * l->squares_member + panels(l->before) + unit % wide;
        *to = 0;
        for (int64_t i = 0; i < columns; i++) *to += (double)sums[i] * sums[i];
    }
}

/* The sum of squares of some columns. */
static double squared(const float *from, int64_t rows, int64_t step, int64_t columns) {
    float sums[PANEL] = {0};
    double sum = 0;
    for (int64_t row = 0; row < rows; row++, from += step)
        if (columns == PANEL)
            for (int v = 0; v < PANEL; v += LANES)
                STORE(sums + v, LOAD(sums + v) + LOAD(from + v) * LOAD(from + v));
        else
            for (int64_t i = 0; i < columns; i++) sums[i] += from[i] * from[i];
    for (int i = 0; i < PANEL; i++) sum += sums[i];
    return sum;
}

/* A panel of columns of dw and of dx. */
static void gradient_unit(const void *given, int64_t unit, float *room) {
    const layer *l = given;
    const int64_t wide = panels(l->before), m = unit / wide, j = unit % wide * PANEL;
    const int64_t columns = least(PANEL, l->before - j);
    const float none[PANEL] = {0}, *g = l->g + m * l->rows * l->after;
    product by_w = {g, 1, l->after, l->after, 0,
                    l->dw + m * l->dw_member + j, l->before, 0, none, 0};
    if (l->dw)
        multiply_deep(by_w, l->rows, columns, room, l->x + m * l->x_member + j, l->x_row, 0);
    if (l->dw && l->squares)
        l->squares[m * l->squares_member + unit % wide] =
            squared(by_w.to, l->after, l->before, columns);
    product by_x = {g, l->after, 1, l->rows, 0,
                    l->dx + m * l->rows * l->before + j, l->before, 0, none, 0};
    if (l->dx)
        multiply_deep(by_x, l->after, columns, room, l->w + m * l->w_member + j, l->before, 0);
}

/* --- the doors --- */

/* Write y of every layer. Returns 0, or 1 without memory. */
int forward(const layer *layers, int64_t count, int64_t threads) {
    phase phases[MOST_LAYERS];
    for (int64_t i = 0; i < count; i++) {
        const layer *l = layers + i;
        phases[i] = (phase){forward_unit, l, l->members * panels(l->after), 0, 0};
    }
    return run(phases, count, threads, DEPTH * PANEL);
}

/* Write dw, db and dx of every layer, from the last to the first. Returns 0, or 1 without
   memory. */
int backward(const layer *layers, int64_t count, int64_t threads) {
    phase phases[2 * MOST_LAYERS];
    int64_t n = 0;
    for (int64_t i = count - 1; i >= 0; i--) {
        const layer *l = layers + i;
        phases[n++] = (phase){slope_unit, l, l->members * panels(l->after), 0, 0};
        phases[n++] = (phase){gradient_unit, l, l->members * panels(l->before), 0, 0};
    }
    return run(phases, n, threads, DEPTH * PANEL);
}

int lanes(void) { return LANES; }

int panel(void) { return PANEL; }
