/* SPDX-License-Identifier: BSD-3-Clause */
/* The record that a person means. */
#include <config.h>

#include "reports/tools/find.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "reports/core/sha256.h"
#include "reports/core/slurp.h"
#include "reports/record/fields.h"
#include "reports/record/job_word.h"
#include "reports/record/record.h"
#include "reports/record/steps_file.h"
#if defined HAVE_SQLITE && defined HAVE_ZLIB
#define WITH_HISTORY 1
#include "reports/history/history_words.h"
#include "reports/history/reader.h"
#endif

enum { SPOOL_DEPTH = 3 /* jobs/NODE/JOB */ };

void found_fini(struct found *f)
{
    free(f->text);
    cJSON_Delete(f->doc);
    *f = (struct found)FOUND_INIT;
}

/* ---- files ---- */

static bool ends_with(const char *name, const char *suffix)
{
    size_t n = strlen(name), k = strlen(suffix);
    return n > k && strcmp(name + n - k, suffix) == 0;
}

static int read_file(const char *path, struct found *f, struct err *e)
{
    snprintf(f->name, sizeof f->name, "%s", path);
#ifdef WITH_HISTORY
    if (ends_with(path, ".json.gz"))
        f->text = archive_read(path, &f->size, e);
    else
#endif
        f->text = record_load(path, &f->size, e);
    f->doc = f->text ? record_parse(f->text, f->size, path, e) : NULL;
    f->n = 1;
    return f->doc ? 0 : -1;
}

/* Whether the name has the number, with no digit beside it. */
static bool has_number(const char *name, long number)
{
    char text[24];
    size_t n = (size_t)snprintf(text, sizeof text, "%ld", number);

    for (const char *at = name; (at = strstr(at, text)); at++) {
        bool before = at > name && at[-1] >= '0' && at[-1] <= '9';
        bool behind = at[n] >= '0' && at[n] <= '9';
        if (!before && !behind)
            return true;
    }
    return false;
}

/* A file that may be of the run: only those are opened. What a run leaves its user
 * is named by the job as Slurm shows it, 4711_7, and may be asked for as 4718. */
static bool may_be(const struct job_word *w, const char *name)
{
    if (name[0] == '.' || !ends_with(name, ".json") || ends_with(name, ".ranks.json"))
        return false;
    if (strncmp(name, "hpcai500-", 9) == 0)
        return true;
    return w->id[0] ? strncmp(name, w->id, strlen(w->id)) == 0 : has_number(name, w->job);
}

/* The newest restart, then what ended last. */
static bool is_later(const cJSON *a, const cJSON *b)
{
    double x = json_number(a, "job.restart", 0), y = json_number(b, "job.restart", 0);
    return x != y ? x > y : strcmp(json_text(a, "time.end", ""), json_text(b, "time.end", "")) > 0;
}

static bool same_run(const cJSON *a, const cJSON *b)
{
    return strcmp(json_text(a, "id", "?"), json_text(b, "id", "!")) == 0;
}

/* Puts a file in the place of what was found, when it is of the run and later. */
static void look_at(const char *path, const struct job_word *w, struct found *f)
{
    struct found one = FOUND_INIT;
    int n = f->n;

    if (read_file(path, &one, NULL) < 0 || !job_word_is(w, one.doc)) {
        found_fini(&one);
        return;
    }
    if (f->doc && same_run(one.doc, f->doc)) {
        found_fini(&one); /* his copy, beside the record */
        return;
    }
    if (!f->doc || is_later(one.doc, f->doc)) {
        found_fini(f);
        *f = one;
    } else {
        found_fini(&one);
    }
    f->n = n + 1;
}

static void look_in(const char *folder, const struct job_word *w, int depth, struct found *f)
{
    DIR *d = opendir(folder);
    struct dirent *entry;
    struct stat st;

    while (d && (entry = readdir(d))) {
        char path[PATH_MAX];
        if (entry->d_name[0] == '.' ||
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) >= PATH_MAX ||
            lstat(path, &st) < 0)
            continue;
        if (S_ISREG(st.st_mode) && may_be(w, entry->d_name))
            look_at(path, w, f);
        else if (S_ISDIR(st.st_mode) && depth > 0)
            look_in(path, w, depth - 1, f);
    }
    if (d)
        closedir(d);
}

/* ---- history and archive ---- */

#ifdef WITH_HISTORY
/* The row that is shown: the newest restart, of it the latest. */
struct choice {
    char key[HISTORY_KEY_SIZE], place[ARCHIVE_PLACE_SIZE];
    int restart, n, n_none;
    bool witnessed;
};

static int choose(struct history *h, const struct history_filter *filter, struct choice *best,
                  struct err *e)
{
    struct history_query *q = history_ask(h, filter, e);
    struct history_row row;
    char last[HISTORY_KEY_SIZE] = "";
    int rc = q ? 0 : -1;

    while (q && (rc = history_next(q, &row, e)) > 0) {
        if (strcmp(last, row.key) == 0)
            continue; /* another workload of it */
        snprintf(last, sizeof last, "%s", row.key);
        best->n_none += !row.archive[0];
        if (!row.archive[0])
            continue;
        if (best->n++ == 0 || row.restart >= best->restart) {
            memcpy(best->key, last, sizeof last);
            snprintf(best->place, sizeof best->place, "%s", row.archive);
            best->restart = row.restart;
            best->witnessed = row.witnessed;
        }
    }
    history_done(q);
    return rc;
}

/* 1 found, 0 it has none, -1. */
static int look_in_history(const struct conf *c, const char *word, struct found *f, struct err *e)
{
    struct history_filter filter = HISTORY_FILTER_INIT;
    struct choice best = {.n = 0};
    char key[HISTORY_KEY_SIZE];

    if (words_job(word, &filter, key, e) < 0)
        return -1;
    struct history *h = reader_history(c, &filter, e);
    int rc = h ? choose(h, &filter, &best, e) : -1;
    history_close(h);
    if (rc < 0)
        return -1;
    if (best.n == 0)
        return best.n_none ? err_set(e,
                                     "%s left no record: the history knows only that it asked"
                                     " for a run",
                                     word)
                           : 0;
    struct archive *a = reader_archive(c, e);
    f->text = a ? archive_get(a, best.place, &f->size, e) : NULL;
    archive_close(a);
    f->doc = f->text ? record_parse(f->text, f->size, best.key, e) : NULL;
    snprintf(f->name, sizeof f->name, "%s", best.place);
    f->archived = true;
    f->n = best.n;
    f->seen = best.witnessed;
    return f->doc ? 1 : -1;
}

static void *archived_steps(const struct conf *c, const char *place, size_t *size, struct err *e)
{
    struct archive *a = reader_archive(c, e);
    void *bytes = a ? archive_steps(a, place, size, e) : NULL;

    archive_close(a);
    return bytes;
}
#else
static void *archived_steps(const struct conf *c, const char *place, size_t *size, struct err *e)
{
    (void)c, (void)place, (void)size, (void)e;
    return NULL;
}

static int look_in_history(const struct conf *c, const char *word, struct found *f, struct err *e)
{
    (void)c, (void)word, (void)f, (void)e;
    return 0;
}
#endif

/* ---- all of it ---- */

static int nothing(const char *word, const char *folder, int in_history, const struct err *why,
                   struct err *e)
{
    return err_set(e, "no record of job %s in %.100s%sthe working folder%s the spool%s%.280s", word,
                   folder ? folder : "", folder ? ", " : "", in_history < 0 ? " or" : ",",
                   in_history < 0 ? "; " : " or the history",
                   in_history < 0 ? why->text : ", as far as you may read them");
}

int find_record(const struct conf *c, const char *word, const char *folder, struct found *f,
                struct err *e)
{
    struct err why = ERR_INIT;
    struct job_word w;
    struct stat st;

    *f = (struct found)FOUND_INIT;
    if (strchr(word, '/') || lstat(word, &st) == 0)
        return read_file(word, f, e);
    if (job_word_parse(word, &w, e) < 0)
        return -1;
    if (folder)
        look_in(folder, &w, 0, f);
    if (!f->doc)
        look_in(".", &w, 0, f);
    if (!f->doc)
        look_in(c->spool, &w, SPOOL_DEPTH, f);
    if (f->doc)
        return 0;
    int rc = look_in_history(c, word, f, &why);
    return rc > 0 ? 0 : nothing(word, folder, rc, &why, e);
}

/* ---- beside it ---- */

static void *beside(const char *path, const char *name, size_t *size, struct err *e)
{
    const char *slash = strrchr(path, '/');
    char at[PATH_MAX];

    snprintf(at, sizeof at, "%.*s%.*s", slash ? (int)(slash - path) + 1 : 0, path,
             RECORD_ID_SIZE + 32, name);
    void *bytes = slurp(AT_FDCWD, at, O_NOFOLLOW, STEPS_MAX_BYTES, size);
    if (!bytes)
        err_set(e, "%s: %s", at, strerror(errno));
    return bytes;
}

void *find_steps(const struct conf *c, const struct found *f, size_t *size, struct err *e)
{
    return find_steps_of(c, f, json_at(f->doc, "steps_file"), size, e);
}

void *find_steps_of(const struct conf *c, const struct found *f, const cJSON *steps, size_t *size,
                    struct err *e)
{
    const char *name = json_text(steps, "name", "");
    char sha256[SHA256_HEX_SIZE];
    struct err why = ERR_INIT;

    if (!name[0] || strchr(name, '/')) {
        err_set(e, "%s names no steps file: %s", f->name,
                json_text(json_at(f->doc, "reasons"), "steps_file", "its release wrote none"));
        return NULL;
    }
    void *bytes =
        f->archived ? archived_steps(c, f->name, size, &why) : beside(f->name, name, size, &why);
    if (!bytes) {
        err_set(e, "the steps file of %s is not there%s%s", f->name, why.text[0] ? ": " : "",
                why.text);
        return NULL;
    }
    sha256_of(bytes, *size, sha256);
    if (strcmp(sha256, json_text(steps, "sha256", "")) == 0)
        return bytes;
    err_set(e, "%s is not the steps file that its record names: it was changed, or is another",
            name);
    free(bytes);
    return NULL;
}
