/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/relay/forward.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "reports/core/clock.h"
#include "reports/core/fdio.h"
#include "reports/core/sha256.h"
#include "reports/core/slurp.h"
#include "spank/relay/bundle.h"
#include "spank/relay/cred.h"
#include "spank/relay/spool.h"

struct waiting {
    char name[BUNDLE_MAX_NAME + 1];
    uint64_t size;
    struct timespec since;
};

enum { PART_SECONDS = 3600 };

/* ---- the queue ---- */

static bool ends_in(const char *name, const char *tail)
{
    size_t n = strlen(name), m = strlen(tail);

    return n > m && strcmp(name + n - m, tail) == 0;
}

/* What a killed witness left half-written. */
static void remove_part(int out, const char *name)
{
    struct stat st;

    if (name[0] == '.' && ends_in(name, ".part") &&
        fstatat(out, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        st.st_mtim.tv_sec + PART_SECONDS < time(NULL))
        unlinkat(out, name, 0);
}

static int by_age(const void *a, const void *b)
{
    const struct timespec *x = &((const struct waiting *)a)->since;
    const struct timespec *y = &((const struct waiting *)b)->since;

    if (x->tv_sec != y->tv_sec)
        return x->tv_sec < y->tv_sec ? -1 : 1;
    return x->tv_nsec < y->tv_nsec ? -1 : x->tv_nsec > y->tv_nsec;
}

/* All bundles of out, oldest first; -1. The caller frees *list. */
static int list_waiting(int out, struct waiting **list, struct err *e)
{
    struct waiting *all = calloc(SPOOL_MAX_WAITING, sizeof *all);
    int n = 0, again = openat(out, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = again < 0 ? NULL : fdopendir(again);
    struct dirent *row;
    struct stat st;

    if (!d || !all) {
        if (d)
            closedir(d);
        else if (again >= 0)
            close(again);
        free(all);
        return err_set(e, "the spool's out cannot be listed: %s", strerror(errno));
    }
    while (n < SPOOL_MAX_WAITING && (row = readdir(d))) {
        remove_part(out, row->d_name);
        if (!ends_in(row->d_name, ".bundle") || !bundle_name_ok(row->d_name) ||
            fstatat(out, row->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
            continue;
        snprintf(all[n].name, sizeof all[n].name, "%.*s", BUNDLE_MAX_NAME, row->d_name);
        all[n].size = (uint64_t)st.st_size;
        all[n++].since = st.st_mtim;
    }
    closedir(d);
    qsort(all, (size_t)n, sizeof *all, by_age);
    *list = all;
    return n;
}

/* Drops the oldest until the rest is within the bound; how many. */
static int shorten(int out, const struct waiting *w, int n, uint64_t most, struct err *why)
{
    uint64_t sum = 0;
    int dropped = 0;

    for (int i = 0; i < n; i++)
        sum += w[i].size;
    for (; dropped < n && sum > most; dropped++) {
        sum -= w[dropped].size;
        unlinkat(out, w[dropped].name, 0);
        err_set(why, "%s was dropped: more than %llu MB wait for the collector", w[dropped].name,
                (unsigned long long)(most >> 20));
    }
    return dropped;
}

/* ---- one message ---- */

static int wait_for(int fd, short what, int ms)
{
    struct pollfd p = {.fd = fd, .events = what};
    int rc;

    do
        rc = poll(&p, 1, ms);
    while (rc < 0 && errno == EINTR);
    if (rc == 0)
        errno = ETIMEDOUT;
    return rc > 0 ? 0 : -1;
}

static int connect_one(const struct addrinfo *a)
{
    int error = 0;
    socklen_t size = sizeof error;
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);

    if (fd < 0)
        return -1;
    if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
        return fd;
    if (errno == EINPROGRESS && wait_for(fd, POLLOUT, FORWARD_CONNECT_MS) == 0 &&
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0)
        return fd;
    if (error)
        errno = error;
    int keep = errno;
    close(fd);
    errno = keep;
    return -1;
}

static int connect_to(const char *where, struct err *e)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found, *a;
    char host[256], port[8];
    int fd = -1;

    if (conf_address(where, false, host, port))
        return err_set(e, "collector=%s is not host:port", where);
    int rc = getaddrinfo(host, port, &hints, &found);
    if (rc)
        return err_set(e, "the collector %s: %s", where, gai_strerror(rc));
    for (a = found; a && fd < 0; a = a->ai_next)
        fd = connect_one(a);
    if (fd < 0)
        err_set(e, "the collector %s: %s", where, strerror(errno));
    freeaddrinfo(found);
    return fd;
}

static int send_all(int fd, const void *p, size_t n, struct err *e)
{
    for (size_t done = 0; done < n;) {
        ssize_t k = send(fd, (const char *)p + done, n - done, MSG_NOSIGNAL);
        if (k < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) &&
            wait_for(fd, POLLOUT, FORWARD_IO_MS) == 0)
            continue;
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return err_set(e, "the collector does not take it: %s", strerror(errno));
        done += (size_t)k;
    }
    return 0;
}

/* One line, without its end; nothing is meant to stand behind it. */
static int receive_line(int fd, char *line, size_t size, struct err *e)
{
    size_t n = 0;

    while (n < size - 1) {
        ssize_t k = recv(fd, line + n, size - 1 - n, 0);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) &&
            wait_for(fd, POLLIN, 3 * FORWARD_IO_MS) == 0)
            continue;
        if (k <= 0)
            return err_set(e, "the collector did not answer: %s",
                           k < 0 ? strerror(errno) : "it closed the connection");
        char *end = memchr(line + n, '\n', (size_t)k);
        n = end ? (size_t)(end - line) : n + (size_t)k;
        if (end)
            break;
    }
    line[n] = '\0';
    return 0;
}

static int send_head(const struct conf *c, int to, const struct waiting *w, const char *hash,
                     struct err *e)
{
    char payload[BUNDLE_MAX_NAME + 128], head[64];

    snprintf(payload, sizeof payload, "%s %llu %s", w->name, (unsigned long long)w->size, hash);
    char *credential = cred_encode(c->munge_socket, payload, strlen(payload), e);
    if (!credential)
        return -1;
    snprintf(head, sizeof head, "hpcai500-bundle 1 %zu\n", strlen(credential));
    int rc = send_all(to, head, strlen(head), e) || send_all(to, credential, strlen(credential), e);
    free(credential);
    return rc ? -1 : 0;
}

static char *load(int out, struct waiting *w, char hash[SHA256_HEX_SIZE], struct err *e)
{
    struct stat st;
    struct sha256 s;
    size_t size;
    char *bytes = NULL;
    int fd = openat(out, w->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1)
        bytes = slurp_fd(fd, 2 * BUNDLE_MAX_BYTES, &size);
    if (fd >= 0)
        close(fd);
    if (!bytes) {
        err_set(e, "%s cannot be read", w->name);
        return NULL;
    }
    w->size = size;
    sha256_init(&s);
    sha256_add(&s, bytes, w->size);
    sha256_hex(&s, hash);
    return bytes;
}

/* 1: the collector has it, 0: it does not want this one, -1: no use to go on. */
static int send_body(int to, const char *bytes, const struct waiting *w, const char *hash,
                     struct err *e)
{
    struct err sending = ERR_INIT;
    char line[600];
    /* a refusal may come, and the connection end, before all is sent */
    int sent = send_all(to, bytes, w->size, &sending);

    if (sent < 0)
        shutdown(to, SHUT_WR); /* else both would wait for the other */
    if (receive_line(to, line, sizeof line, e)) {
        if (sent < 0)
            *e = sending;
        return -1;
    }
    if (sent == 0 && strncmp(line, "ok ", 3) == 0 && strcmp(line + 3, hash) == 0)
        return 1;
    err_set(e, "%s: the collector says: %s", w->name, line);
    return 0;
}

/* As send_body(). */
static int send_bundle(const struct conf *c, int out, struct waiting *w, struct err *e)
{
    char hash[SHA256_HEX_SIZE];
    char *bytes = load(out, w, hash, e);
    int rc = -1, to = bytes ? connect_to(c->collector, e) : -1;

    if (!bytes)
        return 0;
    if (to >= 0 && send_head(c, to, w, hash, e) == 0)
        rc = send_body(to, bytes, w, hash, e);
    if (to >= 0)
        close(to);
    free(bytes);
    return rc;
}

/* ---- all that wait ---- */

static int forward_all(const struct conf *c, int out, struct forward_done *done, struct err *e)
{
    struct waiting *w = NULL;
    int64_t until = clock_now_ms() + FORWARD_RUN_MS;
    int n = list_waiting(out, &w, e), rc = n < 0 ? -1 : 0;

    if (n > 0)
        done->dropped = shorten(out, w, n, c->spool_queue, &done->why);
    for (int i = done->dropped; rc == 0 && i < n && clock_now_ms() < until; i++) {
        struct err why = ERR_INIT;
        int sent = send_bundle(c, out, &w[i], &why);
        done->sent += sent == 1;
        if (sent == 0) {
            done->refused++;
            done->why = why;
        } else if (sent < 0) {
            rc = err_set(e, "%s", why.text);
        } else if (unlinkat(out, w[i].name, 0) < 0) { /* it would be sent for ever */
            rc = err_set(e, "%s was sent and cannot be removed: %s", w[i].name, strerror(errno));
        }
    }
    free(w);
    return rc;
}

int forward_run(const struct conf *c, struct forward_done *done, struct err *e)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int rc = 0, fd, out;

    *done = (struct forward_done){0};
    if (!c->collector[0])
        return 0;
    if ((out = spool_open_out(c->spool, e)) < 0)
        return -1;
    fd = openat(out, ".forward", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        rc = err_set(e, "the spool's out/.forward: %s", strerror(errno));
    else if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
        rc = forward_all(c, out, done, e);
    else if (errno != EAGAIN && errno != EACCES) /* else another one is at it */
        rc = err_set(e, "the spool's out/.forward cannot be locked: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    close(out);
    return rc;
}
