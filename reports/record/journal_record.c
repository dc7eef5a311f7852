/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A record from what the ranks' journals hold, when nobody was left to write
 * one. Any journal may be missing, empty or torn; its lines are whole, but
 * no line is believed to be complete.
 */
#include <config.h>

#include "reports/record/journal.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "reports/record/record_fields.h"

enum { MAX_RANKS = 1 << 20 }; /* what a journal may claim */

/* What one rank said of one workload. */
struct share {
    bool ended;
    bool joint; /* its profile is the mean over the ranks, as a result's is */
    struct workload_result result;
    double wall_seconds; /* NAN: no phases yet */
    double phase_seconds[PHASE_COUNT];
};

/* One journal while it is read. */
struct story {
    struct record *r;
    int rank, ranks, node;
    bool started, ended;
    char failure[512];                           /* "rank 3 on n2: sentence" */
    struct share *shares[RUNSPEC_MAX_WORKLOADS]; /* NULL: nothing said of it */
    int n_micro;                                 /* rows of micro benchmarks */
    int n_shares;
    time_t last; /* the file's last write */
};

static const char *keep_in_record(void *ctx, const char *text)
{
    return record_keep(ctx, text);
}

/* The first journal gives the head; each gives its node. */
static void take_start(struct story *s, const cJSON *o)
{
    struct record *r = s->r;
    struct record_node node = {0};
    const cJSON *job = json_at(o, "job");

    if (!r->run.text[0]) {
        fields_get(json_at(o, "run"), record_run_fields, &r->run, keep_in_record, r);
        r->time.start.tv_sec = json_integer(o, "time.seconds", 0, 253402300799, 0); /* year 9999 */
        r->time.start.tv_nsec = json_integer(o, "time.nanoseconds", 0, 999999999, 0);
        r->time.pid = (int)json_integer(o, "time.pid", 0, INT_MAX, 0);
        r->job.present = cJSON_IsObject(job);
        fields_get(job, record_job_fields, &r->job, keep_in_record, r);
        record_facts_get(json_at(o, "facts"), r);
    }
    s->started = true;
    s->rank = (int)json_integer(o, "rank", 0, MAX_RANKS - 1, -1);
    s->ranks = (int)json_integer(o, "ranks", 1, MAX_RANKS, 0);
    record_node_get(json_at(o, "node"), &node);
    if (!node.name[0])
        snprintf(node.name, sizeof node.name, "unknown");
    s->node = record_find_node(r, node.name);
    if (s->node >= 0)
        return;
    node.plugin_remote = cJSON_IsTrue(json_at(o, "node.plugin_remote"));
    s->node = record_add_node(r, &node);
}

static struct share *share_of(struct story *s, const cJSON *o)
{
    long i = json_integer(o, "index", 0, RUNSPEC_MAX_WORKLOADS - 1, -1);

    if (i < 0)
        return NULL;
    struct share **share = &s->shares[i];
    if (!*share && (*share = calloc(1, sizeof **share))) {
        (*share)->result.status = RUN_PARTIAL;
        (*share)->wall_seconds = NAN;
        s->n_shares = s->n_shares > i + 1 ? s->n_shares : (int)i + 1;
    }
    return *share;
}

static void take_head(struct story *s, const cJSON *o)
{
    struct share *share = share_of(s, o);

    if (!share)
        return;
    fields_get(o, record_workload_head_fields, &share->result, keep_in_record, s->r);
}

/* The best quality so far, and the first epoch that reached the target; the
 * result's own words replace both. */
static void take_quality(struct workload_result *w, const struct result_epoch *row)
{
    bool first = w->achieved.value == 0 || w->achieved.reason;
    double best = w->achieved.value;

    if (!isfinite(row->quality))
        return;
    if (first || (w->higher_is_better ? row->quality > best : row->quality < best))
        w->achieved = measured(row->quality);
    bool reached = w->higher_is_better ? row->quality >= w->target : row->quality <= w->target;
    if (!w->epochs_to_target && isfinite(w->target) && reached)
        w->epochs_to_target = row->epoch;
}

static void take_epoch(struct story *s, const cJSON *o)
{
    struct share *share = share_of(s, o);
    struct result_epoch row = {0};

    if (!share)
        return;
    fields_get(json_at(o, "row"), record_epoch_fields, &row, keep_in_record, s->r);
    result_add_epoch(&share->result, &row);
    take_quality(&share->result, &row);
}

static void take_phases(struct story *s, const cJSON *o)
{
    struct share *share = share_of(s, o);
    const cJSON *seconds = json_at(o, "phase_seconds");

    if (!share)
        return;
    share->wall_seconds = json_number(o, "wall_seconds", NAN);
    for (int p = 0; p < PHASE_COUNT; p++)
        share->phase_seconds[p] = json_number(seconds, phase_name((enum phase)p), NAN);
}

void record_others_get(const cJSON *o, struct workload_result *w, struct record *r)
{
    const cJSON *row;

    w->n_others = 0;
    cJSON_ArrayForEach(row, json_at(o, "quality.others"))
    {
        struct result_quality q = {.target = NAN};
        fields_get(row, record_quality_fields, &q, keep_in_record, r);
        if (!cJSON_IsObject(row) || !q.name[0] || result_add_other(w, &q) < 0)
            return;
    }
}

/* The later of two profiles says more. */
static void take_profile(struct story *s, const cJSON *o)
{
    struct share *share = share_of(s, o);
    const cJSON *from = json_at(o, "profile"), *list = json_at(from, "operators"), *row;
    const size_t room = (size_t)cJSON_GetArraySize(list) + 1;
    struct result_operator *rows;

    if (!share || !cJSON_IsObject(from) || !(rows = calloc(room, sizeof *rows)))
        return;
    struct result_profile *p = &share->result.profile;
    *p = (struct result_profile){0};
    fields_get(from, record_profile_fields, p, keep_in_record, s->r);
    cJSON_ArrayForEach(row, list)
        fields_get(row, record_operator_fields, &rows[p->n_operators++], keep_in_record, s->r);
    free(share->result.operators);
    share->result.operators = rows;
}

static void take_result(struct story *s, const cJSON *o)
{
    struct share *share = share_of(s, o);

    if (!share)
        return;
    take_head(s, o);
    fields_get(o, record_workload_fields, &share->result, keep_in_record, s->r);
    record_others_get(o, &share->result, s->r);
    snprintf(share->result.reason, sizeof share->result.reason, "%s", json_text(o, "reason", ""));
    share->ended = true;
    take_profile(s, o);
    share->joint = true;
    take_phases(s, o);
}

static void take_micro(struct story *s, const cJSON *o)
{
    s->n_micro += record_micro_get(json_at(o, "row"), s->r) == 0;
}

static void take_failure(struct story *s, const cJSON *o)
{
    if (!s->failure[0])
        snprintf(s->failure, sizeof s->failure, "rank %.0f on %.64s: %.300s",
                 json_number(o, "rank", -1), json_text(o, "node", "an unknown node"),
                 json_text(o, "text", "no sentence"));
}

static void take_end(struct story *s, const cJSON *o)
{
    (void)o;
    s->ended = true;
}

static int take(void *ctx, const char *json)
{
    static const struct {
        const char *name;
        void (*fn)(struct story *s, const cJSON *o);
    } events[] = {
        {"start", take_start},   {"workload", take_head}, {"epoch", take_epoch},
        {"phases", take_phases}, {"result", take_result}, {"failure", take_failure},
        {"end", take_end},       {"micro", take_micro},   {"profile", take_profile},
    };
    cJSON *o = cJSON_Parse(json);
    const char *name = json_text(o, "event", "");

    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (strcmp(name, events[i].name) == 0)
            events[i].fn(ctx, o);
    cJSON_Delete(o);
    return 0;
}

/* ---- from stories to one record ---- */

static void name_where(const struct story *s, const struct record *r, char *text, size_t size)
{
    const char *node = s->node >= 0 && s->node < r->n_nodes ? r->nodes[s->node].name : "?";
    const struct share *last = s->n_shares ? s->shares[s->n_shares - 1] : NULL;

    if (!last && s->n_micro)
        snprintf(text, size, "rank %d on %s after %d rows of micro benchmarks, the last of %s",
                 s->rank, node, s->n_micro, r->micro[r->n_micro - 1].name);
    else if (!last)
        snprintf(text, size, "rank %d on %s before its first workload", s->rank, node);
    else if (last->ended)
        snprintf(text, size, "rank %d on %s after %s", s->rank, node, last->result.name);
    else
        snprintf(text, size, "rank %d on %s in %s after epoch %d", s->rank, node, last->result.name,
                 last->result.n_epochs ? last->result.epochs[last->result.n_epochs - 1].epoch : 0);
}

/* The share of workload i that says most. */
static struct share *best_share(struct story *stories, int n, int i)
{
    struct share *best = NULL;

    for (int k = 0; k < n; k++) {
        struct share *share = stories[k].shares[i];
        if (!share)
            continue;
        if (!best || share->ended > best->ended ||
            (share->ended == best->ended && share->result.n_epochs > best->result.n_epochs))
            best = share;
    }
    return best;
}

/* Whose profile it is, where that is not all ranks' together. */
static void explain_profile(struct record *r, const struct story *stories, int n, int i,
                            const struct share *best)
{
    char at[48];

    snprintf(at, sizeof at, "workloads[%d].profile", r->n_workloads);
    for (int k = 0; k < n && best->result.profile.steps > 0 && !best->joint; k++)
        if (stories[k].shares[i] == best)
            record_reason(r, at, "of rank %d alone, as far as its journal goes", stories[k].rank);
}

/* Workload i: one rank's result, the phases of all that have them. */
static int merge_workload(struct record *r, struct story *stories, int n, int n_ranks, int i)
{
    struct share *best = best_share(stories, n, i);
    struct record_rank *ranks;
    int rc;

    if (!best || !best->result.name[0]) /* its first line is always there */
        return 0;
    if (!(ranks = calloc((size_t)n_ranks + 1, sizeof *ranks)))
        return -1;
    for (int k = 0; k < n_ranks; k++)
        ranks[k] = (struct record_rank){.node = -1, .wall_seconds = NAN};
    for (int k = 0; k < n; k++) {
        const struct share *share = stories[k].shares[i];
        int rank = stories[k].rank;
        if (!share || rank < 0 || rank >= n_ranks)
            continue;
        ranks[rank] =
            (struct record_rank){.node = stories[k].node, .wall_seconds = share->wall_seconds};
        memcpy(ranks[rank].phase_seconds, share->phase_seconds, sizeof share->phase_seconds);
    }
    best->result.wall_seconds = best->wall_seconds;
    if (best->result.ranks < 1)
        best->result.ranks = n_ranks;
    explain_profile(r, stories, n, i, best);
    if (!best->ended)
        snprintf(best->result.reason, sizeof best->result.reason, "stopped before its end");
    rc = record_add_workload(r, &best->result, ranks, n_ranks) < 0 ? -1 : 0;
    free(ranks);
    return rc;
}

enum { SHOWN_RANKS = 8 }; /* of those that say, or do not say, why */

/* The rank that a sentence of the journals is of: "rank 3 on n2: ". What is
 * behind it, which thousands of ranks give, is kept once. */
static const char *told(const struct story *s)
{
    const char *at = strstr(s->failure, ": ");
    return at ? at + 2 : s->failure;
}

static bool told_before(const struct story *stories, int k)
{
    for (int i = 0, looked = 0; i < k && looked < SHOWN_RANKS; i++) {
        if (stories[i].failure[0] && ++looked && strcmp(told(&stories[i]), told(&stories[k])) == 0)
            return true;
    }
    return false;
}

/* Why there was nobody to write the record: what ranks said (eight sentences),
 * then the ranks that left no end (eight of them). */
static void explain(struct record *r, const struct story *stories, int n, int ranks)
{
    char where[256];
    int silent = 0, spoke = 0, shown = 0, failed = 0;

    for (int k = 0; k < n; k++) {
        const struct story *s = &stories[k];
        spoke += s->failure[0] || s->ended;
        if (!s->failure[0])
            continue;
        failed++;
        if (shown < SHOWN_RANKS && !told_before(stories, k) && ++shown)
            record_reason(r, "status", "%s", s->failure);
    }
    if (failed > shown)
        record_reason(r, "status", "%d more rank%s gave similar reasons", failed - shown,
                      failed - shown == 1 ? "" : "s");
    for (int k = 0; k < n; k++) {
        if (stories[k].ended || stories[k].failure[0] || silent++ >= SHOWN_RANKS)
            continue;
        name_where(&stories[k], r, where, sizeof where);
        record_reason(r, "status", "nothing was heard after %s", where);
    }
    if (silent > SHOWN_RANKS)
        record_reason(r, "status", "and %d more ranks were not heard", silent - SHOWN_RANKS);
    if (ranks > n)
        record_reason(r, "status", "%d of %d ranks left no journal here", ranks - n, ranks);
    record_reason(r, "status", "this record was made from %d journals", n);
    r->status = spoke ? RUN_PARTIAL : RUN_CRASHED;
}

static int journal_name(const struct dirent *d)
{
    return d->d_name[0] && strspn(d->d_name, "0123456789") == strlen(d->d_name);
}

static int by_rank(const struct dirent **a, const struct dirent **b)
{
    long x = strtol((*a)->d_name, NULL, 10), y = strtol((*b)->d_name, NULL, 10);
    return x < y ? -1 : x > y;
}

/* What is wrong with a journal has its own line, of the first so many. */
enum { SHOWN_JOURNALS = 64 };

struct faults {
    int unread; /* what another time can be read */
    int bad;    /* torn, empty or not a journal */
};

static void complain(struct record *r, const char *name, struct faults *f, const char *sentence)
{
    char at[64];

    snprintf(at, sizeof at, "journal[%ld]", strtol(name, NULL, 10));
    if (f->bad++ < SHOWN_JOURNALS)
        record_reason(r, at, "%s", sentence);
}

/* 1: it is a story, 0: not one line that helps (the reason is kept). */
static int read_story(const char *folder, const char *name, struct record *r, struct story *s,
                      struct faults *faults)
{
    char path[PATH_MAX];
    struct err e = ERR_INIT;
    struct stat st;
    long torn = -1;

    *s = (struct story){.r = r, .rank = -1, .node = -1};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    long lines = journal_read(path, take, s, &torn, &e);
    int why = errno;
    if (lines >= 0 && torn >= 0)
        err_set(&e, "torn at byte %ld after %ld whole lines", torn, lines);
    else if (lines >= 0 && !s->started)
        err_set(&e, "it is empty");
    if (e.text[0])
        complain(r, name, faults, e.text);
    if (stat(path, &st) == 0)
        s->last = st.st_mtime;
    else
        why = errno;
    faults->unread += why != 0;
    return s->started;
}

static void fini_story(struct story *s)
{
    for (int i = 0; i < s->n_shares; i++) {
        if (s->shares[i])
            result_fini(&s->shares[i]->result);
        free(s->shares[i]);
    }
}

/* Most ranks that a journal speaks of. */
static int count_ranks(const struct story *stories, int n)
{
    int ranks = n;

    for (int k = 0; k < n; k++)
        if (stories[k].ranks > ranks)
            ranks = stories[k].ranks;
    return ranks;
}

static int merge(struct record *r, struct story *stories, int n)
{
    struct runspec spec;
    int ranks = count_ranks(stories, n);

    if (runspec_parse(&spec, r->run.text, NULL) == 0)
        r->run.seed = spec.seed; /* all its digits */
    explain(r, stories, n, ranks);
    for (int i = 0; i < RUNSPEC_MAX_WORKLOADS; i++)
        if (merge_workload(r, stories, n, ranks, i) < 0)
            return -1;
    for (int k = 0; k < n; k++)
        if (stories[k].last > r->time.end.tv_sec)
            r->time.end.tv_sec = stories[k].last;
    if (r->time.end.tv_sec < r->time.start.tv_sec)
        r->time.end = r->time.start;
    r->time.wall_seconds = NAN; /* no clock saw the end */
    record_judge(r);
    return 0;
}

static int fill(const char *folder, struct dirent **names, int n, struct record *r, struct err *e)
{
    struct story *stories = calloc((size_t)n + 1, sizeof *stories);
    struct faults faults = {0, 0};
    int count = 0, rc;

    if (!stories)
        return err_set(e, "%s: out of memory", folder);
    for (int i = 0; i < n; i++) {
        if (read_story(folder, names[i]->d_name, r, &stories[count], &faults))
            count++;
        else
            fini_story(&stories[count]);
    }
    if (faults.bad > SHOWN_JOURNALS)
        record_reason(r, "journals", "%d more are torn, empty or not journals",
                      faults.bad - SHOWN_JOURNALS);
    int why = faults.unread ? EIO : 0;
    if (count == 0) {
        rc = err_set(e, "%s: none of its journals has a beginning", folder);
    } else if ((rc = merge(r, stories, count)) < 0) {
        err_set(e, "%s: out of memory", folder);
        why = ENOMEM;
    }
    for (int k = 0; k < count; k++)
        fini_story(&stories[k]);
    free(stories);
    errno = why;
    return rc < 0 ? -1 : faults.unread;
}

int record_from_journals(const char *folder, struct record *r, struct err *e)
{
    struct dirent **names;
    int n = scandir(folder, &names, journal_name, by_rank);

    if (n < 0) {
        int failed = errno;
        err_set(e, "%s: %s", folder, strerror(failed));
        errno = failed;
        return -1;
    }
    int rc = fill(folder, names, n, r, e), why = errno;
    for (int i = 0; i < n; i++)
        free(names[i]);
    free(names);
    errno = why;
    return rc;
}
