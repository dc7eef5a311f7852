/* SPDX-License-Identifier: BSD-3-Clause */
/* What stands behind the page: the split, repeats, prices, rules. */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cjson/cJSON.h>

#include "reports/core/result.h"
#include "reports/report/book.h"
#include "reports/report/compare.h"
#include "reports/report/held.h"
#include "reports/report/past.h"
#include "reports/report/prices.h"
#include "reports/report/rules.h"
#include "reports/report/split.h"
#include "tests/unit.h"

static void near(double a, double b)
{
    assert_true(fabs(a - b) < 1e-6 * fabs(b) + 1e-12);
}

/* ---- the split ---- */

static struct split split_from(const char *json)
{
    cJSON *w = cJSON_Parse(json);
    struct split s;

    assert_non_null(w);
    split_of(w, &s);
    cJSON_Delete(w);
    return s;
}

#define PHASES(compute, input, exchange, skew, first)                                              \
    "{\"wall_seconds\":100,\"phases\":{\"compute\":{\"median_seconds\":" #compute                  \
    "},\"input_wait\":{\"median_seconds\":" #input                                                 \
    "},\"exposed_allreduce\":{\"median_seconds\":" #exchange                                       \
    "},\"imbalance\":{\"median_seconds\":" #skew "},\"first_epoch\":{\"median_seconds\":" #first   \
    "},\"new_phase\":{\"median_seconds\":3}}}"

static void test_split(void **state)
{
    static const struct {
        const char *json;
        enum limit limit;
        enum part largest;
    } rows[] = {
        {PHASES(85, 4, 3, 2, 3), LIMIT_COMPUTE, PART_INPUT},
        {PHASES(47, 45, 2, 2, 1), LIMIT_NAMED, PART_INPUT},
        {PHASES(47, 2, 45, 2, 1), LIMIT_NAMED, PART_EXCHANGE},
        {PHASES(47, 2, 2, 45, 1), LIMIT_NAMED, PART_SKEW},
        {PHASES(50, 20, 20, 5, 2), LIMIT_SEVERAL, PART_INPUT},
        {PHASES(20, 15, 1, 1, 60), LIMIT_START, PART_INPUT},
        {"{\"wall_seconds\":100,\"phases\":{\"compute\":{\"median_seconds\":17},\"imbalance\":{"
         "\"median_seconds\":5},\"withheld\":{\"median_seconds\":60},\"x\":{\"median_seconds\":3}}"
         "}",
         LIMIT_NAMED, PART_WITHHELD}, /* no core is not computing */
        {"{\"phases\":{}}", LIMIT_UNKNOWN, PART_INPUT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct split s = split_from(rows[i].json);
        double sum = 0, percent = 0;
        assert_int_equal(s.limit, rows[i].limit);
        assert_int_equal(s.largest, rows[i].largest);
        if (s.limit == LIMIT_UNKNOWN)
            continue;
        for (int p = 0; p < PART_COUNT; p++) {
            sum += s.seconds[p];
            percent += split_percent(&s, (enum part)p);
        }
        near(sum, s.sum);
        near(percent, 100);
        near(s.seconds[PART_OTHER], 3); /* a phase of a later release is not lost */
        near(s.miss, s.sum / 100 - 1);
    }
}

/* Every phase that a record has belongs to a part that tells it. */
static void test_parts(void **state)
{
    static const enum part parts[] = {[PHASE_STAGING] = PART_START,
                                      [PHASE_FIRST_EPOCH] = PART_START,
                                      [PHASE_COMPUTE] = PART_COMPUTE,
                                      [PHASE_INPUT_WAIT] = PART_INPUT,
                                      [PHASE_WITHHELD] = PART_WITHHELD,
                                      [PHASE_EXCHANGE_CPU] = PART_EXCHANGE,
                                      [PHASE_UPDATE] = PART_COMPUTE,
                                      [PHASE_EXPOSED_ALLREDUCE] = PART_EXCHANGE,
                                      [PHASE_IMBALANCE] = PART_SKEW,
                                      [PHASE_AGREE] = PART_EXCHANGE,
                                      [PHASE_EVALUATION] = PART_EVALUATION,
                                      [PHASE_CHECKPOINT] = PART_OTHER,
                                      [PHASE_OTHER] = PART_OTHER};
    static const char *const names[] = {
#define PHASE(symbol, name, inside, title) #name,
#include "reports/core/phases.def"
    };

    (void)state;
    assert_int_equal(sizeof parts / sizeof *parts, sizeof names / sizeof *names);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(split_part(names[i]), parts[i]);
}

/* ---- what held it back ---- */

#define WHY(cause, of, share)                                                                      \
    "{\"why\":{\"cause\":\"" cause "\",\"confirmed\":true,\"visible\":0.5,\"causes\":[{"           \
    "\"cause\":\"" of "\",\"share\":" #share "}]},\"path\":{\"period_seconds\":2,"                 \
    "\"compute_seconds\":1,\"update_seconds\":0.2,\"wire_seconds\":0.3,"                           \
    "\"exchange_cpu_seconds\":0.1,\"input_seconds\":0.4},\"phases\":{\"compute\":{"                \
    "\"median_seconds\":60},\"input_wait\":{\"median_seconds\":20},\"evaluation\":{"               \
    "\"median_seconds\":20}}}"

static void test_held(void **state)
{
    static const struct {
        const char *json;
        enum cause cause;
        bool waits;
        double share; /* NAN: none */
    } rows[] = {
        {WHY("storage", "storage", 0.3), CAUSE_STORAGE, true, 0.3},
        {WHY("kernels", "network", 0.04), CAUSE_KERNELS, false, NAN}, /* that is not its share */
        {WHY("no_single_bottleneck", "network", 0.3), CAUSE_SEVERAL, true, 0.5},
        {WHY("unknown", "network", 0.3), CAUSE_UNKNOWN, false, NAN},
        {WHY("of_a_later_release", "network", 0.3), CAUSE_UNKNOWN, false, NAN},
        {"{\"why\":null}", CAUSE_UNKNOWN, false, NAN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cJSON *w = cJSON_Parse(rows[i].json);
        struct held h;
        struct split s;
        held_of(w, &h);
        split_of(w, &s);
        assert_int_equal(h.cause, rows[i].cause);
        assert_int_equal(held_waits(&h), rows[i].waits);
        assert_true(isnan(rows[i].share) ? isnan(h.share) : fabs(h.share - rows[i].share) < 1e-9);
        if (cJSON_IsObject(cJSON_GetObjectItem(w, "why"))) {
            near(h.compute, 0.6);
            /* steps are 80 of 100 s; what is not steps may wait for anything */
            near(held_bound(&h, &s, "network_bandwidth"), 0.2 * 0.8 + 0.2);
            near(held_bound(&h, &s, "storage"), 0.2 * 0.8 + 0.2);
        }
        assert_true(isnan(held_bound(&h, &s, "compute")));
        cJSON_Delete(w);
    }
}

/* ---- repeats ---- */

static void test_olympic(void **state)
{
    const double five[] = {10, 12, 11, 30, 9};

    (void)state;
    near(book_olympic(five, 5, 0), 11);
    near(book_olympic(five, 2, 0), 11); /* too few to leave any out */
    near(book_olympic(five, 1, 0), 10);
    near(book_olympic(five, 4, 1),
         53.0 / 3); /* the one that failed is the slowest, 10 the fastest */
    assert_true(isnan(book_olympic(five, 3, 2)));
    assert_true(isnan(book_olympic(five, 1, 1)));
    assert_true(isnan(book_olympic(five, 0, 1)));
}

#define RUN(seconds, epochs, reached)                                                              \
    "{\"system\":{\"node_count\":4},\"workloads\":[{\"name\":\"hep\",\"class\":\"tiny\","          \
    "\"dtype\":\"f32\",\"valid\":" #reached ",\"quality\":{\"epochs_to_target\":" #epochs          \
    ",\"rcp\":{\"mean_epochs\":10}},\"performance\":{\"time_to_quality_seconds\":" #seconds "}}]}"

static void test_groups(void **state)
{
    static const char *const texts[] = {RUN(50, 8, true), RUN(40, 8, true), RUN(60, 8, true),
                                        RUN(1, 1, false)};
    static struct book b;
    cJSON *docs[4];
    struct err e = ERR_INIT;
    struct repeats r;

    (void)state;
    for (int i = 0; i < 4; i++) {
        docs[i] = cJSON_Parse(texts[i]);
        assert_int_equal(book_add(&b, docs[i], &e), 0);
    }
    book_close(&b);
    assert_int_equal(b.n_groups, 1);
    assert_int_equal(b.groups[0].n, 4);
    assert_int_equal(b.groups[0].reported, 0); /* 40 50 60 and one that failed: the lower middle */
    group_repeats(&b.groups[0], &r);
    assert_int_equal(r.reached, 3);
    near(r.seconds, 55); /* 40 and the failed one are left out */
    near(r.normalised, 55 * 10 / 8.0);
    /* 40, 50, 60: mean 50, deviation 10, two degrees of freedom */
    assert_true(fabs(r.low - (50 - 2.91999 * 10 / sqrt(3))) < 1e-3);
    assert_true(fabs(r.high - (50 + 2.91999 * 10 / sqrt(3))) < 1e-3);
    assert_true(r.olympic);
    for (int i = 0; i < 4; i++)
        cJSON_Delete(docs[i]);
}

/* ---- the past ---- */

#define OWN                                                                                        \
    "{\"id\":\"lab-7.0.0\",\"job\":{\"cluster\":\"lab\"},\"time\":{\"start\":"                     \
    "\"2026-11-22T19:02:57.250Z\"},\"system\":{\"node_count\":4},\"workloads\":[{\"name\":"        \
    "\"hep\",\"class\":\"tiny\",\"dtype\":\"f32\",\"ranks\":8,\"valid\":true,\"engine\":\"cpu\","  \
    "\"threads\":2,"                                                                               \
    "\"yardstick\":{\"what\":\"c\",\"cpu\":{\"mean_seconds\":0.01}},\"performance\":{"             \
    "\"samples_per_second\":90}}]}"

/* Ten runs at 100 and ten at 90, then the book's own, which the history has, too; and one
 * run each that is of another training. The processors were slower for the last ten: at
 * equal processor nothing changed. */
static void test_past(void **state)
{
    static struct past p;
    static struct book b;
    struct past_runs runs = {0};
    struct past_run one = {"", "hep", "tiny", "f32", "lab", 4, 8, 0, 0, 0, "cpu", 2};
    cJSON *doc = cJSON_Parse(OWN);
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(book_add(&b, doc, &e), 0);
    book_close(&b);
    for (int i = 20; i-- > 0;) { /* in any order */
        snprintf(one.key, sizeof one.key, "lab-%d.0.0", 100 + i);
        one.time = 1000 * i;
        one.speed = (i < 10 ? 100 : 90) + 0.01 * (i * 7 % 10);
        one.even = one.speed * (i < 10 ? 0.009 : 0.010);
        one.threads = i == 3 ? 4 : 2; /* another convolution */
        assert_int_equal(past_runs_add(&runs, &one), 0);
    }
    snprintf(one.key, sizeof one.key, "lab-7.0.0");
    past_runs_add(&runs, &one);
    snprintf(one.key, sizeof one.key, "lab-8.0.0");
    for (int k = 0; k < 6; k++) {
        struct past_run other = one;
        other.nodes += k == 0;
        other.ranks += k == 1;
        other.workload[0] += (char)(k == 2);
        other.class_name[0] += (char)(k == 3);
        other.dtype[0] += (char)(k == 4);
        other.cluster[0] += (char)(k == 5);
        past_runs_add(&runs, &other);
    }
    assert_int_equal(past_of(&p, &b.groups[0], &runs), 0);
    assert_int_equal(p.n, 21);
    assert_int_equal(p.asked, 1);
    near(p.speed[20], 90); /* the newest */
    assert_int_equal(p.n_changes, 1);
    assert_int_equal(p.changes[0].kind, CHANGE_STEP);
    assert_int_equal(p.changes[0].at, 10);
    assert_int_equal(p.n_even, 20);
    near(p.even[19], 0.9);
    near(p.even_time[19], p.time[20]);
    assert_int_equal(p.n_even_changes, 0);
    assert_int_equal(past_of(&p, &b.groups[0], NULL), 0);
    assert_int_equal(p.n, 1);
    assert_int_equal(p.n_changes, 0);
    past_runs_fini(&runs);
    cJSON_Delete(doc);
}

/* ---- prices ---- */

static const char site[] =
    "currency = EUR\nas_of = 2026-11-01\nvalid_until = 2026-12-31\nkwh = 0.25\npue = 1.2\n"
    "life_years = 4\nhours_available_per_year = 8000\n"
    "[node a b]\npurchase = 10000\nsupport_percent_per_year = 5\nstaff_per_year = 100\n"
    "spares_percent = 2\npower_watts = 500\ndata_sheet_gflops_f32 = 4000\nmtbf_hours = "
    "900\nrepair_hours = 100\n"
    "[buy net]\nfactor = 2\nfixed = 1000\nper_node = 100\nwatts_per_node = 10\n"
    "[mix]\nhep = 0.5\n"
    "[inspection]\nparts_per_year = 1000\nflawed = 0.1\nmissed = 50\nfalse_reject = 2\n";

static void test_life(void **state)
{
    static struct prices p;
    struct err e = ERR_INIT;
    struct price_life life;

    (void)state;
    assert_int_equal(prices_parse(&p, site, strlen(site), "x", &e), 0);
    assert_null(prices_node(&p, "other"));
    near(prices_data_sheet(&p.node[0], "f32"), 4e12);
    assert_true(isnan(prices_data_sheet(&p.node[0], "bf16"))); /* it does not say */
    prices_life(&p, prices_node(&p, "a b"), &life);
    near(life.purchase, 10200);
    near(life.support, 4 * 500);
    near(life.power, 4 * 500 * 1.2 * 8000 * 0.25 / 1000);
    near(life.staff, 400);
    near(life.sum, 10200 + 2000 + 4800 + 400);
    near(life.node_hour, life.sum / (4 * 8000 * 0.9));
    double price = 1000 + 10 * (100 + 4 * 10 * 1.2 * 8000 * 0.25 / 1000);
    near(prices_buy(&p, &p.buy[0], 10), price);
    /* at the break-even what is freed is worth the price */
    double s = prices_break_even(&p, &p.node[0], &p.buy[0], 10, 0.5);
    near(s * 0.5 * 10 * life.sum, price);
    /* of 100 flawed one is let through, of 900 good ones 90 are thrown away */
    near(prices_inspection(&p, 0.01, 0.1).missed, 50);
    near(prices_inspection(&p, 0.01, 0.1).false_rejects, 180);
    assert_true(isnan(prices_inspection(&(struct prices){.pue = 1}, 0.01, 0.1).missed));
    near(prices_day(p.valid_until), 1798675200);
    assert_true(isnan(prices_day("")));
    assert_false(prices_expired(&(struct prices){0}, 1e12));
    assert_false(prices_expired(&p, 1798675200)); /* 31 December, 00:00 */
    assert_true(prices_expired(&p, 1798675200 + 86400));
}

static void test_refusals(void **state)
{
    static const struct {
        const char *text, *sentence;
    } rows[] = {
        {"curency = EUR\n", "x:1: there is no key 'curency' here; the nearest is 'currency'"},
        {"currency = euro\n", "x:1: 'euro' is not a currency; use a code of ISO 4217, EUR or JPY"},
        {"currency = EUR\nas_of = 1.11.2026\n", "x:2: '1.11.2026' is not a date; use 2026-11-01"},
        {"kwh = cheap\n", "x:1: 'cheap' is not a number; kwh is one"},
        {"kwh = nan\n", "x:1: 'nan' is not a number; kwh is one"},
        {"pue = 0.5\n", "x:1: pue=0.5 is not between 1 and 10"},
        {"[node]\n", "x:1: [node] needs a name of at most 63 bytes"},
        {"[mix]\na = .6\nb = .6\n", "x:3: the shares of [mix] are more than 1 in all"},
        {"kwh\n", "x:1: 'kwh' is not 'key = value'"},
        {"kwh = 1\n", "x: currency and as_of are needed"},
        {"currency = EUR\nas_of = 2026-11-01\n",
         "x: life_years and hours_available_per_year are needed"},
        {"currency = EUR\nas_of = 2026-11-01\nlife_years = 5\nhours_available_per_year = "
         "8000\n[node n]\n",
         "x: [node n] needs purchase"},
    };
    static struct prices p;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = ERR_INIT;
        assert_int_equal(prices_parse(&p, rows[i].text, strlen(rows[i].text), "x", &e), -1);
        assert_string_equal(e.text, rows[i].sentence);
        assert_string_equal(p.currency, "");
    }
}

/* ---- rules ---- */

static void test_levels(void **state)
{
    (void)state;
    assert_string_equal(rules_strictest(0), "hardware");
    assert_string_equal(rules_strictest(0x01), "hardware");
    assert_string_equal(rules_strictest(0x07), "system");
    assert_string_equal(rules_strictest(0x80), "free"); /* hyper-parameters */
    assert_null(rules_strictest(0x100));                /* another problem */
    assert_int_equal(rules_level("system"), 0x3f);
    assert_int_equal(rules_level("systems"), 0);
}

static void test_division(void **state)
{
    static const struct {
        const char *division, *origin;
        bool holds;
    } rows[] = {{"closed", "generated", true},     {"closed", "published", true},
                {"closed", "private", false},      {"private", "private", true},
                {"private", "generated", false},   {"look-alike", "look-alike", true},
                {"look-alike", "published", false}};
    char text[200];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(text, sizeof text,
                 "{\"run\":{\"division\":\"%s\"},\"workloads\":[{\"data_origin\":\"%s\"}]}",
                 rows[i].division, rows[i].origin);
        cJSON *r = cJSON_Parse(text);
        assert_int_equal(rules_division_holds(r), rows[i].holds);
        cJSON_Delete(r);
    }
}

/* ---- intervals ---- */

/* Welch's interval by hand: logs 0, .1, .2 against 0, .02: difference .09, variance
 * .01 / 3 + .0002 / 2, 2.11 degrees of freedom, so t of two. */
static void test_ratio(void **state)
{
    const double a[] = {1, exp(.1), exp(.2)}, b[] = {1, exp(.02)}, far[] = {2, 2.01, 1.99};
    struct ratio r = compare_ratio(a, 3, b, 2);
    double half = 2.920 * sqrt(.01 / 3 + .0002 / 2);

    (void)state;
    near(r.value, exp(.09));
    near(r.low, exp(.09 - half));
    near(r.high, exp(.09 + half));
    assert_false(r.differs);
    assert_true(compare_ratio(far, 3, b, 2).differs);
    assert_true(compare_ratio(b, 2, far, 3).differs);
    assert_true(isnan(compare_ratio(a, 1, b, 2).low));
    assert_true(isnan(compare_ratio(a, 0, b, 2).value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),  cmocka_unit_test(test_parts),
        cmocka_unit_test(test_held),   cmocka_unit_test(test_olympic),
        cmocka_unit_test(test_past),   cmocka_unit_test(test_groups),
        cmocka_unit_test(test_life),   cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_levels), cmocka_unit_test(test_division),
        cmocka_unit_test(test_ratio)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
