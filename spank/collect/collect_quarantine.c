/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/collect/collect_quarantine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/core/atomic.h"
#include "reports/core/fdio.h"

static const char reason_suffix[] = ".reason", part_suffix[] = ".part";

/* A new file name + suffix that is whole or not there. The temporary name is
 * the next try's too, so that a killed one leaves nothing. */
static int put_reason(int dir, const char *name, const char *reason)
{
    char path[NAME_MAX + 1], part[NAME_MAX + 1];
    struct atomic a;
    int n = snprintf(path, sizeof path, "%s%s", name, reason_suffix);

    if (n >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    snprintf(part, sizeof part, ".%.200s%s%s", name, reason_suffix, part_suffix);
    if (atomic_open(&a, dir, path, part, 0640, 0) < 0)
        return -1;
    int rc = fdio_write(a.fd, reason, strlen(reason)) < 0 || fdio_write(a.fd, "\n", 1) < 0
                 ? -1
                 : atomic_publish(&a, NULL);
    atomic_discard(&a);
    return rc;
}

/* Another file system: the bytes, then the name. */
static int copy(int from, int to, const char *name)
{
    char part[NAME_MAX + 1], block[1 << 16];
    struct atomic a;
    ssize_t n = -1;

    snprintf(part, sizeof part, ".%.200s%s", name, part_suffix);
    int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (in < 0)
        return -1;
    int rc = atomic_open(&a, to, name, part, 0640, 0);
    while (rc == 0 && (n = read(in, block, sizeof block)) > 0)
        rc = fdio_write(a.fd, block, (size_t)n);
    rc = rc == 0 && n == 0 ? atomic_publish(&a, NULL) : -1;
    atomic_discard(&a);
    int why = errno;
    close(in);
    errno = why;
    return rc == 0 ? unlinkat(from, name, 0) : -1;
}

int quarantine_take(const char *folder, int out, const char *name, const char *reason,
                    struct err *e)
{
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = -1;

    if (dir < 0)
        return err_set(e, "the quarantine %s: %s", folder, strerror(errno));
    if (put_reason(dir, name, reason) == 0) {
        rc = renameat(out, name, dir, name);
        if (rc < 0 && errno == EXDEV)
            rc = copy(out, dir, name);
    }
    if (rc < 0)
        err_set(e, "cannot put %s into %s: %s", name, folder, strerror(errno));
    close(dir);
    return rc;
}

/* ---- bounds ---- */

struct entry {
    struct timespec at;
    long long size;
    char *name;
};

static int by_age(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    if (x->at.tv_sec != y->at.tv_sec)
        return x->at.tv_sec < y->at.tv_sec ? -1 : 1;
    if (x->at.tv_nsec != y->at.tv_nsec)
        return x->at.tv_nsec < y->at.tv_nsec ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int is_reason(const char *name)
{
    size_t n = strlen(name), s = sizeof reason_suffix - 1;
    return n > s && strcmp(name + n - s, reason_suffix) == 0;
}

/* All entries but the reasons of what is there. */
static struct entry *list(int dirfd, size_t *n)
{
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    struct entry *all = NULL;
    struct dirent *at;
    size_t room = 0;
    struct stat st;

    *n = 0;
    while (d && (at = readdir(d))) {
        char whose[NAME_MAX + 1];
        if (at->d_name[0] == '.' || fstatat(dirfd, at->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        snprintf(whose, sizeof whose, "%s", at->d_name);
        if (is_reason(whose)) {
            whose[strlen(whose) - (sizeof reason_suffix - 1)] = '\0';
            if (faccessat(dirfd, whose, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                continue;
        }
        if (*n == room) {
            struct entry *more = realloc(all, (room = room ? 2 * room : 256) * sizeof *all);
            if (!more)
                break;
            all = more;
        }
        char *name = strdup(at->d_name);
        if (!name)
            break;
        all[(*n)++] = (struct entry){st.st_mtim, st.st_size, name};
    }
    if (d)
        closedir(d);
    return all;
}

int quarantine_bound(const char *folder, int files, long long bytes, struct err *e)
{
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long long left = 0;
    int gone = 0;
    size_t n;

    if (dir < 0)
        return err_set(e, "the quarantine %s: %s", folder, strerror(errno));
    struct entry *all = list(dir, &n);
    if (all)
        qsort(all, n, sizeof *all, by_age);
    for (size_t i = 0; i < n; i++)
        left += all[i].size;
    for (size_t i = 0; i < n; i++) {
        char reason[NAME_MAX + 16];
        if (n - i > (size_t)files || left > bytes) {
            snprintf(reason, sizeof reason, "%s%s", all[i].name, reason_suffix);
            unlinkat(dir, all[i].name, 0);
            unlinkat(dir, reason, 0);
            left -= all[i].size;
            gone++;
        }
        free(all[i].name);
    }
    free(all);
    close(dir);
    return gone;
}
