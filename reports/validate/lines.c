/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/validate/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/core/atomic.h"
#include "reports/core/fdio.h"

static const char mark[] = "{\"hpcai500\":\"renewed 1\",\"bytes\":%12lld}";

static const char begins_with[] = "{\"hpcai500\":\"";

enum { MARK_SIZE = 64 };

/* ---- names and kinds ---- */

int lines_path(const char *history, const char *name, char *path, int size, struct err *e)
{
    const char *slash = strrchr(history, '/');
    const int folder = slash ? (int)(slash - history) : 1;

    if (snprintf(path, (size_t)size, "%.*s/%s", folder, slash ? history : ".", name) >= size)
        return err_set(e, "the folder of the history '%s' is too long for a path", history);
    return 0;
}

bool lines_is(const char *line, const char *kind)
{
    const size_t head = sizeof begins_with - 1, n = strlen(kind);

    return strncmp(line, begins_with, head) == 0 && strncmp(line + head, kind, n) == 0 &&
           line[head + n] == '"';
}

bool lines_is_any(const char *line)
{
    return strncmp(line, begins_with, sizeof begins_with - 1) == 0 && !lines_is(line, "renewed 1");
}

/* ---- opening ---- */

/* Whether fd is still the file of that name. */
static bool is_current(int fd, const char *path)
{
    struct stat mine, there;

    return fstat(fd, &mine) == 0 && stat(path, &there) == 0 && mine.st_dev == there.st_dev &&
           mine.st_ino == there.st_ino;
}

int lines_open(struct lines *l, const char *what, const char *path, struct err *e)
{
    *l = (struct lines){.what = what, .path = path, .fd = -1};
    for (;;) {
        l->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
        int rc = l->fd < 0 ? -1 : flock(l->fd, LOCK_EX);
        if (rc == 0 && is_current(l->fd, path))
            return 0;
        const int error = errno;
        lines_close(l);
        if (rc < 0 && error != EINTR)
            return err_set(e, "%s %s cannot be opened: %s", what, path, strerror(error));
    }
}

void lines_close(struct lines *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

int lines_add(struct lines *l, const char *text, size_t size, struct err *e)
{
    if (size == 0)
        return 0;
    if ((!fdio_ends_line(l->fd) && fdio_write(l->fd, "\n", 1) < 0) ||
        fdio_write(l->fd, text, size) < 0 || fsync(l->fd) < 0)
        return err_set(e, "%s %s cannot be written: %s", l->what, l->path, strerror(errno));
    return 0;
}

/* ---- writing anew ---- */

bool lines_full(const struct lines *l, long least)
{
    char text[MARK_SIZE] = "";
    long long bytes = 0;
    struct stat st;

    if (fstat(l->fd, &st) < 0 || pread(l->fd, text, sizeof text - 1, 0) < 0)
        return false;
    if (sscanf(text, mark, &bytes) != 1 || bytes < 0)
        bytes = 0;
    return st.st_size >= least && st.st_size / 2 >= bytes;
}

/* The new file, with room for its mark, then the mark. */
static int write_new(struct atomic *a, int (*put)(FILE *f, void *ctx), void *ctx)
{
    FILE *f = atomic_stream(a);
    long size;

    if (!f || fprintf(f, mark, 0LL) < 0 || fputc('\n', f) == EOF || put(f, ctx) < 0 ||
        (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET) < 0)
        return -1;
    return fprintf(f, mark, (long long)size) < 0 ? -1 : 0;
}

int lines_renew(struct lines *l, int (*put)(FILE *f, void *ctx), void *ctx)
{
    const char *slash = strrchr(l->path, '/');
    char temporary[NAME_MAX + 1];
    struct atomic a;
    struct stat st;
    int rc = -1;

    if (snprintf(temporary, sizeof temporary, ".%s.tmp", slash ? slash + 1 : l->path) >=
            (int)sizeof temporary ||
        fstat(l->fd, &st) < 0 ||
        atomic_open(&a, AT_FDCWD, l->path, temporary, st.st_mode & 07777, 0) < 0) {
        lines_close(l);
        return -1;
    }
    if (write_new(&a, put, ctx) == 0 && fchown(a.fd, st.st_uid, st.st_gid) == 0)
        rc = atomic_publish(&a, NULL);
    atomic_discard(&a);
    lines_close(l);
    return rc;
}

/* ---- reading ---- */

int lines_read(const char *what, const char *path, char *line, int size,
               int (*take)(const char *line, void *ctx, struct err *e), void *ctx, struct err *e)
{
    FILE *f = fopen(path, "re");
    bool begins = true; /* what fgets() gives is the beginning of a line */
    int rc = 0;

    if (!f)
        return errno == ENOENT
                   ? 0
                   : err_set(e, "%s %s cannot be read: %s", what, path, strerror(errno));
    while (rc == 0 && (line[size - 1] = '\n', fgets(line, size, f))) {
        char *end = line + strlen(line);
        const bool full = line[size - 1] == '\0'; /* else it was read to its newline */
        const bool whole = end > line && end[-1] == '\n';
        if (whole && begins) {
            end[-1] = '\0';
            rc = take(line, ctx, e);
        }
        begins = whole || !full;
    }
    if (rc == 0 && ferror(f))
        rc = err_set(e, "%s %s cannot be read: %s", what, path, strerror(errno));
    fclose(f);
    return rc;
}
