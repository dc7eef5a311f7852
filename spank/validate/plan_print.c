/* SPDX-License-Identifier: BSD-3-Clause */
/* A plan for people: a table, and the commands that they would type. */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "spank/validate/plan.h"

static const char *verdict_of_node(const struct plan_node *n)
{
    return n->verdict ? n->verdict->word : "-";
}

static const char *why(const struct plan_node *n)
{
    if (n->capped)
        return "kept in service: the limit of a run is reached";
    if (n->unsure)
        return "a write of hpcai500 there is not checked yet";
    switch (n->state) {
    case STATE_FOREIGN:
    case STATE_DRAINED:
        return n->seen->node.reason[0] ? n->seen->node.reason : "(no reason)";
    case STATE_FAILED:
    case STATE_UNDECIDED:
    case STATE_RETRY:
        return n->verdict->reason[0] ? n->verdict->reason : state_title(n->state);
    default:
        return state_title(n->state);
    }
}

/* What another wrote may steer a terminal. */
static void print_clean(FILE *f, const char *text, int most)
{
    for (int i = 0; text[i] && i < most; i++)
        fputc((unsigned char)text[i] < 0x20 || (unsigned char)text[i] > 0x7e ? '?' : text[i], f);
    fputc('\n', f);
}

void plan_print(const struct plan *p, int64_t now, FILE *f)
{
    char end[32] = "without end";
    const time_t t = (time_t)p->end;
    struct tm tm;

    if (p->end > 0 && p->end < now + 180L * 86400 && localtime_r(&t, &tm))
        strftime(end, sizeof end, "until %d %b %H:%M", &tm);
    if (p->reservation)
        fprintf(f, "%s: %d node%s %s, %s\n", p->reservation, p->n, p->n == 1 ? "" : "s",
                p->maintenance ? "in maintenance" : "in a reservation, not in maintenance", end);
    else
        fprintf(f, "%d node%s in service; at most %ld of %ld drained in one run\n", p->n,
                p->n == 1 ? "" : "s", state_cap(p->in_service), p->in_service);
    if (p->absent > 0)
        fprintf(f, "%d of the nodes asked for are not known to slurmctld\n", p->absent);
    fprintf(f, "NODE     STATE      VERDICT      WHY\n");
    for (int i = 0; i < p->n; i++) {
        const struct plan_node *n = &p->nodes[i];
        fprintf(f, "%-8s %-10s %-12s ", n->seen->node.name, state_word(n->state),
                verdict_of_node(n));
        print_clean(f, why(n), 47);
    }
}

static void print_leave(const struct plan *p, FILE *f)
{
    char *rest = plan_names(p, STATE_DO_LEAVE, true);

    if (rest && *rest)
        fprintf(f, "  scontrol update reservationname=%s nodes=%s\n", p->reservation, rest);
    else if (rest)
        fprintf(f, "  scontrol delete reservationname=%s\n", p->reservation);
    free(rest);
}

void plan_print_commands(const struct plan *p, FILE *f)
{
    char reason[PLAN_REASON_MOST + 1];

    if (plan_count(p, STATE_DO_RESUME) + plan_count(p, STATE_DO_DRAIN) +
            plan_count(p, STATE_DO_LEAVE) ==
        0) {
        fprintf(f, "--apply would change nothing now\n");
        return;
    }
    fprintf(f, "With --apply this would be done:\n");
    for (int i = 0; i < p->n; i++) {
        const struct plan_node *n = &p->nodes[i];
        if (n->action == STATE_DO_RESUME)
            fprintf(f, "  scontrol update nodename=%s state=resume\n", n->seen->node.name);
        if (n->action != STATE_DO_DRAIN)
            continue;
        plan_reason(n->verdict, reason);
        fprintf(f, "  scontrol update nodename=%s state=drain \\\n      reason=\"%s\"\n",
                n->seen->node.name, reason);
    }
    if (plan_count(p, STATE_DO_LEAVE) > 0)
        print_leave(p, f);
}
