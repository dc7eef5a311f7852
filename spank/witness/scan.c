/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/witness/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/core/fdio.h"

static void skip(struct scan *s, const struct err *why)
{
    if (s->skipped++ == 0)
        s->why = *why;
}

/* Why an entry is not for us; 0 when it is. */
static int look(const struct stat *st, const char *name, uid_t uid, struct err *e)
{
    if (st->st_uid != uid)
        return err_set(e, "%s belongs to user %ld", name, (long)st->st_uid);
    if (S_ISDIR(st->st_mode))
        return 0;
    if (!S_ISREG(st->st_mode))
        return err_set(e, "%s is not a regular file", name);
    if (st->st_nlink != 1)
        return err_set(e, "%s has %ld names", name, (long)st->st_nlink);
    if (st->st_size < 0 || st->st_size > BUNDLE_MAX_FILE_BYTES)
        return err_set(e, "%s has %lld bytes", name, (long long)st->st_size);
    return 0;
}

/* The inode behind an O_PATH descriptor, opened for reading. */
static int reopen(int path, int flags)
{
    char self[32];

    snprintf(self, sizeof self, "/proc/self/fd/%d", path);
    return open(self, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags);
}

static struct scan_file *room(struct scan *s, struct err *e)
{
    if (s->n == BUNDLE_MAX_FILES) {
        err_set(e, "there are more than %d files", BUNDLE_MAX_FILES);
        return NULL;
    }
    if (s->n % 32 == 0) {
        struct scan_file *more = realloc(s->files, (size_t)(s->n + 32) * sizeof *more);
        if (!more) {
            err_set(e, "no memory");
            return NULL;
        }
        s->files = more;
    }
    return &s->files[s->n];
}

static int take(struct scan *s, int fd, const char *name, size_t size, struct err *e)
{
    struct scan_file *f = room(s, e);
    struct sha256 h;

    if (!f)
        return -1;
    if (size > s->most || s->bytes > s->most - size)
        return err_set(e, "%s is beyond the %llu bytes that are taken of a job", name,
                       (unsigned long long)s->most);
    char *bytes = malloc(size + 1);
    ssize_t got = bytes ? fdio_read(fd, bytes, size) : -1;
    if (got < 0) {
        free(bytes);
        return err_set(e, "%s cannot be read: %s", name, strerror(bytes ? errno : ENOMEM));
    }
    *f = (struct scan_file){.bytes = bytes};
    memcpy(f->name, name, strnlen(name, BUNDLE_MAX_NAME));
    f->size = (size_t)got;
    sha256_init(&h);
    sha256_add(&h, f->bytes, f->size);
    sha256_hex(&h, f->sha256);
    s->bytes += f->size;
    s->n++;
    return 0;
}

static int walk(struct scan *s, int folder, const char *prefix, uid_t uid, struct err *e);

/* 0: taken, or a folder that was walked; -1: why not. */
static int entry(struct scan *s, int folder, const char *prefix, const char *last, uid_t uid,
                 struct err *e)
{
    char name[2 * NAME_MAX + 2];
    struct stat st;
    int fd = -1, rc = -1;
    int path = openat(folder, last, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "/" : "", last);
    if (path < 0 || fstat(path, &st) < 0)
        err_set(e, "%s: %s", name, strerror(errno));
    else if (!bundle_name_ok(name))
        err_set(e, "%s is not a name for a file of a run", name);
    else if (look(&st, name, uid, e))
        ;
    else if (S_ISDIR(st.st_mode) && *prefix)
        err_set(e, "%s is a folder in a folder", name);
    else if ((fd = reopen(path, S_ISDIR(st.st_mode) ? O_DIRECTORY : 0)) < 0)
        err_set(e, "%s: %s", name, strerror(errno));
    else if (S_ISDIR(st.st_mode))
        rc = walk(s, fd, name, uid, e);
    else
        rc = take(s, fd, name, (size_t)st.st_size, e);
    if (fd >= 0)
        close(fd);
    if (path >= 0)
        close(path);
    return rc;
}

static int walk(struct scan *s, int folder, const char *prefix, uid_t uid, struct err *e)
{
    int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = again < 0 ? NULL : fdopendir(again);
    struct dirent *row;

    if (!d) {
        err_set(e, "%s: %s", *prefix ? prefix : "the drop folder", strerror(errno));
        if (again >= 0)
            close(again);
        return -1;
    }
    while (s->entries < SCAN_MAX_ENTRIES && (row = readdir(d))) {
        struct err why = ERR_INIT;
        if (strcmp(row->d_name, ".") == 0 || strcmp(row->d_name, "..") == 0)
            continue;
        s->entries++;
        if (entry(s, folder, prefix, row->d_name, uid, &why))
            skip(s, &why);
    }
    closedir(d);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct scan_file *)a)->name, ((const struct scan_file *)b)->name);
}

int scan_folder(struct scan *s, int folder, uid_t uid, uint64_t most, struct err *e)
{
    s->most = most < BUNDLE_MAX_BYTES / 2 ? most : BUNDLE_MAX_BYTES / 2;
    if (walk(s, folder, "", uid, e))
        return -1;
    if (s->entries == SCAN_MAX_ENTRIES) {
        struct err why;
        err_set(&why, "there are %d entries or more", SCAN_MAX_ENTRIES);
        skip(s, &why);
    }
    if (s->n)
        qsort(s->files, (size_t)s->n, sizeof *s->files, by_name);
    return 0;
}

void scan_fini(struct scan *s)
{
    for (int i = 0; i < s->n; i++)
        free(s->files[i].bytes);
    free(s->files);
    *s = (struct scan){0};
}
