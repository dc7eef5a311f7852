/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/generate/gen_part.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t files(const struct gen_set *s)
{
    return s->train + s->validation;
}

/* Floats behind a record. */
static size_t row_floats(const struct gen_set *s)
{
    return (size_t)s->per_file * (size_t)s->generator->features;
}

void parts_fini(struct parts *p)
{
    free(p->file);
    free(p->features);
}

/* The file of a record is there as the record says. */
static bool is_there(const struct gen_set *s, const struct part *one)
{
    char name[MANIFEST_PATH_SIZE], path[PATH_MAX];
    struct stat st;

    gen_set_name(s, one->index, name);
    snprintf(path, sizeof path, "%s/%s", s->partial, name);
    return stat(path, &st) == 0 && (uint64_t)st.st_size == one->bytes;
}

/* Takes the records of one part file. */
static void read_part(const struct gen_set *s, struct parts *p, FILE *f)
{
    const size_t floats = row_floats(s);
    float *rows = malloc((floats + 1) * sizeof *rows);
    struct part one;

    while (rows && fread(&one, sizeof one, 1, f) == 1 &&
           fread(rows, sizeof *rows, floats, f) == floats) {
        if (one.index >= files(s) || one.bytes == 0 || p->file[one.index].bytes ||
            strnlen(one.sha256, sizeof one.sha256) != 64 || !is_there(s, &one))
            continue;
        p->file[one.index] = one;
        memcpy(p->features + one.index * floats, rows, floats * sizeof *rows);
        p->found++;
    }
    free(rows);
}

int parts_read(const struct gen_set *s, struct parts *p, struct err *e)
{
    char path[PATH_MAX];
    struct dirent *entry;
    DIR *d = opendir(s->partial);

    *p = (struct parts){0};
    if (!d)
        return err_set(e, "%s: %s", s->partial, strerror(errno));
    p->file = calloc(files(s), sizeof *p->file);
    p->features = calloc(files(s) * row_floats(s) + 1, sizeof *p->features);
    if (!p->file || !p->features) {
        closedir(d);
        parts_fini(p);
        return err_set(e, "no memory for the list of %" PRIu64 " files", files(s));
    }
    while ((entry = readdir(d))) {
        if (strncmp(entry->d_name, PART_HEAD, strlen(PART_HEAD)) != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", s->partial, entry->d_name);
        FILE *f = fopen(path, "re");
        if (!f)
            continue;
        read_part(s, p, f);
        fclose(f);
    }
    closedir(d);
    return 0;
}

int part_open(struct part_writer *w, const struct gen_set *s, struct err *e)
{
    char host[64] = "";

    gethostname(host, sizeof host - 1);
    w->set = s;
    snprintf(w->path, sizeof w->path, "%s/%s%s-%ld-XXXXXX", s->partial, PART_HEAD, host,
             (long)getpid());
    w->fd = mkostemp(w->path, O_CLOEXEC | O_APPEND);
    return w->fd < 0 ? err_set(e, "%s: %s", w->path, strerror(errno)) : 0;
}

int part_append(struct part_writer *w, const struct part *one, const float *features, struct err *e)
{
    const size_t rows = row_floats(w->set) * sizeof *features;
    char *text = malloc(sizeof *one + rows);

    if (!text)
        return err_set(e, "no memory for a record");
    memcpy(text, one, sizeof *one);
    memcpy(text + sizeof *one, features, rows);
    ssize_t n = write(w->fd, text, sizeof *one + rows);
    free(text);
    if (n != (ssize_t)(sizeof *one + rows))
        return err_set(e, "%s: %s", w->path, n < 0 ? strerror(errno) : strerror(ENOSPC));
    return 0;
}

void part_close(struct part_writer *w)
{
    if (w->fd >= 0)
        close(w->fd);
    w->fd = -1;
}
