/* SPDX-License-Identifier: BSD-3-Clause */
/* redact: canaries in every text of a record, and what is left of them. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cjson/cJSON.h>

#include "reports/record/fields.h"
#include "reports/record/record_fields.h"
#include "reports/record/redact.h"
#include "tests/reports/record/sample.h"
#include "tests/unit.h"

static char salt_path[] = "/tmp/hpcai500-salt.XXXXXX";

static struct redact opened(const char *text)
{
    struct conf c;
    struct redact x = {.bits = 0};
    struct err e = ERR_INIT;
    char file[512];

    conf_defaults(&c);
    snprintf(file, sizeof file, "salt = %s\n%s\n", salt_path, text);
    if (conf_parse(&c, file, strlen(file), "f", &e) || redact_open(&x, &c, &e))
        fail_msg("%s", e.text);
    return x;
}

static cJSON *sample(void)
{
    struct record r;
    struct err e = ERR_INIT;
    struct micro_row m = {.name = "gemm",
                          .shape = "8x8",
                          .dtype = "f32",
                          .direction = "forward",
                          .median = measured(1),
                          .p95 = measured(2),
                          .unit = "ms",
                          .slowest_node = "n2"};

    sample_record(&r, 4, 2, 3);
    record_add_micro(&r, &m);
    record_reason(&r, "valid", "rank 3 of ada on n2 cannot read /home/ada/x, says '/y z'; n22 can");
    record_judge(&r);
    char *text = record_to_json(&r, NULL, &e);
    assert_non_null(text);
    cJSON *doc = record_parse(text, strlen(text), "sample", &e);
    assert_non_null(doc);
    free(text);
    record_fini(&r);
    return doc;
}

static cJSON *redacted(const char *config)
{
    struct redact x = opened(config);
    struct err e = ERR_INIT;
    cJSON *doc = sample();

    if (redact_record(&x, doc, &e))
        fail_msg("%s", e.text);
    return doc;
}

static void test_words(void **state)
{
    static const struct {
        const char *word, *path, *gone;
    } table[] = {
        {"user", "job.user", "\"ada\""},
        {"account", "job.account", "phys"},
        {"cluster", "job.cluster", "\"lab"},
        {"cluster", "id", "lab-"},
        {"job", "id", "4711"},
        {"partition", "job.partition", ":\"batch\""},
        {"host", "job.nodes[1]", "\"n2\""},
        {"host", "system.nodes[0].name", "\"n1\""},
        {"host", "workloads[0].phases.compute.max_node", "\"n2\""},
        {"host", "micro[0].slowest_node", "\"n2\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char config[64];
        cJSON *before = sample();
        snprintf(config, sizeof config, "redact = %s", table[i].word);
        cJSON *doc = redacted(config);
        const char *now = json_text(doc, table[i].path, "");
        assert_int_equal(strlen(now), 18);
        assert_int_equal(now[1], '-');
        assert_string_not_equal(json_text(before, table[i].path, ""), now);
        char *text = cJSON_PrintUnformatted(doc);
        if (strstr(text, table[i].gone))
            fail_msg("%s: %s is still there", table[i].word, table[i].gone);
        free(text);
        cJSON_Delete(before);
        cJSON_Delete(doc);
    }
}

static void test_gone(void **state)
{
    cJSON *doc = redacted("redact = path,data,time,job,user");

    (void)state;
    assert_true(cJSON_IsNull(json_at(doc, "workloads[0].data.path")));
    assert_true(cJSON_IsNull(json_at(doc, "workloads[0].data.manifest_sha256")));
    assert_true(cJSON_IsNull(json_at(doc, "job.job_id")));
    assert_true(cJSON_IsNull(json_at(doc, "job.uid")));
    assert_string_equal(json_text(doc, "time.start", ""), "2026-11-22T00:00:00.000Z");
    const cJSON *reasons = json_at(doc, "reasons");
    assert_string_equal(
        cJSON_GetStringValue(cJSON_GetObjectItem(reasons, "workloads[0].data.path")), "redacted");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(reasons, "job.uid")), "redacted");
    cJSON_Delete(doc);
}

static void test_sentences(void **state)
{
    cJSON *doc = redacted("redact = user,path,host");
    const cJSON *reasons = json_at(doc, "reasons");
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(reasons, "valid"));
    char wanted[256];

    (void)state;
    snprintf(wanted, sizeof wanted,
             "rank 3 of %s on %s cannot read redacted, says 'redacted z'; n22 can",
             json_text(doc, "job.user", ""), json_text(doc, "job.nodes[1]", ""));
    assert_string_equal(text, wanted);
    cJSON_Delete(doc);
}

static void test_run_text(void **state)
{
    struct redact x = opened("redact = path");
    struct err e = ERR_INIT;
    cJSON *doc = sample(), *run = cJSON_GetObjectItem(doc, "run");

    (void)state;
    cJSON_ReplaceItemInObject(run, "text",
                              cJSON_CreateString("cosmoflow,data=/secret,out=secret,class=tiny"));
    cJSON_ReplaceItemInObject(run, "canonical", cJSON_CreateString("not a run text /secret"));
    assert_int_equal(redact_record(&x, doc, &e), 0);
    assert_string_equal(json_text(doc, "run.text", ""), "cosmoflow,class=tiny");
    assert_string_equal(json_text(doc, "run.canonical", ""), "redacted");
    cJSON_Delete(doc);
}

static void test_one_name_is_one_name(void **state)
{
    cJSON *a = redacted("redact = user"), *b = redacted("redact = user,host");
    struct redact x = opened("redact = user"), y = x;
    struct err e = ERR_INIT;
    char name[64], other[64];

    (void)state;
    assert_string_equal(json_text(a, "job.user", "a"), json_text(b, "job.user", "b"));
    redact_name(&x, REDACT_USER, "ada", name, sizeof name);
    assert_string_equal(json_text(a, "job.user", ""), name);
    redact_name(&x, REDACT_HOST, "ada", other, sizeof other);
    assert_string_equal(other, "ada");
    y.salt[0] ^= 1;
    redact_name(&y, REDACT_USER, "ada", other, sizeof other);
    assert_string_not_equal(name, other);
    char *once = cJSON_PrintUnformatted(b);
    x = opened("redact = user,host");
    assert_int_equal(redact_record(&x, b, &e), 0);
    char *twice = cJSON_PrintUnformatted(b);
    assert_string_equal(once, twice);
    free(once);
    free(twice);
    cJSON_Delete(a);
    cJSON_Delete(b);
}

/* ---- canaries ---- */

static int n_planted;

/* Into every text, also as another type, and as an unknown key of each object. */
static void plant(cJSON *node, bool root)
{
    char name[64];

    if (cJSON_IsString(node) && !(node->string && strncmp(node->string, "schema", 6) == 0)) {
        snprintf(name, sizeof name, "CANARY%d", n_planted++);
        cJSON_SetValuestring(node, name);
    }
    for (cJSON *child = node->child; child; child = child->next)
        plant(child, false);
    if (cJSON_IsObject(node) && !root) {
        snprintf(name, sizeof name, "CANARY%d", n_planted++);
        cJSON_AddStringToObject(node, name, name);
        cJSON_AddNumberToObject(node, "canary", 1);
    }
}

static void test_canaries(void **state)
{
    struct redact x = opened("confidential = yes");
    struct err e = ERR_INIT;
    cJSON *doc = sample();

    (void)state;
    n_planted = 0;
    plant(doc, true);
    assert_true(n_planted > 100);
    assert_int_equal(redact_record(&x, doc, &e), 0);
    char *text = cJSON_Print(doc);
    assert_null(strcasestr(text, "canary"));
    assert_int_equal(strlen(json_text(doc, "job.user", "")), 18);
    free(text);
    cJSON_Delete(doc);
}

/* What it is for is still there. */
static void test_confidential_is_useful(void **state)
{
    cJSON *doc = redacted("confidential = yes");

    (void)state;
    assert_string_equal(json_text(doc, "workloads[0].name", ""), "cosmoflow");
    assert_string_equal(json_text(doc, "workloads[0].quality.metric", ""), "mae");
    assert_true(json_number(doc, "workloads[0].performance.samples_per_second", 0) == 61.5);
    assert_true(json_number(doc, "workloads[0].phases.compute.max_seconds", 0) == 6);
    assert_true(json_number(doc, "workloads[0].counters.instructions.total", 0) == 36e9);
    assert_true(cJSON_IsTrue(json_at(doc, "workloads[0].valid")));
    assert_string_equal(json_text(doc, "status", ""), "complete");
    assert_null(json_at(doc, "run.text"));
    assert_null(json_at(doc, "system.layers"));
    cJSON_Delete(doc);
}

/* Every row of the tables: what may leave is nothing that anybody chose. */
static int walk_rows(const struct field *table)
{
    int n = 0;

    for (const struct field *f = table; f->name; f++) {
        if (f->below)
            n += walk_rows(f->below);
        if (f->kind == FIELD_MAP && f->leaves && !f->known)
            fail_msg("%s leaves under any key", f->name);
        if (f->kind == FIELD_ROWS || f->kind == FIELD_STATUS || !f->leaves)
            continue;
        n++;
        if (field_type(f) == TYPE_TEXT && !f->words && !f->known && !f->secret)
            fail_msg("%s: a free text leaves", f->name);
        if (f->secret == SECRET_FOLDER || f->secret == SECRET_RUN_TEXT ||
            f->secret == SECRET_DATA || f->secret == SECRET_JOB || f->secret == SECRET_UID)
            fail_msg("%s leaves although it tells something", f->name);
    }
    return n;
}

static void test_no_free_text_leaves(void **state)
{
    static const struct field fresh[] = {FIELD_HAND(INT, "fresh", "a new field"), FIELD_END};

    (void)state;
    assert_true(walk_rows(record_fields) > 60);
    assert_false(fresh->leaves); /* without a word */
}

static const char *const all_counters[] = {
#define COUNTER(symbol, backend, unit, kind, scope, title, ...) #symbol,
#include "reports/core/counters.def"
};
static const char *const all_metrics[] = {
#define METRIC(name, better, most, unit, title) #name,
#include "reports/core/metrics.def"
};

static void test_tables_leave(void **state)
{
    struct redact x = opened("confidential = yes");
    struct err e = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof all_counters / sizeof *all_counters; i++) {
        cJSON *doc = sample(), *w = cJSON_GetArrayItem(cJSON_GetObjectItem(doc, "workloads"), 0);
        cJSON *counters = cJSON_GetObjectItem(w, "counters");
        char path[128];
        cJSON_ReplaceItemInObject(counters, "instructions", cJSON_CreateObject());
        cJSON *c = cJSON_AddObjectToObject(counters, all_counters[i]);
        cJSON_AddNumberToObject(c, "total", 7);
        cJSON_AddNumberToObject(cJSON_AddObjectToObject(counters, "my_users"), "total", 8);
        assert_int_equal(redact_record(&x, doc, &e), 0);
        snprintf(path, sizeof path, "workloads[0].counters.%s.total", all_counters[i]);
        if (json_number(doc, path, 0) != 7)
            fail_msg("%s is gone", all_counters[i]);
        assert_null(json_at(doc, "workloads[0].counters.my_users"));
        cJSON_Delete(doc);
    }
    for (size_t i = 0; i < sizeof all_metrics / sizeof *all_metrics; i++) {
        cJSON *doc = sample(), *w = cJSON_GetArrayItem(cJSON_GetObjectItem(doc, "workloads"), 0);
        cJSON_ReplaceItemInObject(cJSON_GetObjectItem(w, "quality"), "metric",
                                  cJSON_CreateString(all_metrics[i]));
        assert_int_equal(redact_record(&x, doc, &e), 0);
        assert_string_equal(json_text(doc, "workloads[0].quality.metric", "gone"), all_metrics[i]);
        cJSON_Delete(doc);
    }
}

/* Of a quality beside the primary one its number may leave, and its name if this
 * release knows it. */
static void test_others_leave(void **state)
{
    struct redact x = opened("confidential = yes");
    struct err e = ERR_INIT;
    cJSON *doc = sample();

    (void)state;
    cJSON *others = cJSON_GetObjectItem(
        cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(doc, "workloads"), 0),
                            "quality"),
        "others");
    cJSON *own = cJSON_CreateObject();
    cJSON_AddStringToObject(own, "name", "adas_secret");
    cJSON_AddNumberToObject(own, "value", 0.5);
    cJSON_AddItemToArray(others, own);
    assert_int_equal(redact_record(&x, doc, &e), 0);
    assert_string_equal(json_text(doc, "workloads[0].quality.others[0].name", "gone"), "rmse");
    assert_float_equal(json_number(doc, "workloads[0].quality.others[0].value", 0), 0.42, 0);
    assert_string_equal(json_text(doc, "workloads[0].quality.others[2].name", "gone"), "gone");
    assert_float_equal(json_number(doc, "workloads[0].quality.others[2].value", 0), 0.5, 0);
    cJSON_Delete(doc);
}

/* A record of an older release stays readable. */
static void test_version_leaves(void **state)
{
    static const struct {
        const char *version, *left;
    } table[] = {{"1.2.0", "1.2.0"}, {"1.0.0", "1.0.0"}, {"1.12.3", "1.12.3"}, {"1.0.ada", ""},
                 {"1..0", ""},       {"1.0.", ""},       {"2.0.0", ""},        {"1.0.0 ada", ""}};
    struct redact x = opened("confidential = yes");
    struct err e = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        cJSON *doc = sample();
        cJSON_ReplaceItemInObject(doc, "schema_version", cJSON_CreateString(table[i].version));
        assert_int_equal(redact_record(&x, doc, &e), 0);
        assert_string_equal(json_text(doc, "schema_version", ""), table[i].left);
        cJSON_Delete(doc);
    }
}

static void test_types(void **state)
{
    static const char *const texts[] = {
        "{\"job\":\"ada\",\"workloads\":{\"a\":1},\"time\":7,\"id\":[\"x\"],\"reasons\":[]}",
        ("{\"job\":{\"user\":{\"user\":\"ada\"},\"uid\":\"ada\",\"nodes\":{\"a\":\"b\"}},\"time\":{"
         "\"start\":\"x\"}}"),
        "{\"a.b\":\"c\",\"workloads[]\":\"x\",\"reasons\":{\"Ada\":\"x\"}}",
        "{}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct redact x = opened(i % 2 ? "redact = user,host,job,time,path" : "confidential = yes");
        struct err e = ERR_INIT;
        cJSON *doc = cJSON_Parse(texts[i]);
        assert_non_null(doc);
        assert_int_equal(redact_record(&x, doc, &e), 0);
        char *text = cJSON_PrintUnformatted(doc);
        assert_null(strstr(text, "ada"));
        free(text);
        cJSON_Delete(doc);
    }
}

/* The run asks for more than the site, never for less. */
static void test_run_asks(void **state)
{
    static const struct {
        const char *config, *text, *user, *name;
        bool touched, confidential;
    } table[] = {
        {"", "cosmoflow,class=tiny", "ada", "train", false, false},
        {"", "cosmoflow,redact=user", "u-", "train", true, false},
        {"", "cosmoflow,redact=job_name+user", "u-", "j-", true, false},
        {"redact = user", "cosmoflow,redact=job_name", "u-", "j-", true, false},
        {"redact = user", "cosmoflow", "u-", "train", true, false},
        {"", "cosmoflow,confidential=yes", "u-", NULL, true, true},
        {"confidential = yes", "cosmoflow,confidential=no", "u-", NULL, true, true},
        {"", "cosmoflow,confidential=perhaps", "u-", NULL, true, true},
        {"", "warpflow,class=tiny", "ada", "train", false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct redact x = opened(table[i].config);
        struct err e = ERR_INIT;
        cJSON *doc = sample(), *job = cJSON_GetObjectItem(doc, "job");

        cJSON_ReplaceItemInObject(cJSON_GetObjectItem(doc, "run"), "text",
                                  cJSON_CreateString(table[i].text));
        cJSON_ReplaceItemInObject(job, "user", cJSON_CreateString("ada"));
        cJSON_DeleteItemFromObject(job, "name");
        cJSON_AddStringToObject(job, "name", "train");
        assert_int_equal(redact_touches(&x, doc), table[i].touched);
        for (int twice = 0; twice < 2; twice++) {
            assert_int_equal(redact_record(&x, doc, &e), 0);
            assert_int_equal(
                strncmp(json_text(doc, "job.user", ""), table[i].user, strlen(table[i].user)), 0);
            if (table[i].name)
                assert_int_equal(
                    strncmp(json_text(doc, "job.name", ""), table[i].name, strlen(table[i].name)),
                    0);
            assert_int_equal(!cJSON_GetObjectItem(cJSON_GetObjectItem(doc, "run"), "text"),
                             table[i].confidential);
        }
        cJSON_Delete(doc);
    }
}

static void test_salt(void **state)
{
    struct conf c;
    struct redact x;
    struct err e = ERR_INIT;

    (void)state;
    conf_defaults(&c);
    snprintf(c.salt, sizeof c.salt, "/nowhere/salt");
    assert_int_equal(redact_open(&x, &c, &e), 0); /* nothing to hash */
    assert_int_equal(x.bits, 0);
    c.redact = 1;
    assert_int_equal(redact_open(&x, &c, &e), -1);
    assert_non_null(strstr(e.text, "cannot read the salt /nowhere/salt"));
    snprintf(c.salt, sizeof c.salt, "%s", salt_path);
    assert_int_equal(chmod(salt_path, 0644), 0);
    assert_int_equal(redact_open(&x, &c, &e), -1);
    assert_non_null(strstr(e.text, "others can read or change the salt "));
    assert_int_equal(chmod(salt_path, 0600), 0);
    assert_int_equal(truncate(salt_path, 15), 0);
    assert_int_equal(redact_open(&x, &c, &e), -1);
    assert_non_null(strstr(e.text, "is shorter than 16 bytes"));
    assert_int_equal(truncate(salt_path, 32), 0);
    assert_int_equal(redact_open(&x, &c, &e), 0);
    x.salt_size = 0; /* one who may not read it */
    cJSON *doc = sample();
    assert_int_equal(redact_record(&x, doc, &e), 0);
    assert_string_equal(json_text(doc, "job.user", ""), "redacted");
    cJSON_Delete(doc);
}

static int make_salt(void **state)
{
    int fd = mkstemp(salt_path);

    (void)state;
    return fd < 0 || write(fd, "0123456789abcdef0123456789abcdef", 32) != 32 || close(fd);
}

static int remove_salt(void **state)
{
    (void)state;
    return unlink(salt_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_run_text),
        cmocka_unit_test(test_one_name_is_one_name),
        cmocka_unit_test(test_canaries),
        cmocka_unit_test(test_confidential_is_useful),
        cmocka_unit_test(test_no_free_text_leaves),
        cmocka_unit_test(test_tables_leave),
        cmocka_unit_test(test_others_leave),
        cmocka_unit_test(test_version_leaves),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_run_asks),
        cmocka_unit_test(test_salt),
    };

    return cmocka_run_group_tests(tests, make_salt, remove_salt);
}
