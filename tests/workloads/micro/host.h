/* SPDX-License-Identifier: BSD-3-Clause */
/* A benchmark on one rank of one thread, class tiny, with short samples; its rows. */
#ifndef MICRO_HOST_H
#define MICRO_HOST_H

#include <math.h>

#include "reports/core/clock.h"
#include "tests/unit.h"
#include "workloads/engine/engine.h"
#include "workloads/micro/micro.h"

enum { SEEN_MOST = 128 };

struct seen {
    struct micro_row rows[SEEN_MOST]; /* without their samples */
    int n, samples;
};

static inline int seen_take(void *ctx, struct micro_row *row, struct err *e)
{
    struct seen *s = ctx;

    (void)e;
    assert_true(s->n < SEEN_MOST);
    s->samples += row->n_samples;
    micro_row_fini(row);
    s->rows[s->n++] = *row;
    return 0;
}

/* Empties s, which the rows go to. */
static inline struct micro_host host_of(struct seen *s)
{
    s->n = s->samples = 0;
    return (struct micro_host){.comm = comm_self(),
                               .now = clock_now,
                               .deadline = INFINITY,
                               .threads = 1,
                               .backend = engine_backend_name(0),
                               .class = CLASS_TINY,
                               .seed = 1,
                               .floor_seconds = 0.0005,
                               .samples = 3,
                               .n_nodes = 1,
                               .ctx = s,
                               .row = seen_take};
}

/* What begins after its time measures nothing, and that is no failure. */
static inline void check_time_is_over(const struct micro_bench *b)
{
    static struct seen s;
    struct micro_host h = host_of(&s);
    struct err e = ERR_INIT;
    int done = 0;

    h.deadline = 0;
    assert_int_equal(b->run(&h, &done, &e), 0);
    assert_int_equal(done, 0);
    assert_int_equal(s.n, 0);
}

#endif
