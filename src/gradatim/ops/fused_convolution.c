/* Convolution, ReLU and 2x2 max-pooling of pictures in one pass, and their gradients.

   The four places of a window stay in registers until their maximum is known, and the gradient goes
   through the one place that won: a quarter of the work. fused_operator.py compiles and calls this.

   What fills the lanes of a vector: places side by side where maps are wide (by_places), maps where
   they are narrow (by_maps). The gradients go from winner to winner; their lanes are the numbers
   that lie side by side in a line of its patch, columns and channels (gradients).

   The number of threads changes no bit: rows are cut into pieces whatever it is, and the sums of
   the pieces are added in order. Every result of a row is computed the same way in every batch. */

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

/* LANES floats fit into a register, and 4 x MAPS or 4 x WINDOWS sums into all of them. */
#if defined(__AVX512F__)
enum { LANES = 16, MAPS = 6, WINDOWS = 5 };
#elif defined(__AVX__)
enum { LANES = 8, MAPS = 2, WINDOWS = 2 };
#else
enum { LANES = 4, MAPS = 2, WINDOWS = 2 };
#endif
enum { CLOSED = 4, TOGETHER = 4, MOST_PIECES = 64, MOST_THREADS = 64 };

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int32_t mask __attribute__((vector_size(4 * LANES)));
typedef float any_vec __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int8_t any_bytes __attribute__((vector_size(LANES), aligned(1), may_alias));

#define INLINE static inline __attribute__((always_inline))
#define LOAD(from) ((vec) * (const any_vec *)(from))
#define STORE(to, what) (*(any_vec *)(to) = (what))

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

static float *numbers(int64_t count) {
    float *found = NULL;
    return posix_memalign((void **)&found, 64, up(4 * count, 64) + 64) ? NULL : found;
}

/* The largest of four, the first of equals, a NaN before all; then ReLU. As torch does it. */
INLINE void pool(const vec *z, float *top, uint8_t *winner) {
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
            int64_t to = c * plane + (h + j->padding) * half;
            for (int64_t odd = 0; odd < 2; odd++) { /* of the columns of the padded line */
                int64_t first = (odd + j->padding) & 1, begin = (first + j->padding) / 2;
                for (int64_t i = 0; 2 * i + first < j->width; i++)
                    columns[odd][to + begin + i] = from[(2 * i + first) * j->x_place];
            }
        }
    for (int64_t o = 0; o < maps; o += MAPS)
        for (int64_t line = 0; line < j->high; line++)
            for (int64_t column = 0; column < j->wide; column += LANES) {
                vec z[MAPS][4];
                for (int m = 0; m < MAPS; m++)
                    for (int i = 0; i < 4; i++) z[m][i] = (vec){0} + j->kernels[o + m];
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
                            for (int m = 0; m < MAPS; m++)
                                for (int i = 0; i < 4; i++) z[m][i] += u[i] * w[m];
                        }
                    }
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
    const float *x = j->x + row * j->x_row;
    for (int64_t c = 0; c < j->before; c++)
        for (int64_t h = 0; h < j->height; h++)
            for (int64_t v = 0; v < j->width; v++)
                room[c * plane + (h + j->padding) * length + v + j->padding] =
                    x[c * j->x_map + h * j->x_line + v * j->x_place];
    for (int64_t o = 0; o < maps; o += LANES)
        for (int64_t line = 0; line < j->high; line++)
            for (int64_t column = 0; column < j->wide; column += WINDOWS) {
                vec z[WINDOWS][4];
                for (int p = 0; p < WINDOWS; p++)
                    for (int i = 0; i < 4; i++) z[p][i] = LOAD(j->kernels + o);
                const float *w = j->kernels + maps + o * j->before * side * side;
                for (int64_t c = 0; c < j->before; c++)
                    for (int ky = 0; ky < side; ky++) {
                        const float *u = room + c * plane + (2 * line + ky) * length + 2 * column;
#pragma GCC unroll 5
                        for (int kx = 0; kx < side; kx++, w += LANES) {
                            vec k = LOAD(w);
#pragma GCC unroll 5
                            for (int p = 0; p < WINDOWS; p++)
                                for (int i = 0; i < 4; i++)
                                    z[p][i] += k * u[(i / 2) * length + 2 * p + (i & 1) + kx];
                        }
                    }
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
#if defined(__AVX512F__)
    for (; p + LANES <= count; p += LANES) {
        __m512i won = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(which + p)));
        __mmask16 open = _mm512_cmpneq_epi32_mask(won, _mm512_set1_epi32(CLOSED));
        mask place = (mask)won;
        place = (mask)LOAD(start + p) + (place >> 1) * down + (place & 1) * right;
        _mm512_storeu_si512(at + found, _mm512_maskz_compress_epi32(open, (__m512i)place));
        _mm512_storeu_ps(slope + found, _mm512_maskz_compress_ps(open, (__m512)LOAD(g + p)));
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
            vec g = (vec){0} + won.slope[p];
            slopes += g;
#pragma GCC unroll 5
            for (int k = 0; k < side; k++, patch += won.line)
                for (int v = 0; v < two; v++) total[k * two + v] += g * LOAD(patch + v * LANES);
        }
    for (int i = 0; i < side * two; i++) {
        float *to = sums + i / two * span + i % two * LANES;
        STORE(to, LOAD(to) + total[i]);
    }
    return slopes[0];
}

/* dx += slope * kernel. Pictures take turns: a patch overlaps with the one before it, and would
   have to wait until that has reached the memory. */
INLINE void spread(const job *j, winners won, float *dx, const float *w, const int side,
                   const int two) {
    const int64_t span = up(side * j->before, LANES);
    int64_t most = 0;
    for (int64_t s = 0; s < won.pictures; s++) most = won.found[s] > most ? won.found[s] : most;
    for (int64_t s = 0; s < won.pictures; s++)
        for (int64_t p = won.found[s]; p < most; p++)
            won.at[s * won.apart + p] = 0, won.slope[s * won.apart + p] = 0;
    vec kernel[10];
    for (int i = 0; i < side * two; i++) kernel[i] = LOAD(w + i / two * span + i % two * LANES);
    for (int64_t p = 0; p < most; p++)
        for (int64_t s = 0; s < won.pictures; s++) {
            float *patch = dx + s * won.picture + won.at[s * won.apart + p];
            vec g = (vec){0} + won.slope[s * won.apart + p];
#pragma GCC unroll 5
            for (int k = 0; k < side; k++, patch += won.line)
                for (int v = 0; v < two; v++)
                    STORE(patch + v * LANES, LOAD(patch + v * LANES) + g * kernel[k * two + v]);
        }
}

INLINE void one_map(const job *j, winners won, int64_t o, const float *x, float *dx, float *dw,
                    float *db, const int side) {
    const int64_t span = up(side * j->before, LANES);
    for (int64_t v = 0; v < span; v += 2 * LANES) {
        const int64_t k = o * side * span + v, two = v + LANES < span;
        const float slopes = two ? learn(j, won, x + v, dw + k, side, 2)
                                 : learn(j, won, x + v, dw + k, side, 1);
        if (!v) db[o] += slopes;
        if (j->dx && two) spread(j, won, dx + v, j->kernels + k, side, 2);
        if (j->dx && !two) spread(j, won, dx + v, j->kernels + k, side, 1);
    }
}

INLINE void copy(float *to, int64_t step, const float *from, int64_t from_step, int64_t count) {
    if (step == 1 && from_step == 1)
        memcpy(to, from, 4 * count);
    else
        for (int64_t v = 0; v < count; v++) to[v * step] = from[v * from_step];
}

INLINE void gradients(const job *j, int64_t piece, float *room, const int side) {
    const int64_t span = up(side * j->before, LANES), line = j->places * j->before + span;
    const int64_t picture = j->lines * line, area = j->high * j->wide, apart = area + LANES;
    const int64_t last = least(j->rows, (piece + 1) * j->piece);
    const int64_t inside = j->padding * (line + j->before);
    float *x = room, *dx = x + TOGETHER * picture, *slope = dx + TOGETHER * picture;
    int32_t *at = (int32_t *)(slope + TOGETHER * apart), *start = at + TOGETHER * apart;
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
        if (j->dx) memset(dx, 0, 4 * TOGETHER * picture);
        for (int64_t o = 0; o < j->after; o++) {
            winners won = {at, slope, {0}, here, apart, line, picture};
            for (int64_t s = 0; s < here; s++) {
                const int64_t map = ((row + s) * j->after + o) * area;
                won.found[s] = list(j->which + map, j->g + map, start, area, line, j->before,
                                    at + s * apart, slope + s * apart);
            }
            one_map(j, won, o, x, dx, dw, db, side);
        }
        for (int64_t s = 0; j->dx && s < here; s++)
            for (int64_t c = 0; c < j->before; c++)
                for (int64_t h = 0; h < j->height; h++)
                    copy(j->dx + (((row + s) * j->before + c) * j->height + h) * j->width, 1,
                         dx + s * picture + inside + h * line + c, j->before, j->width);
    }
}

/* --- threads, memory and the two doors --- */

typedef struct {
    job *all;
    int64_t first, units, room; /* this thread takes the units first, first + threads, ... */
    void (*unit)(const job *, int64_t, float *);
} share;

static void *work(void *given) {
    share *s = given;
    float *room = numbers(s->room);
    if (!room) return s;
    memset(room, 0, 4 * s->room); /* what is not written is padding */
    for (int64_t unit = s->first; unit < s->units; unit += s->all->threads)
        s->unit(s->all, unit, room);
    free(room);
    return NULL;
}

/* Share units among threads; return how many threads found no memory. */
static int run(job *j, void (*unit)(const job *, int64_t, float *), int64_t units, int64_t room) {
    share shares[MOST_THREADS];
    pthread_t threads[MOST_THREADS];
    int started[MOST_THREADS] = {0}, failed = 0;
    j->threads = least(least(j->threads, units), MOST_THREADS);
    for (int64_t t = 0; t < j->threads; t++) {
        shares[t] = (share){j, t, units, room, unit};
        started[t] = t && !pthread_create(&threads[t], NULL, work, &shares[t]);
    }
    for (int64_t t = 0; t < j->threads; t++) {
        void *bad = NULL;
        if (started[t])
            pthread_join(threads[t], &bad);
        else /* the first share, and those for which there is no thread */
            bad = work(&shares[t]);
        failed += bad != NULL;
    }
    return failed;
}

static void places_unit(const job *j, int64_t row, float *room) {
    j->side == 5 ? by_places(j, row, room, 5) : by_places(j, row, room, 3);
}

static void maps_unit(const job *j, int64_t row, float *room) {
    j->side == 5 ? by_maps(j, row, room, 5) : by_maps(j, row, room, 3);
}

static void gradient_unit(const job *j, int64_t piece, float *room) {
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

/* Where number k of the kernel from map c to map o lies. */
static int64_t in_w(const job *j, int64_t o, int64_t c, int64_t k) {
    return o * j->w_after + c * j->w_before + k / j->side * j->w_line + k % j->side * j->w_place;
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
            for (int64_t k = 0; k < j.side * j.side; k++, to += group) *to = w[in_w(&j, o, c, k)];
    }
    int failed = run(&j, maps ? maps_unit : places_unit, j.rows, room);
    free(j.kernels);
    return failed != 0;
}

/* Copy all numbers of w to j->kernels, whose lines are `span` apart, or back to dw. */
static void each_number(const job *j, const float *w, float *dw, int64_t span) {
    for (int64_t o = 0; o < j->after; o++)
        for (int64_t c = 0; c < j->before; c++)
            for (int64_t k = 0; k < j->side * j->side; k++) {
                const int64_t line = (o * j->side + k / j->side) * span;
                float *mine = j->kernels + line + k % j->side * j->before + c;
                if (w)
                    *mine = w[in_w(j, o, c, k)];
                else
                    dw[in_w(j, o, c, k)] = *mine;
            }
}

/* Write dw, db and, unless it is NULL, dx. Returns 0, or 1 without memory. */
int backward(const float *g, const uint8_t *which, const float *x, const float *w, float *dx,
             float *dw, float *db, const int64_t *sizes) {
    job j = described(sizes, x, w);
    j.g = g, j.which = (uint8_t *)which, j.dx = dx;
    const int64_t span = up(j.side * j.before, LANES), kernel = j.side * span;
    const int64_t picture = j.lines * (j.places * j.before + span), area = j.high * j.wide;
    j.piece = up(up(j.rows, MOST_PIECES) / MOST_PIECES, 4 * TOGETHER);
    const int64_t pieces = up(j.rows, j.piece) / j.piece, sums = j.after * (kernel + 1);
    j.kernels = numbers(j.after * kernel);
    j.sums = numbers((pieces + 1) * sums);
    int failed = !j.kernels || !j.sums;
    if (!failed) {
        float *total = j.sums + pieces * sums;
        memset(j.kernels, 0, 4 * j.after * kernel);
        memset(j.sums, 0, 4 * (pieces + 1) * sums);
        each_number(&j, w, NULL, span);
        failed = run(&j, gradient_unit, pieces, 2 * TOGETHER * (picture + area + LANES) + area);
        for (int64_t p = 0; p < pieces; p++)
            for (int64_t i = 0; i < sums; i++) total[i] += j.sums[p * sums + i];
        memcpy(db, total + j.after * kernel, 4 * j.after);
        memcpy(j.kernels, total, 4 * j.after * kernel);
        each_number(&j, NULL, dw, span);
    }
    free(j.kernels);
    free(j.sums);
    return failed != 0;
}
