/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hpcai500-slurmdbd: reads and writes a job's AdminComment in slurmdbd. The
 * only program linked with libslurm, which may end its process when a request
 * is denied: whoever asks, asks by starting this.
 *
 *     hpcai500-slurmdbd get CLUSTER JOB
 *     hpcai500-slurmdbd merge CLUSTER JOB LINE
 *     hpcai500-slurmdbd merge -      lines "CLUSTER JOB LINE" from stdin; one
 *                                    line "CODE SENTENCE" answers each
 *
 * slurmdbd has no compare-and-set. Among ourselves a lock keeps the order;
 * that others wrote over ours is seen by reading back after each write. Who
 * wrote between our reading and our writing, some milliseconds, is lost: ask
 * after the other writers have had their time, and ask again (the collector
 * does both).
 *
 * JOB is the number in SLURM_JOB_ID. Asking slurmdbd for the number of an
 * array's last task means the whole array, and that of a het job's leader all
 * its components: what is changed is therefore named by array and task, or by
 * leader and offset, as the row itself says.
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

#include "reports/err.h"
#include "spank/admin_comment.h"
#include "spank/slurmdbd.h"
#include "spank/user.h"

enum {
    MERGE_TRIES = 5,
    JOB_SECONDS = 60 /* for one job, waiting for the lock included */
};

/* What we know of a job's row. */
struct row {
    uint32_t job, array_job, array_task, het_job, het_offset;
    char *comment; /* NULL: none */
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

static int condition(slurmdb_job_cond_t *c, const char *cluster, slurm_selected_step_t *step)
{
    memset(c, 0, sizeof *c);
    c->cluster_list = slurm_list_create(NULL);
    c->step_list = slurm_list_create(NULL);
    if (!c->cluster_list || !c->step_list)
        return -1;
    slurm_list_append(c->cluster_list, (void *)cluster);
    slurm_list_append(c->step_list, step);
    c->db_flags = SLURMDB_JOB_FLAG_NOTSET;
    c->flags = JOBCOND_FLAG_NO_STEP | JOBCOND_FLAG_NO_TRUNC;
    c->usage_end = time(NULL) + 86400; /* from the beginning of time */
    return 0;
}

static void condition_end(slurmdb_job_cond_t *c)
{
    if (c->cluster_list)
        slurm_list_destroy(c->cluster_list);
    if (c->step_list)
        slurm_list_destroy(c->step_list);
}

/* The row of exactly that job, the newest when it was requeued. */
static bool take_row(void *jobs, uint32_t job, struct row *row)
{
    void *at = slurm_list_iterator_create(jobs);
    slurmdb_job_rec_t *j, *best = NULL;

    while (at && (j = slurm_list_next(at)))
        if (j->jobid == job && (!best || j->submit >= best->submit))
            best = j;
    if (at)
        slurm_list_iterator_destroy(at);
    if (!best)
        return false;
    *row = (struct row){
        best->jobid,          best->array_job_id,
        best->array_task_id,  best->het_job_id,
        best->het_job_offset, best->admin_comment ? strdup(best->admin_comment) : NULL};
    return true;
}

static enum slurmdbd_code read_row(const char *cluster, uint32_t job, struct row *row,
                                   struct err *e)
{
    slurm_selected_step_t step = selected(job, NO_VAL, NO_VAL);
    enum slurmdbd_code code = SLURMDBD_LATER;
    slurmdb_job_cond_t c;
    void *jobs = NULL;

    errno = 0;
    if (condition(&c, cluster, &step) < 0)
        err_set(e, "out of memory");
    else if (!(jobs = slurmdb_jobs_get(connection, &c)))
        code = failed(e, "slurmdbd does not tell of", job);
    else if (take_row(jobs, job, row))
        code = SLURMDBD_DONE;
    else {
        code = SLURMDBD_NO_JOB;
        err_set(e, "slurmdbd has no job %u of cluster %s", job, cluster);
    }
    if (jobs)
        slurm_list_destroy(jobs);
    condition_end(&c);
    return code;
}

/* ---- changing ---- */

static bool is_number(uint32_t n)
{
    return n != 0 && n != NO_VAL && n != INFINITE;
}

static slurm_selected_step_t selected_row(const struct row *row)
{
    if (is_number(row->array_job) && row->array_task != NO_VAL)
        return selected(row->array_job, row->array_task, NO_VAL);
    if (is_number(row->het_job) && row->het_offset != NO_VAL)
        return selected(row->het_job, NO_VAL, row->het_offset);
    return selected(row->job, NO_VAL, NO_VAL);
}

static enum slurmdbd_code write_row(const char *cluster, const struct row *row, char *comment,
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
    if (condition(&c, cluster, &step) < 0)
        err_set(e, "out of memory");
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

/* Done when a reading finds ours in its place: what somebody wrote over it
 * between our reading and our writing is read, merged and written again. */
static enum slurmdbd_code merge(const char *cluster, uint32_t job, const char *line, bool *written,
                                struct err *e)
{
    enum slurmdbd_code code = SLURMDBD_DONE;

    for (int i = 0; i < MERGE_TRIES && code == SLURMDBD_DONE; i++) {
        struct row row = {0};
        char *merged = NULL;
        if (i > 1) /* somebody is busy there: let him end */
            usleep(50000 * (useconds_t)i);
        code = read_row(cluster, job, &row, e);
        if (code == SLURMDBD_DONE && admin_comment_has(row.comment, line)) {
            free(row.comment);
            return code;
        }
        if (code == SLURMDBD_DONE && !(merged = admin_comment_merge(row.comment, line, e)))
            code = SLURMDBD_NEVER;
        if (code == SLURMDBD_DONE)
            code = write_row(cluster, &row, merged, e);
        *written |= code == SLURMDBD_DONE;
        free(merged);
        free(row.comment);
    }
    if (code != SLURMDBD_DONE)
        return code;
    err_set(e, "job %u: others overwrote what was written %d times", job, MERGE_TRIES);
    return SLURMDBD_LATER;
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
    fprintf(f, "usage: hpcai500-slurmdbd get CLUSTER JOB\n"
               "       hpcai500-slurmdbd merge CLUSTER JOB 'H5:...;'\n"
               "       hpcai500-slurmdbd merge -\n");
    return f == stdout ? 0 : SLURMDBD_USAGE;
}

static bool parse_job(const char *text, uint32_t *job)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    *job = (uint32_t)n;
    return end != text && !*end && *text != '-' && n > 0 && n < NO_VAL;
}

static bool is_cluster(const char *word)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    size_t n = strlen(word);
    return n > 0 && n < 64 && strspn(word, letters) == n;
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

static enum slurmdbd_code merge_words(const char *cluster, const char *number, const char *line,
                                      bool *written, struct err *e)
{
    uint32_t job;

    if (!is_cluster(cluster) || !parse_job(number, &job)) {
        err_set(e, "'%.64s %.32s' is no cluster and job", cluster, number);
        return SLURMDBD_NEVER;
    }
    if (!admin_comment_ours(line, e))
        return SLURMDBD_NEVER;
    return merge(cluster, job, line, written, e);
}

/* One answer per line, at once: if a request ends the process, the one who
 * asks sees which. */
static int merge_all(void)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t n;

    while ((n = getline(&text, &room, stdin)) > 0) {
        char *rest = text, *cluster, *number;
        alarm(JOB_SECONDS);
        struct err e = ERR_INIT;
        bool written = false;
        text[strcspn(text, "\n")] = '\0';
        cluster = strsep(&rest, " ");
        number = rest ? strsep(&rest, " ") : NULL;
        enum slurmdbd_code code = SLURMDBD_NEVER;
        if (!rest)
            err_set(&e, "not CLUSTER JOB LINE");
        else
            code = merge_words(cluster, number, rest, &written, &e);
        printf("%d %s\n", code, code ? e.text : written ? SLURMDBD_WRITTEN : SLURMDBD_THERE);
        if (fflush(stdout) != 0)
            break;
    }
    free(text);
    return ferror(stdin) || ferror(stdout) ? SLURMDBD_LATER : SLURMDBD_DONE;
}

static enum slurmdbd_code get(const char *cluster, const char *number, struct err *e)
{
    struct row row = {0};
    uint32_t job;

    if (!is_cluster(cluster) || !parse_job(number, &job)) {
        err_set(e, "'%.64s %.32s' is no cluster and job", cluster, number);
        return SLURMDBD_NEVER;
    }
    enum slurmdbd_code code = read_row(cluster, job, &row, e);
    if (code == SLURMDBD_DONE)
        puts(row.comment ? row.comment : "");
    free(row.comment);
    return code;
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    struct err e = ERR_INIT;
    bool written = false;
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
        code = (int)merge_words(argv[2], argv[3], argv[4], &written, &e);
    if (code == SLURMDBD_DONE && argc == 5)
        puts(written ? SLURMDBD_WRITTEN : SLURMDBD_THERE);
    if (e.text[0])
        fprintf(stderr, "hpcai500-slurmdbd: %s\n", e.text);
    if (connection)
        slurmdb_connection_close(&connection);
    return code;
}
