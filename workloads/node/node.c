/* SPDX-License-Identifier: BSD-3-Clause */
/* The order of things: facts, numbers on every core, what is measured, ECC. */
#include <config.h>

#include "workloads/node/node.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reports/core/clock.h"
#include "workloads/engine/engine.h"
#include "workloads/node/core.h"
#include "workloads/node/speed.h"
#include "workloads/node/team.h"

/* A core that is twenty times slower than the table says is not hung yet. */
static const double slack = 20, least_patience = 60;

struct machine {
    const struct node_options *o;
    const char *backend;
    unsigned tests;
    int cpus[TEAM_MOST], n_cpus;
};

static void say(const struct machine *m, enum node_test t)
{
    if (m->o->said)
        m->o->said(node_test_word(t));
}

static bool has(const struct machine *m, enum node_test t)
{
    return m->tests & 1U << t;
}

/* "CPU:CALL" or "METRIC:PERCENT" behind this node's name in HPCAI500_NODE_TEST, of a test
 * build: "NODE flip=1:31007" or "NODE slow=memory.triad:25"; NULL. */
static const char *hook_of(const char *node, const char *what, char text[64])
{
#ifdef NODE_TEST_HOOK
    const char *hook = getenv("HPCAI500_NODE_TEST");
    char name[256], word[16];

    if (hook && sscanf(hook, "%255s %15[^=]=%63s", name, word, text) == 3 &&
        strcmp(name, node) == 0 && strcmp(word, what) == 0)
        return text;
#endif
    (void)node, (void)what, (void)text;
    return NULL;
}

static int check_numbers(const struct machine *m, struct node_result *r, struct err *e)
{
    size_t bytes = (size_t)m->n_cpus * sizeof(struct core_found);
    enum node_profile p = m->o->profile;
    double seconds =
        node_test_seconds(NODE_TEST_correct, p) + node_test_seconds(NODE_TEST_replica, p);
    int *ends = calloc((size_t)m->n_cpus, sizeof *ends), rc = -1;
    char hook[64];
    struct core_task t = {.backend = m->backend,
                          .seconds = slack * fmax(1, node_test_seconds(NODE_TEST_correct, p)),
                          .seed = m->o->seed,
                          .cpus = m->cpus,
                          .found = team_memory(bytes),
                          .hook = hook_of(r->node, "flip", hook)};

    if (has(m, NODE_TEST_correct))
        t.calls = m->o->calls ? m->o->calls : node_calls(p);
    if (has(m, NODE_TEST_replica)) /* some 50 operator calls a step */
        t.steps = node_calls(p) * 3 / 80;
    if (!ends || !t.found)
        err_set(e, "out of memory for %d cores", m->n_cpus);
    else if (team_run(m->n_cpus, m->cpus, fmax(least_patience, 2 * slack * seconds), core_work, &t,
                      ends, e) == 0) {
        core_compare(t.found, m->cpus, ends, m->n_cpus, r);
        rc = 0;
    }
    team_free(t.found, bytes);
    free(ends);
    return rc;
}

static int measure(const struct machine *m, struct node_result *r, struct err *e)
{
    char hook[64];
    struct speed_task t = {.o = m->o,
                           .tests = m->tests & speed_tests(),
                           .backend = m->backend,
                           .cpus = m->cpus,
                           .n_cpus = m->n_cpus,
                           .hook = hook_of(r->node, "slow", hook),
                           .found = team_memory(sizeof *t.found)};
    int end = TEAM_FAILED;

    if (!t.found)
        return err_set(e, "out of memory for the samples");
    int rc = team_run(1, NULL, speed_patience(&t), speed_work, &t, &end, e);
    if (rc == 0)
        speed_summarise(&t, end, r);
    team_free(t.found, sizeof *t.found);
    return rc;
}

/* What the kernel counted while the node worked. */
static void count_ecc(const struct node_ecc *before, const char *root, struct node_result *r)
{
    struct node_ecc after = node_ecc_read(root);

    r->corrected = r->uncorrected = -1;
    if (before->corrected < 0 || after.corrected < 0)
        return;
    r->corrected = after.corrected - before->corrected;
    r->uncorrected = after.uncorrected - before->uncorrected;
    if (r->uncorrected > 0)
        node_fault(r, "ecc", "%ld uncorrected errors of memory%s%s", r->uncorrected,
                   *after.where ? ", " : "", after.where);
}

int node_measure(const struct node_options *o, struct node_result *r, struct err *e)
{
    struct machine m = {.o = o, .backend = engine_backend_name(0)};
    double begin = clock_now();
    int rc = 0;

    memset(r, 0, sizeof *r);
    for (int i = 0; i < NODE_METRICS; i++)
        r->values[i] = (struct node_value){NAN, NAN, 0};
    m.n_cpus = team_cpus(m.cpus, TEAM_MOST);
    m.tests = o->only ? o->only : node_choose_by(o->profile, o->budget_seconds, o->priors, NULL);
    snprintf(r->profile, sizeof r->profile, "%s", node_profile_word(o->profile));
    say(&m, NODE_TEST_inventory);
    node_facts(o, m.backend, r);
    struct node_ecc before = node_ecc_read(o->root);
    if (has(&m, NODE_TEST_correct) || has(&m, NODE_TEST_replica)) {
        say(&m, NODE_TEST_correct);
        rc = check_numbers(&m, r, e);
    }
    if (rc == 0 && m.tests & speed_tests()) {
        say(&m, NODE_TEST_clock);
        rc = measure(&m, r, e);
    }
    count_ecc(&before, o->root, r);
    r->seconds = round(10 * (clock_now() - begin)) / 10;
    r->time = (long)(clock_real() / 1000000000);
    return rc;
}
