/* SPDX-License-Identifier: BSD-3-Clause */
/* The record: its name, its verdict, its writer's and reader's refusals. */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cjson/cJSON.h>

#include "reports/record/fields.h"
#include "reports/record/record.h"
#include "reports/core/utf8.h"
#include "tests/reports/record/sample.h"
#include "tests/unit.h"

static void test_id(void **state)
{
    struct record r;
    char id[RECORD_ID_SIZE];
    (void)state;

    sample_record(&r, 2, 2, 1);
    record_id(&r, id);
    assert_string_equal(id, "lab-4711.0.3");
    r.job.restart = 2;
    r.job.array_job_id = 4700;
    r.job.array_task_id = 11;
    record_id(&r, id);
    assert_string_equal(id, "lab-4700_11.2.3");
    r.job.array_job_id = -1;
    r.job.het_job_id = 4710;
    r.job.het_offset = 1;
    record_id(&r, id);
    assert_string_equal(id, "lab-4710+1.2.3");
    snprintf(r.job.cluster, sizeof r.job.cluster, "../x y");
    record_id(&r, id);
    assert_string_equal(id, "_._x_y-4710+1.2.3");
    r.job.present = false;
    record_id(&r, id);
    assert_string_equal(id, "local-20261122T190257Z-42");
    record_fini(&r);
}

static void test_utc(void **state)
{
    static const struct {
        struct timespec t;
        const char *text;
    } table[] = {
        {{0, 0}, "1970-01-01T00:00:00.000Z"},
        {{1795374177, 250999999}, "2026-11-22T19:02:57.250Z"},
        {{951782400, 999999999}, "2000-02-29T00:00:00.999Z"},
        {{INT64_MAX, 0}, "1970-01-01T00:00:00.000Z"},
    };
    char utc[RECORD_UTC_SIZE];
    (void)state;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        record_utc(table[i].t, utc);
        assert_string_equal(utc, table[i].text);
    }
}

static const char *reason_of(const struct record *r, const char *path)
{
    for (int i = 0; i < r->n_reasons; i++)
        if (strcmp(r->reasons[i].path, path) == 0)
            return r->reasons[i].text;
    return "";
}

static void test_judge(void **state)
{
    struct record r;
    (void)state;

    sample_record(&r, 2, 2, 1);
    record_judge(&r);
    assert_true(r.valid);
    assert_int_equal(record_exit_code(&r), 0);
    snprintf(r.nodes[1].build_id, sizeof r.nodes[1].build_id, "fedcba987654");
    record_judge(&r);
    assert_false(r.valid);
    assert_string_equal(reason_of(&r, "valid"),
                        "node n1 runs build 0123456789ab and node n2 runs build fedcba987654");
    assert_int_equal(record_exit_code(&r), 1);
    record_fini(&r);

    sample_record(&r, 2, 2, 1);
    r.workloads[0].result.status = RUN_PARTIAL;
    snprintf(r.workloads[0].result.reason, sizeof r.workloads[0].result.reason, "told to stop");
    record_judge(&r);
    assert_int_equal(r.status, RUN_PARTIAL);
    assert_int_equal(record_exit_code(&r), 4);
    assert_string_equal(reason_of(&r, "status"), "cosmoflow: told to stop");
    assert_string_equal(reason_of(&r, "workloads[0].status"), "told to stop");
    record_fini(&r);

    record_init(&r);
    record_judge(&r);
    assert_false(r.valid);
    assert_string_equal(reason_of(&r, "valid"), "nothing was run");
    record_fini(&r);
}

static cJSON *json_of(const struct record *r)
{
    struct err e = ERR_INIT;
    char *text = record_to_json(r, NULL, &e);

    assert_non_null(text);
    cJSON *doc = record_parse(text, strlen(text), "memory", &e);
    assert_string_equal(e.text, "");
    free(text);
    return doc;
}

/* What cannot be a number is null, and says why. */
static void test_nulls(void **state)
{
    struct record r;
    (void)state;

    sample_record(&r, 3, 2, 2);
    struct workload_result *w = &r.workloads[0].result;
    w->achieved = measured(NAN);
    w->flop_per_second = measured(INFINITY);
    w->time_to_quality_seconds = unmeasured(record_keep(&r, "the target was not reached"));
    w->epochs_to_target = 0;
    w->rcp.seeds = 0;
    r.nodes[1].inventory[INVENTORY_cores].number = 64;
    cJSON *doc = json_of(&r);
    static const struct {
        const char *path, *why;
    } table[] = {
        {"workloads[0].quality.achieved", "the value is not finite"},
        {"workloads[0].performance.flop_per_second", "the value is not finite"},
        {"workloads[0].performance.time_to_quality_seconds", "the target was not reached"},
        {"workloads[0].quality.epochs_to_target", "the target was not reached"},
        {"workloads[0].quality.rcp.mean_epochs", "no reference convergence point for this run"},
        {"workloads[0].counters.energy_package_joules", "/sys/class/powercap is not readable"},
        {"workloads[0].counters.instructions.phases.checkpoint", "no such phase"},
        {"workloads[0].counters.instructions.phases.compute",
         "counted with all else in training steps: train"},
        {"system.layers.hardware.cores", "differs between nodes"},
        {"system.layers.hardware.microcode", "the kernel does not show it"},
        {"system.layers.libraries.cuda", "this build has no CUDA"},
        {"run.level", "no level was claimed"},
    };
    const cJSON *reasons = json_at(doc, "reasons");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const cJSON *why = cJSON_GetObjectItemCaseSensitive(reasons, table[i].path);
        assert_true(cJSON_IsNull(json_at(doc, table[i].path)));
        assert_string_equal(cJSON_GetStringValue(why), table[i].why);
    }
    assert_float_equal(json_number(doc, "system.nodes[1].inventory.cores", 0), 64, 0);
    assert_float_equal(json_number(doc, "workloads[0].counters.instructions.phases.train", 0), 3e9,
                       0);
    assert_float_equal(json_number(doc, "workloads[0].counters.instructions.phases.staging", 0),
                       3e9, 0);
    cJSON_Delete(doc);
    record_fini(&r);
}

/* Who measured may go, with the reasons that it gave. */
static void test_reasons_are_copied(void **state)
{
    char no_value[] = "no such value", no_counter[] = "no such counter";
    char no_phase[] = "no such phase here", no_time[] = "no such time";
    char no_other[] = "no such class", no_training[] = "not evaluated on it";
    struct record r;
    struct workload_result w = sample_result(1, 3);
    struct record_counter c = {.name = "cycles", .ratio = NAN, .total = unmeasured(no_counter)};
    struct micro_row m = {.name = "conv", .median = measured(1), .p95 = unmeasured(no_time)};
    (void)state;

    record_init(&r);
    w.achieved = unmeasured(no_value);
    w.others[1].value = unmeasured(no_other);
    w.epochs[1].train_quality = w.epochs[2].train_quality = unmeasured(no_training);
    int at = record_add_workload(&r, &w, NULL, 0);
    c.phases[PHASE_COMPUTE] = unmeasured(no_phase);
    assert_int_equal(record_add_counter(&r, at, &c), 0);
    assert_int_equal(record_add_micro(&r, &m), 0);
    memset(no_value, 'x', sizeof no_value - 1);
    memset(no_counter, 'x', sizeof no_counter - 1);
    memset(no_phase, 'x', sizeof no_phase - 1);
    memset(no_time, 'x', sizeof no_time - 1);
    memset(no_other, 'x', sizeof no_other - 1);
    memset(no_training, 'x', sizeof no_training - 1);
    const struct workload_result *own = &r.workloads[0].result;
    assert_string_equal(own->others[1].value.reason, "no such class");
    assert_null(own->epochs[0].train_quality.reason);
    assert_string_equal(own->epochs[1].train_quality.reason, "not evaluated on it");
    assert_string_equal(own->epochs[2].train_quality.reason, "not evaluated on it");
    const struct record_counter *row = &r.workloads[0].counters[0];
    assert_string_equal(r.workloads[0].result.achieved.reason, "no such value");
    assert_string_equal(row->total.reason, "no such counter");
    assert_string_equal(row->phases[PHASE_COMPUTE].reason, "no such phase here");
    assert_string_equal(r.micro[0].p95.reason, "no such time");
    record_fini(&r);
}

/* Qualities beside the primary one, and why there is none. */
static void test_others(void **state)
{
    struct record r;
    (void)state;

    sample_record(&r, 4, 2, 3);
    r.workloads[0].result.epochs[1].train_quality = unmeasured("a second evaluation");
    cJSON *doc = json_of(&r);
    const cJSON *others = json_at(doc, "workloads[0].quality.others");
    const cJSON *reasons = json_at(doc, "reasons");
    assert_int_equal(cJSON_GetArraySize(others), 2);
    assert_string_equal(json_text(others, "[0].name", ""), "rmse");
    assert_float_equal(json_number(others, "[0].value", 0), 0.42, 0);
    assert_float_equal(json_number(others, "[0].target", 0), 0.45, 0);
    assert_true(cJSON_IsFalse(json_at(others, "[0].higher_is_better")));
    assert_true(cJSON_IsTrue(json_at(others, "[1].higher_is_better")));
    const struct {
        const char *path, *why;
    } table[] = {
        {"workloads[0].quality.others[1].value", "no class in the set"},
        {"workloads[0].quality.others[1].target", "it has no target"},
        {"workloads[0].epochs[1].train_quality", "a second evaluation"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_true(cJSON_IsNull(json_at(doc, table[i].path)));
        assert_string_equal(
            cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(reasons, table[i].path)),
            table[i].why);
    }
    cJSON_Delete(doc);
    record_fini(&r);
}

/* A workload that stopped early claims nothing. */
static void test_honest(void **state)
{
    struct record r;
    struct workload_result w = {.name = "cosmoflow",
                                .suite = "component",
                                .ranks = 2,
                                .status = RUN_CRASHED,
                                .reason = "no data"};
    (void)state;

    record_init(&r);
    record_add_workload(&r, &w, NULL, 0);
    assert_string_equal(w.name, "");
    record_judge(&r);
    cJSON *doc = json_of(&r);
    assert_true(cJSON_IsNull(json_at(doc, "workloads[0].quality.achieved")));
    assert_true(cJSON_IsNull(json_at(doc, "workloads[0].quality.baseline")));
    assert_true(cJSON_IsNull(json_at(doc, "workloads[0].performance.vflops.n5")));
    assert_true(cJSON_IsNull(json_at(doc, "workloads[0].phases")));
    assert_string_equal(json_text(doc, "status", ""), "crashed");
    cJSON_Delete(doc);
    record_fini(&r);
}

static void test_phases(void **state)
{
    struct record r;
    (void)state;

    sample_record(&r, 21, 4, 2);
    for (int k = 0; k < 21; k++)
        r.workloads[0].ranks[k].phase_seconds[PHASE_COMPUTE] = 100 + k;
    r.workloads[0].ranks[20].wall_seconds = NAN; /* lost */
    cJSON *doc = json_of(&r);
    const cJSON *phase = json_at(doc, "workloads[0].phases.compute");
    assert_float_equal(json_number(phase, "min_seconds", 0), 100, 0);
    assert_float_equal(json_number(phase, "median_seconds", 0), 109.5, 0);
    assert_float_equal(json_number(phase, "p95_seconds", 0), 118, 0);
    assert_float_equal(json_number(phase, "max_seconds", 0), 119, 0);
    assert_string_equal(json_text(phase, "max_node", ""), "n4");
    assert_int_equal(cJSON_GetArraySize(json_at(phase, "worst")), 8);
    assert_float_equal(json_number(phase, "worst[7].rank", 0), 12, 0);
    assert_float_equal(json_number(doc, "workloads[0].ranks_known", 0), 20, 0);
    assert_true(json_number(doc, "workloads[0].phase_sum_error", 0) > 0.02);
    assert_non_null(
        cJSON_GetObjectItemCaseSensitive(json_at(doc, "reasons"), "workloads[0].phases"));
    cJSON_Delete(doc);
    record_fini(&r);
}

/* What messages cost in training: medians over the ranks, the slowest of them by name. */
static void test_wire(void **state)
{
    const char *slow = "workloads[0].transport_in_training.received[0].rate_bytes_per_second";
    struct record r;
    (void)state;

    sample_record(&r, 4, 2, 2);
    cJSON *doc = json_of(&r);
    const cJSON *w = json_at(doc, "workloads[0].transport_in_training");
    assert_float_equal(json_number(w, "ranks", 0), 4, 0);
    assert_float_equal(json_number(w, "sums", 0), 3 * 512 + 64, 0);
    assert_float_equal(json_number(w, "least_bytes", 0), 8192, 0);
    assert_float_equal(json_number(w, "most_bytes", 0), 262144, 0);
    assert_float_equal(json_number(w, "alpha_seconds", 0), 1e-4, 0);
    assert_float_equal(json_number(w, "alpha_low_seconds", 0), 5e-5, 0);
    assert_float_equal(json_number(w, "alpha_high_seconds", 0), 2e-4, 0);
    assert_float_equal(json_number(w, "rate_bytes_per_second", 0), 2e8, 0);
    assert_float_equal(json_number(w, "rate_low_bytes_per_second", 0), 8.2768e7, 0);
    assert_float_equal(json_number(w, "rate_high_bytes_per_second", 0), 4e8, 0);
    assert_int_equal(cJSON_GetArraySize(json_at(w, "received")), 4);
    assert_float_equal(json_number(w, "received[0].rank", 0), 2, 0);
    assert_true(cJSON_IsNull(json_at(doc, slow)));
    assert_non_null(cJSON_GetObjectItemCaseSensitive(json_at(doc, "reasons"), slow));
    assert_float_equal(json_number(w, "received[0].rate_low_bytes_per_second", 0), 6.5536e7, 0);
    assert_float_equal(json_number(w, "received[1].rank", 0), 1, 0);
    assert_string_equal(json_text(w, "received[1].node", ""), "n2");
    assert_float_equal(json_number(w, "received[1].rate_bytes_per_second", 0), 1e8, 0);
    cJSON_Delete(doc);

    /* where less than half of the ranks tell a number, it is not told */
    r.workloads[0].ranks[0].steady.wire.rate.value = NAN;
    r.workloads[0].ranks[3].steady.wire.sums = 0;
    doc = json_of(&r);
    w = json_at(doc, "workloads[0].transport_in_training");
    assert_float_equal(json_number(w, "ranks", 0), 3, 0);
    assert_true(cJSON_IsNull(json_at(w, "rate_bytes_per_second")));
    assert_float_equal(json_number(w, "rate_low_bytes_per_second", 0), 6.5536e7, 0);
    cJSON_Delete(doc);

    /* a rank whose bytes take no time that can be seen is not called slow */
    r.workloads[0].ranks[0].steady.wire.rate = (struct result_value){NAN, NAN, NAN};
    doc = json_of(&r);
    w = json_at(doc, "workloads[0].transport_in_training");
    assert_float_equal(json_number(w, "received[0].rank", -1), 2, 0);
    assert_float_equal(json_number(w, "received[2].rank", -1), 0, 0);
    cJSON_Delete(doc);

    for (int k = 0; k < 4; k++)
        r.workloads[0].ranks[k].steady.wire.sums = 0;
    doc = json_of(&r);
    assert_true(cJSON_IsNull(json_at(doc, "workloads[0].transport_in_training")));
    cJSON_Delete(doc);
    record_fini(&r);
}

/* A hash is the same for the same machine under other names and in another
 * order, and another when one part differs. */
/* Rows and what has none sum to all operators, also where few rows fit. */
static void test_profile(void **state)
{
    const cJSON *p, *row;
    double seconds = 0;
    struct record r;
    (void)state;

    sample_record(&r, 1, 1, 2);
    cJSON *doc = json_of(&r);
    p = json_at(doc, "workloads[0].profile");
    assert_int_equal(cJSON_GetArraySize(json_at(p, "operators")), RECORD_MAX_OPERATORS);
    cJSON_ArrayForEach(row, json_at(p, "operators")) seconds += json_number(row, "seconds", NAN);
    assert_float_equal(json_number(p, "others.operators", 0), 83 - RECORD_MAX_OPERATORS, 0);
    assert_float_equal(seconds + json_number(p, "others.seconds", NAN),
                       json_number(p, "operators_seconds", NAN), 1e-9);
    assert_float_equal(json_number(p, "others.bytes", 0), 4096 * (83 - RECORD_MAX_OPERATORS), 0);
    cJSON_Delete(doc);

    r.workloads[0].result.profile.steps = 0;
    doc = json_of(&r);
    assert_true(cJSON_IsNull(json_at(doc, "workloads[0].profile")));
    cJSON_Delete(doc);
    record_fini(&r);
}

static void test_hashes(void **state)
{
    struct record a, b;
    (void)state;

    sample_record(&a, 2, 2, 1);
    sample_record(&b, 2, 2, 1);
    record_fact_number(&a.nodes[0].inventory[INVENTORY_cores], 56);
    record_fact_number(&b.nodes[1].inventory[INVENTORY_cores], 56);
    snprintf(b.nodes[0].name, sizeof b.nodes[0].name, "other");
    record_fact_text(&b.facts[FACT_operating_system_kernel], "6.1.0-29-amd64");
    cJSON *x = json_of(&a), *y = json_of(&b);
    const cJSON *lx = json_at(x, "system.layers"), *ly = json_at(y, "system.layers");
    const cJSON *layer;
    int differ = 0;
    cJSON_ArrayForEach(layer, lx)
    {
        char path[64];
        snprintf(path, sizeof path, "%s.hash", layer->string);
        differ += strcmp(json_text(lx, path, "x"), json_text(ly, path, "y")) != 0;
    }
    assert_int_equal(differ, 1);
    assert_string_not_equal(json_text(lx, "operating_system.hash", ""),
                            json_text(ly, "operating_system.hash", ""));
    record_fact_number(&b.nodes[0].inventory[INVENTORY_cores], 56);
    cJSON *z = json_of(&b);
    assert_string_not_equal(json_text(z, "system.layers.hardware.hash", ""),
                            json_text(x, "system.layers.hardware.hash", ""));
    cJSON_Delete(x);
    cJSON_Delete(y);
    cJSON_Delete(z);
    record_fini(&a);
    record_fini(&b);
}

/* The odd node is shown, whatever the number of good ones. */
static void test_scale(void **state)
{
    struct record r;
    struct err e = ERR_INIT;
    (void)state;

    sample_record(&r, 20000, 5000, 3000);
    record_fact_number(&r.nodes[4321].inventory[INVENTORY_memory_bytes], 448e9);
    for (int i = 1; i < 16; i++) {
        struct workload_result w = sample_result(20000, 3000);
        record_add_workload(&r, &w, r.workloads[0].ranks, 20000);
    }
    char *text = record_to_json(&r, NULL, &e);
    assert_non_null(text);
    assert_true(strlen(text) < RECORD_MAX_BYTES);
    cJSON *doc = record_parse(text, strlen(text), "memory", &e);
    assert_non_null(doc);
    assert_string_equal(json_text(doc, "system.nodes[0].name", ""), "n4322");
    double shown = cJSON_GetArraySize(json_at(doc, "system.nodes"));
    assert_float_equal(json_number(doc, "system.nodes_omitted", 0), 5000 - shown, 0);
    const cJSON *epochs = json_at(doc, "workloads[15].epochs");
    int rows = cJSON_GetArraySize(epochs);
    assert_float_equal(json_number(epochs, "[0].epoch", 0), 1, 0);
    assert_float_equal(json_number(cJSON_GetArrayItem(epochs, rows - 1), "epoch", 0), 3000, 0);
    assert_float_equal(json_number(doc, "workloads[15].epochs_omitted", 0), 3000 - rows, 0);
    cJSON_Delete(doc);
    free(text);
    record_fini(&r);
}

static void test_utf8_clean(void **state)
{
    static const struct {
        const char *in, *out;
    } table[] = {
        {"plain", "plain"},
        {"caf\xc3\xa9", "caf\xc3\xa9"},
        {"a\x1b[31mb", "a?[31mb"},
        {"a\xff\xfe", "a??"},
        {"a\xc3", "a?"},
        {"\xc2\x9b"
         "31m",
         "?31m"},
        {"a\xe2\x80\xae"
         "b",
         "a?b"},
        {"a\xd8\x9c\xe2\x81\xa6 \xe2\x80\x8f", "a?? ?"}, /* marks of direction */
        {"line\nbreak\x7f", "line?break?"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s", table[i].in);
        utf8_clean(text);
        assert_string_equal(text, table[i].out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_id),
        cmocka_unit_test(test_utc),
        cmocka_unit_test(test_judge),
        cmocka_unit_test(test_nulls),
        cmocka_unit_test(test_reasons_are_copied),
        cmocka_unit_test(test_honest),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_phases),
        cmocka_unit_test(test_profile),
        cmocka_unit_test(test_wire),
        cmocka_unit_test(test_hashes),
        cmocka_unit_test(test_scale),
        cmocka_unit_test(test_utf8_clean),
    };
    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
