/* Threads for the C files beside it: those of torch, where they can be had.

   torch's own operations share work among the threads of GNU's OpenMP, which spin for a while when
   they have nothing left to do. Threads of our own would have to fight them for their cores, and
   take longer to start. Which thread takes a unit changes no bit of it. */

#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { MOST_THREADS = 64, HUGE_PAGE = 1 << 21 };

/* Memory for numbers; NULL where there is none. That of a large layer would come in thousands of
   pages, each of which has to be asked for: that takes longer than its products. */
static float *numbers(int64_t count) {
    const int64_t page = 4 * count < HUGE_PAGE ? 64 : HUGE_PAGE;
    const int64_t bytes = (4 * count / page + 1) * page;
    void *found = NULL;
    if (posix_memalign(&found, page, bytes)) return NULL;
#if defined(MADV_HUGEPAGE)
    if (page == HUGE_PAGE) madvise(found, bytes, MADV_HUGEPAGE);
#endif
    return found;
}

typedef void parallel(void (*)(void *), void *, unsigned, unsigned);

typedef struct {
    void (*call)(void *);
    void *given;
} errand;

static void *go(void *given) {
    ((errand *)given)->call(((errand *)given)->given);
    return NULL;
}

/* Call a function in so many threads at once, this one among them; return when all are back.

   torch loads its OpenMP for everybody, so the linker finds it. A thread that cannot be had does
   not matter: the others take what it would have taken. */
static void together(void (*call)(void *), void *given, int64_t threads) {
    static parallel *torchs;
    static int looked;
    if (threads <= 1) {
        call(given);
        return;
    }
    if (!__atomic_load_n(&looked, __ATOMIC_ACQUIRE)) {
        torchs = (parallel *)dlsym(RTLD_DEFAULT, "GOMP_parallel");
        __atomic_store_n(&looked, 1, __ATOMIC_RELEASE);
    }
    if (torchs) {
        torchs(call, given, (unsigned)threads, 0);
        return;
    }
    pthread_t started[MOST_THREADS];
    errand all = {call, given};
    int64_t count = 0;
    while (count < threads - 1 && !pthread_create(&started[count], NULL, go, &all)) count++;
    call(given);
    while (count-- > 0) pthread_join(started[count], NULL);
}

typedef struct {
    void (*unit)(const void *, int64_t, float *);
    const void *on;
    int64_t units, room, clean, next, failed;
} shared;

static void take(void *given) {
    shared *s = given;
    float *room = s->room ? numbers(s->room) : NULL;
    if (s->room && !room) {
        __atomic_fetch_add(&s->failed, 1, __ATOMIC_RELAXED);
        return;
    }
    if (s->clean) memset(room, 0, 4 * s->room);
    for (int64_t unit; (unit = __atomic_fetch_add(&s->next, 1, __ATOMIC_RELAXED)) < s->units;)
        s->unit(s->on, unit, room);
    free(room);
}

/* Do all units, each thread with room for so many numbers, 0 at first if that is to be `clean`;
   return whether there was no memory. */
static inline int share(void (*unit)(const void *, int64_t, float *), const void *on, int64_t units,
                        int64_t threads, int64_t room, int clean) {
    shared all = {unit, on, units, room, clean, 0, 0};
    if (threads > units) threads = units;
    together(take, &all, threads < MOST_THREADS ? threads : MOST_THREADS);
    return all.failed != 0;
}
