/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hardware events by PAPI: for each counter the first name that can be added
 * *and started* (that an event is listed proves nothing: a virtual machine
 * lists hundreds and counts none).
 *
 * PAPI lets one set per thread run, so all events are in one set, which is
 * attached to every thread there is and inherited by those they start. Where
 * inheriting is refused, threads are looked for at each border, and the
 * source says so. More events than the processor counts at once are
 * multiplexed; PAPI scales them up but keeps the ratio to itself, so the
 * ratio is read from the descriptors that PAPI opened.
 */
#include <config.h>

#include "papi/backend.h"

#ifndef HAVE_PAPI

static int probe(struct counters *c)
{
    backend_off(c, "papi", "built without PAPI");
    return 0;
}

const struct backend backend_papi = {.name = "papi", .bit = BACKEND_PAPI, .probe = probe};

#else

#include <errno.h>
#include <math.h>
#include <papi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NAMES = 4, MAX_SETS = 256, MAX_FDS = 512 };

/* Presets first, then native names. PAPI's presets weigh vector operations
 * by their elements; AMD tells float32 and float64 only together. */
static const struct wanted {
    int counter;
    const char *names[NAMES];
} wanted[] = {
    {COUNTER_cycles, {"PAPI_TOT_CYC", "perf::PERF_COUNT_HW_CPU_CYCLES"}},
    {COUNTER_instructions, {"PAPI_TOT_INS", "perf::PERF_COUNT_HW_INSTRUCTIONS"}},
    {COUNTER_flop_single, {"PAPI_SP_OPS"}},
    {COUNTER_flop_double, {"PAPI_DP_OPS"}},
    {COUNTER_flop_any,
     {"RETIRED_SSE_AVX_FLOPS:ANY", "RETIRED_SSE_AVX_OPERATIONS:ALL", "PAPI_FP_OPS"}},
    {COUNTER_l3_misses, {"PAPI_L3_TCM", "perf::PERF_COUNT_HW_CACHE_MISSES"}},
    {COUNTER_branch_misses, {"PAPI_BR_MSP", "perf::PERF_COUNT_HW_BRANCH_MISSES"}},
};

enum { WANTED = sizeof(wanted) / sizeof(*wanted) };

/* One event that works, for all threads. */
struct chosen {
    int counter;
    const char *name;
};

/* The events of one thread. */
struct set {
    pid_t tid;
    int id;           /* PAPI's */
    int first_source; /* then one per chosen event, in order */
    double last[WANTED];
};

struct state {
    int component;
    struct chosen chosen[WANTED];
    int n_chosen;
    bool multiplex, multiplex_refused, inherit;
    struct set *sets;
    int n_sets;
    int before[MAX_FDS], n_before; /* perf events that are not PAPI's */
    int fds[MAX_FDS], n_fds;       /* those that are, when multiplexed */
};

static unsigned long own_tid(void)
{
    return (unsigned long)syscall(SYS_gettid);
}

/* Empties and forgets the set. */
static void drop(int *id)
{
    if (*id == PAPI_NULL)
        return;
    PAPI_cleanup_eventset(*id);
    PAPI_destroy_eventset(id);
}

/* Whether the event really counts. PAPI_OK or PAPI's error. */
static int try_event(const struct state *st, const char *name)
{
    long long value;
    int id = PAPI_NULL, r = PAPI_create_eventset(&id);

    if (r == PAPI_OK)
        r = PAPI_assign_eventset_component(id, st->component);
    if (r == PAPI_OK)
        r = PAPI_add_named_event(id, name);
    if (r == PAPI_OK)
        r = PAPI_start(id);
    if (r == PAPI_OK)
        r = PAPI_stop(id, &value);
    drop(&id);
    return r;
}

static void choose(struct counters *c, struct state *st)
{
    for (int i = 0; i < WANTED; i++) {
        int r = PAPI_ENOEVNT;
        const char *name = NULL;

        for (int k = 0; k < NAMES && wanted[i].names[k] && r != PAPI_OK; k++) {
            name = wanted[i].names[k];
            r = try_event(st, name);
        }
        if (r == PAPI_OK)
            st->chosen[st->n_chosen++] = (struct chosen){wanted[i].counter, name};
        else
            counter_off(c, wanted[i].counter, "PAPI cannot count %s: %s", wanted[i].names[0],
                        PAPI_strerror(r));
    }
}

/* A set that is on that thread and still empty. */
static int build_empty(struct state *st, pid_t tid, int *id)
{
    PAPI_option_t inherit = {.inherit = {.inherit = PAPI_INHERIT_ALL}};
    int r;

    *id = PAPI_NULL;
    r = PAPI_create_eventset(id);
    if (r == PAPI_OK)
        r = PAPI_assign_eventset_component(*id, st->component);
    if (r == PAPI_OK && st->multiplex && PAPI_set_multiplex(*id) != PAPI_OK) {
        st->multiplex = false;
        st->multiplex_refused = true;
    }
    if (r == PAPI_OK)
        r = PAPI_attach(*id, (unsigned long)tid);
    inherit.inherit.eventset = *id;
    if (r == PAPI_OK && st->inherit && PAPI_set_opt(PAPI_INHERIT, &inherit) != PAPI_OK)
        st->inherit = false;
    return r;
}

/* A running set of the chosen events on that thread. Else PAPI's error and
 * the event it was at, -1: none. */
static int build(struct state *st, pid_t tid, int *id, int *bad)
{
    int r = build_empty(st, tid, id);

    *bad = -1;
    for (int i = 0; i < st->n_chosen && r == PAPI_OK; i++) {
        r = PAPI_add_named_event(*id, st->chosen[i].name);
        *bad = i;
    }
    if (r == PAPI_OK)
        r = PAPI_start(*id);
    if (r != PAPI_OK)
        drop(id);
    return r;
}

/* Finds what fits together, on the first thread: all at once, else
 * multiplexed, else without the events that are refused. */
static int settle(struct counters *c, struct state *st, pid_t tid, int *id)
{
    int bad, r;

    while ((r = build(st, tid, id, &bad)) != PAPI_OK && bad >= 0) {
        if (!st->multiplex && !st->multiplex_refused) {
            st->multiplex = true;
            continue;
        }
        counter_off(c, st->chosen[bad].counter, "PAPI cannot count %s beside the others: %s",
                    st->chosen[bad].name, PAPI_strerror(r));
        st->n_chosen--;
        memmove(&st->chosen[bad], &st->chosen[bad + 1],
                (size_t)(st->n_chosen - bad) * sizeof(st->chosen[0]));
        if (st->n_chosen == 0)
            break;
    }
    return r;
}

/* A thread's set becomes sources that began at 0. -1: no memory. */
static int keep(struct counters *c, struct state *st, pid_t tid, int id)
{
    struct set *more = realloc(st->sets, ((size_t)st->n_sets + 1) * sizeof(*more));
    struct set *set;

    if (!more)
        return -1;
    st->sets = more;
    set = &more[st->n_sets++];
    *set = (struct set){.tid = tid, .id = id};
    for (int i = 0; i < st->n_chosen; i++) {
        struct source s = {.counter = st->chosen[i].counter, .scale = 1, .known = true};
        int added = source_add(c, &s);

        if (added < 0)
            return -1;
        if (i == 0)
            set->first_source = added;
    }
    return 0;
}

/* A set for a thread that has none. */
static int thread(struct counters *c, const char *name, void *ctx)
{
    struct state *st = ctx;
    pid_t tid = (pid_t)strtol(name, NULL, 10);
    int id, bad;

    for (int i = 0; i < st->n_sets; i++)
        if (st->sets[i].tid == tid)
            return 0;
    if (st->n_sets == MAX_SETS || build(st, tid, &id, &bad) != PAPI_OK)
        return 0;
    return keep(c, st, tid, id) < 0 ? -ENOMEM : 0;
}

struct fd_list {
    int *fds;
    int n;
    const struct state *without;
};

static int perf_fd(struct counters *c, const char *name, void *ctx)
{
    struct fd_list *l = ctx;
    char path[64], link[64] = "";
    int fd = (int)strtol(name, NULL, 10);

    (void)c;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (readlink(path, link, sizeof(link) - 1) < 0 || l->n == MAX_FDS ||
        strcmp(link, "anon_inode:[perf_event]") != 0)
        return 0;
    for (int i = 0; l->without && i < l->without->n_before; i++)
        if (l->without->before[i] == fd)
            return 0;
    l->fds[l->n++] = fd;
    return 0;
}

static int perf_fds(struct counters *c, int *fds, const struct state *without)
{
    struct fd_list l = {fds, 0, without};

    each_own(c, "fd", perf_fd, &l);
    return l.n;
}

/* Starts PAPI; NULL or why not. */
static const char *start(struct state *st)
{
    static char why[REASON_BYTES];
    const PAPI_component_info_t *info;
    int version = PAPI_VER_CURRENT;
    int r = PAPI_is_initialized() ? version : PAPI_library_init(version);

    if (r != version) {
        snprintf(why, sizeof(why), "PAPI does not start: %s",
                 r > 0 ? "the library is of another version than its header" : PAPI_strerror(r));
        return why;
    }
    PAPI_thread_init(own_tid);
    PAPI_multiplex_init();
    st->component = PAPI_get_component_index("perf_event");
    info = st->component >= 0 ? PAPI_get_component_info(st->component) : NULL;
    if (!info)
        return "PAPI was built without its perf_event component";
    if (info->disabled) {
        snprintf(why, sizeof(why), "PAPI's perf_event component is off: %.180s",
                 info->disabled_reason);
        return why;
    }
    return NULL;
}

static void tell(struct counters *c, const struct state *st)
{
    for (int i = 0; i < st->n_chosen; i++)
        counter_from(c, st->chosen[i].counter, "%s, user code%s%s", st->chosen[i].name,
                     st->inherit ? ", all threads" : ", threads as found at borders",
                     st->multiplex ? ", multiplexed" : "");
}

static int probe(struct counters *c)
{
    struct state *st = calloc(1, sizeof(*st));
    pid_t self = (pid_t)own_tid();
    const char *why;
    int id, r;

    if (!st)
        return -1;
    *backend_state(c, BACKEND_PAPI) = st;
    why = start(st);
    if (why) {
        backend_off(c, "papi", "%s", why);
        return 0;
    }
    st->inherit = true;
    st->n_before = perf_fds(c, st->before, NULL);
    choose(c, st);
    if (st->n_chosen == 0)
        return 0;
    r = settle(c, st, self, &id);
    if (r != PAPI_OK) {
        backend_off(c, "papi", "PAPI cannot count this process: %s", PAPI_strerror(r));
        return 0;
    }
    if (keep(c, st, self, id) < 0 || each_own(c, "task", thread, st) == -ENOMEM)
        return -1;
    if (st->multiplex)
        st->n_fds = perf_fds(c, st->fds, st);
    tell(c, st);
    return 0;
}

/* Part of the time that the scarcest event was counted: the kernel gives
 * {value, enabled, running} for an event that PAPI opened multiplexed. */
static double ratio(const struct state *st)
{
    double least = NAN;

    for (int i = 0; i < st->n_fds; i++) {
        uint64_t now[4];

        if (read(st->fds[i], now, sizeof(now)) == 3 * (ssize_t)sizeof(now[0]) && now[1] > 0)
            least = fmin(least, (double)now[2] / (double)now[1]);
    }
    return least;
}

static void read_set(struct counters *c, const struct state *st, struct set *set)
{
    long long values[WANTED];
    int r = PAPI_read(set->id, values);

    for (int i = 0; i < st->n_chosen; i++) {
        /* Scaled estimates may fall a little; what was counted does not. */
        if (r == PAPI_OK && (double)values[i] > set->last[i])
            set->last[i] = (double)values[i];
        if (r == PAPI_OK)
            source_now(c, set->first_source + i, set->last[i]);
        else
            source_lost(c, set->first_source + i, "PAPI cannot read %s: %s", st->chosen[i].name,
                        PAPI_strerror(r));
    }
}

static void read_events(struct counters *c)
{
    struct state *st = *backend_state(c, BACKEND_PAPI);

    if (st->n_sets == 0)
        return;
    if (!st->inherit)
        each_own(c, "task", thread, st);
    for (int i = 0; i < st->n_sets; i++)
        read_set(c, st, &st->sets[i]);
    for (int i = 0; i < st->n_chosen && st->multiplex; i++)
        counter_ratio(c, st->chosen[i].counter, ratio(st));
}

static void close_events(struct counters *c)
{
    struct state *st = *backend_state(c, BACKEND_PAPI);
    long long values[WANTED];

    if (!st)
        return;
    for (int i = 0; i < st->n_sets; i++) {
        PAPI_stop(st->sets[i].id, values);
        drop(&st->sets[i].id);
    }
    free(st->sets);
    free(st);
}

const struct backend backend_papi = {.name = "papi",
                                     .bit = BACKEND_PAPI,
                                     .probe = probe,
                                     .read = read_events,
                                     .close = close_events};

#endif
