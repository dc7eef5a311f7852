/* SPDX-License-Identifier: BSD-3-Clause */
/* The lock and the log of those who act on nodes. */
#include <config.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reports/history/history_work.h"
#include "tests/reports/history/site.h"
#include "tests/unit.h"

enum { NOON = 1800000000 };

static bool bob_is_gone(const char *holder)
{
    return strcmp(holder, "bob") == 0;
}

static int take(struct site *s, const char *me, int64_t now, struct lease *other)
{
    struct err e = ERR_INIT;
    int rc = lease_take(s->h, "nodes", me, now, NULL, other, &e);

    assert_string_equal(e.text, "");
    return rc;
}

static void test_one_holds_the_lease(void **state)
{
    struct site *s = *state;
    struct lease other = {.holder = ""};
    struct err e = ERR_INIT;

    assert_int_equal(take(s, "alice", NOON, &other), 1);
    assert_int_equal(take(s, "bob", NOON + 1, &other), 0);
    assert_string_equal(other.holder, "alice");
    assert_int_equal(other.since, NOON);
    assert_int_equal(take(s, "alice", NOON + 100, &other), 1); /* renewed: since stays */
    assert_int_equal(take(s, "bob", NOON + 100 + LEASE_SECONDS, &other), 0);
    assert_int_equal(other.since, NOON);
    assert_int_equal(other.beat, NOON + 100);
    assert_int_equal(take(s, "bob", NOON + 101 + LEASE_SECONDS, &other), 1);
    assert_int_equal(take(s, "alice", NOON + 102 + LEASE_SECONDS, &other), 0);
    assert_int_equal(lease_drop(s->h, "nodes", "alice", &e), 0); /* not hers any more */
    assert_int_equal(take(s, "carol", NOON + 103 + LEASE_SECONDS, &other), 0);
    assert_int_equal(lease_drop(s->h, "nodes", "bob", &e), 0);
    assert_int_equal(take(s, "carol", NOON + 103 + LEASE_SECONDS, &other), 1);
}

static void test_a_holder_that_is_gone_holds_nothing(void **state)
{
    struct site *s = *state;
    struct lease other;
    struct err e = ERR_INIT;

    assert_int_equal(take(s, "bob", NOON, &other), 1);
    assert_int_equal(lease_take(s->h, "nodes", "eve", NOON + 1, bob_is_gone, &other, &e), 1);
    assert_int_equal(lease_take(s->h, "nodes", "bob", NOON + 2, bob_is_gone, &other, &e), 0);
    assert_string_equal(other.holder, "eve");
}

/* Eight processes at once: the file's lock lets one of them have it. */
static void test_of_many_at_once_one_has_it(void **state)
{
    struct site *s = *state;
    int got = 0;

    for (int i = 0; i < 8; i++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            char me[16];
            struct lease other;
            struct history *h = history_open_writer(s->db, NULL, NULL);
            snprintf(me, sizeof me, "process %d", i);
            _exit(h ? lease_take(h, "nodes", me, NOON, NULL, &other, NULL) : 9);
        }
    }
    for (int i = 0; i < 8; i++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
        got += WEXITSTATUS(status);
    }
    assert_int_equal(got, 1);
}

static struct deed drain_of(const char *node, const char *run)
{
    struct deed d = {.looked = NOON};

    snprintf(d.node, sizeof d.node, "%s", node);
    snprintf(d.verb, sizeof d.verb, "drain");
    snprintf(d.words, sizeof d.words, "hpcai500: SLOW (job %s)", run);
    snprintf(d.run, sizeof d.run, "%s", run);
    return d;
}

static void test_a_deed_is_open_until_it_is_settled(void **state)
{
    struct site *s = *state;
    struct deed out[4], a = drain_of("n1", "7"), b = drain_of("n2", "7");
    struct err e = ERR_INIT;

    assert_int_equal(deed_open(s->h, out, 4, &e), 0);
    assert_int_equal(deed_begin(s->h, &a, &e), 0);
    assert_int_equal(deed_begin(s->h, &b, &e), 0);
    assert_int_equal(deed_open(s->h, out, 4, &e), 2);
    assert_int_equal(out[0].outcome, DEED_BEGUN);
    assert_string_equal(out[1].words, "hpcai500: SLOW (job 7)");
    assert_int_equal(out[1].looked, NOON);
    a.outcome = DEED_WRITTEN;
    a.wrote = NOON + 1;
    snprintf(a.said, sizeof a.said, "done");
    assert_int_equal(deed_end(s->h, &a, &e), 0);
    b.outcome = DEED_NOT;
    assert_int_equal(deed_end(s->h, &b, &e), 0);
    assert_int_equal(deed_open(s->h, out, 4, &e), 1);
    assert_string_equal(out[0].node, "n1");
    assert_int_equal(out[0].wrote, NOON + 1);
    assert_string_equal(out[0].said, "done");
    a.outcome = DEED_CHECKED;
    assert_int_equal(deed_end(s->h, &a, &e), 0);
    assert_int_equal(deed_open(s->h, out, 4, &e), 0);
    assert_int_equal(deed_list(s->h, "", out, 4, &e), 2);
    assert_string_equal(out[0].node, "n2"); /* newest first */
    assert_int_equal(deed_list(s->h, "n1", out, 4, &e), 1);
}

static void test_the_newest_deed_that_may_have_been_done(void **state)
{
    struct site *s = *state;
    struct deed d = drain_of("n1", "7"), out;
    struct err e = ERR_INIT;

    assert_int_equal(deed_newest(s->h, "n1", "drain", "7", &out, &e), 0);
    assert_int_equal(deed_begin(s->h, &d, &e), 0);
    assert_int_equal(deed_newest(s->h, "n1", "drain", "7", &out, &e), 1);
    assert_int_equal(out.id, d.id);
    assert_int_equal(deed_newest(s->h, "n1", "drain", "8", &out, &e), 0);
    assert_int_equal(deed_newest(s->h, "n1", "resume", "7", &out, &e), 0);
    d.outcome = DEED_NOT;
    assert_int_equal(deed_end(s->h, &d, &e), 0);
    assert_int_equal(deed_newest(s->h, "n1", "drain", "7", &out, &e), 0);
}

/* A history that takes nothing lets nobody act. */
static void test_a_history_that_cannot_be_written(void **state)
{
    struct site *s = *state;
    struct deed d = drain_of("n1", "7");
    struct lease other;
    struct err e = ERR_INIT;
    struct history *r = history_open_reader(s->db, &e);

    assert_non_null(r);
    assert_int_equal(lease_take(r, "nodes", "alice", NOON, NULL, &other, &e), -1);
    assert_non_null(strstr(e.text, "readonly"));
    e.text[0] = '\0';
    assert_int_equal(deed_begin(r, &d, &e), -1);
    assert_non_null(strstr(e.text, "readonly"));
    history_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_holds_the_lease, site_setup, site_teardown),
        cmocka_unit_test_setup_teardown(test_a_holder_that_is_gone_holds_nothing, site_setup,
                                        site_teardown),
        cmocka_unit_test_setup_teardown(test_of_many_at_once_one_has_it, site_setup, site_teardown),
        cmocka_unit_test_setup_teardown(test_a_deed_is_open_until_it_is_settled, site_setup,
                                        site_teardown),
        cmocka_unit_test_setup_teardown(test_the_newest_deed_that_may_have_been_done, site_setup,
                                        site_teardown),
        cmocka_unit_test_setup_teardown(test_a_history_that_cannot_be_written, site_setup,
                                        site_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
