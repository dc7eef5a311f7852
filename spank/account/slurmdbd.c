/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hpcai500-slurmdbd: reads and writes a job's AdminComment in slurmdbd. It is
 * linked with libslurm, which may end its process when a request is denied: who
 * wants to ask starts this.
 *
 *     hpcai500-slurmdbd get CLUSTER JOB[@BEGIN]
 *     hpcai500-slurmdbd merge CLUSTER JOB[@BEGIN] LINE
 *     hpcai500-slurmdbd merge -      lines "CLUSTER JOB[@BEGIN] LINE" from stdin;
 *                                    one line "CODE SENTENCE" answers each
 *
 * slurmdbd has no compare-and-set. Among ourselves a lock keeps the order. That
 * others wrote over ours, or we over what they wrote after we had read, is seen
 * in slurmdbd's table of transactions, which keeps the text of every change in
 * the order in which a row had them: what stands right before ours there, and
 * came after our reading, is taken from there, merged and written again. (A
 * helper that dies between its write and that look does not come to it. What
 * slurmctld sends at a job's end is not a transaction; it comes before ours.)
 *
 * slurmdbd keeps one MySQL transaction open for as long as a row_connection only
 * reads, and shows the rows of its beginning: each reading begins a new one.
 *
 * JOB is the number in SLURM_JOB_ID. Asking slurmdbd for the number of an
 * array's last task means the whole array, and that of a het job's leader all
 * its components: what is changed is therefore named by array and task, or by
 * leader and offset, as the row itself says. A requeued job has a row for each
 * of its starts; BEGIN (Unix time) says which is meant, without it the newest.
 *
 * slurm.h differs between releases: nothing is taken from a version number,
 * what differs is probed (HPCAI500_PROBE_LIBSLURM). Lists are void * here.
 */
#include <config.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>
#include <slurm/slurmdb.h>

#include "reports/core/err.h"
#include "reports/core/out.h"
#include "spank/account/admin_comment.h"
#include "spank/account/slurmdbd.h"
#include "spank/account/slurmdbd_row.h"
#include "spank/account/user.h"

enum {
    MERGE_TRIES = 5,
    JOB_SECONDS = 60,   /* for one job, waiting for the lock included */
    CLOCK_SECONDS = 300 /* that slurmdbd's clock may differ: MUNGE takes no more */
};

/* ---- who changed it ---- */

/* Changes of a row's comment since some time, as slurmdbd keeps them. */
struct changes {
    void *list; /* slurmdb_txn_rec_t; NULL: none could be had */
    const char *cluster;
    char where[48];
};

/* Seconds that slurmdbd's clock is ahead of ours, once one of our writes showed
 * it; the window that is looked at is then small. */
static struct {
    bool known;
    time_t seconds;
} ahead;

static time_t window_begin(void)
{
    return ahead.known ? time(NULL) + ahead.seconds - 5 : time(NULL) - CLOCK_SECONDS;
}

static enum slurmdbd_code changes_read(const struct target *t, const struct row *row, time_t since,
                                       struct changes *c, struct err *e)
{
    slurmdb_txn_cond_t cond;

    c->cluster = t->cluster;
    snprintf(c->where, sizeof c->where, "job_db_inx=%llu", (unsigned long long)row->index);
    memset(&cond, 0, sizeof cond);
    cond.time_start = since;
    if (!(cond.name_list = slurm_list_create(NULL)))
        return err_set(e, "out of memory"), SLURMDBD_LATER;
    slurm_list_append(cond.name_list, c->where);
    errno = 0;
    c->list = slurmdb_txn_get(row_connection, &cond);
    slurm_list_destroy(cond.name_list);
    return c->list ? SLURMDBD_DONE
                   : row_failed(e, "slurmdbd does not tell the changes of", row->job);
}

static void changes_end(struct changes *c)
{
    if (c->list)
        slurm_list_destroy(c->list);
}

/* slurmdbd finds what holds the words, "job_db_inx=1" in "job_db_inx=12" too. */
static bool is_change(const struct changes *c, const slurmdb_txn_rec_t *t)
{
    return t->where_query && strcmp(t->where_query, c->where) == 0 && t->clusters &&
           strcmp(t->clusters, c->cluster) == 0 && t->set_info &&
           admin_comment_set(t->set_info, NULL) != 0;
}

/* The last change with a number below that; NULL: none. */
static const slurmdb_txn_rec_t *change_before(const struct changes *c, uint32_t below)
{
    void *at = slurm_list_iterator_create(c->list);
    const slurmdb_txn_rec_t *t, *last = NULL;

    while (at && (t = slurm_list_next(at)))
        if (t->id < below && (!last || t->id > last->id) && is_change(c, t))
            last = t;
    if (at)
        slurm_list_iterator_destroy(at);
    return last;
}

/* ---- changing ---- */

static bool is_task(const struct row *row)
{
    return row_is_number(row->array_job) && row->array_task != NO_VAL;
}

static bool is_component(const struct row *row)
{
    return row_is_number(row->het_job) && row->het_offset != NO_VAL;
}

static slurm_selected_step_t selected_row(const struct row *row)
{
    if (is_task(row))
        return row_selected(row->array_job, row->array_task, NO_VAL);
    if (is_component(row))
        return row_selected(row->het_job, NO_VAL, row->het_offset);
    return row_selected(row->job, NO_VAL, NO_VAL);
}

/* Whether the condition means that row and no other: slurmdbd changes what it
 * would tell of. */
static enum slurmdbd_code means_row(slurmdb_job_cond_t *c, const struct row *row, struct err *e)
{
    void *jobs = slurmdb_jobs_get(row_connection, c), *at;
    const slurmdb_job_rec_t *j;
    int ours = 0, others = 0;

    if (!jobs)
        return row_failed(e, "slurmdbd does not tell of", row->job);
    at = slurm_list_iterator_create(jobs);
    while (at && (j = slurm_list_next(at))) {
        ours += j->db_index == row->index;
        others += j->db_index != row->index;
    }
    if (at)
        slurm_list_iterator_destroy(at);
    slurm_list_destroy(jobs);
    if (ours == 1 && others == 0)
        return SLURMDBD_DONE;
    err_set(e,
            "job %u: slurmdbd can change only the last of its starts that ended alike; "
            "this one is in the history alone",
            row->job);
    return SLURMDBD_NEVER;
}

/* The newest row is what slurmdbd takes a job's number for; an earlier one can
 * be named by its state (a requeued start has one of its own) while it is the
 * newest in that. (22.05 takes no time and no row's index there.) */
static enum slurmdbd_code write_row(const struct target *t, const struct row *row, char *comment,
                                    struct err *e)
{
    slurm_selected_step_t step = selected_row(row);
    enum slurmdbd_code code = SLURMDBD_LATER;
    slurmdb_job_cond_t c;
    slurmdb_job_rec_t change;
    void *changed = NULL;

    memset(&change, 0, sizeof change);
    change.derived_ec = NO_VAL;
    change.admin_comment = comment;
    errno = 0;
    if (row_condition(&c, t->cluster, &step, row->newest ? NULL : row->state) < 0)
        err_set(e, "out of memory");
    else if (!row->newest && (code = means_row(&c, row, e)) != SLURMDBD_DONE)
        ; /* it has said why */
    else if (!(changed = slurmdb_job_modify(row_connection, &c, &change)))
        code = row_failed(e, "slurmdbd does not change", row->job);
    else if (slurmdb_connection_commit(row_connection, true) != SLURM_SUCCESS)
        code = row_failed(e, "slurmdbd does not keep the change of", row->job);
    else
        code = SLURMDBD_DONE;
    if (changed)
        slurm_list_destroy(changed);
    row_condition_end(&c);
    return code;
}

/* ---- merging ---- */

/* A merge on its way. */
struct merging {
    const struct target *target;
    const char *line;
    struct row row;
    time_t since;  /* by slurmdbd's clock: what changed before is of no interest */
    uint32_t seen; /* number of the last change before the row was read */
    char *wrote;   /* our last; NULL: nothing yet */
    char *lost;    /* what others wrote and that went over; NULL: nothing */
    bool done;
};

/* A new reading of the row, and the number of its last change. */
static enum slurmdbd_code look(struct merging *m, struct err *e)
{
    struct changes c = {.list = NULL};
    const slurmdb_txn_rec_t *last;
    enum slurmdbd_code code;

    free(m->row.comment);
    m->row.comment = NULL;
    m->since = window_begin();
    errno = 0;
    if (slurmdb_connection_commit(row_connection, false) != SLURM_SUCCESS)
        return row_failed(e, "slurmdbd does not tell of", m->target->job);
    code = row_read(m->target, &m->row, e);
    if (code == SLURMDBD_DONE)
        code = changes_read(m->target, &m->row, m->since, &c, e);
    if (code == SLURMDBD_DONE) {
        last = change_before(&c, UINT32_MAX);
        m->seen = last ? last->id : 0;
    }
    changes_end(&c);
    return code;
}

/* What stands right before ours among the row's changes is what we wrote over.
 * It should be what we had read. */
static void find_lost(struct merging *m, const struct changes *c)
{
    const slurmdb_txn_rec_t *ours = change_before(c, UINT32_MAX), *before;
    char *text = NULL;

    if (!ours || ours->id <= m->seen || admin_comment_set(ours->set_info, &text) < 1 ||
        strcmp(text, m->wrote) != 0) {
        free(text); /* somebody wrote after us: the next reading has it */
        return;
    }
    free(text);
    ahead.known = true;
    ahead.seconds = ours->timestamp - time(NULL);
    before = change_before(c, ours->id);
    m->done = true;
    if (!before || before->id <= m->seen)
        return;
    if (admin_comment_set(before->set_info, &text) < 1)
        fprintf(stderr,
                "hpcai500-slurmdbd: job %u: what %.64s wrote there is too long to be "
                "found again\n",
                m->row.job, before->actor_name ? before->actor_name : "?");
    else if (strcmp(text, m->row.comment ? m->row.comment : "") != 0) {
        m->lost = text;
        m->done = false;
        return;
    }
    free(text);
}

/* One reading, merging and writing. */
static enum slurmdbd_code merge_once(struct merging *m, struct err *e)
{
    enum slurmdbd_code code = look(m, e);
    struct changes c = {.list = NULL};
    char *base = m->row.comment;

    if (code != SLURMDBD_DONE)
        return code;
    if (m->lost && base && strcmp(base, m->wrote) == 0)
        base = m->lost;
    m->done = admin_comment_has(base, m->line);
    if (m->done && base == m->row.comment)
        return code;
    free(m->wrote);
    m->wrote = admin_comment_merge(base, m->line, e);
    if (!m->wrote)
        return SLURMDBD_NEVER;
    free(m->lost);
    m->lost = NULL;
    m->done = false;
    code = write_row(m->target, &m->row, m->wrote, e);
    if (code == SLURMDBD_DONE)
        code = changes_read(m->target, &m->row, m->since, &c, e);
    if (code == SLURMDBD_DONE)
        find_lost(m, &c);
    changes_end(&c);
    return code;
}

/* "written 4711_3": what was done, and the name by which sacct knows the job
 * when that is not its number. */
static void answer(const struct merging *m, char text[SLURMDBD_ANSWER])
{
    const struct row *r = &m->row;
    int n = snprintf(text, SLURMDBD_ANSWER, "%s", m->wrote ? SLURMDBD_WRITTEN : SLURMDBD_THERE);

    if (is_task(r))
        snprintf(text + n, SLURMDBD_ANSWER - (size_t)n, " %u_%u", r->array_job, r->array_task);
    else if (is_component(r))
        snprintf(text + n, SLURMDBD_ANSWER - (size_t)n, " %u+%u", r->het_job, r->het_offset);
}

/* Done when ours stands in its place, and no word of others went by us. */
static enum slurmdbd_code merge(const struct target *t, const char *line,
                                char text[SLURMDBD_ANSWER], struct err *e)
{
    struct merging m = {.target = t, .line = line};
    enum slurmdbd_code code = SLURMDBD_DONE;

    for (int i = 0; i < MERGE_TRIES && code == SLURMDBD_DONE && !m.done; i++) {
        if (i > 1) /* somebody is busy there: let him end */
            usleep(50000 * (useconds_t)i);
        code = merge_once(&m, e);
    }
    if (code == SLURMDBD_DONE && !m.done) {
        err_set(e, "job %u: others overwrote what was written %d times", t->job, MERGE_TRIES);
        code = SLURMDBD_LATER;
    }
    answer(&m, text);
    free(m.row.comment);
    free(m.wrote);
    free(m.lost);
    return code;
}

/* ---- the program ---- */

/* libslurm waits for a slurmdbd that hangs for as long as it hangs. */
static void too_long(int sig)
{
    static const char text[] = "hpcai500-slurmdbd: slurmdbd does not answer\n";

    (void)sig;
    if (write(STDERR_FILENO, text, sizeof text - 1) >= 0 || true)
        _exit(SLURMDBD_LATER);
}

static int usage(FILE *f)
{
    fprintf(f, "usage: hpcai500-slurmdbd get CLUSTER JOB[@BEGIN]\n"
               "       hpcai500-slurmdbd merge CLUSTER JOB[@BEGIN] 'H5:...;'\n"
               "       hpcai500-slurmdbd merge -\n");
    return f == stdout ? 0 : SLURMDBD_USAGE;
}

static bool is_cluster(const char *word)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    size_t n = strlen(word);
    return n > 0 && n < 64 && strspn(word, letters) == n;
}

static int parse_target(const char *cluster, const char *job, struct target *t, struct err *e)
{
    char *end;
    unsigned long n = strtoul(job, &end, 10);
    long long begin = 0;
    bool good = is_cluster(cluster) && end != job && *job != '-' && n > 0 && n < NO_VAL;

    if (good && *end == '@') {
        const char *digits = end + 1;
        begin = strtoll(digits, &end, 10);
        good = end != digits && begin > 0;
    }
    if (!good || *end)
        return err_set(e, "'%.64s %.32s' is not a cluster and a job", cluster, job);
    snprintf(t->cluster, sizeof t->cluster, "%s", cluster);
    t->job = (uint32_t)n;
    t->begin = (time_t)begin;
    return 0;
}

static int connect_dbd(struct err *e)
{
    uint16_t flags = 0;

#if HAVE_DECL_SLURM_INIT
    slurm_init(NULL);
#endif
    row_connection = slurmdb_connection_get(&flags);
    return row_connection ? 0 : err_set(e, "no connection to slurmdbd");
}

static enum slurmdbd_code merge_words(const char *cluster, const char *job, const char *line,
                                      char text[SLURMDBD_ANSWER], struct err *e)
{
    struct target t;

    if (parse_target(cluster, job, &t, e) < 0 || !admin_comment_ours(line, e))
        return SLURMDBD_NEVER;
    return merge(&t, line, text, e);
}

/* One answer per line, at once: if a request ends the process, the one who
 * asks sees which. */
static int merge_all(void)
{
    char *line = NULL, text[SLURMDBD_ANSWER];
    size_t room = 0;
    ssize_t n;

    while ((n = getline(&line, &room, stdin)) > 0) {
        char *rest = line, *cluster, *job;
        alarm(JOB_SECONDS);
        struct err e = ERR_INIT;
        line[strcspn(line, "\n")] = '\0';
        cluster = strsep(&rest, " ");
        job = rest ? strsep(&rest, " ") : NULL;
        enum slurmdbd_code code = SLURMDBD_NEVER;
        if (!rest)
            err_set(&e, "not CLUSTER JOB LINE");
        else
            code = merge_words(cluster, job, rest, text, &e);
        printf("%d %s\n", code, code ? e.text : text);
        if (fflush(stdout) != 0)
            break;
    }
    free(line);
    return ferror(stdin) || ferror(stdout) ? SLURMDBD_LATER : SLURMDBD_DONE;
}

static enum slurmdbd_code get(const char *cluster, const char *job, struct err *e)
{
    struct row row = {0};
    struct target t;

    if (parse_target(cluster, job, &t, e) < 0)
        return SLURMDBD_NEVER;
    enum slurmdbd_code code = row_read(&t, &row, e);
    if (code == SLURMDBD_DONE)
        puts(row.comment ? row.comment : "");
    free(row.comment);
    return code;
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    char text[SLURMDBD_ANSWER];
    struct err e = ERR_INIT;
    int code = SLURMDBD_DONE;
    bool asks = argc == 4 && strcmp(verb, "get") == 0;
    bool batch = argc == 3 && strcmp(verb, "merge") == 0 && strcmp(argv[2], "-") == 0;

    out_guard("hpcai500 slurmdbd");
    if (strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0)
        return usage(stdout);
    if (!asks && !batch && !(argc == 5 && strcmp(verb, "merge") == 0))
        return usage(stderr);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGALRM, too_long);
    alarm(JOB_SECONDS);
    if (user_confine(&e) < 0 ||
        (!asks && user_lock(getenv("HPCAI500_SLURMDBD_LOCK"), "HPCAI500_SLURMDBD_LOCK", &e) < 0) ||
        connect_dbd(&e) < 0)
        code = SLURMDBD_LATER;
    else if (asks)
        code = (int)get(argv[2], argv[3], &e);
    else if (batch)
        code = merge_all();
    else
        code = (int)merge_words(argv[2], argv[3], argv[4], text, &e);
    if (code == SLURMDBD_DONE && argc == 5)
        puts(text);
    if (e.text[0])
        fprintf(stderr, "hpcai500-slurmdbd: %s\n", e.text);
    if (row_connection)
        slurmdb_connection_close(&row_connection);
    return code;
}
