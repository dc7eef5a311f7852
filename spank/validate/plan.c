/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/validate/plan.h"

#include <stdlib.h>
#include <string.h>

/* ---- verdicts ---- */

static bool is_undecided(enum verdict v)
{
    return v == VERDICT_SUSPECT || v == VERDICT_INCONCLUSIVE || v == VERDICT_UNKNOWN ||
           v == VERDICT_SYSTEM;
}

/* Undecided verdicts on the node since it booted. */
static int tries_of(const struct verdict_line *v, int n, const char *node, int64_t boot)
{
    int tries = 0;

    for (int i = 0; i < n; i++)
        tries +=
            v[i].time > boot && strcmp(v[i].node, node) == 0 && is_undecided(verdict_of(&v[i]));
    return tries;
}

static struct state_verdict verdict_state(const struct plan_node *p, const struct verdict_line *all,
                                          int n)
{
    if (!p->verdict)
        return (struct state_verdict){.there = false};
    return (struct state_verdict){
        .there = true,
        .verdict = verdict_of(p->verdict),
        .gated = p->verdict->gated,
        .carried_out = p->carried,
        .time = p->verdict->time,
        .tries = tries_of(all, n, p->seen->node.name, p->seen->node.boot_time)};
}

void plan_reason(const struct verdict_line *v, char reason[PLAN_REASON_MOST + 1])
{
    char end[32];

    snprintf(end, sizeof end, " (job %ld)", v->job);
    const int room = PLAN_REASON_MOST - (int)strlen(end) - (int)sizeof NODE_REASON_OURS - 1;
    snprintf(reason, PLAN_REASON_MOST + 1, NODE_REASON_OURS ": %.*s", room,
             v->reason[0] ? v->reason : v->word);
    for (char *c = reason; *c; c++)
        if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e || strchr("\\\"'=", *c))
            *c = '?';
    strcat(reason, end);
}

/* ---- the plan ---- */

/* What is done about a node that is in service, and in no reservation. */
static enum state_action in_service_action(enum state s)
{
    const enum state_action a = state_action(s);

    return a == STATE_DO_RESUME || a == STATE_DO_LEAVE ? STATE_DO_NOTHING : a;
}

static int plan_node(struct plan *p, struct plan_node *n, const struct verdict_line *all, int n_all,
                     const struct plan_log *log, int64_t now, int64_t table, struct err *e)
{
    const char *name = n->seen->node.name;
    struct deed d = {.outcome = DEED_NOT};

    n->verdict = verdicts_newest(all, n_all, name);
    const int logged = n->verdict ? log->drain(log->ctx, name, n->verdict->run, &d, e) : 0;
    if (logged < 0)
        return -1;
    n->carried = logged > 0 && d.outcome != DEED_BEGUN;
    n->unsure = !log->settled(log->ctx, name);
    const struct state_view view = {.now = now,
                                    .table = table,
                                    .reserved = true,
                                    .covered = n->seen->covered,
                                    .node = n->seen->node,
                                    .verdict = verdict_state(n, all, n_all)};
    n->state = state_of(&view);
    n->action = p->reservation ? state_action(n->state) : in_service_action(n->state);
    if (n->action == STATE_DO_CARRIED_OUT && (n->carried || !n->verdict))
        n->action = STATE_DO_NOTHING;
    if (n->unsure)
        n->action = STATE_DO_NOTHING;
    p->counts[n->state]++;
    return 0;
}

/* Nodes that users would lose: at most so many for one run. */
static void hold_to_cap(struct plan *p, const struct plan_log *log)
{
    const long cap = state_cap(p->in_service);

    for (int i = 0; i < p->n; i++) {
        struct plan_node *n = &p->nodes[i];
        if (n->action != STATE_DO_DRAIN)
            continue;
        int drained = log->drains(log->ctx, n->verdict->run);
        const bool known = drained >= 0;
        for (int k = 0; k < i; k++)
            drained += p->nodes[k].action == STATE_DO_DRAIN &&
                       strcmp(p->nodes[k].verdict->run, n->verdict->run) == 0;
        if (!known || drained >= cap) {
            n->capped = true;
            n->action = STATE_DO_NOTHING;
        }
    }
}

int plan_make(const char *reservation, const struct look *look, const struct verdict_line *verdicts,
              int n_verdicts, const struct plan_log *log, int64_t now, struct plan *p,
              struct err *e)
{
    int rc = 0;

    *p = (struct plan){.reservation = reservation,
                       .looked = look->time,
                       .end = look->end,
                       .maintenance = look->maintenance,
                       .absent = look->absent};
    if (!(p->nodes = calloc((size_t)look->n + 1, sizeof *p->nodes)))
        return err_set(e, "no memory for %d nodes", look->n);
    for (int i = 0; i < look->n; i++)
        p->in_service += !node_is_out(&look->nodes[i].node);
    for (int i = 0; i < look->n && rc == 0; i++) {
        if (!look->nodes[i].member)
            continue;
        p->nodes[p->n].seen = &look->nodes[i];
        rc = plan_node(p, &p->nodes[p->n], verdicts, n_verdicts, log, now, look->time, e);
        p->n++;
    }
    if (rc < 0)
        plan_fini(p);
    else if (!p->maintenance)
        hold_to_cap(p, log);
    return rc;
}

void plan_fini(struct plan *p)
{
    free(p->nodes);
    p->nodes = NULL;
    p->n = 0;
}

char *plan_names(const struct plan *p, enum state_action action, bool others)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    for (int i = 0, n = 0; i < p->n; i++)
        if ((p->nodes[i].action == action) != others)
            fprintf(f, "%s%s", n++ ? "," : "", p->nodes[i].seen->node.name);
    if (fclose(f) == 0)
        return text;
    free(text);
    return NULL;
}

int plan_count(const struct plan *p, enum state_action action)
{
    int n = 0;

    for (int i = 0; i < p->n; i++)
        n += p->nodes[i].action == action;
    return n;
}

bool plan_waits(const struct plan *p)
{
    static const enum state waiting[] = {STATE_BOOTING,    STATE_RETURNED, STATE_TESTING,
                                         STATE_UNTESTED,   STATE_PASSED,   STATE_FAILED,
                                         STATE_TO_CONFIRM, STATE_RETRY,    STATE_BUSY};
    for (size_t i = 0; i < sizeof waiting / sizeof *waiting; i++)
        if (p->counts[waiting[i]] > 0)
            return true;
    return false;
}
