/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/steps.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

static const double finest_tick = 0.25e-6;
static const double most_ticks = (double)(INT64_C(1) << 36);

int steps_init(struct steps *s, long room, struct err *e)
{
    *s = (struct steps){.row = calloc((size_t)room, sizeof *s->row), .room = room};
    return s->row ? 0 : err_set(e, "out of memory for the times of %ld steps", room);
}

void steps_fini(struct steps *s)
{
    free(s->row);
    *s = (struct steps){0};
}

/* ---- who was last ---- */

struct steps_pack steps_packing(double base, double seconds)
{
    struct steps_pack p = {base, finest_tick};

    while (seconds / p.tick >= most_ticks)
        p.tick *= 2;
    return p;
}

double steps_packed(const struct steps_pack *p, double ready, int rank)
{
    double ticks = floor((ready - p->base) / p->tick + 0.5);

    return fmin(fmax(ticks, 0), most_ticks - 1) * STEPS_RANKS + rank;
}

double steps_ready(const struct steps_pack *p, double packed)
{
    return p->base + floor(packed / STEPS_RANKS) * p->tick;
}

int steps_last(double packed)
{
    return (int)fmod(packed, STEPS_RANKS);
}

/* ---- what becomes of the time ---- */

/* A step in absolute times on the run's clock, and the parts of its own work. */
struct step {
    const struct step_row *row;
    double begin, ready, exit, end;
    double met, waited;       /* in sums inside the step, and there for others, up to r */
    double compute, withheld; /* up to r, too */
    double tail, late_tail;   /* r to a: with a core, and without */
};

static struct step open_step(const struct step_row *row, const double *least, double offset)
{
    struct step s = {.row = row, .begin = row->begin + offset};
    const double mine = fmax(0, (double)row->own - (double)row->lib);

    s.met = fmin(fmax(0, (double)row->met), mine);
    s.waited = least ? fmin(fmax(0, s.met - *least), s.met) : 0;
    const double work = mine - s.met;

    s.ready = s.begin + (double)row->input + (double)row->own;
    s.end = s.begin + (double)row->length;
    s.exit = row->waits ? s.begin + (double)row->wait[row->waits - 1][1] : s.ready + row->tail;
    s.withheld = fmin(row->withheld, work);
    s.compute = work - s.withheld;
    s.late_tail = fmin((double)row->withheld - s.withheld, row->tail);
    s.tail = (double)row->tail - s.late_tail;
    return s;
}

static double overlap(double a0, double a1, double b0, double b1)
{
    return fmax(0, fmin(a1, b1) - fmax(a0, b0));
}

double steps_waited(const struct steps *s, long k)
{
    double sum = 0;

    for (int b = 0; b < s->row[k].waits; b++)
        sum += (double)s->row[k].wait[b][1] - (double)s->row[k].wait[b][0];
    return sum;
}

static void add_parts(double part[STEP_PARTS], const struct steps *all, long k,
                      const struct step *s, double last_ready, bool split)
{
    const struct step_row *row = s->row;
    const double waited = steps_waited(all, k);
    double skew = split ? s->waited : 0;

    for (int b = 0; b < row->waits && split; b++)
        skew += overlap(s->begin + (double)row->wait[b][0], s->begin + (double)row->wait[b][1],
                        -INFINITY, last_ready);
    part[STEP_INPUT] += row->input;
    part[STEP_COMPUTE] += s->compute;
    part[STEP_WITHHELD] += s->withheld + s->late_tail;
    part[STEP_EXCHANGE_CPU] += (double)row->own - s->compute - s->withheld - s->met + s->tail;
    part[STEP_SKEW] += skew;
    part[STEP_WIRE] += waited + s->met - skew;
    part[STEP_UPDATE] += s->end - s->ready - (double)row->tail - waited;
    part[STEP_AGREE] += row->agree;
    part[STEP_OTHER] += row->other;
}

/* The optimiser's work between two waits, after R: it lies on the path to the exit. */
static double updated_between(const struct step *s, double last_ready)
{
    const struct step_row *row = s->row;
    double sum = 0;

    for (int b = 1; b < row->waits; b++)
        sum += overlap(s->begin + (double)row->wait[b - 1][1], s->begin + (double)row->wait[b][0],
                       last_ready, INFINITY);
    return sum;
}

/* The stretch from R_k to R_(k+1) of the rank that was last in k+1. */
static void add_path(double path[STEP_PARTS], const struct step *s, const struct step *next,
                     double last_ready)
{
    const double between = updated_between(s, last_ready);

    path[STEP_WIRE] += s->exit - last_ready - between;
    path[STEP_UPDATE] += between + (s->end - s->exit);
    path[STEP_AGREE] += next->row->agree;
    path[STEP_OTHER] += next->begin - s->end - (double)next->row->agree;
    path[STEP_INPUT] += next->row->input;
    path[STEP_COMPUTE] += next->compute + next->waited;
    path[STEP_WIRE] += next->met - next->waited;
    path[STEP_WITHHELD] += next->withheld;
    path[STEP_EXCHANGE_CPU] += (double)next->row->own - next->compute - next->withheld - next->met;
}

/* Of that stretch the beginning is not wire but the tail of the rank that was last
 * in k, which only that rank knows. */
static void add_tail(double path[STEP_PARTS], const struct step *s)
{
    path[STEP_EXCHANGE_CPU] += s->tail;
    path[STEP_WITHHELD] += s->late_tail;
    path[STEP_WIRE] -= s->tail + s->late_tail;
}

static void add_block(struct steps_blocks *b, double sum)
{
    const double mean = sum / STEPS_BLOCK;

    b->n++;
    b->sum += mean;
    b->squares += mean * mean;
}

void steps_account(const struct steps *s, const struct steps_pack *pack, const double *packed,
                   const double *least, int rank, double offset, bool split,
                   struct steps_sums *sums)
{
    double compute = 0, withheld = 0;

    for (long k = 0; k < s->n; k++) {
        const struct step now = open_step(&s->row[k], least ? &least[k] : NULL, offset);
        const double last_ready = steps_ready(pack, packed[k]);
        const bool last = steps_last(packed[k]) == rank;

        add_parts(sums->part, s, k, &now, last_ready, split);
        sums->last += last;
        sums->late += s->row[k].late;
        if (s->row[k].half >= 0) {
            sums->half += now.ready + (double)s->row[k].half - last_ready;
            sums->halves++;
        }
        if (s->row[k].start[0] > 0) {
            sums->lead +=
                (double)s->row[k].input + (double)s->row[k].own - (double)s->row[k].start[0];
            sums->leads++;
        }
        compute += now.compute;
        withheld += now.withheld + now.late_tail;
        if ((k + 1) % STEPS_BLOCK == 0) {
            add_block(&sums->compute, compute);
            add_block(&sums->withheld, withheld);
            compute = withheld = 0;
        }
        if (k + 1 == s->n)
            break;
        sums->changes += steps_last(packed[k + 1]) != steps_last(packed[k]);
        if (last)
            add_tail(sums->path, &now);
        if (steps_last(packed[k + 1]) == rank) {
            const struct step next =
                open_step(&s->row[k + 1], least ? &least[k + 1] : NULL, offset);
            add_path(sums->path, &now, &next, last_ready);
            sums->path_met += next.met - next.waited;
        }
    }
    sums->steps += s->n;
    sums->path_steps += s->n > 1 ? s->n - 1 : 0;
    sums->path_seconds = 0;
    for (int i = 0; i < STEP_PARTS; i++)
        sums->path_seconds += sums->path[i];
}

static void add_blocks(struct steps_blocks *a, const struct steps_blocks *b)
{
    a->n += b->n;
    a->sum += b->sum;
    a->squares += b->squares;
}

void steps_add(struct steps_sums *a, const struct steps_sums *b)
{
    for (int i = 0; i < STEP_PARTS; i++) {
        a->part[i] += b->part[i];
        a->path[i] += b->path[i];
    }
    a->path_seconds += b->path_seconds;
    a->path_met += b->path_met;
    a->path_steps += b->path_steps;
    a->changes += b->changes;
    a->steps += b->steps;
    a->last += b->last;
    a->half += b->half;
    a->halves += b->halves;
    a->lead += b->lead;
    a->leads += b->leads;
    a->late += b->late;
    add_blocks(&a->compute, &b->compute);
    add_blocks(&a->withheld, &b->withheld);
}

double steps_error(const struct steps_blocks *b)
{
    const double n = (double)b->n;

    if (b->n < 2)
        return NAN;
    const double variance = (b->squares - b->sum * b->sum / n) / (n - 1);
    return sqrt(fmax(0, variance) / n);
}
