/* Convolution, ReLU and 2x2 max-pooling of pictures in one pass, and their gradients.

   The four places of a window stay in registers until their maximum is known, and the gradient goes
   through the one place that won: a quarter of the work. fused_convolution.py compiles and calls this.

   What fills the lanes of a vector: places side by side where maps are wide (by_places), maps where
   they are narrow (by_maps). The gradients go from winner to winner; their lanes are the numbers
   that lie side by side in a line of its patch, columns and channels (gradients).

   The number of threads changes no bit: rows are cut into pieces whatever it is, and the sums of
   the pieces are added in order. Every result of a row is computed the same way in every batch. */

#include "threads.h"
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#define WIDE
#include <immintrin.h>
#endif

/* LANES floats fit into a register, and 4 x MAPS, 4 x WINDOWS or 6 x BLOCK sums into all of them. */
#if defined(WIDE)
enum { LANES = 16, MAPS = 6, WINDOWS = 5, BLOCK = 3 };
#elif defined(__AVX__)
enum { LANES = 8, MAPS = 2, WINDOWS = 2, BLOCK = 2 };
#else
enum { LANES = 4, MAPS = 2, WINDOWS = 2, BLOCK = 2 };
#endif
enum { CLOSED = 4, TOGETHER = 4, MOST_PIECES = 64 };

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int32_t mask __attribute__((vector_size(4 * LANES)));
typedef float half_vec __attribute__((vector_size(2 * LANES)));
typedef float any_half __attribute__((vector_size(2 * LANES), aligned(4), may_alias));
typedef float any_vec __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int8_t any_bytes __attribute__((vector_size(LANES), aligned(1), may_alias));

#define INLINE static inline __attribute__((always_inline))
/* A function of its own has all registers to itself; compilers make one for each `side`. */
#define APART static __attribute__((noinline))
#define LOAD(from) ((vec) * (const any_vec *)(from))
/* x - (vec){0} fills a register with x: + would turn -0 into 0, so compilers would have to add. */
#define STORE(to, what) (*(any_vec *)(to) = (what))
/* What lies in memory is read where it is used: read early, it would push sums out of registers. */
#define READ_LATE() __asm__ volatile("" ::: "memory")

typedef struct {
    /* GIVEN numbers from the caller */
    int64_t rows, before, height, width, after, side, padding, threads;
    int64_t x_row, x_map, x_line, x_place;      /* strides of x, in floats */
    int64_t w_after, w_before, w_line, w_place; /* strides of w and dw */
    /* and what follows from them */
    int64_t lines, places, high, wide; /* of the padded input; of the result */
    const float *x, *w, *g;            /* inputs, kernels, gradient of the result */
    float *y, *dx;                     /* the result; gradient of the inputs, or NULL */
    uint8_t *which;                    /* the winner of every window, 0 to 3, or CLOSED */
    float *kernels, *sums;             /* kernels in the order of the lanes; sums of the pieces */
    int64_t piece;                     /* rows of a piece */
} job;
enum { GIVEN = 16 };

INLINE int64_t up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }
INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

INLINE vec choose(mask which, vec yes, vec no) {
    return (vec)((which & (mask)yes) | (~which & (mask)no));
}

/* Every second number of two registers. */
#if defined(WIDE)
INLINE vec every_second(vec a, vec b, int first) {
    const __m512i step = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    return _mm512_permutex2var_ps(a, _mm512_add_epi32(step, _mm512_set1_epi32(first)), b);
}
#else
INLINE vec every_second(vec a, vec b, int first) {
    vec found;
    for (int i = 0; i < LANES; i++) {
        const int at = 2 * i + first;
        found[i] = at < LANES ? a[at] : b[at - LANES];
    }
    return found;
}
#endif

/* The largest of four, the first of equals, a NaN before all; then ReLU. As torch does it. */
INLINE void pool_any(const vec *z, float *top, uint8_t *winner) {
    vec best = z[0];
    mask place = {0};
    for (int i = 1; i < 4; i++) {
        mask later = (z[i] > best) | (z[i] != z[i]);
        best = choose(later, z[i], best);
        place = (later & i) | (~later & place);
    }
    mask closed = best <= 0.0f;
    STORE(top, choose(closed, (vec){0}, best));
    place = (closed & CLOSED) | (~closed & place);
    *(any_bytes *)winner = __builtin_convertvector(place, any_bytes);
}

#if defined(WIDE)
/* The same of numbers, in half as many instructions. */
INLINE void pool(const vec *z, float *top, uint8_t *winner) {
    const vec sum = (z[0] + z[1]) + (z[2] + z[3]);
    if (__builtin_expect(_mm512_cmpunord_ps_mask(sum, sum), 0)) {
        pool_any(z, top, winner);
        return;
    }
    const vec above = _mm512_max_ps(z[0], z[1]), below = _mm512_max_ps(z[2], z[3]);
    const vec best = _mm512_max_ps(above, below), zero = _mm512_setzero_ps();
    __m512i place = _mm512_maskz_set1_epi32(_mm512_cmplt_ps_mask(z[0], z[1]), 1), other;
    other = _mm512_mask_set1_epi32(_mm512_set1_epi32(2), _mm512_cmplt_ps_mask(z[2], z[3]), 3);
    place = _mm512_mask_mov_epi32(place, _mm512_cmplt_ps_mask(above, below), other);
    place = _mm512_mask_set1_epi32(place, _mm512_cmple_ps_mask(best, zero), CLOSED);
    _mm512_storeu_ps(top, _mm512_max_ps(best, zero));
    _mm_storeu_si128((__m128i *)winner, _mm512_cvtepi32_epi8(place));
}
#else
#define pool pool_any
#endif

/* --- forward, lanes are places: even and odd columns lie apart, so a window is four loads --- */

INLINE void by_places(const job *j, int64_t row, float *room, const int side) {
    const int64_t half = up(j->wide, LANES) + LANES, plane = j->lines * half;
    const int64_t area = j->high * j->wide, roomy = area + LANES, maps = up(j->after, MAPS);
    float *columns[2] = {room, room + j->before * plane}, *top = room + 2 * j->before * plane;
    uint8_t *winner = (uint8_t *)(top + maps * roomy);
    const float *x = j->x + row * j->x_row;
    for (int64_t c = 0; c < j->before; c++)
        for (int64_t h = 0; h < j->height; h++) {
            const float *from = x + c * j->x_map + h * j->x_line;
            int64_t to = c * plane + (h + j->padding) * half, v = 0;
            /* of the padded line, whose columns begin where padding ends */
            float *even = columns[j->padding & 1] + to + j->padding / 2;
            float *odd = columns[(1 + j->padding) & 1] + to + (1 + j->padding) / 2;
            for (; j->x_place == 1 && v + 2 * LANES <= j->width; v += 2 * LANES) {
                STORE(even + v / 2, every_second(LOAD(from + v), LOAD(from + v + LANES), 0));
                STORE(odd + v / 2, every_second(LOAD(from + v), LOAD(from + v + LANES), 1));
            }
            for (; v < j->width; v++) (v & 1 ? odd : even)[v / 2] = from[v * j->x_place];
        }
    for (int64_t o = 0; o < maps; o += MAPS)
        for (int64_t line = 0; line < j->high; line++)
            for (int64_t column = 0; column < j->wide; column += LANES) {
                vec z[MAPS][4];
#pragma GCC unroll 6
                for (int m = 0; m < MAPS; m++)
#pragma GCC unroll 4
                    for (int i = 0; i < 4; i++) z[m][i] = j->kernels[o + m] - (vec){0};
                const float *w = j->kernels + maps + o * j->before * side * side;
                for (int64_t c = 0; c < j->before; c++)
                    for (int ky = 0; ky < side; ky++) {
                        int64_t at = c * plane + (2 * line + ky) * half + column;
#pragma GCC unroll 5
                        for (int kx = 0; kx < side; kx++, w += MAPS) {
                            const float *even = columns[kx & 1] + at + kx / 2;
                            const float *odd = columns[(kx + 1) & 1] + at + (kx + 1) / 2;
                            vec u[4] = {LOAD(even), LOAD(odd), LOAD(even + half), LOAD(odd + half)};
#pragma GCC unroll 6
                            for (int m = 0; m < MAPS; m++) {
                                const vec k = w[m] - (vec){0};
#pragma GCC unroll 4
                                for (int i = 0; i < 4; i++) z[m][i] += u[i] * k;
                            }
                            READ_LATE();
                        }
                    }
#pragma GCC unroll 6
                for (int m = 0; m < MAPS; m++) {
                    int64_t at = (o + m) * roomy + line * j->wide + column;
                    pool(z[m], top + at, winner + at);
                }
            }
    for (int64_t o = 0; o < j->after; o++) {
        memcpy(j->y + (row * j->after + o) * area, top + o * roomy, 4 * area);
        memcpy(j->which + (row * j->after + o) * area, winner + o * roomy, area);
    }
}

/* --- forward, lanes are maps --- */

INLINE void by_maps(const job *j, int64_t row, float *room, const int side) {
    const int64_t length = 2 * up(j->wide, WINDOWS) + side, plane = j->lines * length;
    const int64_t area = j->high * j->wide, maps = up(j->after, LANES);
    float *top = room + j->before * plane;
    uint8_t *winner = (uint8_t *)(top + WINDOWS * LANES);
    const float *x = j->x + row * j->x_row, *pictures = x;
    int64_t from_map = j->x_map, from_line = j->x_line;
    if (j->padding || j->x_place != 1 || length - 1 > j->width) { /* it cannot be read as it lies */
        for (int64_t c = 0; c < j->before; c++)
            for (int64_t h = 0; h < j->height; h++)
                for (int64_t v = 0; v < j->width; v++)
                    room[c * plane + (h + j->padding) * length + v + j->padding] =
                        x[c * j->x_map + h * j->x_line + v * j->x_place];
        pictures = room, from_map = plane, from_line = length;
    }
    for (int64_t o = 0; o < maps; o += LANES)
        for (int64_t line = 0; line < j->high; line++)
            for (int64_t column = 0; column < j->wide; column += WINDOWS) {
                vec z[WINDOWS][4];
#pragma GCC unroll 5
                for (int p = 0; p < WINDOWS; p++)
#pragma GCC unroll 4
                    for (int i = 0; i < 4; i++) z[p][i] = LOAD(j->kernels + o);
                const float *w = j->kernels + maps + o * j->before * side * side;
                for (int64_t c = 0; c < j->before; c++)
                    for (int ky = 0; ky < side; ky++) {
                        const float *u = pictures + c * from_map + 2 * column;
                        u += (2 * line + ky) * from_line;
#pragma GCC unroll 5
                        for (int kx = 0; kx < side; kx++, w += LANES) {
                            vec k = LOAD(w);
#pragma GCC unroll 5
                            for (int p = 0; p < WINDOWS; p++)
#pragma GCC unroll 4
                                for (int i = 0; i < 4; i++)
                                    z[p][i] += k * u[(i / 2) * from_line + 2 * p + (i & 1) + kx];
                        }
                    }
#pragma GCC unroll 5
                for (int p = 0; p < WINDOWS; p++) pool(z[p], top + p * LANES, winner + p * LANES);
                int64_t from = (row * j->after + o) * area + line * j->wide + column;
                for (int64_t m = 0; m < least(LANES, j->after - o); m++)
                    for (int64_t p = 0; p < least(WINDOWS, j->wide - column); p++) {
                        j->y[from + m * area + p] = top[p * LANES + m];
                        j->which[from + m * area + p] = winner[p * LANES + m];
                    }
            }
}

/* --- backward, from winner to winner: lanes are columns and channels of a line of the patch --- */

typedef struct { /* the winners of one map of some pictures */
    int32_t *at;             /* where the patch of a winner begins in its picture */
    float *slope;            /* the gradient that it passes on */
    int64_t found[TOGETHER]; /* how many a picture has */
    int64_t pictures, apart; /* how many; from one's list to the next one's */
    int64_t line, picture;   /* from a line to the next, from a picture to the next */
} winners;

/* List the windows that pass a gradient, about half of them. */
INLINE int64_t list(const uint8_t *which, const float *g, const int32_t *start, int64_t count,
                    int32_t down, int32_t right, int32_t *at, float *slope) {
    int64_t found = 0, p = 0;
#if defined(WIDE)
    for (; p < count; p += LANES) { /* what is read beyond the last window is masked */
        const __mmask16 there = count - p < LANES ? (1 << (count - p)) - 1 : -1;
        __m512i won = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(there, which + p));
        __mmask16 open = _mm512_mask_cmpneq_epi32_mask(there, won, _mm512_set1_epi32(CLOSED));
        mask place = (mask)won;
        place = (mask)_mm512_maskz_loadu_epi32(there, start + p) + (place >> 1) * down +
                (place & 1) * right;
        _mm512_storeu_si512(at + found, _mm512_maskz_compress_epi32(open, (__m512i)place));
        _mm512_storeu_ps(slope + found,
                         _mm512_maskz_compress_ps(open, _mm512_maskz_loadu_ps(there, g + p)));
        found += __builtin_popcount(open);
    }
#endif
    for (; p < count; p++) {
        at[found] = start[p] + (which[p] >> 1) * down + (which[p] & 1) * right;
        slope[found] = g[p];
        found += which[p] != CLOSED;
    }
    return found;
}

/* sums += slope * patch, over one map of all pictures; return the sum of the slopes. */
INLINE float learn(const job *j, winners won, const float *x, float *sums, const int side,
                   const int two) {
    const int64_t span = up(side * j->before, LANES);
    vec total[10] = {0}, slopes = {0}; /* sums of sums: long chains of additions round more */
    for (int64_t s = 0; s < won.pictures; s++, x += won.picture)
        for (int64_t p = s * won.apart; p < s * won.apart + won.found[s]; p++) {
            const float *patch = x + won.at[p];
            vec g = won.slope[p] - (vec){0};
            slopes += g;
#pragma GCC unroll 5
            for (int k = 0; k < side; k++, patch += won.line)
#pragma GCC unroll 2
                for (int v = 0; v < two; v++) total[k * two + v] += g * LOAD(patch + v * LANES);
        }
    for (int i = 0; i < side * two; i++) {
        float *to = sums + i / two * span + i % two * LANES;
        STORE(to, LOAD(to) + total[i]);
    }
    return slopes[0];
}

APART float learn_one(const job *j, winners won, const float *x, float *sums, const int side) {
    return learn(j, won, x, sums, side, 1);
}

APART float learn_two(const job *j, winners won, const float *x, float *sums, const int side) {
    return learn(j, won, x, sums, side, 2);
}

/* The same where a line of a patch fills half of the lanes: half as wide a register crosses fewer
   borders between lines of the cache. */
APART float learn_little(const job *j, winners won, const float *x, float *sums, const int side) {
    half_vec total[5] = {0}, slopes = {0};
    for (int64_t s = 0; s < won.pictures; s++, x += won.picture)
        for (int64_t p = s * won.apart; p < s * won.apart + won.found[s]; p++) {
            const float *patch = x + won.at[p];
            half_vec g = won.slope[p] - (half_vec){0};
            slopes += g;
#pragma GCC unroll 5
            for (int k = 0; k < side; k++, patch += won.line)
                total[k] += g * *(const any_half *)patch;
        }
    const int64_t span = up(side * j->before, LANES);
    for (int k = 0; k < side; k++) *(any_half *)(sums + k * span) += total[k];
    return slopes[0];
}

INLINE float one_map(const job *j, winners won, int64_t o, const float *x, float *dw,
                     const int side) {
    const int64_t span = up(side * j->before, LANES);
    float slopes = 0;
    dw += o * side * span;
    if (2 * side * j->before <= LANES) return learn_little(j, won, x, dw, side);
    for (int64_t v = 0; v < span; v += 2 * LANES) {
        const float found = v + LANES < span ? learn_two(j, won, x + v, dw + v, side)
                                             : learn_one(j, won, x + v, dw + v, side);
        if (!v) slopes = found;
    }
    return slopes;
}

/* Registers side by side, of which `side` + 1 lines are sums. */
INLINE int across(int64_t side) { return side == 3 ? BLOCK + 1 : BLOCK; }

/* Numbers of a line of a patch that holds the patches of both columns of a window. */
INLINE int64_t reach_of(const job *j, int64_t side) {
    return up((side + 1) * j->before, across(side) * LANES);
}

/* dx += slope * kernel, window by window. The patches of all maps overlap: they are added up in
   registers. Lanes are columns and channels, of a patch that is wide enough for a winner in the left
   or the right column; the kernel stands at the right place in it. */
APART void spread(const job *j, const uint8_t *which, const float *g, int64_t apart, float *dx,
                   int64_t line, int64_t *open, float *slope, const int side) {
    const int block = across(side);
    const int64_t span = reach_of(j, side), kernel = side * span;
    int64_t upper = 0, lower = j->after; /* the winners above, from the front; below, from the end */
    for (int64_t o = 0; o < j->after; o++) {
        const uint8_t won = which[o * apart];
        const int64_t at = won & 2 ? lower - 1 : upper;
        open[at] = (2 * o + (won & 1)) * kernel;
        slope[at] = g[o * apart];
        upper += won < 2, lower -= (won & 6) == 2;
    }
    for (int64_t v = 0; v < span; v += block * LANES) {
        vec sum[6][BLOCK + 1] = {0};
#pragma GCC unroll 2
        for (int down = 0; down < 2; down++)
            for (int64_t p = down ? lower : 0; p < (down ? j->after : upper); p++) {
                const float *w = j->kernels + open[p] + v;
                const vec s = slope[p] - (vec){0};
#pragma GCC unroll 5
                for (int k = 0; k < side; k++, w += span)
#pragma GCC unroll 4
                    for (int b = 0; b < block; b++) sum[k + down][b] += s * LOAD(w + b * LANES);
            }
#pragma GCC unroll 6
        for (int k = 0; k <= side; k++)
#pragma GCC unroll 4
            for (int b = 0; b < block; b++) {
                float *to = dx + k * line + v + b * LANES;
                STORE(to, LOAD(to) + sum[k][b]);
            }
    }
}

INLINE void copy(float *to, int64_t step, const float *from, int64_t from_step, int64_t count) {
    if (step == 1 && from_step == 1)
        memcpy(to, from, 4 * count);
    else
        for (int64_t v = 0; v < count; v++) to[v * step] = from[v * from_step];
}

INLINE void gradients(const job *j, int64_t piece, float *room, const int side) {
    const int64_t span = up(side * j->before, LANES), reach = reach_of(j, side);
    const int64_t line = j->places * j->before + reach, picture = j->lines * line;
    const int64_t area = j->high * j->wide, apart = area + LANES;
    const int64_t last = least(j->rows, (piece + 1) * j->piece);
    const int64_t inside = j->padding * (line + j->before);
    float *x = room, *dx = x + TOGETHER * picture, *slope = dx + picture;
    int64_t *open = (int64_t *)(slope + up(TOGETHER * apart + j->after, 2));
    int32_t *at = (int32_t *)(open + j->after), *start = at + TOGETHER * apart;
    float *dw = j->sums + piece * j->after * (side * span + 1), *db = dw + j->after * side * span;
    for (int64_t p = 0; p < area; p++)
        start[p] = 2 * (p / j->wide) * line + 2 * (p % j->wide) * j->before;
    for (int64_t row = piece * j->piece; row < last; row += TOGETHER) {
        const int64_t here = least(TOGETHER, last - row);
        for (int64_t s = 0; s < here; s++)
            for (int64_t c = 0; c < j->before; c++)
                for (int64_t h = 0; h < j->height; h++)
                    copy(x + s * picture + inside + h * line + c, j->before,
                         j->x + (row + s) * j->x_row + c * j->x_map + h * j->x_line, j->x_place,
                         j->width);
        for (int64_t o = 0; o < j->after; o++) {
            winners won = {at, slope, {0}, here, apart, line, picture};
            for (int64_t s = 0; s < here; s++) {
                const int64_t map = ((row + s) * j->after + o) * area;
                won.found[s] = list(j->which + map, j->g + map, start, area, line, j->before,
                                    at + s * apart, slope + s * apart);
            }
            db[o] += one_map(j, won, o, x, dw, side);
        }
        for (int64_t s = 0; j->dx && s < here; s++) {
            const int64_t maps = (row + s) * j->after * area;
            memset(dx, 0, 4 * picture);
            for (int64_t p = 0; p < area; p++)
                spread(j, j->which + maps + p, j->g + maps + p, area, dx + start[p], line, open,
                       slope, side);
            for (int64_t c = 0; c < j->before; c++)
                for (int64_t h = 0; h < j->height; h++)
                    copy(j->dx + (((row + s) * j->before + c) * j->height + h) * j->width, 1,
                         dx + inside + h * line + c, j->before, j->width);
        }
    }
}

/* --- memory and the two doors --- */

static void places_unit(const void *on, int64_t row, float *room) {
    const job *j = on;
    j->side == 5 ? by_places(j, row, room, 5) : by_places(j, row, room, 3);
}

static void maps_unit(const void *on, int64_t row, float *room) {
    const job *j = on;
    j->side == 5 ? by_maps(j, row, room, 5) : by_maps(j, row, room, 3);
}

static void gradient_unit(const void *on, int64_t piece, float *room) {
    const job *j = on;
    j->side == 5 ? gradients(j, piece, room, 5) : gradients(j, piece, room, 3);
}

static job described(const int64_t *sizes, const float *x, const float *w) {
    job made = {0}, *j = &made;
    memcpy(j, sizes, 8 * GIVEN);
    j->x = x, j->w = w;
    j->lines = j->height + 2 * j->padding, j->places = j->width + 2 * j->padding;
    j->high = (j->lines - j->side + 1) / 2, j->wide = (j->places - j->side + 1) / 2;
    return made;
}

/* Where a number of the kernel from map c to map o lies. */
INLINE int64_t in_w(const job *j, int64_t o, int64_t c, int64_t ky, int64_t kx) {
    return o * j->w_after + c * j->w_before + ky * j->w_line + kx * j->w_place;
}

/* Write y and which. Returns 0, or 1 without memory. */
int forward(const float *x, const float *w, const float *b, float *y, uint8_t *which,
            const int64_t *sizes) {
    job j = described(sizes, x, w);
    j.y = y, j.which = which;
    /* Whichever leaves fewer lanes empty. */
    const int maps = up(j.after, LANES) * j.wide < up(j.wide, LANES) * j.after;
    const int64_t group = maps ? LANES : MAPS, padded = up(j.after, group);
    const int64_t patch = j.before * j.side * j.side, area = j.high * j.wide;
    int64_t room = j.before * j.lines * (2 * up(j.wide, WINDOWS) + j.side) + 2 * WINDOWS * LANES;
    if (!maps)
        room = 2 * j.before * j.lines * (up(j.wide, LANES) + LANES) + 2 * padded * (area + LANES);
    j.kernels = numbers(padded * (1 + patch));
    if (!j.kernels) return 1;
    memset(j.kernels, 0, 4 * padded * (1 + patch));
    for (int64_t o = 0; o < j.after; o++) {
        float *to = j.kernels + padded + o / group * patch * group + o % group;
        j.kernels[o] = b[o];
        for (int64_t c = 0; c < j.before; c++)
            for (int64_t ky = 0; ky < j.side; ky++)
                for (int64_t kx = 0; kx < j.side; kx++, to += group) *to = w[in_w(&j, o, c, ky, kx)];
    }
    const int failed = share(maps ? maps_unit : places_unit, &j, j.rows, j.threads, room, 1);
    free(j.kernels);
    return failed;
}

/* Copy all numbers of w to where `spread` reads them, once for each column of a window. */
static void kernels_for_spread(const job *j, int64_t span) {
    for (int64_t o = 0; o < j->after; o++)
        for (int64_t c = 0; c < j->before; c++)
            for (int64_t ky = 0; ky < j->side; ky++)
                for (int64_t kx = 0; kx < j->side; kx++) {
                    float *to = j->kernels + (2 * o * j->side + ky) * span + kx * j->before + c;
                    to[0] = to[j->side * span + j->before] = j->w[in_w(j, o, c, ky, kx)];
                }
}

/* Copy sums, whose lines are `span` apart, to dw. */
static void sums_to(const job *j, const float *sums, float *dw, int64_t span) {
    for (int64_t o = 0; o < j->after; o++)
        for (int64_t c = 0; c < j->before; c++)
            for (int64_t ky = 0; ky < j->side; ky++)
                for (int64_t kx = 0; kx < j->side; kx++)
                    dw[in_w(j, o, c, ky, kx)] = sums[(o * j->side + ky) * span + kx * j->before + c];
}

/* Write dw, db and, unless it is NULL, dx. Returns 0, or 1 without memory. */
int backward(const float *g, const uint8_t *which, const float *x, const float *w, float *dx,
             float *dw, float *db, const int64_t *sizes) {
    job j = described(sizes, x, w);
    j.g = g, j.which = (uint8_t *)which, j.dx = dx;
    const int64_t span = up(j.side * j.before, LANES), kernel = j.side * span;
    const int64_t reach = reach_of(&j, j.side), area = j.high * j.wide;
    const int64_t picture = j.lines * (j.places * j.before + reach);
    j.piece = up(up(j.rows, MOST_PIECES) / MOST_PIECES, 4 * TOGETHER);
    const int64_t pieces = up(j.rows, j.piece) / j.piece, sums = j.after * (kernel + 1);
    const int64_t shifted = dx ? 2 * j.after * j.side * reach : 0;
    int64_t room = (TOGETHER + 1) * picture + 2 * TOGETHER * (area + LANES) + area + 3 * j.after + 2;
    j.kernels = numbers(shifted);
    j.sums = numbers((pieces + 1) * sums);
    int failed = !j.kernels || !j.sums;
    if (!failed) {
        float *total = j.sums + pieces * sums;
        memset(j.kernels, 0, 4 * shifted);
        memset(j.sums, 0, 4 * (pieces + 1) * sums);
        if (dx) kernels_for_spread(&j, reach);
        failed = share(gradient_unit, &j, pieces, j.threads, room, 1);
        for (int64_t p = 0; p < pieces; p++)
            for (int64_t i = 0; i < sums; i++) total[i] += j.sums[p * sums + i];
        memcpy(db, total + j.after * kernel, 4 * j.after);
        sums_to(&j, total, dw, span);
    }
    free(j.kernels);
    free(j.sums);
    return failed;
}
