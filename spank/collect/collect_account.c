/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/collect/collect_account.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reports/core/fdio.h"
#include "reports/core/slurp.h"
#include "reports/core/spawn.h"
#include "spank/account/admin_comment.h"
#include "spank/collect/collect_say.h"
#include "spank/collect/collect_text.h"
#include "spank/account/slurmdbd.h"

extern char **environ;

enum { ANSWER_SIZE = 600 };

/* ---- the whole record, where the site wants it ---- */

/* The archive's packed file as it is; NULL when it is not there or too much. */
static unsigned char *packed(const struct conf *c, const char *place, size_t *size)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/%s", c->archive, place) >= (int)sizeof path)
        return NULL;
    char *bytes = slurp(AT_FDCWD, path, O_NOFOLLOW, ADMIN_COMMENT_MAX / 4 * 3 - 1, size);
    if (bytes && *size > 0)
        return (unsigned char *)bytes;
    free(bytes);
    return NULL;
}

/* H5A1: and the bytes in base64, ";" behind. */
static char *whole_line(const unsigned char *bytes, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *line = malloc(5 + (n + 2) / 3 * 4 + 2), *at = line;

    if (!line)
        return NULL;
    at = stpcpy(at, "H5A1:");
    for (size_t i = 0; i < n; i += 3) {
        unsigned v = bytes[i] * 65536u + (i + 1 < n ? bytes[i + 1] * 256u : 0) +
                     (i + 2 < n ? bytes[i + 2] : 0);
        *at++ = digits[v >> 18];
        *at++ = digits[v >> 12 & 63];
        *at++ = i + 1 < n ? digits[v >> 6 & 63] : '=';
        *at++ = i + 2 < n ? digits[v & 63] : '=';
    }
    strcpy(at, ";");
    return line;
}

/* The record whose line this is, as H5A1:...; NULL: the line has to do. */
static char *find_whole(const struct account *a, struct history *h, const char *line)
{
    char id[HISTORY_KEY_SIZE];
    struct history_filter f = HISTORY_FILTER_INIT;
    struct history_row row;
    char *whole = NULL;
    size_t n;

    if (!collect_line_id(line, id))
        return NULL;
    f.key = id;
    f.limit = 1;
    struct history_query *q = history_ask(h, &f, NULL);
    if (q && history_next(q, &row, NULL) > 0 && row.archive && row.archive[0]) {
        unsigned char *bytes = packed(a->config, row.archive, &n);
        if (bytes)
            whole = whole_line(bytes, n);
        else
            collect_say(
                a->say,
                "%s is too large for a comment, or not in the archive: accounting gets the line",
                id);
        free(bytes);
    }
    history_done(q);
    return whole;
}

/* ---- the helper ---- */

struct helper {
    pid_t pid;
    FILE *to, *from;
};

/* What it may know of our environment: where Slurm's configuration is, and its
 * lock. The rest could steer what it loads (LD_PRELOAD and the like). */
static const char *const passed[] = {"SLURM_CONF", "SLURM_CONF_SERVER", "HPCAI500_SLURMDBD_LOCK"};

enum { N_PASSED = sizeof passed / sizeof *passed };

/* lock: "HPCAI500_SLURMDBD_LOCK=FILE", where our environment has none. */
static void helper_env(char *env[N_PASSED + 2], char *lock)
{
    int n = 0;

    if (!getenv("HPCAI500_SLURMDBD_LOCK"))
        env[n++] = lock;

    for (int i = 0; i < N_PASSED; i++) {
        size_t length = strlen(passed[i]);
        for (char **row = environ; row && *row; row++)
            if (strncmp(*row, passed[i], length) == 0 && (*row)[length] == '=') {
                env[n++] = *row;
                break; /* the one that getenv() finds */
            }
    }
    env[n] = NULL;
}

static int helper_start(const struct conf *c, struct helper *p, struct err *e)
{
    char path[PATH_MAX] = "", *env[N_PASSED + 2], lock[CONF_TEXT_SIZE + 64];
    const char *const argv[] = {path, "merge", "-", NULL};
    int in[2], out[2], why;

    if (spawn_beside("hpcai500-slurmdbd", path) < 0)
        return err_set(e, "there is no hpcai500-slurmdbd (%s): accounting is not told", path);
    if (pipe2(in, O_CLOEXEC) < 0)
        return err_set(e, "a pipe: %s", strerror(errno));
    if (pipe2(out, O_CLOEXEC) < 0) {
        close(in[0]);
        close(in[1]);
        return err_set(e, "a pipe: %s", strerror(errno));
    }
    snprintf(lock, sizeof lock, "HPCAI500_SLURMDBD_LOCK=%s.slurmdbd.lock", c->history);
    helper_env(env, lock);
    const struct spawn s = {.argv = argv,
                            .env = (const char *const *)env,
                            .in = in[0],
                            .out = out[1],
                            .err = SPAWN_SAME};
    why = spawn_start(&s, &p->pid);
    close(in[0]);
    close(out[1]);
    if (why == 0 && (p->to = fdopen(in[1], "w")) && (p->from = fdopen(out[0], "r")))
        return 0;
    close(in[1]);
    close(out[0]);
    if (why == 0) {
        kill(p->pid, SIGKILL);
        waitpid(p->pid, NULL, 0);
    }
    return err_set(e, "cannot start %s: %s", path, strerror(why ? why : ENOMEM));
}

/* How it ended: an exit code, or SLURMDBD_LATER after a signal. */
static int helper_end(struct helper *p)
{
    int status = 0;

    fclose(p->from);
    while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : SLURMDBD_LATER;
}

/* ---- answers ---- */

/* What became of one text. */
struct answer {
    int code;
    char text[ANSWER_SIZE];
};

static int give_up(const struct account *a, struct history *h, const struct history_outbox *o,
                   const char *why, struct err *e)
{
    collect_say(a->say, "job %ld of %s: accounting is not told: %s", o->job, o->cluster, why);
    return history_outbox_done(h, o, e);
}

/* The name behind "written" and "there": "4711_3" or "4711+1". */
static int learn_name(struct history *h, const struct history_outbox *o, const char *answer,
                      struct err *e)
{
    struct history_name name = {-1, -1, -1, -1};
    const char *at = strchr(answer, ' ');
    char *end = NULL;

    if (!at)
        return 0;
    long job = strtol(at + 1, &end, 10), member = *end ? strtol(end + 1, NULL, 10) : -1;
    if (*end == '_')
        name.array_job = job, name.array_task = member;
    else if (*end == '+')
        name.het_job = job, name.het_offset = member;
    if (job <= 0 || member < 0 || name.array_job == name.het_job)
        return 0; /* not one of our words */
    return history_name_job(h, o->cluster, o->job, &name, e);
}

/* LATER in the middle of others that went well is of this job alone. */
static int note(struct account *a, struct history *h, const struct history_outbox *o,
                const struct answer *r, int64_t now, struct err *e)
{
    switch (r->code) {
    case SLURMDBD_DONE:
        if (learn_name(h, o, r->text, e) < 0)
            return -1;
        if (strncmp(r->text, SLURMDBD_THERE, strlen(SLURMDBD_THERE)) == 0) {
            a->told++;
            return history_outbox_done(h, o, e);
        }
        a->again++;
        return history_outbox_failed(h, o, now, "written; looked at again later", e);
    case SLURMDBD_NEVER:
        return give_up(a, h, o, r->text, e);
    case SLURMDBD_NO_JOB:
        if (o->tries >= ACCOUNT_UNKNOWN)
            return give_up(a, h, o, r->text, e);
        break;
    case SLURMDBD_DENIED:
    case SLURMDBD_ENDED:
        collect_say(a->say,
                    "job %ld: slurmdbd denies it: the collector must be SlurmUser or an operator",
                    o->job);
        break;
    }
    return history_outbox_failed(h, o, now, r->text, e);
}

static void all_wait(struct account *a, int64_t now, const char *why)
{
    a->pause = a->pause ? 2 * a->pause : 5;
    if (a->pause > ACCOUNT_PAUSE)
        a->pause = ACCOUNT_PAUSE;
    a->not_before = now + a->pause;
    /* One text may be the trouble: after some time others are tried with it. */
    a->batch = a->pause > 60 ? 4 : 1;
    collect_say(a->say, "accounting waits %d s: %s", a->pause, why);
}

static void ask(const struct account *a, struct history *h, struct helper *p,
                const struct history_outbox *o, int n, bool lines_only)
{
    for (int i = 0; i < n; i++) {
        char *whole = NULL;
        if (a->config->admin_comment == COMMENT_H5A1 && !lines_only)
            whole = find_whole(a, h, o[i].text);
        fprintf(p->to, "%s %ld", o[i].cluster, o[i].job);
        if (o[i].begin > 0) /* which of its starts */
            fprintf(p->to, "@%lld", (long long)o[i].begin);
        fprintf(p->to, " %s\n", whole ? whole : o[i].text);
        free(whole);
    }
    fclose(p->to); /* a helper that died is seen by its answers */
}

/* Starts the helper for n texts; returns how many it answered, how it ended in
 * *ended. */
static int converse(struct account *a, struct history *h, const struct history_outbox *o, int n,
                    bool lines_only, struct answer *answers, int *ended, struct err *e)
{
    struct helper p;
    char text[ANSWER_SIZE + 16];
    int got = 0;

    if (helper_start(a->config, &p, e) < 0)
        return -1;
    ask(a, h, &p, o, n, lines_only);
    while (got < n && fgets(text, sizeof text, p.from)) {
        char *end;
        text[strcspn(text, "\n")] = '\0';
        answers[got].code = (int)strtol(text, &end, 10);
        if (end == text || *end != ' ')
            break;
        snprintf(answers[got++].text, ANSWER_SIZE, "%.*s", ANSWER_SIZE - 1, end + 1);
    }
    *ended = helper_end(&p);
    return got;
}

/* A record that finds no room gives way to its line. */
static int shorten(struct account *a, struct history *h, const struct history_outbox *o,
                   struct answer *r)
{
    struct err e = ERR_INIT;
    int ended;

    if (a->config->admin_comment != COMMENT_H5A1 || r->code != SLURMDBD_NEVER)
        return 0;
    collect_say(a->say, "job %ld: %s: accounting gets the line", o->job, r->text);
    return converse(a, h, o, 1, true, r, &ended, &e);
}

/* Whether slurmdbd itself is the trouble: nothing was done, and the first of
 * the batch had no answer or a "later". */
static bool is_down(const struct answer *r, int got)
{
    for (int i = 0; i < got; i++)
        if (r[i].code != SLURMDBD_LATER)
            return false;
    return true;
}

/* One batch; how many were handled, 0 when all have to wait, -1. */
static int one_batch(struct account *a, struct history *h, int64_t now, struct err *e)
{
    static struct history_outbox due[ACCOUNT_BATCH];
    static struct answer answers[ACCOUNT_BATCH];
    struct err why = ERR_INIT;
    int ended = 0;
    int n = history_outbox_due(h, now, due, a->batch, e);

    if (n <= 0)
        return n;
    int got = converse(a, h, due, n, false, answers, &ended, &why);
    if (got >= 0 && got < n && (ended == SLURMDBD_ENDED || ended == SLURMDBD_DENIED)) {
        answers[got].code = SLURMDBD_DENIED;
        snprintf(answers[got++].text, ANSWER_SIZE, "denied");
    }
    if (got <= 0 || is_down(answers, got)) {
        all_wait(a, now, got > 0 ? answers[0].text : why.text[0] ? why.text : "no answer");
        return 0;
    }
    for (int i = 0; i < got; i++)
        shorten(a, h, &due[i], &answers[i]);
    if (history_begin(h, e) < 0)
        return -1;
    for (int i = 0; i < got; i++)
        if (note(a, h, &due[i], &answers[i], now, e) < 0) {
            history_rollback(h);
            return -1;
        }
    if (history_commit(h, e) < 0)
        return -1;
    if (got < n) { /* it stopped half-way: the rest later */
        all_wait(a, now, "slurmdbd stopped answering");
        return 0;
    }
    a->pause = 0;
    a->batch = a->batch * 4 < ACCOUNT_BATCH ? a->batch * 4 : ACCOUNT_BATCH;
    return got;
}

int account_due(struct account *a, struct history *h, int64_t now, struct err *e)
{
    int handled = 0, n = 1;

    if (a->config->admin_comment == COMMENT_OFF || now < a->not_before)
        return 0;
    if (a->batch < 1)
        a->batch = 1;
    while (n > 0 && handled < ACCOUNT_ROUND) {
        n = one_batch(a, h, now, e);
        if (n < 0)
            return -1;
        handled += n;
    }
    return handled;
}
