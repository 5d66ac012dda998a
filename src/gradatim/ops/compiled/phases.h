/* Registers as vectors of C, and units of work that threads share: for the C files beside it.

   A job is a list of phases, each of independent units that threads take one by one; a phase begins
   when the last unit of the one before is done. Which thread takes a unit changes no bit of it. */

#include <sched.h>

#include "threads.h"

/* LANES floats fit into a register. */
#if defined(__AVX512F__)
enum { LANES = 16 };
#elif defined(__AVX__)
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif
enum { PATIENCE = 2000 };

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int32_t mask __attribute__((vector_size(4 * LANES)));
typedef float any_vec __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))
#define LOAD(from) ((vec) * (const any_vec *)(from))
#define STORE(to, what) (*(any_vec *)(to) = (what))

INLINE int64_t up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }
INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

typedef struct {
    void (*unit)(const void *, int64_t, float *);
    const void *on;
    int64_t units, next, done;
} phase;

typedef struct {
    phase *phases;
    int64_t count, room, entered;
    float *rooms;
} job;

static void work(void *given) {
    job *j = given;
    float *room = j->rooms + __atomic_fetch_add(&j->entered, 1, __ATOMIC_RELAXED) * j->room;
    for (phase *p = j->phases; p < j->phases + j->count; p++) {
        int64_t unit;
        while ((unit = __atomic_fetch_add(&p->next, 1, __ATOMIC_RELAXED)) < p->units) {
            p->unit(p->on, unit, room);
            __atomic_fetch_add(&p->done, 1, __ATOMIC_RELEASE);
        }
        for (int64_t tries = 0; __atomic_load_n(&p->done, __ATOMIC_ACQUIRE) < p->units; tries++)
            if (tries > PATIENCE) sched_yield();
    }
}

/* Do all phases, each thread with room for so many numbers; return whether there was no memory. */
static int run(phase *phases, int64_t count, int64_t threads, int64_t room) {
    threads = least(threads, MOST_THREADS);
    float *rooms = numbers(threads * room);
    if (!rooms) return 1;
    job all = {phases, count, room, 0, rooms};
    together(work, &all, threads);
    free(rooms);
    return 0;
}
