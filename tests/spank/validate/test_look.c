/* SPDX-License-Identifier: BSD-3-Clause */
/* What is read from the writer's answers, and what its write went over. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "spank/validate/event.h"
#include "spank/validate/holder.h"
#include "spank/validate/look.h"

enum { NOON = 1800000000 };

static int parse(const char *text, struct look *l, struct err *e)
{
    char *copy = strdup(text);
    const int rc = look_parse(copy, l, e);

    free(copy);
    return rc;
}

static void test_a_whole_answer(void **state)
{
    struct look l;
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(parse("nodes 1800000000 3\n"
                           "n1 0123456789abcdef IDLE 0 0 1799990000\n"
                           "n2 0123456789abcdef DOWN+DRAIN 1799999000 0 1799990000 fan \\x0a2\n"
                           "n3 0123456789abcdef IDLE+MAINTENANCE 0 0 1799990000\n"
                           "reservation 1800003600 MAINT+IGNORE_JOBS root n[2-4]\n"
                           "member n2\nmember n3\nmember n4\n"
                           "job 7 RUNNING n3,n1\njob 8 PENDING -\nend\n",
                           &l, &e),
                     0);
    assert_int_equal(l.n, 3);
    assert_int_equal(l.end, 1800003600);
    assert_true(l.maintenance);
    assert_int_equal(l.absent, 1);
    assert_string_equal(look_find(&l, "n2")->node.reason, "fan \n2");
    assert_true(look_find(&l, "n2")->member && !look_find(&l, "n2")->covered);
    assert_true(!look_find(&l, "n1")->member && look_find(&l, "n1")->covered);
    assert_true(look_find(&l, "n3")->member && look_find(&l, "n3")->covered);
    assert_null(look_find(&l, "n4"));
    look_fini(&l);
}

/* A part of a table must never be taken for the table. */
static void test_no_part_of_an_answer_is_one(void **state)
{
    static const struct {
        const char *text, *said;
    } rows[] = {
        {"", "the answer of hpcai500-slurmctl is cut short"},
        {"end\n", "the answer of hpcai500-slurmctl is cut short"},
        {"nodes 1800000000 1\nn1 0123456789abcdef IDLE 0 0 0\n",
         "the answer of hpcai500-slurmctl is cut short"},
        {"nodes 1800000000 2\nn1 0123456789abcdef IDLE 0 0 0\nend\n",
         "'' is not NAME MARK FLAGS TIME UID TIME [REASON]"},
        {"nodes 1800000000 9\nn1 0123456789abcdef IDLE 0 0 0", "the table of nodes is cut short"},
        {"nodes 1800000000 -1\nend\n", "'nodes 1800000000 -1' is not a table of nodes"},
        {"same 1800000000\nend\n", "'same 1800000000' is not a line of a look"},
        {"slurm: error: connection\nend\n", "'slurm: error: connection' is not a line of a look"},
        {"nodes 1 0\njob 7\nend\n", "'job 7' is not a job"},
        {"nodes 1 0\nreservation soon\nend\n", "'reservation soon' is not a reservation"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = ERR_INIT;
        struct look l;
        assert_int_equal(parse(rows[i].text, &l, &e), -1);
        if (!strstr(e.text, rows[i].said))
            fail_msg("row %zu said: %s", i, e.text);
        assert_null(l.nodes);
    }
}

static void test_the_last_line_is_what_was_said(void **state)
{
    static const struct {
        const char *text, *said;
    } rows[] = {
        {"", ""},
        {"done\n", ""},
        {"refused n1 is not ours\n", "n1 is not ours"},
        {"slurm: error: x\nlater slurmctld does not answer\n\n", "slurmctld does not answer"},
    };
    char text[128];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(text, sizeof text, "%s", rows[i].text);
        assert_string_equal(ctl_said(text), rows[i].said);
    }
}

/* ---- events ---- */

static struct node row(unsigned flags, const char *reason, int64_t begin, int64_t end)
{
    struct node n = {.flags = flags, .reason_time = begin, .boot_time = end, .reason_uid = 1001};

    snprintf(n.reason, sizeof n.reason, "%s", reason);
    return n;
}

static void test_a_drain_that_a_write_went_over(void **state)
{
    static const char ours[] = "hpcai500: SLOW (job 7)";
    struct deed
        drained = {.verb = "drain", .looked = NOON, .wrote = NOON + 1, .outcome = DEED_WRITTEN},
        slow = {.verb = "drain", .looked = NOON, .wrote = NOON + 8, .outcome = DEED_WRITTEN},
        killed = {.verb = "drain", .looked = NOON},
        resumed = {.verb = "resume", .looked = NOON, .wrote = NOON + 1, .outcome = DEED_WRITTEN},
        dead = {.verb = "resume", .looked = NOON};
    const unsigned drain = NODE_HAS_IDLE | NODE_HAS_DRAIN;
    const struct {
        const struct deed *d;
        struct node row;
        bool lost;
    } rows[] = {
        {&drained, row(drain, "bob: fan", NOON, NOON + 1), true},
        {&drained, row(drain, "bob: fan", NOON - 1, NOON + 1), true},
        {&drained, row(drain, "bob: fan", NOON + 1, 0), false}, /* after ours, in its second */
        {&drained, row(drain, "bob: fan", NOON + 1, NOON + 9), false},
        {&drained, row(drain, "bob: fan", NOON, NOON), false}, /* he ended it before our look */
        {&drained, row(drain, "bob: fan", NOON - 2, NOON + 1), false},
        {&drained, row(drain, "bob: fan", NOON - 600, NOON), false},
        {&slow, row(drain, "bob: fan", NOON + 1, NOON + 8), true}, /* slurmctld was busy */
        {&slow, row(drain, "bob: fan", NOON - 1, NOON + 8), false},
        {&slow, row(drain, "bob: fan", NOON + 1, NOON + 7), false}, /* he ended it himself */
        {&drained, row(drain, "bob: fan", NOON + 2, 0), false},     /* later, and it stands */
        {&drained, row(drain, ours, NOON, NOON + 1), false},
        {&drained, row(NODE_HAS_IDLE, "note", NOON, NOON + 1), false}, /* not out of service */
        {&resumed, row(drain, "bob: fan", NOON, NOON + 1), true},
        {&resumed, row(NODE_HAS_DOWN, "power", NOON + 1, NOON + 1), true},
        {&resumed, row(NODE_HAS_DOWN, "hpcai500 validate", NOON, NOON + 1), false},
        {&resumed, row(drain, "bob: fan", NOON - 1, NOON + 1), false},
        {&resumed, row(drain, "bob: fan", NOON, 0), false},
        {&resumed, row(drain, "bob: fan", NOON + 1, NOON + 60), false}, /* his own, later */
        {&dead, row(drain, "bob: fan", NOON + 1, NOON + 5), true},
        {&dead, row(drain, "bob: fan", NOON + 1, NOON + 9), false},
        {&killed, row(drain, "bob: fan", NOON + 1, NOON + 5), true}, /* and no row of ours */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if ((event_lost(rows[i].d, &rows[i].row, 1) != NULL) != rows[i].lost)
            fail_msg("row %zu", i);
    assert_null(event_lost(&drained, NULL, 0));
    /* one that was killed: when it wrote is in its own row */
    snprintf(killed.words, sizeof killed.words, "%s", ours);
    const struct node two[] = {row(drain, "bob: fan", NOON + 1, NOON + 2),
                               row(drain, ours, NOON + 2, 0)},
                      apart[] = {row(drain, "bob: fan", NOON + 1, NOON + 2),
                                 row(drain, ours, NOON + 4, 0)};
    assert_ptr_equal(event_lost(&killed, two, 2), &two[0]);
    assert_null(event_lost(&killed, apart, 2));
}

static void test_a_drain_that_was_there_before(void **state)
{
    const struct node rows[] = {
        row(NODE_HAS_IDLE | NODE_HAS_DRAIN, "hpcai500: SLOW (job 7)", NOON, NOON + 1),
        row(NODE_HAS_DOWN, "hpcai500: SLOW (job 8)", NOON, NOON + 1)};

    (void)state;
    assert_true(event_had("hpcai500: SLOW (job 7)", rows, 2));
    assert_false(event_had("hpcai500: SLOW (job 8)", rows, 2));
    assert_false(event_had("hpcai500: SLOW (job 7)", rows + 1, 1));
}

/* ---- who is who ---- */

static void test_a_process_is_told_from_all_others(void **state)
{
    char me[256], other[300], said[128], wanted[128], *space;

    (void)state;
    holder_self(me, sizeof me);
    assert_false(holder_gone(me));
    snprintf(wanted, sizeof wanted, "process %ld on ", (long)getpid());
    holder_say(me, said, sizeof said);
    assert_ptr_equal(strstr(said, wanted), said);
    /* the same number, started at another time: it was used again */
    snprintf(other, sizeof other, "%s1", me);
    assert_true(holder_gone(other));
    /* of another machine, of nobody: not known to be gone */
    snprintf(other, sizeof other, "x%s", me);
    assert_false(holder_gone(other));
    assert_false(holder_gone(""));
    space = strrchr(me, ' ');
    strcpy(space, " 0");
    assert_false(holder_gone(me));
}

static void test_a_process_that_ended_is_gone(void **state)
{
    char child[256];
    int ends[2];
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    pid = fork();
    if (pid == 0) {
        holder_self(child, sizeof child);
        _exit(write(ends[1], child, sizeof child) == (ssize_t)sizeof child ? 0 : 1);
    }
    assert_int_equal(read(ends[0], child, sizeof child), sizeof child);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(holder_gone(child));
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_whole_answer),
        cmocka_unit_test(test_no_part_of_an_answer_is_one),
        cmocka_unit_test(test_the_last_line_is_what_was_said),
        cmocka_unit_test(test_a_drain_that_a_write_went_over),
        cmocka_unit_test(test_a_drain_that_was_there_before),
        cmocka_unit_test(test_a_process_is_told_from_all_others),
        cmocka_unit_test(test_a_process_that_ended_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
