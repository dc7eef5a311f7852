/* SPDX-License-Identifier: BSD-3-Clause */
/* What follows from a look, the verdicts and the log. */
#include <config.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spank/validate/plan.h"

enum { NOW = 1800000000, BOOT = NOW - 7200, NODES = 200, VERDICTS = 8 };

/* The log as a table. */
struct log_row {
    const char *node, *run;
    enum deed_outcome outcome;
};

struct log_table {
    struct log_row rows[8];
    int n;
};

static int log_drain(void *ctx, const char *node, const char *run, struct deed *d, struct err *e)
{
    const struct log_table *t = ctx;

    (void)e;
    for (int i = 0; i < t->n; i++)
        if (strcmp(t->rows[i].node, node) == 0 && strcmp(t->rows[i].run, run) == 0) {
            d->outcome = t->rows[i].outcome;
            return 1;
        }
    return 0;
}

static bool log_settled(void *ctx, const char *node)
{
    const struct log_table *t = ctx;

    for (int i = 0; i < t->n; i++)
        if (strcmp(t->rows[i].node, node) == 0 && t->rows[i].outcome <= DEED_WRITTEN)
            return false;
    return true;
}

static int log_drains(void *ctx, const char *run)
{
    const struct log_table *t = ctx;
    int n = 0;

    for (int i = 0; i < t->n; i++)
        n += strcmp(t->rows[i].run, run) == 0;
    return n;
}

/* n idle nodes n0, n1, ... of which the first `members` are members, and verdicts. */
struct scene {
    struct look look;
    struct look_node nodes[NODES];
    struct verdict_line verdicts[VERDICTS];
    int n_verdicts;
    struct log_table log;
    struct plan plan;
};

static void scene_init(struct scene *s, int n, int members)
{
    memset(s, 0, sizeof *s);
    s->look = (struct look){.time = NOW, .maintenance = true, .n = n, .nodes = s->nodes};
    for (int i = 0; i < n; i++) {
        struct node *node = &s->nodes[i].node;
        snprintf(node->name, sizeof node->name, "n%d", i);
        node->flags = NODE_HAS_IDLE;
        node->boot_time = BOOT;
        s->nodes[i].member = i < members;
    }
}

static void judge(struct scene *s, const char *node, enum verdict v, const char *reason)
{
    struct verdict_line *l = &s->verdicts[s->n_verdicts++];

    *l = (struct verdict_line){.loss = NAN, .limit = NAN, .blind = NAN, .job = 7, .time = NOW - 60};
    snprintf(l->node, sizeof l->node, "%s", node);
    snprintf(l->word, sizeof l->word, "%s", verdict_word(v));
    snprintf(l->reason, sizeof l->reason, "%s", reason);
    snprintf(l->run, sizeof l->run, "r1");
}

static void make(struct scene *s, const char *reservation)
{
    const struct plan_log log = {log_drain, log_settled, log_drains, &s->log};
    struct err e = ERR_INIT;

    plan_fini(&s->plan);
    assert_int_equal(
        plan_make(reservation, &s->look, s->verdicts, s->n_verdicts, &log, NOW, &s->plan, &e), 0);
}

static void holds(struct scene *s, enum state_action action, const char *names)
{
    char *got = plan_names(&s->plan, action, false);

    assert_string_equal(got, names);
    free(got);
}

static void test_members_of_a_reservation(void **state)
{
    static struct scene s;

    (void)state;
    scene_init(&s, 6, 5);
    judge(&s, "n0", VERDICT_GOOD, "");
    judge(&s, "n1", VERDICT_SLOW, "memory.triad -48 %");
    judge(&s, "n2", VERDICT_TRANSIENT, "");
    judge(&s, "n3", VERDICT_SUSPECT, "gemm.f32 -4 %");
    judge(&s, "n5", VERDICT_FAULTY, "wrong results"); /* not a member */
    make(&s, "maint");
    assert_int_equal(s.plan.n, 5);
    holds(&s, STATE_DO_LEAVE, "n0,n2");
    holds(&s, STATE_DO_DRAIN, "n1");
    holds(&s, STATE_DO_TEST, "n4");
    assert_true(plan_waits(&s.plan));
    plan_fini(&s.plan);
}

static void test_a_person_who_resumed_has_the_last_word(void **state)
{
    static struct scene s;

    (void)state;
    scene_init(&s, 2, 2);
    judge(&s, "n0", VERDICT_SLOW, "memory.triad -48 %");
    make(&s, "maint");
    holds(&s, STATE_DO_DRAIN, "n0");
    s.log.rows[s.log.n++] = (struct log_row){"n0", "r1", DEED_CHECKED};
    make(&s, "maint"); /* drained once, and not any more */
    holds(&s, STATE_DO_DRAIN, "");
    holds(&s, STATE_DO_TEST, "n0,n1");
    s.nodes[0].node.flags |= NODE_HAS_DRAIN;
    snprintf(s.nodes[0].node.reason, sizeof s.nodes[0].node.reason, "hpcai500: x (job 7)");
    make(&s, "maint"); /* still drained, and the log knows */
    holds(&s, STATE_DO_CARRIED_OUT, "");
    s.log.n = 0;
    make(&s, "maint"); /* drained by a person who typed our command */
    holds(&s, STATE_DO_CARRIED_OUT, "n0");
    plan_fini(&s.plan);
}

static void test_nothing_follows_while_a_write_is_not_settled(void **state)
{
    static struct scene s;

    (void)state;
    scene_init(&s, 2, 2);
    judge(&s, "n0", VERDICT_SLOW, "memory.triad -48 %");
    judge(&s, "n1", VERDICT_GOOD, "");
    s.log.rows[s.log.n++] = (struct log_row){"n0", "r1", DEED_BEGUN};
    s.log.rows[s.log.n++] = (struct log_row){"n1", "r0", DEED_WRITTEN};
    make(&s, "maint");
    holds(&s, STATE_DO_NOTHING, "n0,n1");
    assert_true(s.plan.nodes[0].unsure && s.plan.nodes[1].unsure);
    plan_fini(&s.plan);
}

static void test_of_nodes_in_service_few_are_drained(void **state)
{
    static struct scene s;

    (void)state;
    scene_init(&s, 150, 5);
    s.look.maintenance = false;
    for (int i = 0; i < 4; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        judge(&s, name, VERDICT_FAULTY, "wrong results");
    }
    judge(&s, "n4", VERDICT_GOOD, "");
    make(&s, NULL);
    assert_int_equal(s.plan.in_service, 150);
    holds(&s, STATE_DO_DRAIN, "n0,n1,n2"); /* 2 % of 150 */
    holds(&s, STATE_DO_LEAVE, "");         /* nothing to leave */
    assert_true(s.plan.nodes[3].capped);
    s.log.rows[s.log.n++] = (struct log_row){"n9", "r1", DEED_CHECKED};
    make(&s, NULL); /* one of them is done already */
    holds(&s, STATE_DO_DRAIN, "n0,n1");
    make(&s, "batch"); /* a reservation that is not for maintenance: users are there */
    holds(&s, STATE_DO_DRAIN, "n0,n1");
    s.look.maintenance = true;
    make(&s, "maint"); /* out of service already */
    holds(&s, STATE_DO_DRAIN, "n0,n1,n2,n3");
    s.look.maintenance = false;
    s.log.n = 0;
    s.look.n = 5;
    make(&s, NULL);
    holds(&s, STATE_DO_DRAIN, "n0"); /* at least one */
    plan_fini(&s.plan);
}

static void test_a_node_in_service_is_not_resumed(void **state)
{
    static struct scene s;

    (void)state;
    scene_init(&s, 1, 1);
    s.nodes[0].node.flags = NODE_HAS_DOWN;
    s.nodes[0].node.reason_time = BOOT - 60;
    snprintf(s.nodes[0].node.reason, sizeof s.nodes[0].node.reason, "hpcai500 validate");
    make(&s, "maint");
    holds(&s, STATE_DO_RESUME, "n0");
    make(&s, NULL);
    holds(&s, STATE_DO_RESUME, "");
    plan_fini(&s.plan);
}

static void test_a_reason_is_one_that_the_writer_takes(void **state)
{
    static const struct {
        const char *reason, *text;
    } rows[] = {
        {"memory.triad -48 % vs baseline", "hpcai500: memory.triad -48 % vs baseline (job 7)"},
        {"", "hpcai500: SLOW (job 7)"},
        {"a=\"b\" 'c' \\ \n\xc3\xa4", "hpcai500: a??b? ?c? ? ??? (job 7)"},
        {"123456789 123456789 123456789 123456789 123456789 123456789 123456789 123456789 "
         "123456789 123456789 123456789 123456789 1234",
         "hpcai500: 123456789 123456789 123456789 123456789 123456789 123456789 123456789 "
         "123456789 123456789 123456789 12 (job 7)"},
    };
    static struct scene s;
    char reason[PLAN_REASON_MOST + 1];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = ERR_INIT;
        scene_init(&s, 1, 1);
        judge(&s, "n0", VERDICT_SLOW, rows[i].reason);
        plan_reason(&s.verdicts[0], reason);
        assert_string_equal(reason, rows[i].text);
        assert_true(strlen(reason) <= PLAN_REASON_MOST);
        assert_int_equal(node_reason_check(reason, &e), 0);
    }
}

static void test_the_commands_are_those_that_would_be_typed(void **state)
{
    static struct scene s;
    char *text = NULL;
    size_t size = 0;

    (void)state;
    scene_init(&s, 3, 3);
    judge(&s, "n0", VERDICT_GOOD, "");
    judge(&s, "n1", VERDICT_SLOW, "memory.triad -48 %");
    judge(&s, "n2", VERDICT_GOOD, "");
    make(&s, "maint");
    FILE *f = open_memstream(&text, &size);
    plan_print_commands(&s.plan, f);
    fclose(f);
    assert_string_equal(text, "With --apply this would be done:\n"
                              "  scontrol update nodename=n1 state=drain \\\n"
                              "      reason=\"hpcai500: memory.triad -48 % (job 7)\"\n"
                              "  scontrol update reservationname=maint nodes=n1\n");
    free(text);
    snprintf(s.verdicts[1].word, sizeof s.verdicts[1].word, "GOOD");
    make(&s, "maint");
    f = open_memstream(&text, &size);
    plan_print_commands(&s.plan, f);
    fclose(f);
    assert_string_equal(text, "With --apply this would be done:\n"
                              "  scontrol delete reservationname=maint\n");
    free(text);
    plan_fini(&s.plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_of_a_reservation),
        cmocka_unit_test(test_a_person_who_resumed_has_the_last_word),
        cmocka_unit_test(test_nothing_follows_while_a_write_is_not_settled),
        cmocka_unit_test(test_of_nodes_in_service_few_are_drained),
        cmocka_unit_test(test_a_node_in_service_is_not_resumed),
        cmocka_unit_test(test_a_reason_is_one_that_the_writer_takes),
        cmocka_unit_test(test_the_commands_are_those_that_would_be_typed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
