/* SPDX-License-Identifier: BSD-3-Clause */
/* The lines of a journal, and the events that are put on them. */
#include <config.h>

#include "reports/record/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/core/crc32c.h"
#include "reports/record/record_put.h"

struct journal {
    int fd;
    bool failed;
    struct journal *copy; /* NULL: none */
    char folder[PATH_MAX];
    char path[PATH_MAX];
};

/* HEAD: "LLLLLLLL CCCCCCCC "; an operator is some 400 bytes of a line. */
enum { HEAD = 18, MAX_LINE = 1 << 20, MAX_OPERATORS = 2048 };

struct journal *journal_open(const char *dir, const char *id, int rank, struct err *e)
{
    struct journal *j = calloc(1, sizeof *j);

    if (!j) {
        err_set(e, "no journal: out of memory");
        return NULL;
    }
    snprintf(j->folder, sizeof j->folder, "%s/%s.journal", dir, id);
    snprintf(j->path, sizeof j->path, "%s/%s.journal/%05d", dir, id, rank);
    if (mkdir(j->folder, 0700) < 0 && errno != EEXIST) {
        err_set(e, "no journal in %s: %s", dir, strerror(errno));
        free(j);
        return NULL;
    }
    j->fd = open(j->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (j->fd < 0) {
        err_set(e, "no journal %s: %s", j->path, strerror(errno));
        free(j);
        return NULL;
    }
    return j;
}

int journal_copy(struct journal *j, const char *dir, const char *id, int rank, struct err *e)
{
    j->copy = journal_open(dir, id, rank, e);
    return j->copy ? 0 : -1;
}

void journal_close(struct journal *j)
{
    int keep = errno;

    if (!j)
        return;
    journal_close(j->copy);
    close(j->fd);
    free(j);
    errno = keep;
}

void journal_remove(struct journal *j)
{
    if (!j)
        return;
    journal_remove(j->copy);
    j->copy = NULL;
    unlink(j->path);
    rmdir(j->folder); /* fails until the last rank is gone */
    journal_close(j);
}

static int sync_data(int fd)
{
    int rc;

    do
        rc = fdatasync(fd);
    while (rc < 0 && errno == EINTR);
    return rc;
}

/* One line by one write(), so that lines never mix. */
static int write_line(struct journal *j, const char *line, int size, bool sync, struct err *e)
{
    ssize_t done;

    do { /* a signal that comes before the first byte is not the end */
        errno = 0;
        done = write(j->fd, line, (size_t)size);
    } while (done < 0 && errno == EINTR);
    if (done != size || (sync && sync_data(j->fd) < 0)) {
        j->failed = true;
        return err_set(e, "the journal %s stops here: %s", j->path,
                       strerror(errno ? errno : ENOSPC));
    }
    return 0;
}

static int append(struct journal *j, const char *json, bool sync, struct err *e)
{
    size_t n = strlen(json);
    char *line;
    int size = asprintf(&line, "%08zx %08x %s\n", n, crc32c(0, json, n), json);

    if (size < 0)
        return err_set(e, "there is not enough memory for the journal");
    if (j->copy && !j->copy->failed)
        write_line(j->copy, line, size, sync, NULL);
    int rc = write_line(j, line, size, sync, e);
    free(line);
    return rc;
}

static cJSON *event(const char *name)
{
    cJSON *o = cJSON_CreateObject();

    if (o && put_text(o, "event", name, NULL, NULL) == 0)
        return o;
    cJSON_Delete(o);
    return NULL;
}

/* Takes o; `broken`: it could not be filled. */
static int commit(struct journal *j, cJSON *o, int broken, bool sync, struct err *e)
{
    char *text = o && !broken ? cJSON_PrintUnformatted(o) : NULL;
    int rc =
        text ? append(j, text, sync, e) : err_set(e, "there is not enough memory for the journal");

    free(text);
    cJSON_Delete(o);
    return rc;
}

static int put_start(cJSON *o, const struct record *r, const struct record_node *self)
{
    cJSON *run = put_object(o, "run"), *node = put_object(o, "node");
    cJSON *facts = put_object(o, "facts"), *job = NULL;
    int rc = 0;

    if (!run || !node || !facts)
        return -1;
    if (r->job.present) {
        if (!(job = put_object(o, "job")))
            return -1;
        rc = fields_put(job, record_job_fields, &r->job, NULL);
    }
    return rc | fields_put(run, record_run_fields, &r->run, NULL) |
           put_number(o, "time.seconds", (double)r->time.start.tv_sec, NULL, NULL) |
           put_number(o, "time.nanoseconds", (double)r->time.start.tv_nsec, NULL, NULL) |
           put_number(o, "time.pid", r->time.pid, NULL, NULL) | record_node_put(node, self, NULL) |
           put_bool(node, "plugin_remote", self->plugin_remote) | record_facts_put(facts, r);
}

int journal_start(struct journal *j, const struct record *r, int rank, int ranks,
                  const struct record_node *self, struct err *e)
{
    if (!j || j->failed)
        return 0;
    cJSON *o = event("start");
    int broken = !o || put_number(o, "rank", rank, NULL, NULL) ||
                 put_number(o, "ranks", ranks, NULL, NULL) || put_start(o, r, self);
    return commit(j, o, broken, true, e);
}

int journal_workload(struct journal *j, int index, const struct workload_result *r, struct err *e)
{
    if (!j || j->failed)
        return 0;
    cJSON *o = event("workload");
    int broken = !o || put_number(o, "index", index, NULL, NULL) ||
                 fields_put(o, record_workload_head_fields, r, NULL);
    return commit(j, o, broken, true, e);
}

int journal_epoch(struct journal *j, int index, const struct result_epoch *row, struct err *e)
{
    if (!j || j->failed)
        return 0;
    cJSON *o = event("epoch");
    cJSON *in = o ? put_object(o, "row") : NULL;
    int broken = !in || put_number(o, "index", index, NULL, NULL) ||
                 fields_put(in, record_epoch_fields, row, NULL);
    return commit(j, o, broken, false, e);
}

static int put_phase_seconds(cJSON *o, double wall_seconds, const double seconds[PHASE_COUNT])
{
    cJSON *in = put_object(o, "phase_seconds");
    int rc = in ? put_number(o, "wall_seconds", wall_seconds, NULL, NULL) : -1;

    for (int p = 0; rc == 0 && p < PHASE_COUNT; p++)
        rc = put_number(in, phase_name((enum phase)p), seconds[p], NULL, NULL);
    return rc;
}

int journal_phases(struct journal *j, int index, double wall_seconds,
                   const double phase_seconds[PHASE_COUNT], struct err *e)
{
    if (!j || j->failed)
        return 0;
    cJSON *o = event("phases");
    int broken = !o || put_number(o, "index", index, NULL, NULL) ||
                 put_phase_seconds(o, wall_seconds, phase_seconds);
    return commit(j, o, broken, true, e);
}

/* With every operator: what has no row cannot be told from what there was not. */
static int put_profile(cJSON *o, const struct workload_result *r)
{
    const struct record_limits limit = {.operators = MAX_OPERATORS};
    const struct nulls nowhere = {NULL, ""};

    return record_put_profile(o, r, &limit, &nowhere);
}

int journal_profile(struct journal *j, int index, const struct workload_result *r, struct err *e)
{
    if (!j || j->failed)
        return 0;
    cJSON *o = event("profile");
    int broken = !o || put_number(o, "index", index, NULL, NULL) || put_profile(o, r);
    return commit(j, o, broken, false, e);
}

int journal_result(struct journal *j, int index, const struct workload_result *r, struct err *e)
{
    if (!j || j->failed)
        return 0;
    const struct workload_result honest = record_honest(r);
    cJSON *o = event("result");
    int broken = !o || put_number(o, "index", index, NULL, NULL) ||
                 fields_put(o, record_workload_head_fields, &honest, NULL) ||
                 fields_put(o, record_workload_fields, &honest, NULL) ||
                 record_others_put(o, &honest, NULL) || put_profile(o, r) ||
                 put_text(o, "reason", r->reason, NULL, NULL) ||
                 put_phase_seconds(o, r->wall_seconds, r->phase_seconds);
    return commit(j, o, broken, true, e);
}

int journal_micro(struct journal *j, const struct micro_row *m, struct err *e)
{
    if (!j || j->failed)
        return 0;
    cJSON *o = event("micro");
    cJSON *row = o ? put_object(o, "row") : NULL;
    return commit(j, o, !row || record_micro_put(row, m), false, e);
}

int journal_failure(struct journal *j, int rank, const char *node, const char *sentence,
                    struct err *e)
{
    if (!j || j->failed)
        return 0;
    cJSON *o = event("failure");
    int broken = !o || put_number(o, "rank", rank, NULL, NULL) ||
                 put_text(o, "node", node, NULL, NULL) || put_text(o, "text", sentence, NULL, NULL);
    return commit(j, o, broken, true, e);
}

int journal_end(struct journal *j, enum run_status status, struct err *e)
{
    if (!j || j->failed)
        return 0;
    cJSON *o = event("end");
    int broken = !o || put_text(o, "status", status_name((int)status), NULL, NULL);
    return commit(j, o, broken, true, e);
}

/* ---- reading ---- */

/* The next whole line into *line (JSON, NUL at its end; grown as needed).
 * 1: a line, 0: the end, -1: it is not a line. */
static int next_line(FILE *f, char **line, size_t *room)
{
    char head[HEAD + 1] = "", *end;
    size_t got = fread(head, 1, HEAD, f);

    if (got == 0)
        return 0;
    unsigned long n = strtoul(head, &end, 16);
    if (got != HEAD || end != head + 8 || *end != ' ' || n > MAX_LINE)
        return -1;
    unsigned long crc = strtoul(head + 9, &end, 16);
    if (end != head + HEAD - 1 || *end != ' ')
        return -1;
    if (n + 2 > *room) {
        char *more = realloc(*line, n + 2);
        if (!more)
            return -1;
        *line = more;
        *room = n + 2;
    }
    if (fread(*line, 1, n + 1, f) != n + 1 || (*line)[n] != '\n' || crc32c(0, *line, n) != crc)
        return -1;
    (*line)[n] = '\0';
    return 1;
}

static int cannot_read(const char *path, struct err *e)
{
    int why = errno;

    err_set(e, "%s: %s", path, strerror(why));
    errno = why;
    return -1;
}

long journal_read(const char *path, int (*fn)(void *ctx, const char *json), void *ctx,
                  long *torn_at, struct err *e)
{
    struct stat st;
    char *line = NULL;
    size_t room = 0;
    long lines = 0, good = 0;
    int rc;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return cannot_read(path, e);
    FILE *f = fstat(fd, &st) == 0 ? fdopen(fd, "r") : NULL;
    if (!f) {
        cannot_read(path, e);
        close(fd);
        return -1;
    }
    if (!S_ISREG(st.st_mode)) {
        err_set(e, "%s is not a regular file", path);
        fclose(f);
        errno = 0;
        return -1;
    }
    while ((errno = 0, rc = next_line(f, &line, &room)) == 1) {
        lines++;
        good = ftell(f);
        if (fn(ctx, line))
            break;
    }
    int why = ferror(f) || errno == ENOMEM ? errno : 0;
    *torn_at = rc < 0 || why ? good : -1;
    free(line);
    fclose(f);
    errno = why;
    return lines;
}
