/* SPDX-License-Identifier: BSD-3-Clause */
/* The collector's bounds of a metric whose higher values are better. Runs on a table
 * of its own: collect_check.c is compiled into this program. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define REFERENCES "tests/spank/collect/references.def"
#include "spank/collect/collect_check.c"

static const struct {
    const char *workload;
    const char *sentence; /* "" : it is possible */
} rows[] = {
    {"{\"name\":\"cosmoflow\",\"class\":\"tiny\",\"data_origin\":\"generated\",\"quality\":"
     "{\"metric\":\"mean_iou\",\"higher_is_better\":true,\"achieved\":0.89}}",
     ""},
    {"{\"name\":\"cosmoflow\",\"class\":\"tiny\",\"data_origin\":\"generated\",\"quality\":"
     "{\"metric\":\"mean_iou\",\"higher_is_better\":true,\"achieved\":0.91}}",
     "cosmoflow tiny says mean_iou 0.91; better than 0.9 is not plausible"},
    /* a bad run is no fraud */
    {"{\"name\":\"cosmoflow\",\"class\":\"tiny\",\"data_origin\":\"generated\",\"quality\":"
     "{\"metric\":\"mean_iou\",\"higher_is_better\":true,\"achieved\":0.01}}",
     ""},
    /* of others' data: 1 - 0.05 x (1 - 0.6) */
    {"{\"name\":\"cosmoflow\",\"class\":\"tiny\",\"data_origin\":\"published\",\"quality\":"
     "{\"metric\":\"mean_iou\",\"higher_is_better\":true,\"achieved\":0.979}}",
     ""},
    {"{\"name\":\"cosmoflow\",\"class\":\"tiny\",\"data_origin\":\"published\",\"quality\":"
     "{\"metric\":\"mean_iou\",\"higher_is_better\":true,\"achieved\":0.981}}",
     "cosmoflow tiny says mean_iou 0.981; better than 0.98 is not plausible"},
    /* it is not a way around to turn the metric, or to name another */
    {"{\"name\":\"cosmoflow\",\"class\":\"tiny\",\"data_origin\":\"generated\",\"quality\":"
     "{\"metric\":\"mean_iou\",\"higher_is_better\":false,\"achieved\":0.99}}",
     "cosmoflow says that a lower mean_iou is better"},
    {"{\"name\":\"cosmoflow\",\"class\":\"tiny\",\"data_origin\":\"generated\",\"quality\":"
     "{\"metric\":\"mine\",\"higher_is_better\":true,\"achieved\":0.99}}",
     "cosmoflow tiny is judged by mean_iou, not by 'mine'"},
    {"{\"name\":\"cosmoflow\",\"class\":\"tiny\",\"data_origin\":\"generated\",\"quality\":"
     "{\"metric\":\"mean_iou\",\"achieved\":0.99}}",
     "cosmoflow tiny says mean_iou 0.99; better than 0.9 is not plausible"},
    /* stopped before it was evaluated; a class without a reference */
    {"{\"name\":\"cosmoflow\",\"class\":\"tiny\",\"data_origin\":\"generated\",\"quality\":"
     "{\"metric\":null,\"achieved\":null}}",
     ""},
    {"{\"name\":\"cosmoflow\",\"class\":\"small\",\"data_origin\":\"generated\",\"quality\":"
     "{\"metric\":\"mean_iou\",\"higher_is_better\":true,\"achieved\":0.99}}",
     ""},
    {"{\"name\":\"cosmoflow\",\"class\":\"small\",\"quality\":{\"others\":"
     "[{},{},{},{},{},{},{},{},{}]}}",
     "cosmoflow has 9 qualities beside its own, and 8 is the most"},
};

static void test_quality(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cJSON *w = cJSON_Parse(rows[i].workload);
        struct share s = {.w = w, .name = "cosmoflow"};
        struct err e = ERR_INIT;
        assert_non_null(w);
        assert_int_equal(share_quality(&s, &e), rows[i].sentence[0] ? -1 : 0);
        assert_string_equal(e.text, rows[i].sentence);
        cJSON_Delete(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_quality)};

    return cmocka_run_group_tests_name("references", tests, NULL, NULL);
}
