/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/plan.h"

#include "agent/micro/bench.h"

#include <math.h>
#include <string.h>

enum { TEXT = 32 };

const char *plan_bytes(char *buf, double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t u = 0;

    for (; bytes >= 1024 && u + 1 < sizeof units / sizeof units[0]; u++)
        bytes /= 1024;
    snprintf(buf, TEXT, u ? "%.1f %s" : "%.0f %s", bytes, units[u]);
    return buf;
}

const char *plan_seconds(char *buf, double seconds)
{
    long s = seconds < 1e9 ? lround(seconds) : 1000000000L;

    if (seconds < 10)
        snprintf(buf, TEXT, "%.1f s", seconds);
    else if (s < 60)
        snprintf(buf, TEXT, "%ld s", s);
    else if (s < 3600)
        snprintf(buf, TEXT, "%ld min %02ld s", s / 60, s % 60);
    else
        snprintf(buf, TEXT, "%ld h %02ld min", s / 3600, s % 3600 / 60);
    return buf;
}

/* Why a class cannot be taken by class=auto; NULL: it can. */
static const char *unfit(const struct workload_plan *p, const struct workload_host *host,
                         double seconds)
{
    if (host->memory_bytes && p->arena_bytes > host->memory_bytes)
        return "does not fit the memory of a rank";
    if (p->class == CLASS_STANDARD && !p->data_ready)
        return "has no data, and they are never made silently";
    if (p->expected_seconds > seconds)
        return "takes longer than the time allows";
    return NULL;
}

/* One class, agreed: the ranks' plans may differ in what files they see. */
static int plan_class(struct workload_plan *p, const struct runspec *spec, int index,
                      enum runspec_class class, const struct workload_host *host, double rate,
                      struct err *e)
{
    const struct workload *w = workload_of(spec->workloads[index]);
    double ready;

    int rc = runspec_workload(spec->workloads[index])->ceiling
                 ? bench_plan(spec, index, class, host, p, e)
             : w ? w->plan(w, spec, index, class, host, rate, p, e)
                 : err_set(e, "this agent was built without the workload %s",
                           runspec_workload(spec->workloads[index])->name);
    if (comm_agree(host->comm, rc, e) < 0)
        return -1;
    ready = p->data_ready;
    double numbers[2] = {-p->expected_seconds, ready};
    if (host->comm->reduce(host->comm, numbers, 2, COMM_MIN, e) < 0)
        return -1;
    p->expected_seconds = -numbers[0];
    p->data_ready = numbers[1] > 0;
    return 0;
}

static int plan_auto(struct workload_plan *p, const struct runspec *spec, int index,
                     const struct workload_host *host, double rate, double seconds, struct err *e)
{
    struct err why = ERR_INIT;

    for (int class = CLASS_COUNT - 1; class > CLASS_AUTO; class --) {
        if (plan_class(p, spec, index, (enum runspec_class) class, host, rate, &why) < 0)
            continue;
        const char *reason = unfit(p, host, seconds);
        /* Too slow even so: the smallest is what there is, cut by time. */
        if (!reason || (class == CLASS_AUTO + 1 && p->expected_seconds > seconds))
            return 0;
        err_set(&why, "%s class %s %s", runspec_workload(spec->workloads[index])->name,
                runspec_class_name((enum runspec_class) class), reason);
    }
    return err_set(e, "no class can be run: %s", why.text);
}

static const char *name_of(const struct runspec *spec, int i)
{
    return runspec_workload(spec->workloads[i])->name;
}

/* What cannot be run, whatever the time. */
static int check(const struct workload_plan *p, const char *name, const struct workload_host *host,
                 const struct resources *r, struct err *e)
{
    char need[TEXT], have[TEXT];

    if (host->memory_bytes && p->arena_bytes > host->memory_bytes)
        return err_set(e,
                       "%s class %s needs %s per rank, and a rank may use %s (%s): take a smaller "
                       "class or batch, fewer ranks per node, or ask for more memory",
                       name, runspec_class_name(p->class), plan_bytes(need, (double)p->arena_bytes),
                       plan_bytes(have, (double)host->memory_bytes), r->memory_source);
    if (p->train_samples && p->batch > 0 && (uint64_t)p->batch > p->train_samples)
        return err_set(e, "batch=%ld is more than the %llu samples that %s class %s trains on",
                       p->batch, (unsigned long long)p->train_samples, name,
                       runspec_class_name(p->class));
    return 0;
}

int plan_make(struct run_plan *plan, const struct runspec *spec, const struct workload_host *host,
              const struct resources *r, double seconds, struct err *e)
{
    double flop_per_second = r->flop_per_second;

    memset(plan, 0, sizeof *plan);
    for (int i = 0; i < spec->n_workloads; i++) {
        struct workload_plan *p = &plan->of[i];
        int rc = 0;
        if (runspec_repeat(spec, i)) /* as its first run */
            *p = plan->of[i - 1];
        else
            rc = spec->class == CLASS_AUTO
                     ? plan_auto(p, spec, i, host, flop_per_second,
                                 (seconds - plan->expected_seconds) / (spec->n_workloads - i), e)
                     : plan_class(p, spec, i, spec->class, host, flop_per_second, e);
        if (rc < 0 || comm_agree(host->comm, check(p, name_of(spec, i), host, r, e), e) < 0)
            return -1;
        plan->n++;
        plan->expected_seconds += p->expected_seconds;
    }
    return 0;
}

double plan_share(const struct run_plan *plan, int i, double left)
{
    double sum = 0, all = 0;

    for (int k = i; k < plan->n; k++)
        sum += plan->of[k].expected_seconds;
    double least = sum > 0 ? 0.1 * sum / (plan->n - i) : 1;
    for (int k = i; k < plan->n; k++)
        all += fmax(plan->of[k].expected_seconds, least);
    return left * fmax(plan->of[i].expected_seconds, least) / all;
}

bool plan_too_long(const struct run_plan *plan, const struct runspec *spec, char *text, size_t size)
{
    char a[TEXT], b[TEXT];

    if (plan->expected_seconds <= spec->time_seconds)
        return false;
    snprintf(text, size,
             "the last epoch is expected after %s, and time= ends the run after %s: give "
             "time=%.0fm or more, or a smaller class",
             plan_seconds(a, plan->expected_seconds), plan_seconds(b, spec->time_seconds),
             ceil(plan->expected_seconds / 60));
    return true;
}

void plan_choice(const struct run_plan *plan, const struct runspec *spec, char *text, size_t size)
{
    size_t at = 0;

    text[0] = '\0';
    for (int i = 0; i < plan->n && spec->class == CLASS_AUTO && at < size; i++)
        if (runspec_repeat(spec, i) == 0)
            at += (size_t)snprintf(text + at, size - at, "%s%s for %s",
                                   at ? ", " : "class=auto takes ",
                                   runspec_class_name(plan->of[i].class), name_of(spec, i));
}

/* "40 min 00 s for the run, the default of component; ..." */
static void print_time(FILE *f, const struct run_plan *plan, const struct runspec *spec)
{
    char a[TEXT];

    fprintf(f, "time      %s for the run", plan_seconds(a, spec->time_seconds));
    if (!(spec->set & 1u << KEY_TIME))
        fprintf(f, ", the default%s%s", spec->suite[0] ? " of " : "", spec->suite);
    if (plan->n > 1)
        fprintf(f, "; what a workload leaves of its share is those' after it");
    fprintf(f, "\n");
}

void plan_print(FILE *f, const struct run_plan *plan, const struct runspec *spec,
                const struct workload_host *host, const struct resources *r, int nodes,
                const char *record)
{
    char text[2 * RUNSPEC_MAX_BYTES + 1], a[TEXT], b[TEXT];
    double left = spec->time_seconds;

    runspec_format(spec, text, sizeof text);
    fprintf(f, "run       %s\n", text);
    fprintf(f, "ranks     %d on %d node%s, %d thread%s each, about %.1f GFLOP/s each\n",
            host->comm->size, nodes, nodes == 1 ? "" : "s", host->threads,
            host->threads == 1 ? "" : "s", r->flop_per_second / 1e9);
    print_time(f, plan, spec);
    for (int i = 0; i < plan->n; i++) {
        const struct workload_plan *p = &plan->of[i];
        fprintf(f, "workload  %s", name_of(spec, i));
        if (spec->runs > 1 && !runspec_workload(spec->workloads[i])->ceiling)
            fprintf(f, ", run %d of %d with seed %llu", 1 + runspec_repeat(spec, i), spec->runs,
                    (unsigned long long)runspec_seed(spec, i));
        fprintf(f, ", class %s%s: %s\n", runspec_class_name(p->class),
                spec->class == CLASS_AUTO ? " (chosen by auto)" : "", p->title);
        if (runspec_workload(spec->workloads[i])->ceiling) {
            fprintf(f, "  memory  %s per rank\n  time    %s expected\n",
                    plan_bytes(a, (double)p->arena_bytes), plan_seconds(b, p->expected_seconds));
            continue;
        }
        fprintf(f, "  train   %llu parameters, %llu + %llu samples, batch %ld, %d epochs at most\n",
                (unsigned long long)p->parameters, (unsigned long long)p->train_samples,
                (unsigned long long)p->eval_samples, p->batch, p->epochs);
        fprintf(f, "  target  %g\n", p->target);
        fprintf(f, "  memory  %s per rank, of %s%s%s%s\n", plan_bytes(a, (double)p->arena_bytes),
                host->memory_bytes ? plan_bytes(b, (double)host->memory_bytes) : "unknown",
                r->memory_source[0] ? " (" : "", r->memory_source, r->memory_source[0] ? ")" : "");
        fprintf(f, "  data    %s (%s%s)\n", p->data_path, plan_bytes(a, (double)p->data_bytes),
                p->data_ready ? ", ready" : ", not made yet");
        const double share = plan_share(plan, i, left);
        fprintf(f, "  time    %s expected to the last epoch; its share is %s\n",
                plan_seconds(a, p->expected_seconds), plan_seconds(b, share));
        left -= share;
    }
    double most = spec->time_seconds;
    double cost = plan->expected_seconds < most ? plan->expected_seconds : most;
    fprintf(f, "cost      %.3g node-hours expected, %.3g at most\n", cost / 3600 * nodes,
            runspec_node_hours(spec, (unsigned)nodes));
    fprintf(f, "record    %s\n", record);
}
