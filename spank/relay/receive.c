/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/relay/receive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/core/clock.h"
#include "reports/core/conf.h"
#include "reports/core/fdio.h"
#include "reports/core/sha256.h"
#include "spank/relay/bundle.h"
#include "spank/relay/cred.h"
#include "spank/relay/spool.h"

enum { HEAD_SIZE = 64, BLOCK = 65536, MAX_LISTEN = 8, OPEN_TRIES = 16 };

static const char head_word[] = "hpcai500-bundle 1 ";

/* The file that is being filled: .received-PID-NUMBER.part, locked by who fills it. */
static const char part_head[] = ".received-", part_tail[] = ".part";

/* What a peer is in the middle of. */
enum stage { LINE, CREDENTIAL, BODY };

struct peer {
    int fd; /* -1: free */
    enum stage stage;
    long long since;                               /* milliseconds */
    char text[HEAD_SIZE + RECEIVE_MAX_CREDENTIAL]; /* line, then credential */
    size_t have, want;
    char name[BUNDLE_MAX_NAME + 1], hash[SHA256_HEX_SIZE];
    uint64_t size, got;
    struct sha256 sum;
    int part; /* the file that is being filled, -1 none */
    unsigned number;
};

struct receiver {
    int sockets[MAX_LISTEN], n_sockets, out;
    char munge_socket[CONF_TEXT_SIZE];
    void (*say)(void *ctx, const char *sentence);
    void *ctx;
    unsigned numbers;
    struct peer peers[RECEIVE_MAX_PEERS];
};

/* ---- opening ---- */

static int listen_on(const struct addrinfo *a)
{
    int one = 1;
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);

    if (fd < 0)
        return -1;
    /* Without the first the next receiver would wait for our peers' last minutes. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
        (a->ai_family != AF_INET6 ||
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) == 0) &&
        bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, RECEIVE_MAX_PEERS) == 0)
        return fd;
    int keep = errno;
    close(fd);
    errno = keep;
    return -1;
}

static int open_sockets(struct receiver *r, const char *where, struct err *e)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found, *a;
    char host[256], port[8];

    if (conf_address(where, true, host, port))
        return err_set(e, "listen=%s is not [address]:port", where);
    int rc = getaddrinfo(host[0] ? host : NULL, port, &hints, &found);
    if (rc)
        return err_set(e, "listen=%s: %s", where, gai_strerror(rc));
    for (a = found; a && r->n_sockets < MAX_LISTEN; a = a->ai_next) {
        int fd = listen_on(a);
        if (fd >= 0)
            r->sockets[r->n_sockets++] = fd;
    }
    if (!r->n_sockets)
        err_set(e, "listen=%s: %s", where, strerror(errno));
    freeaddrinfo(found);
    return r->n_sockets ? 0 : -1;
}

struct receiver *receive_open(const char *listen, const char *spool, const char *munge_socket,
                              void (*say)(void *ctx, const char *sentence), void *ctx,
                              struct err *e)
{
    struct receiver *r = calloc(1, sizeof *r);

    if (!r) {
        err_set(e, "no memory for the collector's socket");
        return NULL;
    }
    for (int i = 0; i < RECEIVE_MAX_PEERS; i++)
        r->peers[i].fd = r->peers[i].part = -1;
    r->say = say;
    r->ctx = ctx;
    snprintf(r->munge_socket, sizeof r->munge_socket, "%s", munge_socket ? munge_socket : "");
    r->out = spool_open_out(spool, e);
    if (r->out >= 0 && open_sockets(r, listen, e) == 0) {
        receive_clean(r->out);
        return r;
    }
    receive_close(r);
    return NULL;
}

/* ---- the file that is being filled ---- */

static void part_name(const struct peer *p, char *name, size_t size)
{
    snprintf(name, size, "%s%ld-%u%s", part_head, (long)getpid(), p->number, part_tail);
}

/* 0: it is ours, until we close it or die. */
static int lock(int fd)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    return fcntl(fd, F_OFD_SETLK, &all);
}

/* Where nobody can lock, nobody cleans. */
static bool is_ours(int fd)
{
    struct stat st;

    return (lock(fd) == 0 || errno == ENOLCK || errno == EOPNOTSUPP) && fstat(fd, &st) == 0 &&
           st.st_nlink == 1;
}

/* A new file that nobody else fills or cleans away; -1 and errno. */
static int open_part(struct receiver *r, struct peer *p)
{
    char name[64];

    for (int i = 0; i < OPEN_TRIES; i++) {
        p->number = ++r->numbers;
        part_name(p, name, sizeof name);
        int fd = openat(r->out, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0 && errno != EEXIST)
            return -1;
        if (fd < 0)
            continue;
        /* Between its making and its lock it could be taken for a dead one's. */
        if (is_ours(fd))
            return fd;
        int why = errno;
        close(fd);
        unlinkat(r->out, name, 0);
        errno = why;
    }
    return -1;
}

void receive_clean(int out)
{
    int fd, again = openat(out, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = again < 0 ? NULL : fdopendir(again);
    struct dirent *row;

    if (!d && again >= 0)
        close(again);
    while (d && (row = readdir(d))) {
        size_t n = strlen(row->d_name), tail = sizeof part_tail - 1;
        if (strncmp(row->d_name, part_head, sizeof part_head - 1) != 0 ||
            strcmp(row->d_name + n - tail, part_tail) != 0)
            continue;
        fd = openat(out, row->d_name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd >= 0 && lock(fd) == 0)
            unlinkat(out, row->d_name, 0);
        if (fd >= 0)
            close(fd);
    }
    if (d)
        closedir(d);
}

static void drop(struct receiver *r, struct peer *p)
{
    char name[64];

    if (p->part >= 0) {
        close(p->part);
        part_name(p, name, sizeof name);
        unlinkat(r->out, name, 0);
    }
    close(p->fd);
    p->fd = p->part = -1;
}

void receive_close(struct receiver *r)
{
    int keep = errno;

    if (!r)
        return;
    for (int i = 0; i < RECEIVE_MAX_PEERS; i++)
        if (r->peers[i].fd >= 0)
            drop(r, &r->peers[i]);
    for (int i = 0; i < r->n_sockets; i++)
        close(r->sockets[i]);
    if (r->out >= 0)
        close(r->out);
    free(r);
    errno = keep;
}

int receive_port(const struct receiver *r)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    char port[8];

    if (getsockname(r->sockets[0], (struct sockaddr *)&a, &n) ||
        getnameinfo((struct sockaddr *)&a, n, NULL, 0, port, sizeof port, NI_NUMERICSERV))
        return -1;
    return atoi(port);
}

/* ---- one peer ---- */

/* Answers (what the socket's buffer takes: it was never filled), says a
 * refusal, and the peer is free again. */
static void answer(struct receiver *r, struct peer *p, const char *refusal)
{
    char line[600];

    if (refusal)
        snprintf(line, sizeof line, "no %s\n", refusal);
    else
        snprintf(line, sizeof line, "ok %s\n", p->hash);
    ssize_t sent = send(p->fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)sent; /* who does not hear it sends again */
    if (refusal && r->say)
        r->say(r->ctx, refusal);
    /* Bytes that nobody read would turn the answer into a reset. */
    shutdown(p->fd, SHUT_WR);
    char rest[BLOCK];
    for (int i = 0; i < 16 && recv(p->fd, rest, sizeof rest, MSG_DONTWAIT) > 0; i++)
        ;
    drop(r, p);
}

/* NAME SIZE SHA256 of what is to come. */
static int parse_payload(struct peer *p, const struct cred *c, struct err *e)
{
    unsigned long long size;
    int end = 0;

    _Static_assert(BUNDLE_MAX_NAME == 200 && SHA256_HEX_SIZE == 65, "the widths below");
    if (strlen(c->payload) != c->size ||
        sscanf(c->payload, "%200s %llu %64[0-9a-f]%n", p->name, &size, p->hash, &end) != 3 ||
        c->payload[end] || strlen(p->hash) != SHA256_HEX_SIZE - 1 || !bundle_name_ok(p->name) ||
        strchr(p->name, '/') || strlen(p->name) < 8 ||
        strcmp(p->name + strlen(p->name) - 7, ".bundle") != 0)
        return err_set(e, "the credential does not announce a bundle");
    if (size > 2ULL * BUNDLE_MAX_BYTES)
        return err_set(e, "%s would have %llu bytes", p->name, size);
    p->size = size;
    return 0;
}

static int check_credential(struct receiver *r, struct peer *p, struct err *e)
{
    struct cred c;

    p->text[p->have] = '\0';
    if (cred_decode(r->munge_socket, p->text, &c, e))
        return -1;
    int rc = 0;
    if (c.uid != 0)
        rc = err_set(e, "a bundle of user %ld: only root's are taken", (long)c.uid);
    else if (c.state == CRED_EXPIRED || c.state == CRED_REWOUND)
        rc = err_set(e, "a bundle announced by a credential that is %s: do the clocks agree?",
                     cred_state_name(c.state));
    else
        rc = parse_payload(p, &c, e);
    cred_fini(&c);
    return rc;
}

/* The very same bytes are there already. */
static bool is_there(struct receiver *r, const struct peer *p)
{
    char block[BLOCK], hash[SHA256_HEX_SIZE];
    struct sha256 s;
    ssize_t n = -1;
    int fd = openat(r->out, p->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return false;
    sha256_init(&s);
    while ((n = read(fd, block, sizeof block)) > 0)
        sha256_add(&s, block, (size_t)n);
    sha256_hex(&s, hash);
    close(fd);
    return n == 0 && strcmp(hash, p->hash) == 0;
}

static int begin_body(struct receiver *r, struct peer *p, struct err *e)
{
    if (check_credential(r, p, e) || spool_has_room(r->out, p->size, 0, e))
        return -1;
    if ((p->part = open_part(r, p)) < 0)
        return err_set(e, "the collector's spool: %s", strerror(errno));
    p->stage = BODY;
    sha256_init(&p->sum);
    return 0;
}

/* All bytes are there. 0: in out, on the device. */
static int put_down(struct receiver *r, struct peer *p, struct err *e)
{
    char hash[SHA256_HEX_SIZE], name[64];
    struct stat st;

    sha256_hex(&p->sum, hash);
    if (strcmp(hash, p->hash) != 0)
        return err_set(e, "%s came with other bytes than announced", p->name);
    if (fstatat(r->out, p->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return !is_there(r, p)     ? err_set(e, "there is another %s already", p->name)
               : fsync(r->out) < 0 ? err_set(e, "%s: %s", p->name, strerror(errno))
                                   : 0;
    part_name(p, name, sizeof name);
    if (fstat(r->out, &st) == 0 && geteuid() == 0 && fchown(p->part, st.st_uid, st.st_gid) < 0)
        return err_set(e, "%s: %s", p->name, strerror(errno));
    if (fdatasync(p->part) < 0 || renameat(r->out, name, r->out, p->name) < 0 || fsync(r->out) < 0)
        return err_set(e, "%s: %s", p->name, strerror(errno));
    close(p->part);
    p->part = -1;
    return 1;
}

/* Takes n more bytes into what the stage wants. 1: a bundle is down, 0: go on,
 * -1: refused. *used may be less than n at a border. */
static int take(struct receiver *r, struct peer *p, const char *bytes, size_t n, size_t *used,
                struct err *e)
{
    char *end;

    if (p->stage == BODY) {
        *used = n < p->size - p->got ? n : (size_t)(p->size - p->got);
        if (fdio_write(p->part, bytes, *used) < 0)
            return err_set(e, "the collector's spool: %s", strerror(errno));
        sha256_add(&p->sum, bytes, *used);
        p->got += *used;
        return 0;
    }
    *used = 1;
    if (p->stage == LINE && bytes[0] != '\n') {
        if (p->have == HEAD_SIZE - 1)
            return err_set(e, "not a message of hpcai500");
        p->text[p->have++] = bytes[0];
        return 0;
    }
    if (p->stage == LINE) {
        p->text[p->have] = '\0';
        size_t w = sizeof head_word - 1;
        unsigned long v = strncmp(p->text, head_word, w) == 0 ? strtoul(p->text + w, &end, 10) : 0;
        if (v == 0 || *end || v > RECEIVE_MAX_CREDENTIAL)
            return err_set(e, "not a message of hpcai500");
        p->stage = CREDENTIAL;
        p->want = v;
        p->have = 0;
        return 0;
    }
    *used = n < p->want - p->have ? n : p->want - p->have;
    memcpy(p->text + p->have, bytes, *used);
    p->have += *used;
    return p->have == p->want ? begin_body(r, p, e) : 0;
}

/* What has come of one peer. Bundles put down: 0 or 1. */
static int hear(struct receiver *r, struct peer *p)
{
    char block[BLOCK];
    struct err e = ERR_INIT;
    size_t used;
    ssize_t n = recv(p->fd, block, sizeof block, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return 0;
    if (n <= 0) {
        drop(r, p);
        return 0;
    }
    for (size_t at = 0; at < (size_t)n; at += used)
        if (take(r, p, block + at, (size_t)n - at, &used, &e) ||
            (used == 0 && err_set(&e, "%s: more bytes than announced", p->name))) {
            answer(r, p, e.text);
            return 0;
        }
    if (p->stage != BODY || p->got < p->size)
        return 0;
    int rc = put_down(r, p, &e);
    answer(r, p, rc < 0 ? e.text : NULL);
    return rc > 0;
}

/* ---- all peers ---- */

/* A free slot, or that of the oldest without a credential; NULL when all are
 * busy with bytes of root's. */
static struct peer *slot(struct receiver *r)
{
    struct peer *oldest = NULL;

    for (int i = 0; i < RECEIVE_MAX_PEERS; i++) {
        struct peer *p = &r->peers[i];
        if (p->fd < 0)
            return p;
        if (p->stage != BODY && (!oldest || p->since < oldest->since))
            oldest = p;
    }
    if (oldest)
        drop(r, oldest);
    return oldest;
}

static void admit(struct receiver *r, int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct peer *p = fd >= 0 ? slot(r) : NULL;

    if (!p && fd >= 0)
        close(fd);
    if (p)
        *p = (struct peer){.fd = fd, .part = -1, .since = clock_now_ms()};
}

static void expire(struct receiver *r)
{
    int64_t now = clock_now_ms();

    for (int i = 0; i < RECEIVE_MAX_PEERS; i++) {
        struct peer *p = &r->peers[i];
        int seconds = p->stage == BODY ? RECEIVE_TOTAL_SECONDS : RECEIVE_HEAD_SECONDS;
        if (p->fd >= 0 && now - p->since > 1000LL * seconds)
            drop(r, p);
    }
}

int receive_step(struct receiver *r, int milliseconds, struct err *e)
{
    struct pollfd fds[MAX_LISTEN + RECEIVE_MAX_PEERS];
    struct peer *who[MAX_LISTEN + RECEIVE_MAX_PEERS];
    int n = 0, taken = 0;

    for (int i = 0; i < r->n_sockets; i++)
        fds[n++] = (struct pollfd){.fd = r->sockets[i], .events = POLLIN};
    for (int i = 0; i < RECEIVE_MAX_PEERS; i++)
        if (r->peers[i].fd >= 0) {
            who[n] = &r->peers[i];
            fds[n++] = (struct pollfd){.fd = r->peers[i].fd, .events = POLLIN};
        }
    int rc = poll(fds, (nfds_t)n, milliseconds);
    if (rc < 0 && errno != EINTR)
        return err_set(e, "the collector's socket: %s", strerror(errno));
    for (int i = r->n_sockets; rc > 0 && i < n; i++)
        if (fds[i].revents)
            taken += hear(r, who[i]);
    for (int i = 0; rc > 0 && i < r->n_sockets; i++)
        if (fds[i].revents & POLLIN)
            admit(r, r->sockets[i]);
    expire(r);
    return taken;
}
