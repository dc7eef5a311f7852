/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/collect/collect_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char journal_part[] = ".journal/";

void job_fini(struct job *j)
{
    for (int i = 0; i < j->n; i++)
        verified_free(j->bundles[i]);
    for (int i = 0; i < j->n_journals; i++)
        free(j->journals[i].id);
    for (int i = 0; i < j->n_runs; i++)
        free(j->runs[i].id);
    free(j->bundles);
    free(j->records);
    free(j->journals);
    free(j->runs);
    *j = (struct job)JOB_INIT;
}

/* ---- whose ---- */

const struct witness *job_facts(const struct job *j)
{
    return j->bundles[0]->w;
}

bool job_is_of(const struct job *j, const struct witness *w)
{
    return j->n == 0 ||
           (job_facts(j)->job == w->job && strcmp(job_facts(j)->cluster, w->cluster) == 0);
}

bool job_is(const struct job *j, const struct witness *w)
{
    return j->n == 0 || (job_is_of(j, w) && job_facts(j)->restart == w->restart);
}

const struct verified *job_asking(const struct job *j)
{
    for (int i = 0; i < j->n; i++)
        if (j->bundles[i]->w && j->bundles[i]->w->asked[0] && !j->bundles[i]->bad)
            return j->bundles[i];
    return NULL;
}

/* ---- what a file is ---- */

static bool ends_with(const char *name, const char *suffix)
{
    size_t n = strlen(name), s = strlen(suffix);
    return n > s && strcmp(name + n - s, suffix) == 0;
}

/* Length of the run's id in front of the name; 0: the file is of no run. */
static size_t record_id_length(const char *name)
{
    if (strchr(name, '/') || !ends_with(name, ".json") || ends_with(name, ".ranks.json"))
        return 0;
    return strlen(name) - strlen(".json");
}

static size_t journal_id_length(const char *name)
{
    const char *at = strstr(name, journal_part);

    return at && !strchr(at + strlen(journal_part), '/') ? (size_t)(at - name) : 0;
}

/* ---- growing ---- */

/* Room for one more of size bytes each; the array, NULL: out of memory. */
static void *grow(void *array, int n, int *room, size_t size)
{
    if (n < *room)
        return array;
    int more = *room ? 2 * *room : 16;
    void *new = realloc(array, (size_t)more * size);
    if (new)
        *room = more;
    return new;
}

static int no_memory(struct err *e)
{
    return err_set(e, "out of memory");
}

/* Where the id stands or would stand in the sorted list. */
static int find_run(const struct job *j, const char *id, bool *there)
{
    int low = 0, high = j->n_runs;

    while (low < high) {
        int middle = low + (high - low) / 2, order = strcmp(id, j->runs[middle].id);
        if (order == 0) {
            *there = true;
            return middle;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    *there = false;
    return low;
}

bool job_has_run(const struct job *j, const char *id)
{
    bool there;

    find_run(j, id, &there);
    return there;
}

enum noted { RUN_NOTED, RUN_TOO_MANY, RUN_NO_MEMORY };

static enum noted note_run(struct job *j, const char *id, int most, struct job_run **run)
{
    bool there;
    int at = find_run(j, id, &there);

    if (!there && j->n_runs >= most)
        return RUN_TOO_MANY;
    if (!there) {
        struct job_run *runs = grow(j->runs, j->n_runs, &j->room_runs, sizeof *runs);
        char *copy = strdup(id);
        if (runs)
            j->runs = runs;
        if (!runs || !copy) {
            free(copy);
            return RUN_NO_MEMORY;
        }
        memmove(runs + at + 1, runs + at, (size_t)(j->n_runs - at) * sizeof *runs);
        runs[at] = (struct job_run){copy, false};
        j->n_runs++;
    }
    *run = &j->runs[at];
    return RUN_NOTED;
}

static int add_record(struct job *j, struct verified *v, const struct verified_file *f,
                      struct err *e)
{
    struct job_record *more = grow(j->records, j->n_records, &j->room_records, sizeof *more);

    if (!more)
        return no_memory(e);
    j->records = more;
    more[j->n_records++] = (struct job_record){v, f, false};
    return 0;
}

static int add_journal(struct job *j, struct verified *v, const struct verified_file *f,
                       const char *id, struct err *e)
{
    struct job_journal *more = grow(j->journals, j->n_journals, &j->room_journals, sizeof *more);
    char *copy = strdup(id);

    if (more)
        j->journals = more;
    if (!more || !copy) {
        free(copy);
        return no_memory(e);
    }
    more[j->n_journals] = (struct job_journal){v, f, copy, j->n_journals};
    j->n_journals++;
    return 0;
}

/* One file of a bundle; *needed: its witness is asked for when it is filed. */
static int add_file(struct job *j, struct verified *v, const struct verified_file *f, int most,
                    bool *needed, struct err *e)
{
    char id[RECORD_ID_SIZE];
    size_t record = record_id_length(f->name), n = record ? record : journal_id_length(f->name);
    struct err why = ERR_INIT;

    if (n == 0)
        return 0;
    if (n >= sizeof id) {
        err_set(&why, "%s: a name of %zu bytes is too long for a run", f->name, n);
        verified_refuse(v, &why);
        return 0;
    }
    snprintf(id, sizeof id, "%.*s", (int)n, f->name);
    struct job_run *run = NULL;
    enum noted noted = note_run(j, id, most, &run);
    if (noted == RUN_NO_MEMORY)
        return no_memory(e);
    if (noted == RUN_TOO_MANY) {
        err_set(&why, "%s: its job left more than %d runs (runs_per_job)", f->name, most);
        verified_refuse(v, &why);
        snprintf(j->why, sizeof j->why, "it left too many runs");
        return 0;
    }
    *needed |= record || !run->has_journals;
    run->has_journals |= !record;
    return record ? add_record(j, v, f, e) : add_journal(j, v, f, id, e);
}

static void keep_witness(struct job *j, struct verified *v, bool needed)
{
    if (needed || j->n == 1 || (v->w->asked[0] && !job_asking(j)))
        return;
    witness_fini(v->w);
    free(v->w);
    v->w = NULL;
}

int job_add(struct job *j, struct verified *v, int most_runs, struct err *e)
{
    bool needed = false;
    int rc = 0;
    struct verified **more = grow(j->bundles, j->n, &j->room, sizeof *more);

    if (!more) {
        verified_free(v);
        return no_memory(e);
    }
    j->bundles = more;
    j->bundles[j->n++] = v;
    if (v->bad)
        snprintf(j->why, sizeof j->why, "its bundle was refused");
    for (int i = 0; rc == 0 && i < v->n; i++)
        rc = add_file(j, v, &v->files[i], most_runs, &needed, e);
    keep_witness(j, v, needed);
    return rc;
}

/* ---- journals ---- */

static int by_run(const void *a, const void *b)
{
    const struct job_journal *x = a, *y = b;
    int order = strcmp(x->id, y->id);

    if (order == 0)
        order = strcmp(strchr(x->file->name, '/'), strchr(y->file->name, '/'));
    return order ? order : (x->order > y->order) - (x->order < y->order);
}

void job_sort_journals(struct job *j)
{
    if (j->n_journals > 0)
        qsort(j->journals, (size_t)j->n_journals, sizeof *j->journals, by_run);
}
