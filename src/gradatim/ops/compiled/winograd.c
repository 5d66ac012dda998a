/* Convolutions of 3x3 at stride 1 with a border of one 0, by Winograd's minimal filtering F(4x4, 3x3):
   36 products instead of 144 for 16 results of a pair of channels, and their gradients likewise.

   A tile is 6x6 of the input and 4x4 of the result. With y = A'[(G w G') . (B' x B)]A, the 36
   numbers of all tiles and channels make 36 products of matrices. Lanes are channels, which lie
   last. winograd.py compiles and calls this.

   The number of threads changes no bit: tiles are cut into pieces whatever it is.

   Source: Lavin & Gray 2016, sections 4.1 to 4.3. */

#include "threads.h"

enum { LANES = 16, PANEL = 32, LINES = 8, EDGE = 6, OUT = 4, SIDE = 3 };
enum { NUMBERS = EDGE * EDGE, KERNEL = SIDE * SIDE, SOME = 64, ROOM = 1 << 13 };

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef float any_vec __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))
#define LOAD(from) ((vec) * (const any_vec *)(from))
#define STORE(to, what) (*(any_vec *)(to) = (what))
#define LEAST(a, b) ((a) < (b) ? (a) : (b))

typedef struct {
    /* GIVEN numbers from the caller */
    int64_t rows, height, width, before, after, threads;
    int64_t w_after, w_before, w_line, w_place; /* strides of the kernels */
    /* and what follows from them */
    int64_t high, wide, tiles; /* tiles down, across, in all */
    int64_t piece;             /* tiles of a piece */
    int64_t first, count;      /* tiles at work, in the gradient by kernels */
    int64_t u_apart;           /* from a matrix of kernels to the next */
    const float *x, *g;
    float *y, *u, *v, *m; /* results; kernels, inputs and results or slopes as 36 numbers a tile */
} job;
enum { GIVEN = 10 };

/* From one of 36 matrices to the next: never a power of 2, whose lines would share a place in the
   cache. */
INLINE int64_t apart(int64_t lines, int64_t columns) { return lines * columns + 3 * LANES; }

INLINE int64_t up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }


static job described(const int64_t *sizes, const float *x) {
    job j = {0};
    memcpy(&j, sizes, 8 * GIVEN);
    j.x = x, j.high = (j.height + OUT - 1) / OUT, j.wide = (j.width + OUT - 1) / OUT;
    j.tiles = j.rows * j.high * j.wide, j.u_apart = apart(j.before, j.after);
    return j;
}

/* --- the transforms in one direction; `d` are numbers `s` apart --- */

INLINE void by_b(const vec *d, int s, vec *to, int t) { /* B': 6 to 6 */
    vec even = d[4 * s] - 4 * d[2 * s], odd = d[3 * s] - 4 * d[s];
    vec half = d[4 * s] - d[2 * s], twice = 2 * (d[3 * s] - d[s]);
    to[0] = 4 * d[0] - 5 * d[2 * s] + d[4 * s];
    to[t] = even + odd, to[2 * t] = even - odd;
    to[3 * t] = half + twice, to[4 * t] = half - twice;
    to[5 * t] = 4 * d[s] - 5 * d[3 * s] + d[5 * s];
}

INLINE void by_a(const vec *d, int s, vec *to, int t) { /* A: 4 to 6 */
    vec even = d[0] + d[2 * s], odd = d[s] + d[3 * s];
    vec four = d[0] + 4 * d[2 * s], eight = 2 * d[s] + 8 * d[3 * s];
    to[0] = d[0], to[t] = even + odd, to[2 * t] = even - odd;
    to[3 * t] = four + eight, to[4 * t] = four - eight, to[5 * t] = d[3 * s];
}

INLINE void back_by_a(const vec *d, int s, vec *to, int t) { /* A': 6 to 4 */
    vec one = d[s] + d[2 * s], less = d[s] - d[2 * s];
    vec two = d[3 * s] + d[4 * s], apart = d[3 * s] - d[4 * s];
    to[0] = d[0] + one + two, to[t] = less + 2 * apart;
    to[2 * t] = one + 4 * two, to[3 * t] = less + 8 * apart + d[5 * s];
}

INLINE void by_g(const vec *d, int s, vec *to, int t) { /* G: 3 to 6 */
    vec ends = (d[0] + d[2 * s]) / -6, middle = d[s] / 6;
    vec far = d[0] / 24 + d[2 * s] / 6, half = d[s] / 12;
    to[0] = d[0] / 4, to[t] = ends - middle, to[2 * t] = ends + middle;
    to[3 * t] = far + half, to[4 * t] = far - half, to[5 * t] = d[2 * s];
}

INLINE void back_by_g(const vec *d, int s, vec *to, int t) { /* G': 6 to 3 */
    vec near = (d[s] + d[2 * s]) / -6, far = d[3 * s] + d[4 * s];
    to[0] = d[0] / 4 + near + far / 24;
    to[t] = (d[2 * s] - d[s]) / 6 + (d[3 * s] - d[4 * s]) / 12;
    to[2 * t] = near + far / 6 + d[5 * s];
}

/* --- pictures to numbers of tiles, and back --- */

/* Read a square of `side` x `side` places whose corner may lie outside, where there are zeros. */
INLINE void read(const job *j, const float *from, int64_t channels, int64_t tile, int64_t border,
                 int64_t c, vec *to, const int side) {
    const int64_t row = tile / (j->high * j->wide), place = tile % (j->high * j->wide);
    const int64_t top = place / j->wide * OUT - border, left = place % j->wide * OUT - border;
    from += row * j->height * j->width * channels + c;
    for (int64_t h = 0; h < side; h++)
        for (int64_t v = 0; v < side; v++) {
            const int64_t down = top + h, right = left + v;
            const int inside = down >= 0 && down < j->height && right >= 0 && right < j->width;
            to[h * side + v] =
                inside ? LOAD(from + (down * j->width + right) * channels) : (vec){0};
        }
}

/* v[36][places][channels] = B' x B, for `count` tiles from `first`; further lines become 0. */
INLINE void read_inputs(const job *j, int64_t first, int64_t count, float *v, int64_t places) {
    for (int64_t t = 0; t < up(count, LINES); t++)
        for (int64_t c = 0; c < j->before; c += LANES) {
            vec x[NUMBERS] = {{0}}, half[NUMBERS], z[NUMBERS];
            float *to = v + t * j->before + c;
            if (t < count) read(j, j->x, j->before, first + t, 1, c, x, EDGE);
            for (int i = 0; i < EDGE; i++) by_b(x + i, EDGE, half + i, EDGE);
            for (int i = 0; i < EDGE; i++) by_b(half + EDGE * i, 1, z + EDGE * i, 1);
            for (int i = 0; i < NUMBERS; i++) STORE(to + i * apart(places, j->before), z[i]);
        }
}

/* m[36][places][channels] = A g A'. */
INLINE void read_slopes(const job *j, int64_t first, int64_t count, float *m, int64_t places) {
    for (int64_t t = 0; t < up(count, LINES); t++)
        for (int64_t c = 0; c < j->after; c += LANES) {
            vec g[OUT * OUT] = {{0}}, half[EDGE * OUT], z[NUMBERS];
            float *to = m + t * j->after + c;
            if (t < count) read(j, j->g, j->after, first + t, 0, c, g, OUT);
            for (int i = 0; i < OUT; i++) by_a(g + i, OUT, half + i, OUT);
            for (int i = 0; i < EDGE; i++) by_a(half + OUT * i, 1, z + EDGE * i, 1);
            for (int i = 0; i < NUMBERS; i++) STORE(to + i * apart(places, j->after), z[i]);
        }
}

/* y = A' m A. */
INLINE void write_results(const job *j, int64_t first, int64_t count, const float *m,
                          int64_t places) {
    for (int64_t t = 0; t < count; t++) {
        const int64_t tile = first + t, row = tile / (j->high * j->wide);
        const int64_t place = tile % (j->high * j->wide);
        const int64_t top = place / j->wide * OUT, left = place % j->wide * OUT;
        for (int64_t c = 0; c < j->after; c += LANES) {
            vec z[NUMBERS], half[EDGE * OUT], y[OUT * OUT];
            for (int i = 0; i < NUMBERS; i++)
                z[i] = LOAD(m + i * apart(places, j->after) + t * j->after + c);
            for (int i = 0; i < EDGE; i++) back_by_a(z + i, EDGE, half + i, EDGE);
            for (int i = 0; i < OUT; i++) back_by_a(half + EDGE * i, 1, y + OUT * i, 1);
            for (int64_t h = 0; h < OUT && top + h < j->height; h++)
                for (int64_t v = 0; v < OUT && left + v < j->width; v++) {
                    int64_t at = (row * j->height + top + h) * j->width + left + v;
                    STORE(j->y + at * j->after + c, y[h * OUT + v]);
                }
        }
    }
}

/* --- kernels to 36 numbers and back: u[36][after / PANEL][before][PANEL] --- */

/* Of a panel of channels after and some channels before. */
static void kernel_unit(const void *on, int64_t unit, float *room) {
    const job *j = on;
    const int64_t panels = j->after / PANEL, panel = unit % panels, k = unit / panels * LANES;
    (void)room;
    float w[KERNEL][LANES][PANEL]; /* turned, so that lanes are channels of the result */
    for (int64_t n = 0; n < PANEL; n++)
        for (int64_t i = 0; i < KERNEL; i++)
            for (int64_t c = 0; c < LANES; c++)
                w[i][c][n] = j->g[(panel * PANEL + n) * j->w_after + (k + c) * j->w_before +
                                  i / SIDE * j->w_line + i % SIDE * j->w_place];
    for (int64_t c = 0; c < LANES; c++)
        for (int64_t n = 0; n < PANEL; n += LANES) {
            vec g[KERNEL], half[EDGE * SIDE], z[NUMBERS];
            for (int i = 0; i < KERNEL; i++) g[i] = LOAD(&w[i][c][n]);
            for (int i = 0; i < SIDE; i++) by_g(g + i, SIDE, half + i, SIDE);
            for (int i = 0; i < EDGE; i++) by_g(half + SIDE * i, 1, z + EDGE * i, 1);
            for (int i = 0; i < NUMBERS; i++)
                STORE(j->u + i * j->u_apart + (panel * j->before + k + c) * PANEL + n, z[i]);
        }
}

static void learnt_unit(const void *on, int64_t unit, float *room) {
    const job *j = on;
    const int64_t panels = j->after / PANEL, panel = unit % panels, k = unit / panels * LANES;
    (void)room;
    float w[KERNEL][LANES][PANEL];
    for (int64_t c = 0; c < LANES; c++)
        for (int64_t n = 0; n < PANEL; n += LANES) {
            vec z[NUMBERS], half[EDGE * SIDE], g[KERNEL];
            for (int i = 0; i < NUMBERS; i++)
                z[i] = LOAD(j->u + i * j->u_apart + (panel * j->before + k + c) * PANEL + n);
            for (int i = 0; i < EDGE; i++) back_by_g(z + i, EDGE, half + i, EDGE);
            for (int i = 0; i < SIDE; i++) back_by_g(half + EDGE * i, 1, g + SIDE * i, 1);
            for (int i = 0; i < KERNEL; i++) STORE(&w[i][c][n], g[i]);
        }
    for (int64_t n = 0; n < PANEL; n++)
        for (int64_t i = 0; i < KERNEL; i++)
            for (int64_t c = 0; c < LANES; c++)
                j->y[(panel * PANEL + n) * j->w_after + (k + c) * j->w_before +
                     i / SIDE * j->w_line + i % SIDE * j->w_place] = w[i][c][n];
}

/* --- 36 products of matrices --- */

/* LINES x PANEL numbers of c = a b, or c += a b. */
INLINE void multiply(const float *a, int64_t a_line, int64_t a_inner, const float *b,
                     int64_t b_inner, int64_t inner, float *c, int64_t c_line, int add) {
    vec left[LINES] = {{0}}, right[LINES] = {{0}};
    for (int64_t k = 0; k < inner; k++, a += a_inner, b += b_inner) {
        const vec p = LOAD(b), q = LOAD(b + LANES);
#pragma GCC unroll 8
        for (int i = 0; i < LINES; i++) {
            left[i] += p * a[i * a_line];
            right[i] += q * a[i * a_line];
        }
    }
    for (int i = 0; i < LINES; i++, c += c_line) {
        STORE(c, add ? LOAD(c) + left[i] : left[i]);
        STORE(c + LANES, add ? LOAD(c + LANES) + right[i] : right[i]);
    }
}

static void convolve_unit(const void *on, int64_t unit, float *v) {
    const job *j = on;
    const int64_t first = unit * j->piece, count = LEAST(j->piece, j->tiles - first);
    const int64_t k = j->before, n = j->after;
    float *m = v + NUMBERS * apart(j->piece, k);
    read_inputs(j, first, count, v, j->piece);
    for (int64_t i = 0; i < NUMBERS; i++)
        for (int64_t o = 0; o < n; o += PANEL)
            for (int64_t t = 0; t < count; t += LINES)
                multiply(v + i * apart(j->piece, k) + t * k, k, 1, j->u + i * j->u_apart + o * k,
                         PANEL, k, m + i * apart(j->piece, n) + t * n + o, n, 0);
    write_results(j, first, count, m, j->piece);
}

static void tiles_unit(const void *on, int64_t unit, float *room) {
    const job *j = on;
    const int64_t from = unit * LINES, count = LEAST(LINES, j->count - from);
    (void)room;
    read_inputs(j, j->first + from, count, j->v + from * j->before, j->piece);
    read_slopes(j, j->first + from, count, j->m + from * j->after, j->piece);
}

/* Of one of the 36 numbers. */
static void learn_unit(const void *on, int64_t i, float *room) {
    const job *j = on;
    const int64_t k = j->before, n = j->after;
    const float *v = j->v + i * apart(j->piece, k), *m = j->m + i * apart(j->piece, n);
    (void)room;
    for (int64_t o = 0; o < n; o += PANEL)
        for (int64_t c = 0; c < k; c += LINES)
            multiply(v + c, 1, k, m + o, n, j->count, j->u + i * j->u_apart + o * k + c * PANEL,
                     PANEL, j->first > 0);
}

/* --- the doors --- */

/* Tell whether this processor has registers of 16 numbers: others would be slow. */
int suits(void) {
#if defined(__AVX512F__)
    return 1;
#else
    return 0;
#endif
}

/* Write y. Returns 0, or 1 without memory. */
int convolve(const float *x, const float *w, float *y, const int64_t *sizes) {
    job j = described(sizes, x);
    const int64_t widest = j.before > j.after ? j.before : j.after;
    const int64_t each = (j.tiles + j.threads - 1) / j.threads;
    j.y = y, j.g = w, j.piece = up(LEAST(widest / 2, each), LINES);
    j.u = numbers(NUMBERS * j.u_apart);
    if (!j.u) return 1;
    const int64_t room = NUMBERS * (apart(j.piece, j.before) + apart(j.piece, j.after));
    share(kernel_unit, &j, j.before / LANES * (j.after / PANEL), j.threads, 0, 0);
    const int failed =
        share(convolve_unit, &j, (j.tiles + j.piece - 1) / j.piece, j.threads, room, 0);
    free(j.u);
    return failed;
}

/* Write dw, the gradient by the kernels. Returns 0, or 1 without memory. */
int learn(const float *x, const float *g, float *dw, const int64_t *sizes) {
    job j = described(sizes, x);
    const int64_t fit = ROOM / j.before < SOME ? SOME : ROOM / j.before;
    j.g = g, j.y = dw, j.piece = up(LEAST(fit, j.tiles), LINES);
    j.u = numbers(NUMBERS * j.u_apart);
    j.v = numbers(NUMBERS * apart(j.piece, j.before));
    j.m = numbers(NUMBERS * apart(j.piece, j.after));
    const int failed = !j.u || !j.v || !j.m;
    for (; !failed && j.first < j.tiles; j.first += j.piece) {
        j.count = LEAST(j.piece, j.tiles - j.first);
        share(tiles_unit, &j, (j.count + LINES - 1) / LINES, j.threads, 0, 0);
        share(learn_unit, &j, NUMBERS, j.threads, 0, 0);
    }
    if (!failed) share(learnt_unit, &j, j.before / LANES * (j.after / PANEL), j.threads, 0, 0);
    free(j.u), free(j.v), free(j.m);
    return failed;
}
