/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include <linux/perf_event.h>
#include <papi.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "tests/papi/fake_papi.h"

struct set {
    bool alive, running, assigned, multiplexed, attached, inherited;
    unsigned long tid;
    int events[FAKE_EVENTS], fds[FAKE_EVENTS];
    int n;
    long long reads;
};

struct fake_machine fake;
static struct set sets[FAKE_SETS];
static int misuses;

static int misuse(const char *what)
{
    fprintf(stderr, "fake PAPI misused: %s\n", what);
    misuses++;
    return PAPI_EINVAL;
}

static int count(bool running)
{
    int n = 0;

    for (int i = 0; i < FAKE_SETS; i++)
        n += sets[i].alive && (sets[i].running || !running);
    return n;
}

int fake_sets_alive(void)
{
    return count(false);
}

int fake_sets_running(void)
{
    return count(true);
}

int fake_misuses(void)
{
    return misuses;
}

static struct set *set_of(int id)
{
    return id >= 0 && id < FAKE_SETS && sets[id].alive ? &sets[id] : NULL;
}

int PAPI_is_initialized(void)
{
    return 0;
}

int PAPI_library_init(int version)
{
    return fake.version ? fake.version : version;
}

int PAPI_thread_init(unsigned long (*id_fn)(void))
{
    return id_fn ? PAPI_OK : PAPI_EINVAL;
}

int PAPI_multiplex_init(void)
{
    return PAPI_OK;
}

int PAPI_get_component_index(const char *name)
{
    return fake.no_component || strcmp(name, "perf_event") != 0 ? PAPI_ENOCMP : 0;
}

const PAPI_component_info_t *PAPI_get_component_info(int cidx)
{
    static PAPI_component_info_t info;

    (void)cidx;
    info.disabled = fake.disabled ? PAPI_ECMP : 0;
    snprintf(info.disabled_reason, sizeof(info.disabled_reason), "%s",
             fake.disabled ? fake.disabled : "");
    return &info;
}

char *PAPI_strerror(int err)
{
    static char text[32];

    snprintf(text, sizeof(text), "fake error %d", err);
    return text;
}

int PAPI_create_eventset(int *id)
{
    if (*id != PAPI_NULL)
        return misuse("a set is created over another");
    for (int i = 0; i < FAKE_SETS; i++) {
        if (!sets[i].alive) {
            sets[i] = (struct set){.alive = true};
            *id = i;
            return PAPI_OK;
        }
    }
    return PAPI_ENOMEM;
}

int PAPI_assign_eventset_component(int id, int cidx)
{
    struct set *s = set_of(id);

    if (!s || cidx != 0)
        return misuse("assign");
    s->assigned = true;
    return PAPI_OK;
}

int PAPI_set_multiplex(int id)
{
    struct set *s = set_of(id);

    if (!s || !s->assigned || s->n > 0)
        return misuse("multiplex");
    s->multiplexed = !fake.refuse_multiplex;
    return fake.refuse_multiplex ? PAPI_ENOSUPP : PAPI_OK;
}

int PAPI_attach(int id, unsigned long tid)
{
    struct set *s = set_of(id);

    if (!s || !s->assigned || s->n > 0)
        return misuse("attach");
    if (fake.refuse_attach)
        return PAPI_EPERM;
    s->attached = true;
    s->tid = tid;
    return PAPI_OK;
}

int PAPI_set_opt(int option, PAPI_option_t *o)
{
    struct set *s = set_of(o->inherit.eventset);

    if (option != PAPI_INHERIT || !s || !s->assigned || s->n > 0)
        return misuse("inherit");
    s->inherited = !fake.refuse_inherit;
    return fake.refuse_inherit ? PAPI_ENOEVNT : PAPI_OK;
}

/* A real perf event, so that the descriptor looks as PAPI's would. */
static int perf_fd(void)
{
    struct perf_event_attr a = {.size = sizeof(a),
                                .type = PERF_TYPE_SOFTWARE,
                                .config = PERF_COUNT_SW_DUMMY,
                                .exclude_kernel = 1};

    return (int)syscall(SYS_perf_event_open, &a, 0, -1, -1, 0);
}

int PAPI_add_named_event(int id, const char *name)
{
    struct set *s = set_of(id);
    int slots;

    if (!s || !s->assigned || s->running)
        return misuse("add");
    slots = s->multiplexed ? fake.multiplexed_slots : fake.slots;
    for (int i = 0; i < FAKE_EVENTS && fake.events[i].name; i++) {
        if (strcmp(fake.events[i].name, name) != 0)
            continue;
        if (slots && s->n >= slots)
            return PAPI_ECNFLCT;
        s->fds[s->n] = perf_fd();
        s->events[s->n++] = i;
        return PAPI_OK;
    }
    return PAPI_ENOEVNT;
}

int PAPI_start(int id)
{
    struct set *s = set_of(id);

    if (!s || s->running || s->n == 0)
        return misuse("start");
    for (int i = 0; i < FAKE_SETS; i++)
        if (sets[i].alive && sets[i].running && sets[i].tid == s->tid)
            return PAPI_EISRUN;
    for (int i = 0; i < s->n; i++)
        if (fake.events[s->events[i]].cannot_start)
            return PAPI_ESYS;
    s->running = true;
    return PAPI_OK;
}

int PAPI_read(int id, long long *values)
{
    struct set *s = set_of(id);

    if (!s || !s->running)
        return misuse("read");
    if (fake.fail_read)
        return PAPI_ESYS;
    s->reads++;
    for (int i = 0; i < s->n; i++)
        values[i] = s->reads * fake.events[s->events[i]].step;
    return PAPI_OK;
}

int PAPI_stop(int id, long long *values)
{
    struct set *s = set_of(id);

    if (!s || !s->running)
        return misuse("stop");
    values[0] = 0;
    s->running = false;
    return PAPI_OK;
}

int PAPI_cleanup_eventset(int id)
{
    struct set *s = set_of(id);

    if (!s || s->running)
        return misuse("cleanup of a running set");
    for (int i = 0; i < s->n; i++)
        if (s->fds[i] >= 0)
            close(s->fds[i]);
    s->n = 0;
    return PAPI_OK;
}

int PAPI_destroy_eventset(int *id)
{
    struct set *s = set_of(*id);

    if (!s || s->running || s->n > 0)
        return misuse("destroy of a set in use");
    s->alive = false;
    *id = PAPI_NULL;
    return PAPI_OK;
}

/* The descriptors answer as a multiplexed event does: the link replaces
 * read() by this (-Wl,--wrap=read). */
ssize_t __real_read(int fd, void *buf, size_t n);
ssize_t __wrap_read(int fd, void *buf, size_t n);

ssize_t __wrap_read(int fd, void *buf, size_t n)
{
    for (int i = 0; i < FAKE_SETS; i++) {
        for (int k = 0; sets[i].alive && k < sets[i].n; k++) {
            unsigned long answer[3] = {100, fake.enabled, fake.running};

            if (sets[i].fds[k] != fd || !sets[i].multiplexed || n < sizeof(answer))
                continue;
            memcpy(buf, answer, sizeof(answer));
            return sizeof(answer);
        }
    }
    return __real_read(fd, buf, n);
}
