/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/collect/collect_check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/record/fields.h"
#include "spank/collect/collect_hostlist.h"

/* Slurm's own messages fail when clocks are further apart (MUNGE's time to
 * live), so no two nodes of a job are. */
#define CLOCK_SECONDS 300.0
/* Begin and end are whole seconds of prolog and epilog. */
#define DURATION_SECONDS 10.0
/* Sums of rounded numbers. */
#define ROUNDING 1.01

enum { MOST_CORES = 1024, MOST_RANKS = 4096 }; /* of a node */

/* Per core and second: 2,048 FLOP a cycle (AMX, bf16) at 6 GHz. Per rank with
 * an accelerator: 20 PFLOP/s. Both above all that is sold. */
#define CORE_FLOP 12.3e12
#define RANK_FLOP 20e15
#define NODE_WATT 20e3

/* ---- whose ---- */

static int check_job(const struct claim *c, struct err *e)
{
    const struct history_run *r = c->run;

    if (r->local_id[0])
        return err_set(e, "it says that it ran without Slurm, but stood in the folder of job %ld",
                       c->seen->job);
    if (r->job != c->seen->job)
        return err_set(e, "it is of job %ld, the folder was of job %ld", r->job, c->seen->job);
    if (c->seen->cluster[0] && strcmp(r->cluster, c->seen->cluster) != 0)
        return err_set(e, "it is of cluster '%s', the job was of '%s'", r->cluster,
                       c->seen->cluster);
    return 0;
}

static int check_restart(const struct claim *c, struct err *e)
{
    if (c->seen->restart > 0 && c->run->restart != c->seen->restart)
        return err_set(e, "it is of restart %d, the job was at %d", c->run->restart,
                       c->seen->restart);
    return 0;
}

static int check_task(const struct claim *c, struct err *e)
{
    const struct history_run *r = c->run;
    const struct {
        const char *what;
        long said, seen;
    } pairs[] = {
        {"array", r->array_job, c->seen->array_job},
        {"array task", r->array_task, c->seen->array_task},
        {"het job", r->het_job, c->seen->het_job},
        {"het component", r->het_offset, c->seen->het_offset},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (pairs[i].said >= 0 && pairs[i].seen >= 0 && pairs[i].said != pairs[i].seen)
            return err_set(e, "it is of %s %ld, the job was of %ld", pairs[i].what, pairs[i].said,
                           pairs[i].seen);
    return 0;
}

static int check_user(const struct claim *c, struct err *e)
{
    if (c->run->uid >= 0 && c->run->uid != c->seen->uid)
        return err_set(e, "it is of user id %ld, the job was of %ld", c->run->uid, c->seen->uid);
    return 0;
}

static int check_id(const struct claim *c, struct err *e)
{
    const char *id = json_text(c->doc, "id", "");
    char key[HISTORY_KEY_SIZE];

    if (!history_key(c->run, key) || strcmp(id, key) != 0)
        return err_set(e, "its id '%.64s' is not what its job and step make, '%s'", id, key);
    return 0;
}

static int check_nodes(const struct claim *c, struct err *e)
{
    if (!c->seen->nodes[0])
        return 0;
    for (int i = 0; i < c->run->n_nodes; i++)
        if (!hostlist_has(c->seen->nodes, c->run->nodes[i]))
            return err_set(e, "node '%.64s' is none of the job's, %.200s", c->run->nodes[i],
                           c->seen->nodes);
    return 0;
}

/* ---- when ---- */

static int within_job(const struct claim *c, const char *what, double t, struct err *e)
{
    const struct witness *w = c->seen;

    if (t > 0 && isfinite(w->begin) && t < w->begin - CLOCK_SECONDS)
        return err_set(e, "its %s is %.0f s before the job began", what, w->begin - t);
    if (t > 0 && isfinite(w->end) && t > w->end + CLOCK_SECONDS)
        return err_set(e, "its %s is %.0f s after the job ended", what, t - w->end);
    return 0;
}

static int check_clock(const struct claim *c, struct err *e)
{
    if (within_job(c, "start", (double)c->run->begin, e) < 0)
        return -1;
    return within_job(c, "end", (double)c->run->end, e);
}

static double number(const cJSON *o, const char *path)
{
    return json_number(o, path, NAN);
}

static int check_wall(const struct claim *c, struct err *e)
{
    double wall = number(c->doc, "time.wall_seconds");
    double most = c->seen->end - c->seen->begin + DURATION_SECONDS;

    if (wall < 0)
        return err_set(e, "its wall time is %g s", wall);
    if (wall > most)
        return err_set(e, "its wall time is %.1f s, the job had %.1f s", wall, most);
    return 0;
}

/* ---- how much: per workload ---- */

struct share {
    const struct claim *c;
    const cJSON *w;
    const char *name;
    double wall; /* of the record, else of the job; NAN */
    double ranks, threads, nodes;
};

static int each(const struct claim *c, int (*fn)(const struct share *s, struct err *e),
                struct err *e)
{
    const cJSON *list = json_at(c->doc, "workloads"), *w;
    double wall = number(c->doc, "time.wall_seconds");

    if (!isfinite(wall))
        wall = c->seen->end - c->seen->begin + DURATION_SECONDS;
    cJSON_ArrayForEach(w, list)
    {
        struct share s = {c,
                          w,
                          json_text(w, "name", "?"),
                          wall,
                          json_number(w, "ranks", 1),
                          json_number(w, "threads", 1),
                          json_number(c->doc, "system.node_count", 1)};
        double own = number(w, "wall_seconds");
        if (own < 0 || own > wall * ROUNDING + 1)
            return err_set(e, "%.32s took %.1f s of %.1f s", s.name, own, wall);
        if (fn(&s, e) < 0)
            return -1;
    }
    return 0;
}

static int share_ranks(const struct share *s, struct err *e)
{
    int nodes = s->c->seen->nodes[0] ? hostlist_count(s->c->seen->nodes, 1 << 20) : -1;

    if (nodes > 0 && s->ranks > (double)nodes * MOST_RANKS)
        return err_set(e, "%.32s had %.0f ranks on %d nodes", s->name, s->ranks, nodes);
    return 0;
}

static int share_epochs(const struct share *s, struct err *e)
{
    const cJSON *epoch;
    double sum = 0;

    cJSON_ArrayForEach(epoch, json_at(s->w, "epochs"))
    {
        double seconds = json_number(epoch, "seconds", 0);
        if (seconds < 0)
            return err_set(e, "an epoch of %.32s took %g s", s->name, seconds);
        sum += seconds;
    }
    if (sum > s->wall * ROUNDING + 1)
        return err_set(e, "the epochs of %.32s took %.1f s of %.1f s", s->name, sum, s->wall);
    double reached = number(s->w, "performance.time_to_quality_seconds");
    if (reached < 0 || reached > s->wall * ROUNDING + 1)
        return err_set(e, "%.32s reached its target after %.1f s of %.1f s", s->name, reached,
                       s->wall);
    return 0;
}

static int share_phases(const struct share *s, struct err *e)
{
    const cJSON *phase;

    cJSON_ArrayForEach(phase, json_at(s->w, "phases"))
    {
        double most = json_number(phase, "max_seconds", 0);
        if (most < 0 || most > s->wall * ROUNDING + 1)
            return err_set(e, "%.32s spent %.1f s of %.1f s in %.32s", s->name, most, s->wall,
                           phase->string ? phase->string : "?");
    }
    return 0;
}

static int share_flop(const struct share *s, struct err *e)
{
    bool cores = strcmp(json_text(s->w, "engine", ""), "cuda") != 0;
    double n = s->ranks * s->threads;
    double most = cores ? (n < s->nodes * MOST_CORES ? n : s->nodes * MOST_CORES) * CORE_FLOP
                        : s->ranks * RANK_FLOP;
    double rate = number(s->w, "performance.flop_per_second");
    double samples = number(s->w, "performance.samples_per_second");
    double made = samples * number(s->w, "performance.flop_per_sample");

    if (rate < 0 || samples < 0)
        return err_set(e, "%.32s ran at %g FLOP/s, %g samples/s", s->name, rate, samples);
    if (rate > most || made > most)
        return err_set(e, "%.32s ran at %.3g FLOP/s, %.0f ranks of %.0f threads can do %.3g",
                       s->name, rate > most ? rate : made, s->ranks, s->threads, most);
    if (rate > made * 1.1 || rate < made * 0.9)
        return err_set(e, "%.32s ran at %.4g FLOP/s, but its samples make %.4g", s->name, rate,
                       made);
    return 0;
}

static int share_energy(const struct share *s, struct err *e)
{
    double joules = number(s->w, "performance.energy_joules");
    double most = s->nodes * NODE_WATT * (s->wall + DURATION_SECONDS);

    if (joules < 0 || joules > most)
        return err_set(e, "%.32s took %.3g J, %.0f nodes can take %.3g", s->name, joules, s->nodes,
                       most);
    return 0;
}

static int check_ranks(const struct claim *c, struct err *e)
{
    return each(c, share_ranks, e);
}

static int check_epochs(const struct claim *c, struct err *e)
{
    return each(c, share_epochs, e);
}

static int check_phases(const struct claim *c, struct err *e)
{
    return each(c, share_phases, e);
}

static int check_flop(const struct claim *c, struct err *e)
{
    return each(c, share_flop, e);
}

static int check_energy(const struct claim *c, struct err *e)
{
    return each(c, share_energy, e);
}

/* ---- the table ---- */

static const struct check {
    struct check_row row;
    int (*check)(const struct claim *c, struct err *e);
} checks[] = {
    {{"job", "the folder was made by root for one job"}, check_job},
    {{"restart", "a requeued job runs again under its number; 0 may mean that Slurm did not say"},
     check_restart},
    {{"task", "array and het numbers, where Slurm tells root"}, check_task},
    {{"user", "only the job's user could write there"}, check_user},
    {{"id", "the id is made of the numbers above and the step"}, check_id},
    {{"nodes", "a job runs on its own nodes"}, check_nodes},
    {{"clock", "start and end lie in the job, give or take 300 s: Slurm refuses clocks that differ "
               "by more"},
     check_clock},
    {{"wall", "a run is not longer than its job, give or take 10 s"}, check_wall},
    {{"ranks", "no node has more than 4,096 ranks"}, check_ranks},
    {{"epochs", "epochs and the time to the target lie in the run"}, check_epochs},
    {{"phases", "no phase is longer than the run"}, check_phases},
    {{"flop", "no core does more than 12.3 TFLOP/s (AMX at 6 GHz), no accelerator more than 20 "
              "PFLOP/s, and the rate is what its samples make"},
     check_flop},
    {{"energy", "no node takes more than 20 kW"}, check_energy},
};

enum { N_CHECKS = sizeof checks / sizeof *checks };

const struct check_row *check_row(int i)
{
    return i >= 0 && i < N_CHECKS ? &checks[i].row : NULL;
}

int check_one(int i, const struct claim *c, struct err *e)
{
    return checks[i].check(c, e);
}

int check_all(const struct claim *c, struct err *e)
{
    for (int i = 0; i < N_CHECKS; i++)
        if (checks[i].check(c, e) < 0)
            return -1;
    return 0;
}
