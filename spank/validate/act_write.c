/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/validate/act_write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "spank/validate/event.h"

enum { DEEDS_MOST = 4096 };

/* ---- one write ---- */

/* When: a drain's time by slurmctld's clock is in its answer. */
static int64_t written(const struct deed *d, enum slurmctl_code code)
{
    struct node n;

    return code == SLURMCTL_DONE && strcmp(d->verb, "drain") == 0 &&
                   node_parse(d->said, &n, NULL) == 0 && n.reason_time > 0
               ? n.reason_time
               : time(NULL);
}

/* The lease, the deed, the write, the answer. 0: *code says how it went; -1: the history
 * cannot be written, or the lease is lost. */
static int write_deed(struct act *a, struct deed *d, const char *const words[],
                      enum slurmctl_code *code, struct err *e)
{
    char *text;

    d->looked = time(NULL); /* the writer looks again, and compares */
    if (act_renew(a, e) < 0 || deed_begin(a->h, d, e) < 0)
        return -1;
    *code = ctl_run(words, &text);
    snprintf(d->said, sizeof d->said, "%s", text ? ctl_said(text) : "no memory for an answer");
    free(text);
    d->wrote = written(d, *code);
    /* CHANGED after a write, or no answer in time: it may have been written */
    const bool perhaps = *code == SLURMCTL_CHANGED || *code == SLURMCTL_LATER;
    d->outcome = *code == SLURMCTL_DONE ? DEED_WRITTEN : perhaps ? DEED_BEGUN : DEED_NOT;
    a->wrote += *code == SLURMCTL_DONE;
    return deed_end(a->h, d, e);
}

static struct deed deed_of(const struct plan_node *n, const char *verb, int64_t looked)
{
    struct deed d = {.looked = looked};

    snprintf(d.node, sizeof d.node, "%s", n->seen->node.name);
    snprintf(d.verb, sizeof d.verb, "%s", verb);
    if (n->verdict)
        snprintf(d.run, sizeof d.run, "%s", n->verdict->run);
    return d;
}

static int say_write(struct act *a, const struct deed *d, enum slurmctl_code code)
{
    static const char *const how[SLURMCTL_CODES] = {
        [SLURMCTL_DONE] = "done",       [SLURMCTL_REFUSED] = "refused",
        [SLURMCTL_USAGE] = "refused",   [SLURMCTL_LATER] = "not now",
        [SLURMCTL_NONE] = "not there",  [SLURMCTL_DENIED] = "this user may not",
        [SLURMCTL_CHANGED] = "changed",
    };
    act_say(a, "%s %s%s%s: %s%s%s", d->verb, d->node, d->words[0] ? ", " : "", d->words, how[code],
            code == SLURMCTL_DONE ? "" : ": ", code == SLURMCTL_DONE ? "" : d->said);
    return code == SLURMCTL_DENIED ? -1 : 0;
}

/* A denied request is the same for all nodes. */
static int denied(const struct deed *d, struct err *e)
{
    return err_set(e, "%s of %s: Slurm does not let this user: acting needs an operator of Slurm",
                   d->verb, d->node[0] ? d->node : "the reservation");
}

static int do_resume(struct act *a, const struct plan_node *n, int64_t looked, struct err *e)
{
    struct deed d = deed_of(n, "resume", looked);
    const char *const words[] = {"resume", d.node, n->seen->node.mark, NULL};
    enum slurmctl_code code;

    if (write_deed(a, &d, words, &code, e) < 0)
        return -1;
    return say_write(a, &d, code) < 0 ? denied(&d, e) : 0;
}

/* Whether the node was drained for just this since its verdict, and a person has resumed
 * it: 1, then it is noted; 0; -1. Without slurmdbd's answer: 0. */
static int was_undone(struct act *a, struct deed *d, int64_t since, struct err *e)
{
    struct err why = ERR_INIT;
    struct node *rows;
    int n;

    if (event_ask(d->node, since, time(NULL) + 1, &rows, &n, &why) != SLURMCTL_DONE) {
        act_say(a, "events of %s: %s; it is drained without them", d->node, why.text);
        return 0;
    }
    const bool had = event_had(d->words, rows, n);
    free(rows);
    if (!had)
        return 0;
    act_say(a, "%s was drained for this, and a person has resumed it: it stays", d->node);
    if (deed_begin(a->h, d, e) < 0)
        return -1;
    d->outcome = DEED_CHECKED;
    snprintf(d->said, sizeof d->said, "drained before, and resumed by a person");
    return deed_end(a->h, d, e) < 0 ? -1 : 1;
}

static int do_drain(struct act *a, const struct plan_node *n, int64_t looked, struct err *e)
{
    struct deed d = deed_of(n, "drain", looked);
    char reason[PLAN_REASON_MOST + 1];
    enum slurmctl_code code;

    plan_reason(n->verdict, reason);
    snprintf(d.words, sizeof d.words, "%s", reason);
    const int undone = was_undone(a, &d, n->verdict->time, e);
    if (undone != 0)
        return undone < 0 ? -1 : 0;
    const char *const words[] = {"drain", d.node, n->seen->node.mark, d.words, NULL};
    if (write_deed(a, &d, words, &code, e) < 0)
        return -1;
    return say_write(a, &d, code) < 0 ? denied(&d, e) : 0;
}

/* A drain that is on the node and not in the log: typed by a person, or its writer was
 * killed. */
static int do_carried_out(struct act *a, const struct plan_node *n, int64_t looked, struct err *e)
{
    struct deed d = deed_of(n, "drain", looked);

    snprintf(d.words, sizeof d.words, "%.*s", (int)sizeof d.words - 1, n->seen->node.reason);
    if (deed_begin(a->h, &d, e) < 0)
        return -1;
    d.outcome = DEED_CHECKED;
    snprintf(d.said, sizeof d.said, "seen on the node");
    return deed_end(a->h, &d, e);
}

/* A node that does not come back has a verdict too. */
static int do_report(struct act *a, const struct plan_node *n, struct err *e)
{
    struct verdict_line v = {.time = (long)time(NULL), .loss = NAN, .limit = NAN, .blind = NAN};

    snprintf(v.node, sizeof v.node, "%s", n->seen->node.name);
    snprintf(v.word, sizeof v.word, "%s", verdict_word(VERDICT_UNKNOWN));
    snprintf(v.reason, sizeof v.reason, "not seen since its reboot");
    snprintf(v.run, sizeof v.run, "lost-%lld", (long long)n->seen->node.reason_time);
    if (n->verdict && strcmp(n->verdict->run, v.run) == 0)
        return 0;
    act_say(a, "%s has not come back from its reboot: UNKNOWN", v.node);
    return verdicts_append(a->o->verdicts, &v, 1, e);
}

/* ---- the reservation ---- */

/* leave, extend: nothing to look for in the events. */
static int do_reservation(struct act *a, const char *verb, const char *words_of, int64_t looked,
                          struct err *e)
{
    const char *const words[] = {verb, a->o->reservation, words_of, NULL};
    struct deed d = {.looked = looked};
    enum slurmctl_code code;

    snprintf(d.node, sizeof d.node, "-");
    snprintf(d.verb, sizeof d.verb, "%s", verb);
    snprintf(d.words, sizeof d.words, "%.*s", (int)sizeof d.words - 1, words_of);
    if (write_deed(a, &d, words, &code, e) < 0)
        return -1;
    if (d.outcome == DEED_WRITTEN) {
        d.outcome = DEED_CHECKED;
        if (deed_end(a->h, &d, e) < 0)
            return -1;
    }
    return say_write(a, &d, code) < 0 ? denied(&d, e) : 0;
}

static int do_leave(struct act *a, const struct plan *p, int64_t looked, struct err *e)
{
    char *names = plan_names(p, STATE_DO_LEAVE, false);
    int rc = names ? 0 : err_set(e, "no memory for names of nodes");

    if (names && *names)
        rc = do_reservation(a, "leave", names, looked, e);
    free(names);
    return rc;
}

static int do_extend(struct act *a, const struct plan *p, int64_t looked, struct err *e)
{
    char seconds[16];

    if (!p->reservation || !plan_waits(p) || p->end <= 0 || p->end - looked >= PLAN_END_SECONDS)
        return 0;
    snprintf(seconds, sizeof seconds, "%d", PLAN_EXTEND);
    return do_reservation(a, "extend", seconds, looked, e);
}

static int do_node(struct act *a, const struct plan_node *n, int64_t looked, struct err *e)
{
    switch (n->action) {
    case STATE_DO_RESUME:
        return do_resume(a, n, looked, e);
    case STATE_DO_DRAIN:
        return do_drain(a, n, looked, e);
    case STATE_DO_CARRIED_OUT:
        return do_carried_out(a, n, looked, e);
    case STATE_DO_REPORT:
        return do_report(a, n, e);
    default:
        return 0;
    }
}

/* Drains first: nothing else takes a bad node out of the users' way. */
int act_carry_out(struct act *a, const struct plan *p, struct err *e)
{
    const int64_t looked = p->looked;
    int rc = do_extend(a, p, looked, e);

    for (int i = 0; i < p->n && rc == 0; i++)
        if (p->nodes[i].action == STATE_DO_DRAIN)
            rc = do_node(a, &p->nodes[i], looked, e);
    for (int i = 0; i < p->n && rc == 0; i++)
        if (p->nodes[i].action != STATE_DO_DRAIN)
            rc = do_node(a, &p->nodes[i], looked, e);
    return rc < 0 ? rc : do_leave(a, p, looked, e);
}

/* ---- afterwards ---- */

static int end_deed(struct act *a, struct deed *d, enum deed_outcome outcome, const char *said,
                    struct err *e)
{
    d->outcome = outcome;
    snprintf(d->said, sizeof d->said, "%s", said);
    return deed_end(a->h, d, e);
}

/* His words and name again, on a node that has ours or none. */
static int put_back(struct act *a, struct deed *d, const struct node *now, const struct node *his,
                    struct err *e)
{
    char uid[16], *text;
    const char *const words[] = {"restore", d->node, now->mark, uid, his->reason, NULL};

    if (node_is_out(now) && !node_reason_ours(now->reason))
        return end_deed(a, d, DEED_CHECKED, "somebody else has taken it out of service since", e);
    if (act_renew(a, e) < 0)
        return -1;
    snprintf(uid, sizeof uid, "%u", his->reason_uid);
    enum slurmctl_code code = ctl_run(words, &text);
    const char *said = text ? ctl_said(text) : "";
    act_say(a, "%s: our %s went over a drain of user %s: %s", d->node, d->verb, uid,
            code == SLURMCTL_DONE ? "it is there again" : said);
    a->wrote++;
    free(text);
    return code == SLURMCTL_DONE
               ? end_deed(a, d, DEED_RESTORED, "another's drain is there again", e)
               : 0; /* the next pass */
}

/* Without a row in which it is lost. */
static int settle_plain(struct act *a, struct deed *d, const struct node *rows, int n,
                        struct err *e)
{
    const bool drain = strcmp(d->verb, "drain") == 0;

    if (d->outcome == DEED_WRITTEN)
        return end_deed(a, d, DEED_CHECKED, "nobody else wrote meanwhile", e);
    return drain && !event_had(d->words, rows, n)
               ? end_deed(a, d, DEED_NOT, "slurmdbd has no such drain", e)
               : end_deed(a, d, DEED_CHECKED, "slurmdbd has it, or it left no trace", e);
}

/* Whether it is time; what concerns no node has nothing to wait for. */
static bool is_due(const struct deed *d, int64_t now)
{
    return d->wrote && d->outcome == DEED_WRITTEN ? now >= d->wrote + EVENT_SETTLE_SECONDS
                                                  : now >= d->looked + EVENT_BEGUN_SECONDS;
}

static int settle_one(struct act *a, struct deed *d, const struct look *l, struct err *e)
{
    const struct look_node *n = look_find(l, d->node);
    const int64_t now = time(NULL);
    struct err why = ERR_INIT;
    struct node *rows;
    int n_rows;

    if (strcmp(d->verb, "drain") != 0 && strcmp(d->verb, "resume") != 0)
        return end_deed(a, d, DEED_NOT, "not known whether it was written; looked at anew", e);
    if (!n || !is_due(d, now))
        return n ? 0 : end_deed(a, d, DEED_NOT, "slurmctld has no such node any more", e);
    if (event_ask(d->node, d->looked - 60, now + 1, &rows, &n_rows, &why) != SLURMCTL_DONE) {
        act_say(a, "events of %s: %s; looked at again later", d->node, why.text);
        return 0;
    }
    const struct node *his = event_lost(d, rows, n_rows);
    const int rc = his ? put_back(a, d, &n->node, his, e) : settle_plain(a, d, rows, n_rows, e);
    free(rows);
    return rc;
}

int act_settle(struct act *a, const struct look *l, int *unsettled, struct err *e)
{
    struct deed *open = calloc(DEEDS_MOST, sizeof *open);
    int n = open ? deed_open(a->h, open, DEEDS_MOST, e) : err_set(e, "no memory for deeds");
    int rc = n < 0 ? -1 : 0;

    *unsettled = 0;
    for (int i = 0; i < n && rc == 0; i++) {
        rc = settle_one(a, &open[i], l, e);
        *unsettled += open[i].outcome <= DEED_WRITTEN;
    }
    free(open);
    return rc;
}
