/* Z'Z of rows z = (x, t, 1): products in float32, short sums of them added up in float64.

   A block of DEPTH rows is brought from float64 to float32, counted from an origin, where the cache
   of a core holds it. Then every tile of the upper triangle, HIGH by WIDE registers of sums, goes
   through the block once. grams.py compiles and calls this. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* LANES floats fit into a register, and HIGH x WIDE sums with what they need into all of them. */
#if defined(__AVX512F__)
enum { LANES = 16, HIGH = 12, WIDE = 2 };
#elif defined(__AVX__)
enum { LANES = 8, HIGH = 6, WIDE = 2 };
#elif defined(__aarch64__)
enum { LANES = 4, HIGH = 12, WIDE = 2 };
#else
enum { LANES = 4, HIGH = 6, WIDE = 2 };
#endif
enum { PANEL = WIDE * LANES, DEPTH = 256, AHEAD = 2, LINE = 64 };

typedef float vec __attribute__((vector_size(4 * LANES)));

typedef struct {
    int64_t features, outputs, x_row, t_row; /* extents; strides of x and t, in numbers */
    const double *x, *t, *origin;            /* the origin of x, then that of t */
} table;

static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

static inline void count_from(const double *restrict origin, const double *restrict from,
                              float *restrict to, int64_t count) {
    for (int64_t i = 0; i < count; i++) to[i] = (float)(from[i] - origin[i]);
}

/* Rows that are picked here and there are nothing that a processor could foresee. */
static inline void foresee(const double *row, int64_t count) {
    for (int64_t i = 0; i < count; i += LINE / 8) __builtin_prefetch(row + i);
}

static void fill(const table *of, const int64_t *rows, int64_t count, float *z, int64_t width) {
    for (int64_t k = 0; k < count; k++, z += width) {
        if (k + AHEAD < count) foresee(of->x + rows[k + AHEAD] * of->x_row, of->features);
        count_from(of->origin, of->x + rows[k] * of->x_row, z, of->features);
        count_from(of->origin + of->features, of->t + rows[k] * of->t_row, z + of->features,
                   of->outputs);
        z[of->features + of->outputs] = 1.0f;
    }
}

/* sums = the columns left .. left + HIGH, transposed, times the columns right .. right + PANEL. */
static void tile(const float *z, int64_t width, int64_t count, int64_t left, int64_t right,
                 float sums[HIGH][PANEL]) {
    const float *a = z + left, *b = z + right;
    vec s[HIGH][WIDE] = {0};
    for (int64_t k = 0; k < count; k++, a += width, b += width) {
        vec line[WIDE];
        memcpy(line, b, sizeof line);
#pragma GCC unroll 16
        for (int i = 0; i < HIGH; i++)
#pragma GCC unroll 4
            for (int v = 0; v < WIDE; v++) s[i][v] += a[i] * line[v];
    }
    memcpy(sums, s, sizeof s);
}

static void add_block(const float *z, int64_t width, int64_t count, double *total, int64_t size) {
    float sums[HIGH][PANEL];
    for (int64_t right = 0; right < size; right += PANEL) {
        const int64_t end = least(right + PANEL, size), wide = end - right;
        for (int64_t left = 0; left < end; left += HIGH) {
            const int64_t high = least(HIGH, size - left);
            tile(z, width, count, left, right, sums);
            for (int64_t i = 0; i < high; i++) {
                double *restrict to = total + (left + i) * size + right;
                for (int64_t j = 0; j < wide; j++) to[j] += sums[i][j];
            }
        }
    }
}

/* Add the moments of some rows to the upper triangle of total, size x size for size = features +
   outputs + 1; what stands below it afterwards means nothing. Returns whether memory was short. */
int add_moments(const table *of, const int64_t *rows, int64_t count, double *total) {
    const int64_t size = of->features + of->outputs + 1;
    /* Room for the tiles at the edge; and an odd number of lines, or most would share few places
       of the cache. */
    const int64_t width = up(size + PANEL + HIGH, 2 * LINE / 4) + LINE / 4;
    float *z = NULL;
    if (posix_memalign((void **)&z, LINE, DEPTH * width * sizeof *z)) return 1;
    memset(z, 0, DEPTH * width * sizeof *z);
    for (int64_t at = 0; at < count; at += DEPTH) {
        const int64_t some = least(DEPTH, count - at);
        fill(of, rows + at, some, z, width);
        add_block(z, width, some, total, size);
    }
    free(z);
    return 0;
}
