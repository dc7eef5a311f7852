/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What this process's TCP sockets have moved, as the kernel tells of each
 * socket: MPI over Ethernet, a network file system's user-space client. Read
 * and write calls (io_read_bytes) count the same bytes and those of files, the
 * network devices those of all processes and not what stays on the node.
 *
 * Sockets come and go between two borders: of each the last reading is kept,
 * so that the sum never goes backwards. What a socket moved after the last
 * border before its end is not seen, nor is one that lived between two borders.
 */
#include <config.h>

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "papi/backend.h"

enum { IN, OUT, WAYS };

static const int counters[WAYS] = {COUNTER_socket_receive_bytes, COUNTER_socket_transmit_bytes};

/* A socket that was open at the last reading. */
struct seen {
    ino_t inode;
    uint64_t bytes[WAYS];
    bool open; /* in this reading too */
};

struct state {
    int source[WAYS];
    struct seen *seen;
    int n, room;
    double closed[WAYS]; /* what sockets moved that are closed */
    bool no_memory;
};

/* 0, or -1 and errno when it is not a TCP socket that tells. */
static int ask(int fd, uint64_t bytes[WAYS])
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return -1;
    if (size < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(info.tcpi_bytes_received)) {
        errno = ENOSYS;
        return -1;
    }
    bytes[IN] = info.tcpi_bytes_received;
    bytes[OUT] = info.tcpi_bytes_acked;
    return 0;
}

static void close_one(struct state *st, const struct seen *s)
{
    for (int w = 0; w < WAYS; w++)
        st->closed[w] += (double)s->bytes[w];
}

static struct seen *find(struct state *st, ino_t inode)
{
    for (int i = 0; i < st->n; i++)
        if (st->seen[i].inode == inode)
            return &st->seen[i];
    if (st->n == st->room) {
        int room = st->room ? 2 * st->room : 64;
        struct seen *more = realloc(st->seen, (size_t)room * sizeof(*more));
        if (!more)
            return NULL;
        st->seen = more;
        st->room = room;
    }
    st->seen[st->n] = (struct seen){.inode = inode};
    return &st->seen[st->n++];
}

static int one(struct counters *c, const char *name, void *ctx)
{
    struct state *st = ctx;
    uint64_t bytes[WAYS];
    struct stat s;
    int fd = (int)strtol(name, NULL, 10);

    (void)c;
    if (fstat(fd, &s) != 0 || !S_ISSOCK(s.st_mode) || ask(fd, bytes) != 0)
        return 0;
    struct seen *row = find(st, s.st_ino);
    if (!row) {
        st->no_memory = true;
        return 0;
    }
    if (bytes[IN] < row->bytes[IN] || bytes[OUT] < row->bytes[OUT])
        close_one(st, row); /* another socket that got the number of a closed one */
    memcpy(row->bytes, bytes, sizeof(bytes));
    row->open = true;
    return 0;
}

static void take(struct counters *c)
{
    struct state *st = *backend_state(c, BACKEND_SOCKET);
    double sum[WAYS];
    int n = 0;

    for (int i = 0; i < st->n; i++)
        st->seen[i].open = false;
    int found = each_own(c, "fd", one, st);
    for (int i = 0; i < st->n; i++)
        if (st->seen[i].open)
            st->seen[n++] = st->seen[i];
        else
            close_one(st, &st->seen[i]);
    st->n = n;
    memcpy(sum, st->closed, sizeof(sum));
    for (int w = 0; w < WAYS; w++) {
        for (int i = 0; i < st->n; i++)
            sum[w] += (double)st->seen[i].bytes[w];
        if (found < 0 || st->no_memory)
            source_lost(c, st->source[w], "/proc/self/fd: %s",
                        st->no_memory ? "no memory" : strerror(-found));
        else
            source_now(c, st->source[w], sum[w]);
    }
}

static int probe(struct counters *c)
{
    uint64_t bytes[WAYS];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed = fd < 0 || ask(fd, bytes) != 0 ? errno : 0;

    if (fd >= 0)
        close(fd);
    if (failed) {
        backend_off(c, "socket", "a TCP socket does not tell its bytes: %s", strerror(failed));
        return 0;
    }
    struct state *st = calloc(1, sizeof(*st));
    if (!st)
        return -1;
    *backend_state(c, BACKEND_SOCKET) = st;
    for (int w = 0; w < WAYS; w++) {
        struct source s = {.counter = counters[w], .scale = 1};
        st->source[w] = source_add(c, &s);
        if (st->source[w] < 0)
            return -1;
        counter_from(c, counters[w], "TCP_INFO of the open sockets");
    }
    return 0;
}

static void done(struct counters *c)
{
    struct state *st = *backend_state(c, BACKEND_SOCKET);

    if (st)
        free(st->seen);
    free(st);
}

const struct backend backend_socket = {
    .name = "socket", .bit = BACKEND_SOCKET, .probe = probe, .read = take, .close = done};
