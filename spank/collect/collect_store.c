/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/collect/collect_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct store {
    int fd;
    off_t end;
};

struct store *store_open(const char *path, struct err *e)
{
    struct store *s = calloc(1, sizeof *s);

    if (!s) {
        err_set(e, "out of memory");
        return NULL;
    }
    unlink(path); /* of a collector that died between the two calls */
    s->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (s->fd < 0 || unlink(path) < 0) {
        err_set(e, "cannot make %s: %s", path, strerror(errno));
        store_close(s);
        return NULL;
    }
    return s;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    free(s);
}

int store_add(struct store *s, const void *bytes, size_t size, off_t *at, struct err *e)
{
    const char *from = bytes;

    for (size_t done = 0; done < size;) {
        ssize_t n = pwrite(s->fd, from + done, size - done, s->end + (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set(e, "no room beside the history: %s", strerror(n ? errno : ENOSPC));
        done += (size_t)n;
    }
    *at = s->end;
    s->end += (off_t)size;
    return 0;
}

char *store_get(const struct store *s, off_t at, size_t size, struct err *e)
{
    char *bytes = malloc(size + 1);

    if (!bytes) {
        err_set(e, "out of memory");
        return NULL;
    }
    for (size_t done = 0; done < size;) {
        ssize_t n = pread(s->fd, bytes + done, size - done, at + (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            err_set(e, "cannot read what stands beside the history: %s",
                    n ? strerror(errno) : "it ends early");
            free(bytes);
            return NULL;
        }
        done += (size_t)n;
    }
    bytes[size] = '\0';
    return bytes;
}

void store_cut(struct store *s, off_t at)
{
    if (s->end > at && ftruncate(s->fd, at) == 0)
        s->end = at;
}

off_t store_size(const struct store *s)
{
    return s->end;
}
