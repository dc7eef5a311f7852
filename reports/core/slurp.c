/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/slurp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/core/fdio.h"

enum { FIRST = 4096 };

static const int how = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;

static char *fail(char *text, int why)
{
    free(text);
    errno = why;
    return NULL;
}

/* One byte more than `most` is asked for: a file that grows is seen. */
char *slurp_fd(int fd, size_t most, size_t *size)
{
    size_t room = most < FIRST ? most + 1 : FIRST, n = 0;
    char *text = malloc(room + 1);

    for (;;) {
        ssize_t got = text ? fdio_read(fd, text + n, room - n) : -1;
        if (got < 0)
            return fail(text, text ? errno : ENOMEM);
        n += (size_t)got;
        if (n > most)
            return fail(text, EFBIG);
        if (n < room)
            break;
        room = room < most / 2 ? 2 * room : most + 1;
        char *more = realloc(text, room + 1);
        if (!more)
            return fail(text, ENOMEM);
        text = more;
    }
    text[n] = '\0';
    *size = n;
    return text;
}

char *slurp(int dirfd, const char *path, int flags, size_t most, size_t *size)
{
    struct stat st;
    int fd = openat(dirfd, path, how | flags);

    if (fd < 0)
        return NULL;
    int why = fstat(fd, &st) < 0 ? errno : S_ISREG(st.st_mode) ? 0 : EINVAL;
    char *text = why ? NULL : slurp_fd(fd, most, size);
    if (!why)
        why = errno;
    close(fd);
    errno = why;
    return text;
}

ssize_t slurp_text(const char *path, char *text, size_t size)
{
    char beyond;
    int fd = open(path, how);
    ssize_t n = fd < 0 ? -1 : fdio_read(fd, text, size - 1);
    ssize_t more = n == (ssize_t)size - 1 ? fdio_read(fd, &beyond, 1) : 0;
    int why = errno;

    if (fd >= 0)
        close(fd);
    text[n < 0 ? 0 : n] = '\0';
    errno = more > 0 ? EFBIG : why;
    return more > 0 ? -1 : n;
}
