/* SPDX-License-Identifier: BSD-3-Clause */
/* The state function: each row, their order, and what holds for every view. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "spank/validate/state.h"

enum { NOW = 1800000000, BOOT = NOW - 7200 };

/* An idle node of the reservation that was never measured. */
static const struct state_view fresh = {
    .now = NOW,
    .table = NOW,
    .reserved = true,
    .node = {.name = "n1", .flags = NODE_HAS_IDLE, .boot_time = BOOT},
};

static struct state_view with(unsigned flags, const char *reason, int64_t reason_time)
{
    struct state_view v = fresh;

    v.node.flags = flags;
    v.node.reason_time = reason_time;
    snprintf(v.node.reason, sizeof v.node.reason, "%s", reason);
    return v;
}

static struct state_view judged(enum verdict verdict, int64_t time)
{
    struct state_view v = fresh;

    v.verdict = (struct state_verdict){.there = true, .verdict = verdict, .time = time, .tries = 1};
    return v;
}

static void slurm_decides_first(void **state)
{
    const struct {
        struct state_view v;
        enum state want;
    } rows[] = {
        {with(NODE_HAS_IDLE, "", 0), STATE_UNTESTED},
        {with(NODE_HAS_IDLE | NODE_HAS_REBOOT_REQUESTED, "", 0), STATE_BOOTING},
        {with(NODE_HAS_DOWN | NODE_HAS_REBOOT_ISSUED, "hpcai500 validate", NOW - 60),
         STATE_BOOTING},
        {with(NODE_HAS_DOWN | NODE_HAS_REBOOT_ISSUED, "hpcai500 validate", NOW - 1801), STATE_LOST},
        {with(NODE_HAS_DOWN | NODE_HAS_NOT_RESPONDING, "Not responding", NOW - 9000),
         STATE_BOOTING},
        {with(NODE_HAS_IDLE | NODE_HAS_DRAIN, "fan", NOW - 60), STATE_FOREIGN},
        {with(NODE_HAS_IDLE | NODE_HAS_DRAIN, "", 0), STATE_FOREIGN},
        {with(NODE_HAS_IDLE | NODE_HAS_FAIL, "disk", NOW - 60), STATE_FOREIGN},
        {with(NODE_HAS_DOWN, "hpcai500x", NOW - 60), STATE_FOREIGN},
        {with(NODE_HAS_IDLE | NODE_HAS_DRAIN, "hpcai500: SLOW (job 7)", NOW - 60), STATE_DRAINED},
        {with(NODE_HAS_DOWN, "hpcai500 validate : reboot issued : reboot complete", BOOT - 60),
         STATE_RETURNED},
        {with(NODE_HAS_DOWN, "hpcai500 validate", BOOT + 3599), STATE_RETURNED},
        {with(NODE_HAS_DOWN, "hpcai500 validate", BOOT + 3601), STATE_BOOTING},
        {with(NODE_HAS_DOWN | NODE_HAS_DRAIN, "hpcai500 validate", BOOT - 60), STATE_DRAINED},
        {with(NODE_HAS_MIXED, "", 0), STATE_BUSY},
        {with(NODE_HAS_IDLE | NODE_HAS_COMPLETING, "", 0), STATE_BUSY},
    };
    struct state_view v;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (state_of(&rows[i].v) != rows[i].want)
            fail_msg("row %zu (%s) is %s", i, rows[i].v.node.reason,
                     state_word(state_of(&rows[i].v)));
    v = fresh;
    v.table = 0;
    assert_int_equal(state_of(&v), STATE_BLIND);
    v.table = NOW - 61;
    assert_int_equal(state_of(&v), STATE_BLIND);
    v.table = NOW - 60;
    assert_int_equal(state_of(&v), STATE_UNTESTED);
    v.reserved = false;
    assert_int_equal(state_of(&v), STATE_OUT);
}

static void then_the_verdict(void **state)
{
    static const enum state want[VERDICT_COUNT] = {
        [VERDICT_GOOD] = STATE_PASSED,
        [VERDICT_TRANSIENT] = STATE_PASSED,
        [VERDICT_INCONCLUSIVE] = STATE_UNDECIDED,
        [VERDICT_SYSTEM] = STATE_UNDECIDED,
        [VERDICT_SUSPECT] = STATE_UNDECIDED,
        [VERDICT_UNKNOWN] = STATE_UNDECIDED,
        [VERDICT_SLOW] = STATE_FAILED,
        [VERDICT_FAULTY] = STATE_FAILED,
    };
    struct state_view v;

    (void)state;
    for (int i = 0; i < VERDICT_COUNT; i++) {
        v = judged((enum verdict)i, NOW - 60);
        assert_int_equal(state_of(&v), want[i]);
        v.covered = true; /* a job still measures it */
        assert_int_equal(state_of(&v), STATE_TESTING);
        v.covered = false;
        v.verdict.gated = true;
        assert_int_equal(state_of(&v), STATE_TO_CONFIRM);
        v = judged((enum verdict)i, BOOT + 10); /* of the boot before */
        assert_int_equal(state_of(&v), STATE_UNTESTED);
        v = judged((enum verdict)i, NOW - 60); /* a person resumed what was drained */
        v.verdict.carried_out = true;
        assert_int_equal(state_of(&v), STATE_UNTESTED);
        v = judged((enum verdict)i, NOW - 60);
        v.node.boot_time = 0; /* Slurm does not say: measure again */
        assert_int_equal(state_of(&v), STATE_UNTESTED);
    }
    v = judged(VERDICT_SUSPECT, NOW - 599);
    assert_int_equal(state_of(&v), STATE_UNDECIDED);
    v.verdict.time = NOW - 600;
    assert_int_equal(state_of(&v), STATE_RETRY);
    v.verdict.tries = 2;
    assert_int_equal(state_of(&v), STATE_UNDECIDED);
    v.verdict.tries = 1;
    v.node.flags = NODE_HAS_ALLOCATED;
    assert_int_equal(state_of(&v), STATE_UNDECIDED);
}

/* What the action does to the view. */
static void act(struct state_view *v)
{
    switch (state_action(state_of(v))) {
    case STATE_DO_REPORT: /* told once; the state stays, and nothing is written */
    case STATE_DO_NOTHING:
        break;
    case STATE_DO_CARRIED_OUT:
        v->verdict.carried_out = true;
        break;
    case STATE_DO_TEST:
    case STATE_DO_CONFIRM:
        v->covered = true;
        break;
    case STATE_DO_RESUME:
        v->node.flags = NODE_HAS_IDLE;
        v->node.reason[0] = '\0';
        break;
    case STATE_DO_LEAVE:
        v->reserved = false;
        break;
    case STATE_DO_DRAIN:
        v->node.flags |= NODE_HAS_DRAIN;
        strcpy(v->node.reason, "hpcai500: SLOW (job 7)");
        v->node.reason_time = v->now;
        break;
    }
}

static void check(struct state_view v)
{
    const enum state before = state_of(&v);
    const enum state_action action = state_action(before);
    const bool writes =
        action == STATE_DO_RESUME || action == STATE_DO_LEAVE || action == STATE_DO_DRAIN;
    const bool foreign = node_is_out(&v.node) && !node_reason_ours(v.node.reason);

    if (writes &&
        (v.table == 0 || !v.reserved || foreign || (v.covered && action != STATE_DO_RESUME)))
        fail_msg("%s: would be written to", state_word(before));
    if (action == STATE_DO_DRAIN && node_is_out(&v.node))
        fail_msg("drained twice");
    if (action == STATE_DO_RESUME && (v.node.flags & (NODE_HAS_DRAIN | NODE_HAS_FAIL)))
        fail_msg("a drain would be undone");
    if (action == STATE_DO_LEAVE && node_is_out(&v.node))
        fail_msg("a node that is out of service would leave");
    act(&v);
    if (writes && state_action(state_of(&v)) == action)
        fail_msg("%s: the same action again", state_word(before));
    if ((action == STATE_DO_TEST || action == STATE_DO_CONFIRM) && state_of(&v) != STATE_TESTING)
        fail_msg("%s: tested, but %s", state_word(before), state_word(state_of(&v)));
}

/* Every combination of what decides. */
static void nothing_foreign_is_touched(void **state)
{
    static const char *const reasons[] = {"", "fan", "hpcai500x validate", "hpcai500 validate",
                                          "hpcai500: SLOW (job 7)"};
    static const unsigned bits[] = {NODE_HAS_DRAIN,         NODE_HAS_FAIL,
                                    NODE_HAS_COMPLETING,    NODE_HAS_NOT_RESPONDING,
                                    NODE_HAS_REBOOT_ISSUED, NODE_HAS_MAINTENANCE};
    static const unsigned bases[] = {NODE_HAS_DOWN, NODE_HAS_IDLE, NODE_HAS_ALLOCATED,
                                     NODE_HAS_MIXED, 0};
    long seen = 0;

    (void)state;
    for (unsigned i = 0; i < 5 * 64 * 5 * 2 * 2 * 2; i++) {
        unsigned k = i;
        struct state_view v = fresh;
        v.node.flags = bases[k % 5], k /= 5;
        for (int b = 0; b < 6; b++, k /= 2)
            v.node.flags |= k % 2 ? bits[b] : 0;
        strcpy(v.node.reason, reasons[k % 5]), k /= 5;
        v.reserved = k % 2, k /= 2;
        v.covered = k % 2, k /= 2;
        v.table = k % 2 ? NOW : 0;
        for (int64_t t = NOW - 9000; t <= NOW; t += 4500)
            for (int n = 0; n < VERDICT_COUNT * 4 + 1; n++, seen++) {
                v.node.reason_time = t;
                v.verdict = (struct state_verdict){.there = n > 0,
                                                   .verdict = (enum verdict)(n % VERDICT_COUNT),
                                                   .gated = n / VERDICT_COUNT % 2,
                                                   .carried_out = n / VERDICT_COUNT / 2 % 2,
                                                   .time = NOW - 700,
                                                   .tries = 1};
                check(v);
            }
    }
    assert_true(seen > 1000000);
}

static void caps(void **state)
{
    (void)state;
    assert_int_equal(state_cap(0), 1);
    assert_int_equal(state_cap(99), 1);
    assert_int_equal(state_cap(150), 3);
    assert_int_equal(state_cap(10000), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slurm_decides_first),
        cmocka_unit_test(then_the_verdict),
        cmocka_unit_test(nothing_foreign_is_touched),
        cmocka_unit_test(caps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
