/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/atomic.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef HAVE_SYS_RANDOM_H
#include <sys/random.h>
#endif

#include "reports/core/clock.h"
#include "reports/core/fdio.h"

static const char tail[] = ".tmp";

enum { DIGITS = 8, TRIES = 16 };

static unsigned random_number(void)
{
    unsigned v = 0;

#ifdef HAVE_SYS_RANDOM_H
    if (getrandom(&v, sizeof v, GRND_NONBLOCK) == (ssize_t)sizeof v)
        return v;
#endif
    return (unsigned)clock_real() ^ (unsigned)getpid() << 16;
}

/* The folder that path is in and the name there. */
static int split(struct atomic *a, int dirfd, const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t n = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;

    if (!*name || n >= sizeof folder || strlen(name) >= sizeof a->name) {
        errno = *name ? ENAMETOOLONG : EISDIR;
        return -1;
    }
    strcpy(a->name, name);
    a->dirfd = dirfd;
    if (!slash && dirfd != AT_FDCWD)
        return 0;
    memcpy(folder, path, n);
    folder[n] = '\0';
    a->dirfd = openat(dirfd, n ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    a->own_dirfd = a->dirfd >= 0;
    return a->dirfd < 0 ? -1 : 0;
}

/* 0600 until it is whole, but where the umask decides. */
static int create(struct atomic *a)
{
    const int how = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

    a->fd = openat(a->dirfd, a->temporary, how, a->flags & ATOMIC_UMASK ? a->mode : 0600);
    return a->fd < 0 ? -1 : 0;
}

static int create_given(struct atomic *a, const char *temporary)
{
    if (strlen(temporary) >= sizeof a->temporary) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(a->temporary, temporary);
    if (create(a) == 0)
        return 0;
    return errno == EEXIST && unlinkat(a->dirfd, temporary, 0) == 0 ? create(a) : -1;
}

static int create_unique(struct atomic *a)
{
    const int room = (int)(sizeof a->temporary - DIGITS - sizeof tail - 2);

    for (int i = 0; i < TRIES; i++) {
        snprintf(a->temporary, sizeof a->temporary, ".%.*s.%08x%s", room, a->name, random_number(),
                 tail);
        if (create(a) == 0)
            return 0;
        if (errno != EEXIST)
            return -1;
    }
    return -1;
}

int atomic_open(struct atomic *a, int dirfd, const char *path, const char *temporary, mode_t mode,
                unsigned flags)
{
    *a = (struct atomic){.fd = -1, .dirfd = -1, .mode = mode, .flags = flags};
    if (split(a, dirfd, path) == 0 &&
        (temporary ? create_given(a, temporary) : create_unique(a)) == 0)
        return 0;
    a->temporary[0] = '\0'; /* if there is one, it is not ours */
    atomic_discard(a);
    return -1;
}

FILE *atomic_stream(struct atomic *a)
{
    if (!a->stream && a->fd >= 0)
        a->stream = fdopen(a->fd, "w");
    return a->stream;
}

static int close_file(struct atomic *a)
{
    int fd = a->fd;
    FILE *f = a->stream;

    a->fd = -1;
    a->stream = NULL;
    return f ? fclose(f) : fd >= 0 ? close(fd) : 0;
}

int atomic_settle(struct atomic *a)
{
    if (a->fd < 0)
        return 0;
    if (a->stream && (fflush(a->stream) || ferror(a->stream)))
        return -1;
    if (!(a->flags & ATOMIC_UMASK) && fchmod(a->fd, a->mode) < 0)
        return -1;
    if (!(a->flags & ATOMIC_VOLATILE) && fsync(a->fd) < 0)
        return -1;
    return close_file(a);
}

int atomic_publish(struct atomic *a, const char *name)
{
    const bool new = a->flags &ATOMIC_NEW;

    if (!name)
        name = a->name;
    if (atomic_settle(a) < 0)
        return -1;
    if ((new ? atomic_rename_new(a->dirfd, a->temporary, a->dirfd, name)
             : renameat(a->dirfd, a->temporary, a->dirfd, name)) < 0)
        return -1;
    a->temporary[0] = '\0';
    if (a->flags & (ATOMIC_VOLATILE | ATOMIC_LATER) || atomic_sync_folder(a->dirfd) == 0)
        return 0;
    int why = errno;
    if (new)
        unlinkat(a->dirfd, name, 0);
    errno = why;
    return -1;
}

void atomic_discard(struct atomic *a)
{
    int why = errno;

    close_file(a);
    if (a->temporary[0])
        unlinkat(a->dirfd, a->temporary, 0);
    if (a->own_dirfd)
        close(a->dirfd);
    *a = (struct atomic){.fd = -1, .dirfd = -1};
    errno = why;
}

int atomic_write(int dirfd, const char *path, mode_t mode, unsigned flags, const void *bytes,
                 size_t n)
{
    struct atomic a;

    if (atomic_open(&a, dirfd, path, NULL, mode, flags) < 0)
        return -1;
    int rc = fdio_write(a.fd, bytes, n) < 0 ? -1 : atomic_publish(&a, NULL);
    atomic_discard(&a);
    return rc;
}

int atomic_rename_new(int from_dirfd, const char *from, int to_dirfd, const char *to)
{
    if (renameat2(from_dirfd, from, to_dirfd, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP)
        return -1;
    if (linkat(from_dirfd, from, to_dirfd, to, 0) < 0)
        return -1;
    unlinkat(from_dirfd, from, 0);
    return 0;
}

int atomic_sync_folder(int dirfd)
{
    return fsync(dirfd) == 0 || errno == EINVAL ? 0 : -1;
}

bool atomic_is_temporary(const char *entry, const char *stem)
{
    size_t n = strlen(entry), m = strlen(stem), end = DIGITS + sizeof tail - 1;

    return n > m + end + 2 && entry[0] == '.' && strncmp(entry + 1, stem, m) == 0 &&
           entry[m + 1] == '.' && entry[n - end - 1] == '.' &&
           strspn(entry + n - end, "0123456789abcdef") == DIGITS &&
           strcmp(entry + n - (sizeof tail - 1), tail) == 0;
}
