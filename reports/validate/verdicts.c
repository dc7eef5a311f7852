/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/validate/verdicts.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/core/fdio.h"
#include "reports/core/slurp.h"
#include "reports/record/fields.h"

static const char kind[] = "verdict 1";

static const struct field fields[] = {
    FIELD(verdict_line, node, TEXT, "node", "name in Slurm"),
    FIELD(verdict_line, class, TEXT, "class", "of hardware", .empty = true),
    FIELD(verdict_line, word, TEXT, "verdict", "GOOD to FAULTY"),
    FIELD(verdict_line, gated, BOOL, "gated", "stood out, and was not measured again"),
    FIELD(verdict_line, metric, TEXT, "metric", "that decided", .empty = true),
    FIELD(verdict_line, loss, DOUBLE, "loss", "of it", .unit = "%", .why = "no metric decided",
          .range = RANGE_ANY),
    FIELD(verdict_line, limit, DOUBLE, "limit", "of a significant loss", .unit = "%",
          .why = "no metric decided"),
    FIELD(verdict_line, blind, DOUBLE, "blind", "smallest loss that is seen", .unit = "%",
          .why = "not measured"),
    FIELD(verdict_line, reason, TEXT, "reason", "what a drain reason says", .empty = true),
    FIELD(verdict_line, cluster, TEXT, "cluster", "of Slurm", .empty = true),
    FIELD(verdict_line, job, LONG, "job", "that measured it last"),
    FIELD(verdict_line, run, TEXT, "run", "of hpcai500 validate"),
    FIELD(verdict_line, boot_id, TEXT, "boot_id", "when it was measured", .empty = true),
    FIELD(verdict_line, serial, TEXT, "serial", "of its board", .empty = true),
    FIELD(verdict_line, time, LONG, "time", "when it was measured", .unit = "Unix seconds"),
    FIELD_END,
};

enum verdict verdict_of(const struct verdict_line *v)
{
    int verdict = verdict_parse(v->word);

    return verdict < 0 ? VERDICT_UNKNOWN : (enum verdict)verdict;
}

/* ---- lines ---- */

bool verdict_print(const struct verdict_line *v, char line[VERDICT_LINE_SIZE])
{
    cJSON *o = cJSON_CreateObject();
    bool fits = o && cJSON_AddStringToObject(o, "hpcai500", kind) &&
                fields_put(o, fields, v, NULL) == 0 &&
                cJSON_PrintPreallocated(o, line, VERDICT_LINE_SIZE - 1, 0);

    cJSON_Delete(o);
    if (fits)
        strcat(line, "\n");
    return fits;
}

static const char *keep_nothing(void *ctx, const char *text)
{
    (void)ctx, (void)text;
    return NULL;
}

int verdict_line_parse(const char *line, struct verdict_line *v)
{
    cJSON *o = strlen(line) < VERDICT_LINE_SIZE ? cJSON_Parse(line) : NULL;
    bool is = cJSON_IsObject(o) && strcmp(json_text(o, "hpcai500", ""), kind) == 0;

    *v = (struct verdict_line){.loss = NAN, .limit = NAN, .blind = NAN};
    if (is)
        fields_get(o, fields, v, keep_nothing, NULL);
    cJSON_Delete(o);
    return is && v->node[0] && v->run[0] && verdict_parse(v->word) >= 0 ? 0 : -1;
}

/* ---- the file ---- */

int verdicts_path(const char *history, char *path, int size, struct err *e)
{
    const char *slash = strrchr(history, '/');
    int folder = slash ? (int)(slash - history) : 1;

    if (snprintf(path, (size_t)size, "%.*s/verdicts.jsonl", folder, slash ? history : ".") >= size)
        return err_set(e, "the folder of the history '%s' is too long for a path", history);
    return 0;
}

/* All lines of the text into *v; others are skipped. */
static int read_text(char *text, struct verdict_line **v, int *n, struct err *e)
{
    int room = 0;

    for (char *line = text, *end; *line; line = end) {
        struct verdict_line one;
        end = line + strcspn(line, "\n");
        if (!*end) /* cut short */
            break;
        *end++ = '\0';
        if (verdict_line_parse(line, &one) < 0)
            continue;
        if (*n == room) {
            room = room ? 2 * room : 64;
            struct verdict_line *more = realloc(*v, (size_t)room * sizeof *more);
            if (!more)
                return err_set(e, "out of memory for %d verdicts", room);
            *v = more;
        }
        (*v)[(*n)++] = one;
    }
    return 0;
}

int verdicts_read(const char *path, struct verdict_line **v, int *n, struct err *e)
{
    size_t size;
    char *text = slurp(AT_FDCWD, path, 0, VERDICTS_MAX_BYTES, &size);

    *v = NULL;
    *n = 0;
    if (!text && errno == ENOENT)
        return 0;
    if (!text)
        return err_set(e, "the verdicts %s cannot be read: %s", path, strerror(errno));
    int rc = read_text(text, v, n, e);
    free(text);
    if (rc < 0) {
        free(*v);
        *v = NULL;
        *n = 0;
    }
    return rc;
}

static bool is_there(const struct verdict_line *v, int n, const struct verdict_line *one)
{
    for (int i = 0; i < n; i++)
        if (strcmp(v[i].run, one->run) == 0 && strcmp(v[i].node, one->node) == 0)
            return true;
    return false;
}

/* The lines that are not there, as one text to free(); NULL: none, or out of memory. */
static char *new_lines(const struct verdict_line *there, int n_there, const struct verdict_line *v,
                       int n, bool whole, struct err *e)
{
    char *text = malloc((size_t)n * VERDICT_LINE_SIZE + 2), *to = text;

    if (!text) {
        err_set(e, "out of memory for %d verdicts", n);
        return NULL;
    }
    if (!whole) /* end the line that a crash cut short */
        *to++ = '\n';
    *to = '\0';
    for (int i = 0; i < n; i++) {
        if (is_there(there, n_there, &v[i]))
            continue;
        if (!verdict_print(&v[i], to)) {
            err_set(e, "the verdict on %s does not fit a line", v[i].node);
            free(text);
            return NULL;
        }
        to += strlen(to);
    }
    return text;
}

int verdicts_append(const char *path, const struct verdict_line *v, int n, struct err *e)
{
    struct verdict_line *there = NULL;
    int n_there = 0, fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640), rc = -1;
    char *text = NULL;

    if (fd < 0 || flock(fd, LOCK_EX) < 0) {
        err_set(e, "the verdicts %s cannot be opened: %s", path, strerror(errno));
        goto out;
    }
    if (verdicts_read(path, &there, &n_there, e) < 0 ||
        !(text = new_lines(there, n_there, v, n, fdio_ends_line(fd), e)))
        goto out;
    if (fdio_write(fd, text, strlen(text)) < 0 || fsync(fd) < 0)
        err_set(e, "the verdicts %s cannot be written: %s", path, strerror(errno));
    else
        rc = 0;
out:
    free(text);
    free(there);
    if (fd >= 0)
        close(fd);
    return rc;
}

const struct verdict_line *verdicts_newest(const struct verdict_line *v, int n, const char *node)
{
    const struct verdict_line *newest = NULL;

    for (int i = 0; i < n; i++)
        if (strcmp(v[i].node, node) == 0 && (!newest || v[i].time >= newest->time))
            newest = &v[i];
    return newest;
}
