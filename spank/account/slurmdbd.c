/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hpcai500-slurmdbd: reads and writes a job's AdminComment in slurmdbd. The
 * only program linked with libslurm, which may end its process when a request
 * is denied: whoever asks, asks by starting this.
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
 * slurmctld sends at a job's end is no transaction; it comes before ours.)
 *
 * slurmdbd keeps one MySQL transaction open for as long as a connection only
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
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>
#include <slurm/slurmdb.h>

#include "reports/core/err.h"
#include "spank/account/admin_comment.h"
#include "spank/account/slurmdbd.h"
#include "spank/account/user.h"

enum {
    MERGE_TRIES = 5,
    JOB_SECONDS = 60,   /* for one job, waiting for the lock included */
    CLOCK_SECONDS = 300 /* that slurmdbd's clock may differ: MUNGE takes no more */
};

/* Which start of which job. */
struct target {
    char cluster[64];
    uint32_t job;
    time_t begin; /* 0: the newest */
};

/* What we know of a job's row. */
struct row {
    uint32_t job, array_job, array_task, het_job, het_offset;
    uint64_t index;
    char state[16]; /* as slurmdbd's conditions name it */
    bool newest;    /* no later start of the job has a row */
    char *comment;  /* NULL: none */
};

static void *connection;

static int last_errno(void)
{
#if HAVE_DECL_SLURM_GET_ERRNO
    return slurm_get_errno();
#else
    return errno;
#endif
}

/* Later, unless the answer says that it will always be so. */
static enum slurmdbd_code failed(struct err *e, const char *what, uint32_t job)
{
    int no = last_errno();

    err_set(e, "%s job %u: %s", what, job, no ? slurm_strerror(no) : "no answer");
    return no == ESLURM_ACCESS_DENIED ? SLURMDBD_DENIED : SLURMDBD_LATER;
}

/* ---- asking ---- */

static slurm_selected_step_t selected(uint32_t job, uint32_t task, uint32_t offset)
{
    slurm_selected_step_t s;

    memset(&s, 0, sizeof s);
    s.array_task_id = task;
    s.het_job_offset = offset;
#ifdef SLURM_STEP_ID_INITIALIZER
    s.step_id = (slurm_step_id_t)SLURM_STEP_ID_INITIALIZER;
#endif
#if HAVE_SLURM_SELECTED_STEP_T_STEP_ID_JOB_ID
    s.step_id.job_id = job;
    s.step_id.step_id = NO_VAL;
    s.step_id.step_het_comp = NO_VAL;
#else
    s.jobid = job;
    s.stepid = NO_VAL;
#endif
    return s;
}

/* From the beginning of time; state: of rows in that state only, NULL of all. */
static int condition(slurmdb_job_cond_t *c, const char *cluster, slurm_selected_step_t *step,
                     const char *state)
{
    memset(c, 0, sizeof *c);
    c->cluster_list = slurm_list_create(NULL);
    c->step_list = slurm_list_create(NULL);
    if (!c->cluster_list || !c->step_list)
        return -1;
    slurm_list_append(c->cluster_list, (void *)(uintptr_t)cluster);
    slurm_list_append(c->step_list, step);
    c->db_flags = SLURMDB_JOB_FLAG_NOTSET;
    c->flags = JOBCOND_FLAG_NO_STEP | JOBCOND_FLAG_NO_TRUNC;
    if (!state) {
        c->usage_end = time(NULL) + 86400;
        return 0;
    }
    if (!(c->state_list = slurm_list_create(NULL)))
        return -1;
    slurm_list_append(c->state_list, (void *)(uintptr_t)state);
    return 0;
}

static void condition_end(slurmdb_job_cond_t *c)
{
    if (c->cluster_list)
        slurm_list_destroy(c->cluster_list);
    if (c->step_list)
        slurm_list_destroy(c->step_list);
    if (c->state_list)
        slurm_list_destroy(c->state_list);
}

static bool is_number(uint32_t n)
{
    return n != 0 && n != NO_VAL && n != INFINITE;
}

/* How far t is from the time that a row's start lasted. A slurmdbd that was
 * away may have been told of an end and of no beginning. */
static time_t distance(const slurmdb_job_rec_t *j, time_t t)
{
    const bool started = is_number((uint32_t)j->start);
    const time_t from = started ? j->start : j->submit;

    if (!started && j->end == 0) /* waits to start */
        return INT32_MAX;
    if (t < from)
        return from - t;
    return j->end == 0 || t <= j->end ? 0 : t - j->end;
}

/* Whether a is rather meant than b. */
static bool rather(const slurmdb_job_rec_t *a, const slurmdb_job_rec_t *b, time_t begin)
{
    time_t to_a = begin ? distance(a, begin) : 0, to_b = begin ? distance(b, begin) : 0;

    return to_a != to_b ? to_a < to_b : a->submit >= b->submit;
}

/* The row of exactly that job. */
static bool take_row(void *jobs, const struct target *t, struct row *row)
{
    void *at = slurm_list_iterator_create(jobs);
    slurmdb_job_rec_t *j, *best = NULL, *newest = NULL;

    while (at && (j = slurm_list_next(at))) {
        if (j->jobid != t->job)
            continue;
        if (!best || rather(j, best, t->begin))
            best = j;
        if (!newest || rather(j, newest, 0))
            newest = j;
    }
    if (at)
        slurm_list_iterator_destroy(at);
    if (!best)
        return false;
    *row = (struct row){.job = best->jobid,
                        .array_job = best->array_job_id,
                        .array_task = best->array_task_id,
                        .het_job = best->het_job_id,
                        .het_offset = best->het_job_offset,
                        .index = best->db_index,
                        .newest = best == newest,
                        .comment = best->admin_comment ? strdup(best->admin_comment) : NULL};
    snprintf(row->state, sizeof row->state, "%u", (unsigned)best->state);
    return true;
}

static enum slurmdbd_code read_row(const struct target *t, struct row *row, struct err *e)
{
    slurm_selected_step_t step = selected(t->job, NO_VAL, NO_VAL);
    enum slurmdbd_code code = SLURMDBD_LATER;
    slurmdb_job_cond_t c;
    void *jobs = NULL;

    errno = 0;
    if (condition(&c, t->cluster, &step, NULL) < 0) {
        err_set(e, "out of memory");
        goto out;
    }
    c.flags |= JOBCOND_FLAG_DUP;
    if (!(jobs = slurmdb_jobs_get(connection, &c)))
        code = failed(e, "slurmdbd does not tell of", t->job);
    else if (take_row(jobs, t, row))
        code = SLURMDBD_DONE;
    else {
        code = SLURMDBD_NO_JOB;
        err_set(e, "slurmdbd has no job %u of cluster %s", t->job, t->cluster);
    }
out:
    if (jobs)
        slurm_list_destroy(jobs);
    condition_end(&c);
    return code;
}

/* ---- who changed it ---- */

/* Changes of a row's comment since some time, as slurmdbd keeps them. */
struct changes {
    void *list; /* slurmdb_txn_rec_t; NULL: none could be had */
    const char *cluster;
    char where[48];
};

/* Seconds that slurmdbd's clock is ahead of ours, once a write of ours showed
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
    c->list = slurmdb_txn_get(connection, &cond);
    slurm_list_destroy(cond.name_list);
    return c->list ? SLURMDBD_DONE : failed(e, "slurmdbd does not tell the changes of", row->job);
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
    return is_number(row->array_job) && row->array_task != NO_VAL;
}

static bool is_component(const struct row *row)
{
    return is_number(row->het_job) && row->het_offset != NO_VAL;
}

static slurm_selected_step_t selected_row(const struct row *row)
{
    if (is_task(row))
        return selected(row->array_job, row->array_task, NO_VAL);
    if (is_component(row))
        return selected(row->het_job, NO_VAL, row->het_offset);
    return selected(row->job, NO_VAL, NO_VAL);
}

/* Whether the condition means that row and no other: slurmdbd changes what it
 * would tell of. */
static enum slurmdbd_code means_row(slurmdb_job_cond_t *c, const struct row *row, struct err *e)
{
    void *jobs = slurmdb_jobs_get(connection, c), *at;
    const slurmdb_job_rec_t *j;
    int ours = 0, others = 0;

    if (!jobs)
        return failed(e, "slurmdbd does not tell of", row->job);
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
            "job %u: slurmdbd changes only the last of its starts that ended alike: "
            "the history has this one",
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
    if (condition(&c, t->cluster, &step, row->newest ? NULL : row->state) < 0)
        err_set(e, "out of memory");
    else if (!row->newest && (code = means_row(&c, row, e)) != SLURMDBD_DONE)
        ; /* it has said why */
    else if (!(changed = slurmdb_job_modify(connection, &c, &change)))
        code = failed(e, "slurmdbd does not change", row->job);
    else if (slurmdb_connection_commit(connection, true) != SLURM_SUCCESS)
        code = failed(e, "slurmdbd does not keep the change of", row->job);
    else
        code = SLURMDBD_DONE;
    if (changed)
        slurm_list_destroy(changed);
    condition_end(&c);
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
    if (slurmdb_connection_commit(connection, false) != SLURM_SUCCESS)
        return failed(e, "slurmdbd does not tell of", m->target->job);
    code = read_row(m->target, &m->row, e);
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
        return err_set(e, "'%.64s %.32s' is no cluster and job", cluster, job);
    snprintf(t->cluster, sizeof t->cluster, "%s", cluster);
    t->job = (uint32_t)n;
    t->begin = (time_t)begin;
    return 0;
}

/* One of us at a time; the lock ends with the process. */
static int lock(struct err *e)
{
    const char *path = getenv("HPCAI500_SLURMDBD_LOCK");
    char own[64];
    struct stat st;

    snprintf(own, sizeof own, "/tmp/.hpcai500-slurmdbd-%u.lock", (unsigned)geteuid());
    if (!path || !*path)
        path = own;
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(e, "cannot lock %s: %s", path, strerror(errno));
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
        flock(fd, LOCK_EX) == 0)
        return 0; /* stays open */
    close(fd);
    return err_set(e, "cannot lock %s: it is not ours", path);
}

static int connect_dbd(struct err *e)
{
    uint16_t flags = 0;

#if HAVE_DECL_SLURM_INIT
    slurm_init(NULL);
#endif
    connection = slurmdb_connection_get(&flags);
    return connection ? 0 : err_set(e, "no connection to slurmdbd");
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
    enum slurmdbd_code code = read_row(&t, &row, e);
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

    if (strcmp(verb, "--help") == 0)
        return usage(stdout);
    if (!asks && !batch && !(argc == 5 && strcmp(verb, "merge") == 0))
        return usage(stderr);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGALRM, too_long);
    alarm(JOB_SECONDS);
    if (user_confine(&e) < 0 || (!asks && lock(&e) < 0) || connect_dbd(&e) < 0)
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
    if (connection)
        slurmdb_connection_close(&connection);
    return code;
}
