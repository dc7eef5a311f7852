/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/collect/collect_check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/result.h"
#include "reports/core/runspec.h"
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

/* Where root did not read what its node can do. Per core and second: 2,048
 * FLOP a cycle (AMX, bf16) at 6 GHz. Per rank with an accelerator: 20 PFLOP/s.
 * Both above all that is sold. */
#define CORE_FLOP 12.3e12
#define RANK_FLOP 20e15
#define NODE_WATT 20e3

/* Least time of a run, from srun to the record: what claims less was not run. */
#define LEAST_SECONDS 0.1
/* Runs of a job at the same time on the same processors, by --overlap. */
#define OVERLAP 4.0
/* Speed is over the epochs after the first, an epoch's seconds are the slowest
 * rank's. */
#define SPEED_SLACK 2.0

/* ---- whose ---- */

static int check_job(const struct claim *c, struct err *e)
{
    const struct history_run *r = c->run;

    if (r->local_id[0])
        return err_set(e, "it says that it ran without Slurm, but was in the folder of job %ld",
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
            return err_set(e, "node '%.64s' is not one of the job's, %.200s", c->run->nodes[i],
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

/* Infinite when root's list was too long for a witness. */
static double job_node_count(const struct witness *w)
{
    int n = hostlist_count(w->nodes, 1 << 20);

    return n > 0 ? n : (double)INFINITY;
}

static int share_ranks(const struct share *s, struct err *e)
{
    double nodes = job_node_count(s->c->seen);

    if (s->ranks > nodes * MOST_RANKS)
        return err_set(e, "%.32s had %.0f ranks on %.0f node%s", s->name, s->ranks, nodes,
                       nodes == 1 ? "" : "s");
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

/* What the run's nodes can do, FLOP/s: by root's word on its node where there
 * is one, the others of a job being taken for like it. */
static double most_flop(const struct share *s)
{
    double n = s->ranks * s->threads, job = job_node_count(s->c->seen);
    double nodes = s->nodes < job ? s->nodes : job;
    bool bf16 = strcmp(json_text(s->w, "dtype", ""), "bf16") == 0;
    double node = bf16 ? s->c->seen->flop_bf16 : s->c->seen->flop_f32;

    if (strcmp(json_text(s->w, "engine", ""), "cuda") == 0)
        return s->ranks * RANK_FLOP;
    if (isfinite(node))
        return nodes * node;
    return (n < nodes * MOST_CORES ? n : nodes * MOST_CORES) * CORE_FLOP;
}

/* The speed against what the epochs show: none was faster. */
static int share_speed(const struct share *s, struct err *e)
{
    double samples = json_number(s->w, "data.train_samples", NAN), fastest = 0;
    double speed = number(s->w, "performance.samples_per_second");
    const cJSON *epoch;

    cJSON_ArrayForEach(epoch, json_at(s->w, "epochs"))
    {
        double seconds = json_number(epoch, "seconds", NAN);
        if (seconds > 0 && samples / seconds > fastest)
            fastest = samples / seconds;
    }
    if (fastest > 0 && speed > fastest * SPEED_SLACK)
        return err_set(e, "%.32s ran at %.4g samples/s, but its fastest epoch at %.4g", s->name,
                       speed, fastest);
    return 0;
}

static int share_flop(const struct share *s, struct err *e)
{
    double most = most_flop(s);
    double rate = number(s->w, "performance.flop_per_second");
    double samples = number(s->w, "performance.samples_per_second");
    double made = samples * number(s->w, "performance.flop_per_sample");

    if (rate < 0 || samples < 0)
        return err_set(e, "%.32s ran at %g FLOP/s, %g samples/s", s->name, rate, samples);
    if (rate > most || made > most)
        return err_set(e, "%.32s ran at %.3g FLOP/s, its nodes can do %.3g", s->name,
                       rate > most ? rate : made, most);
    if (rate > made * 1.1 || rate < made * 0.9)
        return err_set(e, "%.32s ran at %.4g FLOP/s, but its samples make %.4g", s->name, rate,
                       made);
    return 0;
}

/* ---- how well ---- */

/* A test may put another table in its place. */
#ifndef REFERENCES
#define REFERENCES "reports/core/references.def"
#endif

/* Of data that are somebody's own nothing is known but that they are not without
 * error: so much of what lies between the target and perfect is left. */
#define OTHERS_LEFT 0.05

static const struct reference {
    const char *workload, *class, *metric;
    double target, best;
} references[] = {
#define REFERENCE(workload, class, metric, target, best) {#workload, #class, #metric, target, best},
#include REFERENCES
};

static const struct reference *reference_of(const struct share *s)
{
    const char *class = json_text(s->w, "class", "");

    for (size_t i = 0; i < sizeof references / sizeof *references; i++)
        if (strcmp(references[i].workload, s->name) == 0 && strcmp(references[i].class, class) == 0)
            return &references[i];
    return NULL;
}

/* A value that its metric can have, by metrics.def; of a metric that is not there
 * nothing is known. */
static int in_range(const struct share *s, const char *name, double value, const cJSON *higher,
                    struct err *e)
{
    const struct result_metric *m = metric_of(metric_find(name));

    if (!m)
        return 0;
    if (cJSON_IsBool(higher) && cJSON_IsTrue(higher) != m->higher_is_better)
        return err_set(e, "%.32s says that a %s %.32s is better", s->name,
                       m->higher_is_better ? "lower" : "higher", name);
    if (value < 0 || value > m->most)
        return err_set(e, "%.32s says %.32s %g, which goes from 0 to %g", s->name, name, value,
                       m->most);
    return 0;
}

static int share_others(const struct share *s, struct err *e)
{
    const cJSON *q, *list = json_at(s->w, "quality.others");

    if (cJSON_GetArraySize(list) > RESULT_MAX_OTHERS)
        return err_set(e, "%.32s has %d qualities beside its own, and %d is the most", s->name,
                       cJSON_GetArraySize(list), RESULT_MAX_OTHERS);
    cJSON_ArrayForEach(q, list)
    {
        const char *name = json_text(q, "name", "");
        if (in_range(s, name, number(q, "value"), json_at(q, "higher_is_better"), e) < 0)
            return -1;
    }
    return 0;
}

/* Against the class's reference: by its metric, and not beyond its best. */
static int is_plausible(const struct share *s, const char *metric, double achieved, struct err *e)
{
    const struct reference *r = reference_of(s);
    bool generated = strcmp(json_text(s->w, "data_origin", ""), "generated") == 0;

    if (!r || !isfinite(achieved))
        return 0;
    if (strcmp(metric, r->metric) != 0)
        return err_set(e, "%.32s %.16s is judged by %s, not by '%.32s'", s->name, r->class,
                       r->metric, metric);
    const bool higher = metric_of(metric_find(metric))->higher_is_better;
    const double perfect = higher ? 1 : 0;
    const double best = generated ? r->best : perfect + (r->target - perfect) * OTHERS_LEFT;
    if (higher ? achieved > best : achieved < best)
        return err_set(e, "%.32s %.16s says %s %.3g; better than %.3g is not plausible", s->name,
                       r->class, metric, achieved, best);
    return 0;
}

static int share_quality(const struct share *s, struct err *e)
{
    const char *metric = json_text(s->w, "quality.metric", "");
    double achieved = number(s->w, "quality.achieved");

    if (in_range(s, metric, achieved, json_at(s->w, "quality.higher_is_better"), e) < 0 ||
        share_others(s, e) < 0)
        return -1;
    return is_plausible(s, metric, achieved, e);
}

static int share_names(const struct share *s, struct err *e)
{
    const char *engine = json_text(s->w, "engine", "");

    if (runspec_find(s->name) < 0)
        return err_set(e, "'%.32s' is not a workload of this release", s->name);
    for (int i = 0; i < ENGINE_COUNT; i++)
        if (strcmp(runspec_engine_name((enum runspec_engine)i), engine) == 0)
            return 0;
    return *engine ? err_set(e, "%.32s: '%.16s' is not an engine of this release", s->name, engine)
                   : 0;
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

static int check_speed(const struct claim *c, struct err *e)
{
    return each(c, share_speed, e);
}

static int check_quality(const struct claim *c, struct err *e)
{
    return each(c, share_quality, e);
}

static int check_names(const struct claim *c, struct err *e)
{
    const cJSON *row;

    cJSON_ArrayForEach(row, json_at(c->doc, "micro"))
    {
        const char *name = json_text(row, "name", "");
        if (runspec_find(name) < 0)
            return err_set(e, "'%.32s' is not a benchmark of this release", name);
    }
    return each(c, share_names, e);
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
    {{"names", "workloads and engines are of this release's tables"}, check_names},
    {{"flop", "no node does more FLOP/s than its processors' flags allow at 6.5 GHz, and the rate "
              "is what its samples make"},
     check_flop},
    {{"speed", "no run is twice as fast as its own fastest epoch"}, check_speed},
    {{"quality",
      "no quality is outside of what its metric can be, and no result is better than its "
      "class's best (of others' data: nineteen twentieths from its target to perfect)"},
     check_quality},
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

/* ---- all runs of a job ---- */

/* Processors of all nodes of the job. */
static double job_cores(const struct witness *w)
{
    return job_node_count(w) * (isfinite(w->cpus) ? w->cpus : MOST_CORES);
}

static double run_cores(const struct claim *c)
{
    double most = json_number(c->doc, "system.node_count", 1) *
                  (isfinite(c->seen->cpus) ? c->seen->cpus : MOST_CORES);
    const cJSON *w;
    double cores = 1;

    cJSON_ArrayForEach(w, json_at(c->doc, "workloads"))
    {
        double n = json_number(w, "ranks", 1) * json_number(w, "threads", 1);
        cores = n > cores ? n : cores;
    }
    return cores < most ? cores : most;
}

int check_sum(const struct claim *c, double *spent, struct err *e)
{
    double wall = number(c->doc, "time.wall_seconds");
    double job = c->seen->end - c->seen->begin + DURATION_SECONDS;
    double most = OVERLAP * job * job_cores(c->seen);
    double own = (wall > LEAST_SECONDS ? wall : LEAST_SECONDS) * run_cores(c);

    if (*spent + own > most)
        return err_set(e, "the runs of its job took %.1f core-seconds, its job had %.1f",
                       *spent + own, most);
    *spent += own;
    return 0;
}

int check_all(const struct claim *c, struct err *e)
{
    for (int i = 0; i < N_CHECKS; i++)
        if (checks[i].check(c, e) < 0)
            return -1;
    return 0;
}
