/* What a training step of several networks needs beside products: rows, losses, updates.
   step.py compiles and calls this. */

#include "phases.h"
#include <math.h>
#if defined(__AVX__)
#include <immintrin.h>
#endif

enum { PART = 16384, ROWS = 32, AHEAD = 2, NEAR = 4096 };

INLINE vec choose(mask which, vec yes, vec no) {
    return (vec)((which & (mask)yes) | (~which & (mask)no));
}

INLINE vec root(vec x) {
#if defined(__AVX512F__)
    return (vec)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX__)
    return (vec)_mm256_sqrt_ps((__m256)x);
#else
    for (int i = 0; i < LANES; i++) x[i] = sqrtf(x[i]);
    return x;
#endif
}

/* exp(x) of x <= 0, to two units of the last place; NaN stays. 2^n e^r, r within ln 2 / 2 of 0: the
   Taylor series up to r^7. */
INLINE vec exponential(vec x) {
    x = choose(x < -87.0f, (vec){0} - 87.0f, x);
    const vec magic = (vec){0} + 12582912.0f; /* adding 1.5 2^23 rounds to a whole number */
    const vec n = (x * 1.44269504f + magic) - magic;
    const vec r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    vec sum = (vec){0} + 1.0f / 5040;
    sum = sum * r + 1.0f / 720;
    sum = sum * r + 1.0f / 120;
    sum = sum * r + 1.0f / 24;
    sum = sum * r + 1.0f / 6;
    sum = sum * r + 0.5f;
    sum = sum * r + 1.0f;
    sum = sum * r + 1.0f;
    const mask exponent = (mask)(n + magic) << 23; /* n stands in the last bits of n + magic */
    return (vec)((mask)sum + exponent);
}

/* --- rows of several members, looked up --- */

typedef struct {
    int64_t members, rows, bytes; /* of a row */
    const char *const *from;      /* the rows of every member */
    const int64_t *index;         /* (members, rows) */
    char *to;                     /* (members, rows, bytes) */
} lookup;

static void lookup_unit(const void *given, int64_t unit, float *room) {
    const lookup *l = given;
    const int64_t parts = up(l->rows, ROWS) / ROWS, m = unit / parts, first = unit % parts * ROWS;
    (void)room;
    for (int64_t row = first; row < least(l->rows, first + ROWS); row++) {
        const int64_t at = m * l->rows + row;
        /* A later row is on its way while this one is copied. */
        const int64_t later = at + least(AHEAD, l->rows - 1 - row);
        const char *soon = l->from[m] + l->index[later] * l->bytes;
        for (int64_t i = 0; i < least(l->bytes, NEAR); i += 64) __builtin_prefetch(soon + i);
        memcpy(l->to + at * l->bytes, l->from[m] + l->index[at] * l->bytes, l->bytes);
    }
}

/* --- Adam --- */

typedef struct {
    int64_t count;
    double decay, keep_mean, keep_square, step, scale, tiny;
    const float *g;
    float *w, *mean, *square;
} moments;

/* w = decay w - step mean / (scale sqrt(square) + tiny) */
static void moments_unit(const void *given, int64_t unit, float *room) {
    const moments *a = given;
    const float keep = a->keep_mean, hold = a->keep_square, take = 1 - a->keep_mean;
    const float grasp = 1 - a->keep_square, decay = a->decay, step = a->step;
    const float scale = a->scale, tiny = a->tiny;
    const int64_t first = unit * PART, count = least(PART, a->count - first);
    for (int64_t i = 0; i < count; i += LANES) {
        const int64_t here = least(LANES, count - i), at = first + i;
        float edge[4][LANES] = {{0}};
        const float *g = a->g + at;
        float *w = a->w + at, *mean = a->mean + at, *square = a->square + at;
        if (here < LANES) {
            memcpy(edge[0], g, 4 * here), memcpy(edge[1], w, 4 * here);
            memcpy(edge[2], mean, 4 * here), memcpy(edge[3], square, 4 * here);
            g = edge[0], w = edge[1], mean = edge[2], square = edge[3];
        }
        const vec slope = LOAD(g), m = LOAD(mean) * keep + slope * take;
        const vec v = LOAD(square) * hold + slope * slope * grasp;
        STORE(mean, m);
        STORE(square, v);
        STORE(w, LOAD(w) * decay - m * step / (root(v) * scale + tiny));
        if (here < LANES) {
            memcpy(a->w + at, w, 4 * here);
            memcpy(a->mean + at, mean, 4 * here), memcpy(a->square + at, square, 4 * here);
        }
    }
    (void)room;
}

/* --- the doors --- */

/* Copy rows that lie anywhere, one after the other. Returns 0, or 1 without memory. */
int look_up(const lookup *l, int64_t threads) {
    phase only = {lookup_unit, l, l->members * (up(l->rows, ROWS) / ROWS), 0, 0};
    return run(&only, 1, threads, 0);
}

/* Move w by Adam. Returns 0, or 1 without memory. */
int move(const moments *a, int64_t threads) {
    phase only = {moments_unit, a, up(a->count, PART) / PART, 0, 0};
    return run(&only, 1, threads, 0);
}

/* Write -log p of the target of each row, p the softmax of z, and p - [c = t].
   Returns 0; 1 without memory; 2 where a target is no class. */
int cross_entropy(const float *z, const int64_t *targets, float *losses, float *slopes,
                  int64_t rows, int64_t classes) {
    const int64_t wide = up(classes, LANES);
    float *room = numbers(wide);
    if (!room) return 1;
    for (int64_t i = classes; i < wide; i++) room[i] = -INFINITY;
    for (int64_t row = 0; row < rows; row++, z += classes, slopes += classes) {
        if (targets[row] < 0 || targets[row] >= classes) return free(room), 2;
        memcpy(room, z, 4 * classes);
        float most = z[0], sum = 0;
        for (int64_t i = 1; i < classes; i++) most = z[i] > most ? z[i] : most;
        vec sums = {0};
        for (int64_t i = 0; i < classes; i += LANES) {
            const vec e = exponential(LOAD(room + i) - most);
            STORE(room + i, e);
            sums += e;
        }
        for (int i = 0; i < LANES; i++) sum += sums[i];
        losses[row] = logf(sum) - (z[targets[row]] - most);
        for (int64_t i = 0; i < classes; i++) slopes[i] = room[i] / sum;
        slopes[targets[row]] -= 1;
        for (int64_t i = classes; i < wide; i++) room[i] = -INFINITY;
    }
    free(room);
    return 0;
}
