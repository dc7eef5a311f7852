/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "spank/validate/plan.h"
#include "tests/spank/validate/thousand.h"

static int no_drain(void *ctx, const char *node, const char *run, struct deed *d, struct err *e)
{
    (void)ctx, (void)node, (void)run, (void)d, (void)e;
    return 0;
}

static bool all_settled(void *ctx, const char *node)
{
    (void)ctx, (void)node;
    return true;
}

static int none_drained(void *ctx, const char *run)
{
    (void)ctx, (void)run;
    return 0;
}

int thousand_plan(const char *const *names, int n, const char *verdicts, long boot, long newest,
                  char note[96], struct err *e)
{
    const struct plan_log log = {no_drain, all_settled, none_drained, NULL};
    struct look l = {.time = newest + 60, .maintenance = true, .n = n};
    struct verdict_line *v = NULL;
    struct plan p = {.nodes = NULL};
    int n_verdicts, rc;

    l.nodes = calloc((size_t)n, sizeof *l.nodes);
    if (!l.nodes)
        return err_set(e, "out of memory for %d nodes", n);
    for (int i = 0; i < n; i++) {
        snprintf(l.nodes[i].node.name, sizeof l.nodes[i].node.name, "%s", names[i]);
        l.nodes[i].node.flags = NODE_HAS_IDLE;
        l.nodes[i].node.boot_time = boot - 3600;
        l.nodes[i].member = true;
    }
    rc = verdicts_read(verdicts, &v, &n_verdicts, e);
    if (rc == 0)
        rc = plan_make("maint", &l, v, n_verdicts, &log, l.time, &p, e);
    if (rc == 0)
        snprintf(note, 96, "%d of %d nodes leave, by %d verdicts", plan_count(&p, STATE_DO_LEAVE),
                 n, n_verdicts);
    plan_fini(&p);
    free(v);
    free(l.nodes);
    return rc;
}
