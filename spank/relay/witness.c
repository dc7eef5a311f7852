/* SPDX-License-Identifier: BSD-3-Clause */
/* Making the witness's line: without cJSON, since root writes it. */
#include <config.h>

#include "spank/relay/witness.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct witness_file *witness_add(struct witness *w, const char *name, struct err *e)
{
    if (w->n_files == WITNESS_MAX_FILES || strlen(name) >= WITNESS_FILE_NAME_SIZE) {
        err_set(e, "a witness cannot list %s: %d files of names below %d bytes are allowed", name,
                WITNESS_MAX_FILES, WITNESS_FILE_NAME_SIZE);
        return NULL;
    }
    if (w->n_files % 16 == 0) {
        struct witness_file *more = realloc(w->files, (size_t)(w->n_files + 16) * sizeof *w->files);
        if (!more) {
            err_set(e, "no memory for a list of %d files", w->n_files + 1);
            return NULL;
        }
        w->files = more;
    }
    struct witness_file *f = &w->files[w->n_files++];
    *f = (struct witness_file){.size = 0};
    snprintf(f->name, sizeof f->name, "%s", name);
    return f;
}

void witness_fini(struct witness *w)
{
    free(w->files);
    w->files = NULL;
    w->n_files = 0;
}

const struct witness_file *witness_find(const struct witness *w, const char *name)
{
    for (int i = 0; i < w->n_files; i++)
        if (strcmp(w->files[i].name, name) == 0)
            return &w->files[i];
    return NULL;
}

/* What is not printable ASCII becomes '?': names of Slurm are nothing else. */
static void put_text(FILE *f, const char *name, const char *text)
{
    if (!*text) {
        fprintf(f, "\"%s\":null,", name);
        return;
    }
    fprintf(f, "\"%s\":\"", name);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putc('\\', f);
        putc(*text < ' ' || *text > '~' ? '?' : *text, f);
    }
    fputs("\",", f);
}

static void put_whole(FILE *f, const char *name, long v)
{
    if (v < 0)
        fprintf(f, "\"%s\":null,", name);
    else
        fprintf(f, "\"%s\":%ld,", name, v);
}

/* Three digits behind the point: milliseconds, and bytes below 2^53. */
static void put_number(FILE *f, const char *name, double v, const char *tail)
{
    if (isfinite(v))
        fprintf(f, "\"%s\":%.3f%s", name, v, tail);
    else
        fprintf(f, "\"%s\":null%s", name, tail);
}

static void put_files(FILE *f, const struct witness *w)
{
    fputs("\"files\":[", f);
    for (int i = 0; i < w->n_files; i++) {
        fputs(i ? ",{" : "{", f);
        put_text(f, "name", w->files[i].name);
        fprintf(f, "\"size\":%" PRIu64 ",\"sha256\":\"%s\"}", w->files[i].size, w->files[i].sha256);
    }
    fputs("]}", f);
}

static void put_all(FILE *f, const struct witness *w)
{
    fputs("{\"witness\":1,", f);
    put_text(f, "cluster", w->cluster);
    put_whole(f, "job", w->job);
    put_whole(f, "restart", w->restart);
    put_whole(f, "array_job", w->array_job);
    put_whole(f, "array_task", w->array_task);
    put_whole(f, "het_job", w->het_job);
    put_whole(f, "het_offset", w->het_offset);
    put_whole(f, "uid", w->uid);
    put_text(f, "user", w->user);
    put_text(f, "account", w->account);
    put_text(f, "partition", w->partition);
    put_text(f, "node", w->node);
    put_text(f, "nodes", w->nodes);
    put_text(f, "asked", w->asked);
    put_number(f, "begin", w->begin, ",");
    put_number(f, "end", w->end, ",");
    fprintf(f, "\"interrupted\":%s,\"cgroup\":{", w->interrupted ? "true" : "false");
    put_number(f, "cpu_user_seconds", w->cpu_user_seconds, ",");
    put_number(f, "cpu_system_seconds", w->cpu_system_seconds, ",");
    put_number(f, "memory_peak_bytes", w->memory_peak_bytes, ",");
    put_number(f, "read_bytes", w->read_bytes, ",");
    put_number(f, "write_bytes", w->write_bytes, "},");
    put_text(f, "cgroup_reason", w->cgroup_reason);
    fputs("\"machine\":{", f);
    put_number(f, "cpus", w->cpus, ",");
    put_number(f, "flop_f32", w->flop_f32, ",");
    put_number(f, "flop_bf16", w->flop_bf16, "},");
    put_whole(f, "skipped", w->skipped);
    put_text(f, "skipped_reason", w->skipped_reason);
    put_files(f, w);
}

char *witness_format(const struct witness *w, struct err *e)
{
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);

    if (f) {
        put_all(f, w);
        bool bad = ferror(f);
        if (fclose(f) == 0 && !bad)
            return text;
    }
    free(text);
    err_set(e, "no memory for the witness's line");
    return NULL;
}
