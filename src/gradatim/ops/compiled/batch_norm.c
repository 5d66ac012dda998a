/* Batch normalisation of maps whose channels come last, with ReLU and a sum in the same pass.

   A map of features is a matrix (places, channels). Forward reads it twice and writes once, where
   torch's normalisation, sum and ReLU read six times and write three times; backward likewise.
   batch_norm.py compiles and calls this.

   The number of threads changes no bit: places are cut into pieces whatever it is, and the sums of
   the pieces are added in order. */

#include "threads.h"

enum { BLOCK = 128, FIRST = 32, LEAST_PIECE = 1 << 15, MOST_PIECES = 64 };

typedef struct {
    /* GIVEN numbers from the caller */
    int64_t places, channels, relu, added, threads;
    /* and what follows from them */
    int64_t pieces, piece; /* pieces, and places of each */
    const float *x, *add, *y, *g, *mean, *scale, *shift, *by_x, *constant;
    float *out, *passed;
    double *sums; /* of each piece: two numbers a channel, after where it measures from */
} job;
enum { GIVEN = 5 };

#define INLINE static inline __attribute__((always_inline))
#define LEAST(a, b) ((a) < (b) ? (a) : (b))

static int described(job *j, const int64_t *sizes) {
    memcpy(j, sizes, 8 * GIVEN);
    int64_t most = 1 + j->places * j->channels / LEAST_PIECE;
    j->pieces = LEAST(LEAST(most, MOST_PIECES), j->places);
    j->piece = (j->places + j->pieces - 1) / j->pieces;
    j->pieces = (j->places + j->piece - 1) / j->piece;
    j->sums = calloc(j->pieces * 3 * j->channels, sizeof(double));
    return j->sums != NULL;
}

/* --- sums over places, short ones in float and sums of them in double --- */

/* Two sums of a few places: of x - from and of its square. */
INLINE void spread(const float *restrict x, const float *restrict from, int64_t places,
                   int64_t channels, float *restrict sum, float *restrict square) {
    int64_t p = 0;
    for (; p + 4 <= places; p += 4, x += 4 * channels)
        for (int64_t c = 0; c < channels; c++) {
            float a = x[c] - from[c], b = x[channels + c] - from[c];
            float d = x[2 * channels + c] - from[c], e = x[3 * channels + c] - from[c];
            sum[c] += (a + b) + (d + e), square[c] += (a * a + b * b) + (d * d + e * e);
        }
    for (; p < places; p++, x += channels)
        for (int64_t c = 0; c < channels; c++) {
            float a = x[c] - from[c];
            sum[c] += a, square[c] += a * a;
        }
}

/* Deviations are summed from the mean of the first places: squares of large numbers would round. */
static void measure(const void *on, int64_t piece, float *room) {
    const job *j = on;
    (void)room;
    const int64_t n = j->channels, first = piece * j->piece;
    const int64_t last = LEAST(j->places, first + j->piece), begin = LEAST(FIRST, last - first);
    double *to = j->sums + piece * 3 * n;
    float from[n], sum[n], square[n];
    memset(from, 0, sizeof from);
    for (int64_t p = first; p < first + begin; p++)
        for (int64_t c = 0; c < n; c++) from[c] += j->x[p * n + c];
    for (int64_t c = 0; c < n; c++) from[c] /= begin, to[c] = from[c];
    for (int64_t p = first; p < last; p += BLOCK) {
        memset(sum, 0, sizeof sum), memset(square, 0, sizeof square);
        spread(j->x + p * n, from, LEAST(BLOCK, last - p), n, sum, square);
        for (int64_t c = 0; c < n; c++) to[n + c] += sum[c], to[2 * n + c] += square[c];
    }
}

/* Mean and variance of all pieces (Chan, Golub & LeVeque 1983). */
static void moments(const job *j, float *mean, float *variance) {
    for (int64_t c = 0; c < j->channels; c++) {
        double middle = 0, squares = 0, seen = 0;
        for (int64_t piece = 0; piece < j->pieces; piece++) {
            const double *own = j->sums + piece * 3 * j->channels + c;
            double count = LEAST(j->piece, j->places - piece * j->piece);
            double sum = own[j->channels], away = own[0] + sum / count - middle;
            squares += own[2 * j->channels] - sum * sum / count;
            squares += away * away * seen * count / (seen + count);
            middle += away * count / (seen + count), seen += count;
        }
        mean[c] = middle, variance[c] = (squares < 0 ? 0 : squares) / seen;
    }
}

INLINE void normalise(const job *j, int64_t piece, const int relu, const int added) {
    const int64_t n = j->channels, first = piece * j->piece;
    const float *restrict scale = j->scale, *restrict shift = j->shift;
    for (int64_t p = first; p < LEAST(j->places, first + j->piece); p++) {
        const float *restrict x = j->x + p * n, *restrict add = added ? j->add + p * n : j->x;
        float *restrict out = j->out + p * n;
        for (int64_t c = 0; c < n; c++) {
            float z = x[c] * scale[c] + shift[c];
            if (added) z += add[c];
            out[c] = relu && z <= 0 ? 0 : z; /* NaN stays, so that it is seen */
        }
    }
}

static void normalise_unit(const void *on, int64_t piece, float *room) {
    const job *j = on;
    (void)room;
    if (j->relu)
        j->added ? normalise(j, piece, 1, 1) : normalise(j, piece, 1, 0);
    else
        j->added ? normalise(j, piece, 0, 1) : normalise(j, piece, 0, 0);
}

/* --- backward --- */

/* The gradient that ReLU lets through: told from the result where something was added, else from
   the input, which has to be read anyway. Written so that the compiler makes vectors of it. */
INLINE float passed_by(float slope, float bend, const int relu) {
    return relu && bend <= 0 ? 0 : slope;
}

/* Two sums of a few places: of the gradient, and of it times x - mean. */
INLINE void collect(const job *j, int64_t place, int64_t places, float *restrict sum,
                    float *restrict cross, const int relu, const int added) {
    const int64_t n = j->channels;
    const float *restrict mean = j->mean, *restrict scale = j->scale, *restrict shift = j->shift;
    for (int64_t p = place; p < place + places; p++) {
        const float *restrict x = j->x + p * n, *restrict g = j->g + p * n;
        const float *restrict y = added ? j->y + p * n : x;
        float *restrict passed = added ? j->passed + p * n : NULL;
        for (int64_t c = 0; c < n; c++) {
            float bend = added ? y[c] : x[c] * scale[c] + shift[c];
            float slope = passed_by(g[c], bend, relu);
            if (added) passed[c] = slope;
            sum[c] += slope, cross[c] += slope * (x[c] - mean[c]);
        }
    }
}

INLINE void collect_piece(const job *j, int64_t piece, const int relu, const int added) {
    const int64_t n = j->channels, first = piece * j->piece;
    const int64_t last = LEAST(j->places, first + j->piece);
    double *to = j->sums + piece * 3 * n;
    float sum[n], cross[n];
    for (int64_t p = first; p < last; p += BLOCK) {
        memset(sum, 0, sizeof sum), memset(cross, 0, sizeof cross);
        collect(j, p, LEAST(BLOCK, last - p), sum, cross, relu, added);
        for (int64_t c = 0; c < n; c++) to[c] += sum[c], to[n + c] += cross[c];
    }
}

static void collect_unit(const void *on, int64_t piece, float *room) {
    const job *j = on;
    (void)room;
    if (j->relu)
        j->added ? collect_piece(j, piece, 1, 1) : collect_piece(j, piece, 1, 0);
    else
        collect_piece(j, piece, 0, 0);
}

/* dx = scale g + by_x x + constant, a line in x for each channel. */
INLINE void return_piece(const job *j, int64_t piece, const int relu) {
    const int64_t n = j->channels, first = piece * j->piece;
    const float *restrict scale = j->scale, *restrict shift = j->shift;
    const float *restrict by_x = j->by_x, *restrict constant = j->constant;
    for (int64_t p = first; p < LEAST(j->places, first + j->piece); p++) {
        const float *restrict x = j->x + p * n, *restrict g = j->g + p * n;
        float *restrict out = j->out + p * n;
        for (int64_t c = 0; c < n; c++) {
            float slope = passed_by(g[c], x[c] * scale[c] + shift[c], relu);
            out[c] = scale[c] * slope + (by_x[c] * x[c] + constant[c]);
        }
    }
}

static void return_unit(const void *on, int64_t piece, float *room) {
    const job *j = on;
    (void)room;
    j->relu && !j->added ? return_piece(j, piece, 1) : return_piece(j, piece, 0);
}

/* --- the two doors --- */

/* Write out, mean and variance (divided by the count), scale and shift: out is the ReLU of scale x
   + shift + add. `scale` holds gamma and `shift` holds beta before. Returns 0, or 1 without memory.
 */
int forward(const float *x, const float *add, float *scale, float *shift, float *mean,
            float *variance, float *out, double eps, const int64_t *sizes) {
    job j = {0};
    if (!described(&j, sizes)) return 1;
    j.x = x, j.add = add, j.scale = scale, j.shift = shift, j.out = out;
    share(measure, &j, j.pieces, j.threads, 0, 0);
    moments(&j, mean, variance);
    for (int64_t c = 0; c < j.channels; c++) {
        scale[c] = scale[c] / __builtin_sqrt(variance[c] + eps);
        shift[c] -= mean[c] * scale[c];
    }
    share(normalise_unit, &j, j.pieces, j.threads, 0, 0);
    free(j.sums);
    return 0;
}

/* Write dx, d add (the gradient behind ReLU; only where something was added and bent), and by gamma
   and beta. `room` is for two numbers a channel. Returns 0, or 1 without memory. */
int backward(const float *g, const float *x, const float *y, const float *scale, const float *shift,
             const float *mean, const float *variance, float *dx, float *d_add, float *d_gamma,
             float *d_beta, float *room, double eps, const int64_t *sizes) {
    job j = {0};
    if (!described(&j, sizes)) return 1;
    const int64_t n = j.channels;
    j.g = g, j.x = x, j.y = y, j.scale = scale, j.shift = shift, j.mean = mean, j.passed = d_add;
    share(collect_unit, &j, j.pieces, j.threads, 0, 0);
    for (int64_t c = 0; c < n; c++) {
        double sum = 0, cross = 0, precision = 1 / (variance[c] + eps);
        for (int64_t piece = 0; piece < j.pieces; piece++)
            sum += j.sums[piece * 3 * n + c], cross += j.sums[piece * 3 * n + n + c];
        d_beta[c] = sum, d_gamma[c] = cross * __builtin_sqrt(precision);
        const double slope = -scale[c] * precision * cross / j.places;
        room[c] = slope, room[n + c] = -scale[c] * sum / j.places - slope * mean[c];
    }
    j.by_x = room, j.constant = room + n, j.out = dx;
    if (j.relu && j.added) j.g = d_add;
    share(return_unit, &j, j.pieces, j.threads, 0, 0);
    free(j.sums);
    return 0;
}
