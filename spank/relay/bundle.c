/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/relay/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "reports/core/crc32c.h"
#include "reports/core/fdio.h"

enum { HEAD = 18 }; /* "LLLLLLLL CCCCCCCC " */

struct bundle {
    int fd;
    char label[BUNDLE_MAX_NAME + 1]; /* for sentences */
    char *credential;
    char *frame; /* the file that next() shows */
    int files;
    uint64_t bytes;
    int ended; /* 0, or what next() returned last: 2 for the end, -1 */
};

/* One part of a name: letters, digits and ._+-, no dot in front. */
static size_t part_length(const char *c)
{
    return *c == '.' ? 0
                     : strspn(c, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789._+-");
}

bool bundle_name_ok(const char *name)
{
    size_t n = part_length(name), m;

    if (n == 0 || strlen(name) > BUNDLE_MAX_NAME)
        return false;
    if (!name[n])
        return true;
    m = name[n] == '/' ? part_length(name + n + 1) : 0;
    return m > 0 && !name[n + 1 + m];
}

/* ---- reading ---- */

/* Eight hexadecimal digits and a blank; -1 when it is something else. */
static long long hex8(const char *c)
{
    long long v = 0;

    for (int i = 0; i < 8; i++) {
        const char *digits = "0123456789abcdef", *d = c[i] ? strchr(digits, c[i]) : NULL;
        if (!d)
            return -1;
        v = v << 4 | (d - digits);
    }
    return c[8] == ' ' ? v : -1;
}

/* It cannot be read now; errno stays. */
static int cannot_read(const char *label, struct err *e)
{
    int why = errno;

    err_set(e, "%s: %s", label, strerror(why));
    errno = why;
    return -1;
}

/* What is there is no bundle, today and tomorrow. */
static int damaged(void)
{
    errno = 0;
    return -1;
}

/* The next frame into a new buffer, NUL at its end. 1, 0 at the end, -1. */
static int read_frame(struct bundle *b, size_t most, char **payload, size_t *size, struct err *e)
{
    char head[HEAD];
    ssize_t got = fdio_read(b->fd, head, HEAD);

    if (got == 0)
        return 0;
    long long n = got == HEAD ? hex8(head) : -1, crc = got == HEAD ? hex8(head + 9) : -1;
    if (got < 0)
        return cannot_read(b->label, e);
    if (n < 0 || crc < 0) {
        err_set(e, "%s: not a bundle, or torn: a frame has no head", b->label);
        return damaged();
    }
    if ((unsigned long long)n > most) {
        err_set(e, "%s: a frame says that it has %lld bytes; %zu are allowed", b->label, n, most);
        return damaged();
    }
    char *p = malloc((size_t)n + 1);
    if (!p)
        return cannot_read(b->label, e);
    got = fdio_read(b->fd, p, (size_t)n + 1);
    if (got == (ssize_t)n + 1 && p[n] == '\n' && crc32c(0, p, (size_t)n) == (uint32_t)crc) {
        p[n] = '\0';
        *payload = p;
        *size = (size_t)n;
        return 1;
    }
    if (got < 0)
        cannot_read(b->label, e);
    int why = got < 0 ? errno : 0;
    free(p);
    if (why == 0)
        err_set(e, "%s: a frame of %lld bytes is torn", b->label, n);
    errno = why;
    return -1;
}

static int open_regular(int dirfd, const char *name, struct err *e)
{
    struct stat st;
    int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0) {
        cannot_read(name, e);
        return errno == ELOOP ? damaged() : -1;
    }
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return fd;
    close(fd);
    err_set(e, "%s: not a regular file", name);
    return damaged();
}

struct bundle *bundle_open(int dirfd, const char *name, struct err *e)
{
    size_t n;
    int fd = open_regular(dirfd, name, e);

    if (fd < 0)
        return NULL;
    struct bundle *b = calloc(1, sizeof *b);
    if (!b) {
        close(fd);
        errno = ENOMEM;
        cannot_read(name, e);
        return NULL;
    }
    b->fd = fd;
    snprintf(b->label, sizeof b->label, "%s", name);
    int rc = read_frame(b, BUNDLE_MAX_CREDENTIAL, &b->credential, &n, e);
    if (rc == 1 && strlen(b->credential) == n)
        return b;
    if (rc >= 0) {
        err_set(e, "%s: %s", name, rc ? "the credential is not a text" : "an empty file");
        damaged();
    }
    bundle_close(b);
    return NULL;
}

void bundle_close(struct bundle *b)
{
    int keep = errno;

    if (!b)
        return;
    close(b->fd);
    free(b->credential);
    free(b->frame);
    free(b);
    errno = keep;
}

const char *bundle_credential(const struct bundle *b)
{
    return b->credential;
}

/* name NUL bytes */
static int take_apart(struct bundle *b, size_t n, struct bundle_file *f, struct err *e)
{
    size_t name = strnlen(b->frame, n);
    struct sha256 s;

    if (name == n || !bundle_name_ok(b->frame)) {
        err_set(e, "%s: file %d has no good name", b->label, b->files);
        return damaged();
    }
    if (n - name - 1 > BUNDLE_MAX_FILE_BYTES) {
        err_set(e, "%s: %s is larger than a file may be", b->label, b->frame);
        return damaged();
    }
    snprintf(f->name, sizeof f->name, "%s", b->frame);
    f->bytes = b->frame + name + 1;
    f->size = n - name - 1;
    sha256_init(&s);
    sha256_add(&s, f->bytes, f->size);
    sha256_hex(&s, f->sha256);
    return 1;
}

static int next_file(struct bundle *b, struct bundle_file *f, struct err *e)
{
    size_t n;

    free(b->frame);
    b->frame = NULL;
    int rc = read_frame(b, BUNDLE_MAX_FILE_BYTES + BUNDLE_MAX_NAME + 1, &b->frame, &n, e);
    if (rc != 1)
        return rc;
    b->bytes += n;
    if (b->files++ == BUNDLE_MAX_FILES || b->bytes > BUNDLE_MAX_BYTES) {
        err_set(e, "%s: more files or bytes than a bundle may have", b->label);
        return damaged();
    }
    return take_apart(b, n, f, e);
}

int bundle_next(struct bundle *b, struct bundle_file *f, struct err *e)
{
    if (b->ended)
        return b->ended == 2 ? 0 : err_set(e, "%s: damaged", b->label);
    int rc = next_file(b, f, e);
    if (rc != 1)
        b->ended = rc == 0 ? 2 : -1;
    return rc;
}

/* ---- writing ---- */

static int write_all(int fd, struct iovec *v, int n, struct err *e)
{
    while (n) {
        ssize_t k = writev(fd, v, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return err_set(e, "the bundle cannot be written: %s", strerror(k ? errno : ENOSPC));
        for (; n && (size_t)k >= v->iov_len; n--)
            k -= (ssize_t)v++->iov_len;
        if (n) {
            v->iov_base = (char *)v->iov_base + k;
            v->iov_len -= (size_t)k;
        }
    }
    return 0;
}

/* One frame whose payload is in two parts. */
static int write_frame(int fd, const void *a, size_t na, const void *b, size_t nb, struct err *e)
{
    char head[HEAD + 1];

    /* 32 bits are enough: BUNDLE_MAX_FILE_BYTES */
    snprintf(head, sizeof head, "%08x %08x ", (uint32_t)(na + nb), crc32c(crc32c(0, a, na), b, nb));
    struct iovec v[] = {
        {head, HEAD}, {(void *)(uintptr_t)a, na}, {(void *)(uintptr_t)b, nb}, {(char[]){'\n'}, 1}};
    return write_all(fd, v, 4, e);
}

int bundle_write_credential(int fd, const char *credential, struct err *e)
{
    size_t n = strlen(credential);

    if (n > BUNDLE_MAX_CREDENTIAL)
        return err_set(e, "a credential of %zu bytes is too large for a bundle", n);
    return write_frame(fd, credential, n, "", 0, e);
}

int bundle_write_file(int fd, const char *name, const void *bytes, size_t size, struct err *e)
{
    if (!bundle_name_ok(name))
        return err_set(e, "a bundle cannot carry a file named '%s'", name);
    if (size > BUNDLE_MAX_FILE_BYTES)
        return err_set(e, "%s has %zu bytes: too large for a bundle", name, size);
    return write_frame(fd, name, strlen(name) + 1, bytes, size, e);
}
