/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way to the collector: what it takes, from root alone and once, and what
 * it refuses.
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reports/core/sha256.h"
#include "spank/relay/bundle.h"
#include "spank/relay/cred.h"
#include "spank/relay/forward.h"
#include "spank/relay/receive.h"
#include "spank/relay/spool.h"
#include "tests/spank/relay/relay.h"
#include "tests/unit.h"

static int heard; /* refusals */
static char last_refusal[512];

static void say(void *ctx, const char *sentence)
{
    (void)ctx;
    heard++;
    snprintf(last_refusal, sizeof last_refusal, "%s", sentence);
}

/* Serves until the child ends; bundles taken. The child's exit code in *code. */
static int serve(struct receiver *r, pid_t child, int *code)
{
    int taken = 0, status = 0;

    while (waitpid(child, &status, WNOHANG) == 0)
        taken += receive_step(r, 20, NULL);
    for (int i = 0; i < 5; i++)
        taken += receive_step(r, 1, NULL);
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return taken;
}

/* Forwards in a process of its own, as that user. Exit code: bundles sent, 99
 * for a failure. */
static pid_t forward(const struct conf *c, uid_t uid)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct forward_done done;
        if (uid && (unlink(at("from/out/.forward")) || chown(at("from/out"), uid, uid) ||
                    chown(at("from/out/c.bundle"), uid, uid) || setresuid(uid, uid, uid)))
            _exit(98);
        _exit(forward_run(c, &done, NULL) ? 99 : done.sent);
    }
    return pid;
}

static int connect_port(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

/* A receiver on a free port, "127.0.0.1:port" in where. */
static struct receiver *receiver_of(const char *spool, char *where, size_t size)
{
    struct receiver *r = NULL;
    struct err e = ERR_INIT;

    /* the configuration does not take port 0: a free one is found by trying */
    for (int port = 21000 + (int)getpid() % 20000; !r && port < 65000; port += 7) {
        snprintf(where, size, "127.0.0.1:%d", port);
        r = receive_open(where, at("%s", spool), relay_munge, say, NULL, &e);
    }
    assert_non_null(r);
    return r;
}

static int entries(const char *of, const char *head)
{
    DIR *d = opendir(at("%s", of));
    struct dirent *row;
    int n = 0;

    assert_non_null(d);
    while ((row = readdir(d)))
        n += strncmp(row->d_name, head, strlen(head)) == 0;
    closedir(d);
    return n;
}

/* A message up to its body, of the bytes "ab", but it announces so many; its
 * length. */
static size_t message_head(char text[2048], const char *name, unsigned long long size)
{
    char payload[512], *credential, hash[SHA256_HEX_SIZE];
    struct err e = ERR_INIT;
    struct sha256 s;

    sha256_init(&s);
    sha256_add(&s, "ab", 2);
    sha256_hex(&s, hash);
    snprintf(payload, sizeof payload, "%s %llu %s", name, size, hash);
    credential = cred_encode(relay_munge, payload, strlen(payload), &e);
    assert_non_null(credential);
    int n = snprintf(text, 2048, "hpcai500-bundle 1 %zu\n%s", strlen(credential), credential);
    assert_true(n > 0 && n < 2048);
    free(credential);
    return (size_t)n;
}

/* Announces a bundle of two bytes; the caller sends them. */
static int announce(int port, const char *name)
{
    char text[2048];
    size_t n = message_head(text, name, 2);
    int fd = connect_port(port);

    assert_int_equal(write(fd, text, n), (ssize_t)n);
    return fd;
}

/* All of the message that puts good.bundle down; its length. */
static size_t good_message(char text[2048])
{
    size_t n = message_head(text, "good.bundle", 2);

    assert_true(n + 3 < 2048);
    memcpy(text + n, "ab", 3);
    return n + 2;
}

/* Says it, serves until the receiver has closed; the answer, bundles taken. */
static int converse(struct receiver *r, const char *text, size_t n, bool slowly, char answer[600])
{
    int fd = connect_port(receive_port(r)), taken = 0;
    size_t have = 0;
    ssize_t k;

    for (size_t at = 0; at < n; at += slowly ? 1 : n) {
        if (send(fd, text + at, slowly ? 1 : n, MSG_NOSIGNAL) < 0)
            break;
        taken += receive_step(r, slowly ? 1 : 0, NULL);
    }
    shutdown(fd, SHUT_WR);
    do {
        taken += receive_step(r, 20, NULL);
        k = recv(fd, answer + have, 599 - have, MSG_DONTWAIT);
        have += k > 0 ? (size_t)k : 0;
    } while (k > 0 || (k < 0 && errno == EAGAIN));
    answer[have] = '\0';
    close(fd);
    return taken;
}

/* Nothing is in out but good.bundle, if it is, with the bytes "ab". */
static int good_alone(const char *out)
{
    int there = entries(out, "good.bundle");

    assert_int_equal(entries(out, ""), there + 2); /* "." and ".." */
    if (there) {
        char bytes[8] = "";
        int fd = open(at("%s/good.bundle", out), O_RDONLY | O_CLOEXEC);
        assert_int_equal(read(fd, bytes, sizeof bytes), 2);
        close(fd);
        assert_string_equal(bytes, "ab");
    }
    return there;
}

static struct receiver *receiver_alone(const char *spool)
{
    struct spool s = SPOOL_INIT;
    char where[64];

    need_root();
    need_munged();
    assert_int_equal(spool_open(&s, at("%s", spool), "x", NULL, NULL), 0);
    spool_close(&s);
    return receiver_of(spool, where, sizeof where);
}

static void a_message_that_ends_anywhere_leaves_nothing(void **state)
{
    char text[2048], answer[600];
    struct receiver *r = receiver_alone("ends");

    (void)state;
    size_t n = good_message(text);
    for (size_t k = 0; k < n; k++) {
        assert_int_equal(converse(r, text, k, false, answer), 0);
        assert_string_equal(answer, "");
        assert_int_equal(good_alone("ends/out"), 0);
    }
    /* byte for byte, however slowly */
    assert_int_equal(converse(r, text, n, true, answer), 1);
    assert_memory_equal(answer, "ok ", 3);
    assert_int_equal(good_alone("ends/out"), 1);
    receive_close(r);
}

static void a_replayed_message_is_answered_and_taken_once(void **state)
{
    char text[2048], first[600], answer[600];
    struct receiver *r = receiver_alone("again");

    (void)state;
    size_t n = good_message(text);
    assert_int_equal(converse(r, text, n, false, first), 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(converse(r, text, n, false, answer), 0);
        assert_string_equal(answer, first);
        assert_int_equal(good_alone("again/out"), 1);
    }
    /* the credential of these bytes carries no others */
    unlink(at("again/out/good.bundle"));
    memcpy(text + n - 2, "xy", 3);
    assert_int_equal(converse(r, text, n, false, answer), 0);
    assert_string_equal(answer, "no good.bundle came with other bytes than announced\n");
    assert_int_equal(good_alone("again/out"), 0);
    receive_close(r);
}

static void garbage_and_too_much_is_refused(void **state)
{
    static const struct {
        const char *name, *behind;
        unsigned long long size;
        const char *answer;
    } rows[] = {
        {"good.bundle", "ab", 2ULL * BUNDLE_MAX_BYTES + 1, "good.bundle would have"},
        {"good.bundle", "ab", UINT64_MAX, "good.bundle would have"},
        {"good.bundle", "abc", 2, "good.bundle: more bytes than announced"},
        {"../good.bundle", "ab", 2, "the credential does not announce a bundle"},
        {".good.bundle", "ab", 2, "the credential does not announce a bundle"},
        {"a/good.bundle", "ab", 2, "the credential does not announce a bundle"},
        {"good.json", "ab", 2, "the credential does not announce a bundle"},
        {"good.bundle 2", "ab", 2, "the credential does not announce a bundle"},
    };
    char text[4096], answer[600];
    struct receiver *r = receiver_alone("garbage");

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n = message_head(text, rows[i].name, rows[i].size);
        strcpy(text + n, rows[i].behind);
        assert_int_equal(converse(r, text, strlen(text), false, answer), 0);
        assert_memory_equal(answer, "no ", 3);
        assert_memory_equal(answer + 3, rows[i].answer, strlen(rows[i].answer));
        assert_int_equal(good_alone("garbage/out"), 0);
    }
    static const char *const lines[] = {"\n",
                                        "hpcai500-bundle 2 10\n",
                                        "hpcai500-bundle 1 0\n",
                                        "hpcai500-bundle 1 -1\n",
                                        "hpcai500-bundle 1 4097\n",
                                        "hpcai500-bundle 1 99999999999999999999\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(converse(r, lines[i], strlen(lines[i]), false, answer), 0);
        assert_string_equal(answer, "no not a message of hpcai500\n");
    }
    memset(text, 'x', sizeof text); /* a line without an end */
    assert_int_equal(converse(r, text, sizeof text, false, answer), 0);
    assert_string_equal(answer, "no not a message of hpcai500\n");
    receive_close(r);
}

/* A bit of each byte: taken is what root announced, or nothing. */
static void a_message_that_is_changed_anywhere_is_not_taken(void **state)
{
    char text[2048], answer[600];
    struct receiver *r = receiver_alone("bits");

    (void)state;
    size_t n = good_message(text);
    for (size_t k = 0; k < n; k++) {
        text[k] ^= 1;
        converse(r, text, n, false, answer);
        text[k] ^= 1;
        good_alone("bits/out");
        unlink(at("bits/out/good.bundle"));
    }
    receive_close(r);
}

/* Who only holds a place makes room for root. */
static void all_places_taken_by_others_keep_root_out_of_none(void **state)
{
    char text[2048], answer[600];
    int idle[2 * RECEIVE_MAX_PEERS];
    struct receiver *r = receiver_alone("crowd");

    (void)state;
    for (int i = 0; i < 2 * RECEIVE_MAX_PEERS; i++) {
        idle[i] = connect_port(receive_port(r));
        receive_step(r, 20, NULL);
    }
    size_t n = good_message(text);
    assert_int_equal(converse(r, text, n, false, answer), 1);
    assert_int_equal(good_alone("crowd/out"), 1);
    for (int i = 0; i < 2 * RECEIVE_MAX_PEERS; i++)
        close(idle[i]);
    receive_close(r);
}

static void what_a_dead_receiver_left_goes_a_living_ones_stays(void **state)
{
    struct spool s = SPOOL_INIT;
    char where[64], other[64];
    int fd;

    (void)state;
    need_root();
    need_munged();
    assert_int_equal(spool_open(&s, at("parts"), "x", NULL, NULL), 0);
    spool_close(&s);
    put(at("parts/out/.received-1-1.part"), "half");
    put(at("parts/out/.received-1-1.partly"), "not ours");
    put(at("parts/out/.lab-1-n1-5.bundle.part"), "the witness's");
    struct receiver *r = receiver_of("parts", where, sizeof where);
    assert_int_equal(entries("parts/out", ".received-1-1.part"), 1);
    assert_int_equal(entries("parts/out", ".lab-1-n1-5.bundle.part"), 1);
    unlink(at("parts/out/.received-1-1.partly"));

    fd = announce(receive_port(r), "z.bundle");
    for (int i = 0; i < 500 && entries("parts/out", ".received-") == 0; i++)
        receive_step(r, 20, NULL);
    assert_int_equal(entries("parts/out", ".received-"), 1);
    struct receiver *second = receiver_of("parts", other, sizeof other);
    assert_int_equal(entries("parts/out", ".received-"), 1);
    receive_close(second);
    assert_int_equal(write(fd, "ab", 2), 2);
    int taken = 0;
    for (int i = 0; i < 500 && taken == 0; i++)
        taken += receive_step(r, 20, NULL);
    assert_int_equal(taken, 1);
    assert_int_equal(entries("parts/out", "z.bundle"), 1);
    assert_int_equal(entries("parts/out", ".received-"), 0);
    close(fd);
    receive_close(r);
}

static void bundles_reach_the_collector_once_and_from_root_alone(void **state)
{
    static struct conf c;
    struct err e = ERR_INIT;
    struct spool s = SPOOL_INIT;
    struct forward_done done;
    char name[256];
    int code, fd;

    (void)state;
    need_root();
    need_munged();
    assert_int_equal(spool_open(&s, at("to"), "x", NULL, &e), 0);
    spool_close(&s);
    assert_int_equal(spool_open(&s, at("from"), "x", NULL, &e), 0);
    spool_close(&s);
    site(&c, at("from"));
    struct receiver *r = receive_open("127.0.0.1:1", at("nowhere"), relay_munge, say, NULL, &e);
    assert_null(r);
    r = receiver_of("to", c.collector, sizeof c.collector);
    int port = receive_port(r);

    /* peers that say nothing, nonsense, or too much, hold nobody up */
    int idle[8];
    for (int i = 0; i < 8; i++)
        idle[i] = connect_port(port);
    fd = connect_port(port);
    assert_true(write(fd, "GET / HTTP/1.0\r\n\r\n", 18) == 18);
    make_bundle(at("from/out/a.bundle"));
    make_bundle(at("from/out/b.bundle"));
    assert_int_equal(serve(r, forward(&c, 0), &code), 2);
    assert_int_equal(code, 2);
    assert_int_equal(bundles(at("to"), name), 2);
    assert_int_equal(bundles(at("from"), name), 0);
    assert_int_equal(count(at("to/out/a.bundle")), 3);
    assert_true(heard >= 1);
    close(fd);

    /* the same again is acknowledged and not taken twice */
    make_bundle(at("from/out/a.bundle"));
    assert_int_equal(serve(r, forward(&c, 0), &code), 0);
    assert_int_equal(code, 1);
    /* other bytes under that name are refused and stay */
    put(at("from/out/a.bundle"), "other");
    assert_int_equal(serve(r, forward(&c, 0), &code), 0);
    assert_int_equal(code, 0);
    assert_non_null(strstr(last_refusal, "there is another a.bundle already"));
    unlink(at("from/out/a.bundle"));

    /* a user's credential, however well made */
    make_bundle(at("from/out/c.bundle"));
    assert_int_equal(serve(r, forward(&c, STRANGER), &code), 0);
    assert_int_equal(bundles(at("to"), name), 2);
    assert_non_null(strstr(last_refusal, "only root's are taken"));
    assert_int_equal(chown(at("from/out"), 0, 0), 0);

    for (int i = 0; i < 8; i++)
        close(idle[i]);
    receive_close(r);

    /* nobody listens: all stays, and the oldest go when too much waits */
    assert_int_equal(forward_run(&c, &done, &e), -1);
    assert_int_equal(bundles(at("from"), name), 1);
    c.spool_queue = 1;
    assert_int_equal(forward_run(&c, &done, &e), 0);
    assert_int_equal(done.dropped, 1);
    assert_non_null(strstr(done.why.text, "c.bundle was dropped"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_dead_receiver_left_goes_a_living_ones_stays),
        cmocka_unit_test(a_message_that_ends_anywhere_leaves_nothing),
        cmocka_unit_test(a_replayed_message_is_answered_and_taken_once),
        cmocka_unit_test(garbage_and_too_much_is_refused),
        cmocka_unit_test(a_message_that_is_changed_anywhere_is_not_taken),
        cmocka_unit_test(all_places_taken_by_others_keep_root_out_of_none),
        cmocka_unit_test(bundles_reach_the_collector_once_and_from_root_alone),
    };

    return cmocka_run_group_tests(tests, relay_start, relay_end);
}
