/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/validate/act.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "spank/validate/act_write.h"
#include "spank/validate/event.h"

/* ---- the log, as the plan asks it ---- */

struct log_answers {
    struct history *h;
    struct deed *open;
    int n_open;
};

static int log_drain(void *ctx, const char *node, const char *run, struct deed *d, struct err *e)
{
    const struct log_answers *log = ctx;

    return log->h ? deed_newest(log->h, node, "drain", run, d, e) : 0;
}

static bool log_settled(void *ctx, const char *node)
{
    const struct log_answers *log = ctx;

    for (int i = 0; i < log->n_open; i++)
        if (strcmp(log->open[i].node, node) == 0)
            return false;
    return true;
}

static int log_drains(void *ctx, const char *run)
{
    const struct log_answers *log = ctx;

    return log->h ? deed_count(log->h, "drain", run) : 0;
}

enum { OPEN_MOST = 4096 };

static int make_plan(struct act *a, const struct look *l, struct verdict_line **verdicts,
                     struct plan *p, struct err *e)
{
    struct log_answers answers = {.h = a->h, .open = calloc(OPEN_MOST, sizeof(struct deed))};
    const struct plan_log log = {log_drain, log_settled, log_drains, &answers};
    int n = 0, rc = answers.open ? 0 : err_set(e, "no memory for deeds");

    if (rc == 0 && a->h)
        rc = answers.n_open = deed_open(a->h, answers.open, OPEN_MOST, e);
    if (rc >= 0)
        rc = verdicts_read(a->o->verdicts, verdicts, &n, e);
    if (rc == 0)
        rc = plan_make(a->o->reservation, l, *verdicts, n, &log, time(NULL), p, e);
    free(answers.open);
    return rc;
}

/* ---- a pass ---- */

/* The page, when it is not what was printed last. */
static void show(struct act *a, const struct plan *p)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return;
    plan_print(p, time(NULL), f);
    if (!a->o->apply)
        plan_print_commands(p, f);
    if (fclose(f) != 0 || (a->shown && strcmp(a->shown, text) == 0)) {
        free(text);
        return;
    }
    fputs(text, a->out);
    fflush(a->out);
    free(a->shown);
    a->shown = text;
}

static bool is_settled_state(enum state s)
{
    return s == STATE_PASSED || s == STATE_DRAINED || s == STATE_FAILED || s == STATE_RETURNED;
}

/* What a pass leaves: nodes to be measured, and whether all are where they stay. */
static int take_stock(struct act *a, const struct plan *p, struct err *e)
{
    free(a->nodes);
    a->measure = plan_count(p, STATE_DO_TEST) + plan_count(p, STATE_DO_CONFIRM) > 0;
    a->nodes = plan_names(p, STATE_DO_TEST, false);
    char *more = plan_names(p, STATE_DO_CONFIRM, false), *all = NULL;

    a->waits = false;
    for (int i = 0; i < p->n; i++)
        a->waits |=
            !is_settled_state(p->nodes[i].state) || p->nodes[i].unsure || p->nodes[i].capped;
    if (a->nodes && more && *more &&
        asprintf(&all, "%s%s%s", a->nodes, *a->nodes ? "," : "", more) >= 0) {
        free(a->nodes);
        a->nodes = all;
    }
    const int rc = a->nodes && more ? 0 : err_set(e, "no memory for names of nodes");
    free(more);
    return rc;
}

/* With what was seen in l. */
static int act_on(struct act *a, const struct look *l, struct err *e)
{
    struct verdict_line *verdicts = NULL;
    struct plan p = {.nodes = NULL};
    int rc = make_plan(a, l, &verdicts, &p, e);

    if (rc == 0) {
        show(a, &p);
        rc = take_stock(a, &p, e);
    }
    if (rc == 0 && a->o->apply)
        rc = act_carry_out(a, &p, e);
    plan_fini(&p);
    free(verdicts);
    return rc;
}

/* Looks until the events of what was written are known, at most for some seconds. */
static int settle(struct act *a, struct err *e)
{
    const int64_t until = time(NULL) + EVENT_BEGUN_SECONDS + EVENT_SETTLE_SECONDS;
    int unsettled = 0, rc;

    do {
        struct look l;
        struct err why = ERR_INIT;
        if (look_ask(NULL, "", &l, &why) != SLURMCTL_DONE) {
            act_say(a, "the nodes: %s", why.text);
            a->waits = true;
            return 0;
        }
        rc = act_settle(a, &l, &unsettled, e);
        look_fini(&l);
        if (unsettled > 0 && rc == 0 && time(NULL) < until)
            sleep(1);
    } while (rc == 0 && unsettled > 0 && time(NULL) < until && act_renew(a, e) == 0);
    a->waits |= unsettled > 0;
    return rc;
}

enum act_status act_pass(struct act *a, struct err *e)
{
    struct look l;
    int unsettled = 0;
    enum slurmctl_code code = look_ask(a->o->reservation, a->o->nodes, &l, e);

    a->wrote = 0;
    a->measure = false;
    if (code == SLURMCTL_NONE) { /* the reservation is gone: nothing is done */
        act_say(a, "%s: nothing is done", e->text);
        return a->o->apply && settle(a, e) < 0 ? ACT_FAILED : ACT_WAITS;
    }
    if (code != SLURMCTL_DONE)
        return ACT_FAILED;
    int rc = a->o->apply ? act_settle(a, &l, &unsettled, e) : 0;
    if (rc == 0)
        rc = act_on(a, &l, e);
    look_fini(&l);
    if (rc == 0 && (a->wrote > 0 || unsettled > 0) && !a->o->watch)
        rc = settle(a, e);
    return rc < 0 ? ACT_FAILED : a->waits ? ACT_WAITS : ACT_DONE;
}
