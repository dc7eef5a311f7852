/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "tests/reports/diagnose/synth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "workloads/philox.h"
#include "workloads/steps.h"

enum { AHEAD = 2 };

static const double gap = 3e-5, tail = 3e-4, update = 6e-4;

static double normal(uint64_t seed, int what, int rank, int step)
{
    uint32_t r[4];

    philox_at(seed, (uint64_t)what, (uint64_t)(step * SYNTH_RANKS + rank), r);
    return sqrt(-2 * log(1 - philox_double(r[0], r[1]))) *
           cos(2 * 3.14159265358979323846 * philox_double(r[2], r[3]));
}

struct synth synth_healthy(int n, double noise, uint64_t seed)
{
    struct synth s = {.n = n,
                      .seed = seed,
                      .compute = 0.040,
                      .noise = noise,
                      .common = 0.03,
                      .bytes = 1.728e6,
                      .software = 2e-4,
                      .lib = 4e-4};

    for (int i = 0; i < n; i++) {
        s.byte_seconds[i] = 1 / 3e9;
        snprintf(s.names[i], sizeof s.names[i], "n%d", i % SYNTH_RANKS + 1);
    }
    return s;
}

/* Ends of the first half and of the whole sum at each rank (diagnosis: exchange()). */
static void exchange(const struct synth *s, const double ready[], double half[], double done[])
{
    const double piece = s->bytes / s->n * (s->n - 1);
    double first[SYNTH_RANKS], last = 0, all = 0;

    for (int j = 0; j < s->n; j++)
        last = fmax(last, ready[j] + tail);
    for (int j = 0; j < s->n; j++)
        first[j] = last + piece * s->byte_seconds[j] + s->late[j] / 2;
    for (int i = 0; i < s->n; i++) {
        half[i] = 0;
        for (int j = 0; j < s->n; j++)
            half[i] = j == i ? half[i] : fmax(half[i], first[j] + s->software);
    }
    for (int j = 0; j < s->n; j++) {
        double begin = fmax(half[j], first[j]);
        for (int i = 0; i < s->n; i++)
            begin = fmax(begin, fmin(half[i], begin));
        all = fmax(all, begin + piece * s->byte_seconds[j] + s->late[j] / 2);
    }
    for (int i = 0; i < s->n; i++)
        done[i] = all + s->software;
}

struct play {
    struct steps steps[SYNTH_RANKS];
    double packed[SYNTH_STEPS];
    struct steps_pack pack;
    double end[SYNTH_RANKS], made[SYNTH_RANKS], taken[SYNTH_RANKS][SYNTH_STEPS];
};

/* One rank up to the moment at which its gradients are ready. */
static double work(const struct synth *s, struct play *p, int i, int k)
{
    const double common = exp(s->common * normal(s->seed, 1, 0, k));
    const double cpu =
        s->compute * (1 + s->slower[i]) * common * exp(s->noise * normal(s->seed, 2, i, k));
    const double withheld =
        (s->quota[i] + s->foreign[i]) * cpu * exp(0.3 * normal(s->seed, 3, i, k));
    struct step_row *row = &p->steps[i].row[k];
    const double asked = p->end[i] + gap;
    const double freed = k >= AHEAD ? p->taken[i][k - AHEAD] : 0;

    p->made[i] = fmax(p->made[i], freed) + s->produce[i] * exp(0.1 * normal(s->seed, 4, i, k));
    p->taken[i][k] = fmax(asked, p->made[i]);
    *row = (struct step_row){.begin = asked,
                             .other = (float)gap,
                             .input = (float)(p->taken[i][k] - asked),
                             .own = (float)(cpu + withheld + s->lib),
                             .lib = (float)s->lib,
                             .withheld = (float)withheld,
                             .tail = (float)tail,
                             .late = (float)s->late[i],
                             .waits = 1};
    return p->taken[i][k] + cpu + withheld + s->lib;
}

static void play_step(const struct synth *s, struct play *p, int k)
{
    double ready[SYNTH_RANKS], half[SYNTH_RANKS], done[SYNTH_RANKS];

    for (int i = 0; i < s->n; i++)
        ready[i] = work(s, p, i, k);
    exchange(s, ready, half, done);
    for (int i = 0; i < s->n; i++) {
        struct step_row *row = &p->steps[i].row[k];
        row->half = (float)(half[i] - ready[i]);
        row->wait[0][0] = (float)(ready[i] + tail - row->begin);
        row->wait[0][1] = (float)(done[i] - row->begin);
        row->length = (float)(done[i] + update - row->begin);
        p->end[i] = row->begin + (double)row->length;
        p->packed[k] = fmax(p->packed[k], steps_packed(&p->pack, ready[i], i));
    }
}

static void measure(struct synth *s, const struct play *p, int i, struct steps_sums *path)
{
    const double steps = SYNTH_STEPS, without = s->foreign[i] + s->quota[i];
    struct steps_sums sums = {.steps = 0};

    steps_account(&p->steps[i], &p->pack, p->packed, NULL, i, 0, true, &sums);
    steps_add(path, &sums);
    s->nodes[i] = (struct cause_node){
        .name = s->names[i],
        .ranks = 1,
        .compute = (sums.part[STEP_COMPUTE] + sums.part[STEP_UPDATE]) / steps,
        .withheld = sums.part[STEP_WITHHELD] / steps,
        .quota = without > 0 ? sums.part[STEP_WITHHELD] / steps * s->quota[i] / without : 0,
        .late = sums.late / steps,
        .compute_error = steps_error(&sums.compute),
        .withheld_error = steps_error(&sums.withheld),
        .last = (double)sums.last / steps,
        .produce = s->produce[i],
        .half = sums.half / (double)sums.halves,
    };
}

void synth_make(struct synth *s, struct cause_case *c)
{
    struct play *p = calloc(1, sizeof *p);
    struct steps_sums path = {.steps = 0};

    if (!p)
        abort();
    p->pack = steps_packing(-1, 1000);
    for (int i = 0; i < s->n; i++) {
        if (steps_init(&p->steps[i], SYNTH_STEPS, NULL) < 0)
            abort();
        p->steps[i].n = SYNTH_STEPS;
    }
    for (int k = 0; k < SYNTH_STEPS; k++)
        play_step(s, p, k);
    for (int i = 0; i < s->n; i++)
        measure(s, p, i, &path);
    cause_case_init(c);
    c->nodes = s->nodes;
    c->n_nodes = s->n;
    c->steps = SYNTH_STEPS;
    c->period = path.path_seconds / (SYNTH_STEPS - 1);
    c->wire = path.path[STEP_WIRE] / (SYNTH_STEPS - 1);
    c->input = path.path[STEP_INPUT] / (SYNTH_STEPS - 1);
    c->exchange_cpu = path.path[STEP_EXCHANGE_CPU] / (SYNTH_STEPS - 1);
    for (int i = 0; i < s->n; i++)
        steps_fini(&p->steps[i]);
    free(p);
}
