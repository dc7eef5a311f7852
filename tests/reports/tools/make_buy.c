/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * make_buy DIR healthy|network|latency|storage|shared: the record and the steps file of a
 * run on a machine whose limit is known (tests/reports/predict/machine.h), as an agent
 * writes them; prints the record's path. That of latency has the transport's test and a
 * roofline that knows of no operator that memory binds.
 *
 * make_buy truth CASE KIND FACTOR: by what that machine really gets faster.
 */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/record/record.h"
#include "reports/record/steps_file.h"
#include "tests/reports/predict/machine.h"
#include "tests/reports/record/sample.h"

enum { RANKS = 2, EPOCH = 128, EPOCHS = 2, STEPS = EPOCH * EPOCHS };

static struct machine machine_of(const char *what)
{
    struct machine m = machine_healthy(RANKS, 7);

    for (int i = 0; i < RANKS; i++) {
        if (strcmp(what, "network") == 0)
            m.inv[i] = 1 / 40e6;
        if (strcmp(what, "latency") == 0)
            m.alpha = 3e-3;
        if (strcmp(what, "shared") == 0)
            m.withheld[i] = 0.3;
    }
    if (strcmp(what, "storage") == 0) {
        m.read = 0.055;
        m.decode = 0.003;
    }
    return m;
}

static struct steps_row row_of(const struct machine *m, const struct series *s, int rank, long k)
{
    const struct series_step *p = series_at(s, rank, k);
    const double own = series_own(p) + (double)p->lib, ready = (double)p->input + own;
    struct steps_row row = {
        .step = (double)(EPOCH + k),
        .begin = p->ready - ready,
        .agree = 0,
        .other = p->between,
        .input = p->input,
        .own = own,
        .exchange_cpu = p->lib,
        .withheld = p->withheld,
        .tail = p->tail,
        .length = ready + (double)p->exit + (double)p->update,
        .last_ready = s->last[k] - (p->ready - ready),
        .buckets = m->buckets,
    };

    for (int b = 0; b < STEPS_MAX_BUCKETS; b++)
        row.start[b] = row.half[b] = row.wait_begin[b] = row.wait_end[b] = NAN;
    for (int b = 0; b < m->buckets; b++) {
        row.start[b] = (double)p->input + own * m->ready[b];
        row.wait_begin[b] = ready + (double)p->tail;
        row.wait_end[b] = b + 1 == m->buckets ? ready + (double)p->exit : row.wait_begin[b];
    }
    row.half[m->buckets - 1] = ready + (double)p->half;
    return row;
}

/* epoch: from 1; the first one is a copy of the second: nobody simulates it. */
static int add_epoch(struct record *r, int workload, const struct machine *m,
                     const struct series *s, int rank, int epoch)
{
    struct steps_row rows[EPOCH];
    struct steps_block b = {.workload = workload, .rank = rank, .epoch = epoch, .rows = EPOCH};
    struct err e = ERR_INIT;

    for (long k = 0; k < EPOCH; k++) {
        rows[k] = row_of(m, s, rank, (epoch > 1 ? (epoch - 2) * EPOCH : 0) + k);
        rows[k].step = (double)((epoch - 1) * EPOCH + k);
    }
    snprintf(b.node, sizeof b.node, "n%d", rank + 1);
    void *bytes = steps_pack(rows, EPOCH, m->buckets, &b.bytes, &e);
    const int rc = bytes ? steps_set_block(r->steps, &b, bytes) : -1;
    free(bytes);
    return rc;
}

static int add_steps(struct record *r, const struct machine *m, const struct series *s)
{
    struct steps_workload w = {.ranks = RANKS,
                               .buckets = m->buckets,
                               .epochs = EPOCHS + 1,
                               .steps_per_epoch = EPOCH,
                               .window = EPOCH,
                               .stride = 1};
    int rc = 0;

    snprintf(w.name, sizeof w.name, "%s", r->workloads[0].result.name);
    r->steps = steps_set_create();
    const int workload = r->steps ? steps_set_workload(r->steps, &w) : -1;
    if (workload < 0)
        return -1;
    for (int rank = 0; rc == 0 && rank < RANKS; rank++)
        for (int epoch = 1; rc == 0 && epoch <= EPOCHS + 1; epoch++)
            rc = add_epoch(r, workload, m, s, rank, epoch);
    return rc;
}

static double truth(const struct machine *m, const char *kind, double k)
{
    struct machine other = *m;

    if (strcmp(kind, "network_latency") == 0)
        other.alpha /= k;
    for (int i = 0; strcmp(kind, "network_bandwidth") == 0 && i < RANKS; i++)
        other.inv[i] /= k;
    if (strcmp(kind, "compute") == 0) {
        other.cpu /= k;
        other.decode /= k;
        other.software /= k;
        other.lib /= k;
        other.tail /= k;
    }
    return machine_period(m) / machine_period(&other);
}

/* What the test of the transport would have found: exactly the machine's. */
static void add_transport(struct record_workload *w, const struct machine *m)
{
    struct result_transport *t = &w->result.transport;

    t->rounds = 9;
    t->pause_seconds = 0.04;
    t->alpha = (struct result_value){m->alpha, 0.98 * m->alpha, 1.02 * m->alpha};
    t->software = (struct result_value){m->software, 0.9 * m->software, 1.1 * m->software};
    t->rate = (struct result_value){1 / m->inv[0], 0.98 / m->inv[0], 1.02 / m->inv[0]};
    w->roofline = (struct record_roofline){.points = 1, .valid = true, .share = 0.5};
}

int main(int argc, char **argv)
{
    struct record r;
    struct series s;
    struct err e = ERR_INIT;
    char path[PATH_MAX];

    if (argc == 5) {
        const struct machine known = machine_of(argv[2]);
        printf("%.6f\n", truth(&known, argv[3], atof(argv[4])));
        return 0;
    }
    if (argc != 3)
        return 2;
    struct machine m = machine_of(argv[2]);
    machine_run(&m, STEPS, &s);
    sample_record(&r, RANKS, RANKS, EPOCHS + 1);
    struct workload_result *w = &r.workloads[0].result;
    w->threads = 1; /* and so one worker loads */
    w->profile.steps = STEPS;
    w->profile.exchanged_bytes = (uint64_t)(STEPS * m.buckets * m.bytes[0]);
    snprintf(w->clock.method, sizeof w->clock.method, "same kernel");
    w->clock.split = true;
    for (int i = 0; i < r.workloads[0].n_ranks; i++) {
        struct result_rank *rank = &r.workloads[0].ranks[i].steady;
        rank->steps = STEPS;
        rank->produce_seconds = m.read + m.decode;
        rank->read_seconds = m.read;
        rank->read_cpu_seconds = 0;
        rank->inflate_seconds = 0;
        rank->convert_seconds = m.decode;
    }
    w->transport.rounds = 0;
    if (strcmp(argv[2], "latency") == 0)
        add_transport(&r.workloads[0], &m);
    record_judge(&r);
    int rc = add_steps(&r, &m, &s);
    if (rc == 0)
        rc = record_write(&r, argv[1], path, &e);
    if (rc == 0)
        puts(path);
    else
        fprintf(stderr, "make_buy: %s\n", e.text);
    record_fini(&r);
    machine_fini(&m);
    return rc ? 1 : 0;
}
