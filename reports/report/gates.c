/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/report/gates.h"

#include <math.h>
#include <string.h>

#include "reports/record/fields.h"
#include "reports/report/split.h"

#define CPU_ENOUGH 0.75 /* of a processor, for each thread */

static struct gate *add(struct gates *g, enum word what, enum gate_state state, enum word why)
{
    struct gate *at = &g->gate[g->n++];

    *at = (struct gate){.what = what, .state = state, .why = why, .args = {N(NAN), N(NAN)}};
    g->passed += state == GATE_PASS;
    g->notes += state == GATE_NOTE;
    g->failed += state == GATE_FAIL;
    return at;
}

static void add_step(struct gate *at, enum word todo)
{
    at->free_step = true;
    at->todo = todo;
}

double training_cpu(const cJSON *w)
{
    const cJSON *counters = json_at(w, "counters");
    double seconds = json_number(counters, "cpu_user_seconds.total", NAN);
    double ranks = json_number(counters, "cpu_user_seconds.ranks.counted", NAN);

    seconds += json_number(counters, "cpu_system_seconds.total", NAN);
    return seconds / (ranks * json_number(w, "threads", NAN) * json_number(w, "wall_seconds", NAN));
}

/* ---- of the records ---- */

static void valid(const struct book *b, struct gates *g)
{
    int n;
    const char *why = book_invalid(b, &n);

    if (why)
        add(g, W_GATE_VALID, GATE_FAIL, W_BY_REASON)->args[0] = T(why);
    else
        add(g, W_GATE_VALID, GATE_PASS, W_BY_RECORDS)->args[0] = N(b->n);
}

static void exclusive(const struct book *b, struct gates *g)
{
    int alone = 0, shared = 0;

    for (int i = 0; i < b->n; i++) {
        const cJSON *said = json_at(b->records[i], "job.exclusive");
        alone += cJSON_IsTrue(said);
        shared += cJSON_IsFalse(said);
    }
    if (shared)
        add_step(add(g, W_GATE_EXCLUSIVE, GATE_NOTE, W_BY_SHARED), W_TODO_EXCLUSIVE);
    else
        add(g, W_GATE_EXCLUSIVE, alone == b->n ? GATE_PASS : GATE_NOTE,
            alone == b->n ? W_BY_SLURM : W_BY_UNKNOWN);
}

static void builds(const struct book *b, struct gates *g)
{
    const char *first = NULL;
    bool same = true, all = true;
    const cJSON *node;

    for (int i = 0; i < b->n; i++)
        cJSON_ArrayForEach(node, json_at(b->records[i], "system.nodes"))
        {
            const char *id = json_text(node, "build_id", "");
            all = all && *id;
            if (!*id) /* a node that did not say is not another build */
                continue;
            first = first ? first : id;
            same = same && strcmp(first, id) == 0;
        }
    add(g, W_GATE_BUILD,
        !same          ? GATE_FAIL
        : first && all ? GATE_PASS
                       : GATE_NOTE,
        !same          ? W_BY_BUILDS
        : first && all ? W_BY_BUILD
                       : W_BY_UNKNOWN)
        ->args[0] = T(first ? first : "");
}

static void micro(const struct book *b, struct gates *g)
{
    int rows = 0, checked = 0;
    const cJSON *m;

    for (int i = 0; i < b->n; i++)
        cJSON_ArrayForEach(m, json_at(b->records[i], "micro"))
        {
            if (strcmp(json_text(m, "status", ""), "SKIPPED") == 0)
                continue;
            rows++;
            checked += cJSON_IsTrue(json_at(m, "checked"));
        }
    struct gate *at = add(g, W_GATE_MICRO,
                          rows == 0         ? GATE_NOTE
                          : checked == rows ? GATE_PASS
                                            : GATE_FAIL,
                          rows == 0 ? W_BY_NO_MICRO : W_BY_OF);
    at->args[0] = N(checked);
    at->args[1] = N(rows);
}

/* ---- of the trainings ---- */

static void target(const struct book *b, struct gates *g)
{
    int reached = 0;

    for (int i = 0; i < b->n_groups; i++)
        reached += training_reached(group_reported(&b->groups[i])->workload);
    struct gate *at =
        add(g, W_GATE_TARGET, reached == b->n_groups ? GATE_PASS : GATE_FAIL, W_BY_OF);
    at->args[0] = N(reached);
    at->args[1] = N(b->n_groups);
}

/* Better than the field's own method; not known: neither. */
static int beats_field(const cJSON *w)
{
    double field = json_number(w, "quality.baseline_domain.value", NAN);
    double achieved = json_number(w, "quality.achieved", NAN);

    if (!isfinite(field) || !isfinite(achieved))
        return -1;
    return cJSON_IsTrue(json_at(w, "quality.higher_is_better")) ? achieved > field
                                                                : achieved < field;
}

static void field(const struct book *b, struct gates *g)
{
    int better = 0, known = 0;

    for (int i = 0; i < b->n_groups; i++) {
        int says = beats_field(group_reported(&b->groups[i])->workload);
        known += says >= 0;
        better += says == 1;
    }
    struct gate *at =
        add(g, W_GATE_FIELD, better == b->n_groups && known ? GATE_PASS : GATE_NOTE, W_BY_OF);
    at->args[0] = N(better);
    at->args[1] = N(b->n_groups);
}

static void reference(const struct book *b, struct gates *g)
{
    int known = 0, too_few = 0;

    for (int i = 0; i < b->n_groups; i++) {
        const cJSON *w = group_reported(&b->groups[i])->workload;
        double least = json_number(w, "quality.rcp.min_epochs", NAN);
        double epochs = json_number(w, "quality.epochs_to_target", NAN);
        if (!(json_number(w, "quality.rcp.seeds", 0) > 0) || !isfinite(epochs))
            continue;
        known++;
        too_few += epochs < least;
    }
    struct gate *at = add(g, W_GATE_REFERENCE,
                          too_few                               ? GATE_FAIL
                          : known == b->n_groups && b->n_groups ? GATE_PASS
                                                                : GATE_NOTE,
                          W_BY_OF);
    at->args[0] = N(known - too_few);
    at->args[1] = N(b->n_groups);
}

static void sums(const struct book *b, struct gates *g)
{
    double worst = 0;
    int known = 0;

    for (int i = 0; i < b->n_groups; i++) {
        double error =
            fabs(json_number(group_reported(&b->groups[i])->workload, "phase_sum_error", NAN));
        known += isfinite(error);
        worst = fmax(worst, error); /* of what is known */
    }
    add(g, W_GATE_SUMS,
        worst > SPLIT_MISS     ? GATE_FAIL
        : known == b->n_groups ? GATE_PASS
                               : GATE_NOTE,
        known ? W_BY_PERCENT : W_BY_UNKNOWN)
        ->args[0] = N(100 * worst);
}

static void processors(const struct book *b, struct gates *g)
{
    double least = INFINITY;
    int counted = 0;

    for (int i = 0; i < b->n_groups; i++) {
        double cpu = training_cpu(group_reported(&b->groups[i])->workload);
        counted += isfinite(cpu);
        least = fmin(least, cpu); /* of what is known */
    }
    bool known = isfinite(least), all = counted == b->n_groups;
    struct gate *at = add(g, W_GATE_CPU, all && least >= CPU_ENOUGH ? GATE_PASS : GATE_NOTE,
                          known ? W_BY_CPU : W_BY_UNKNOWN);
    at->args[0] = N(100 * least);
    if (known && least < CPU_ENOUGH)
        add_step(at, W_TODO_CPU);
}

static void repeated(const struct book *b, struct gates *g)
{
    int least = BOOK_MOST_RECORDS;

    for (int i = 0; i < b->n_groups; i++)
        least = b->groups[i].n < least ? b->groups[i].n : least;
    struct gate *at =
        add(g, W_GATE_REPEATS, least >= REPEATS_ENOUGH ? GATE_PASS : GATE_NOTE, W_BY_RUNS);
    at->args[0] = N(least);
    if (least < REPEATS_ENOUGH)
        add_step(at, W_TODO_REPEAT);
}

static void own_data(const struct book *b, struct gates *g)
{
    bool all = true;

    for (int i = 0; i < b->n_groups; i++)
        all = all && strcmp(json_text(group_reported(&b->groups[i])->workload, "data_origin", ""),
                            "private") == 0;
    add(g, W_GATE_OWN_DATA, all ? GATE_PASS : GATE_NOTE, all ? W_BY_PRIVATE : W_BY_GENERATED);
}

const struct gate *gate_find(const struct gates *g, enum word what)
{
    for (int i = 0; i < g->n; i++)
        if (g->gate[i].what == what)
            return &g->gate[i];
    return NULL;
}

void gates_of(const struct book *b, struct gates *g)
{
    *g = (struct gates){.n = 0};
    valid(b, g);
    builds(b, g);
    exclusive(b, g);
    micro(b, g);
    if (b->n_groups == 0)
        return;
    target(b, g);
    reference(b, g);
    field(b, g);
    sums(b, g);
    processors(b, g);
    repeated(b, g);
    own_data(b, g);
}
