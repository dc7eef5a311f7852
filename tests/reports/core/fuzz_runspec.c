/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever bytes come in as run text: no crash, a failure changes nothing and
 * says one printable sentence, and parse(format(parse(x))) == parse(x) in at
 * most as many bytes.
 *
 * links: lib:reports/core
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#ifndef RUNSPEC_WORKLOADS
#define RUNSPEC_WORKLOADS "tests/reports/core/runspec_workloads.def"
#endif
#include "reports/core/runspec_table.c"
#include "tests/fuzz.h"

static void check_refusal(const struct runspec *r, const struct err *e)
{
    struct runspec untouched;

    memset(&untouched, 0x5a, sizeof untouched);
    must(memcmp(r, &untouched, sizeof untouched) == 0, "a failure changes nothing");
    must_be_sentence(e->text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char canonical[RUNSPEC_MAX_BYTES + 1], again[RUNSPEC_MAX_BYTES + 1];
    struct runspec r, back;
    struct err e = ERR_INIT;
    char *text = fuzz_copy(data, size, true);

    memset(&r, 0x5a, sizeof r);
    if (runspec_parse(&r, text, &e)) {
        check_refusal(&r, &e);
    } else {
        int n = runspec_format(&r, canonical, sizeof canonical);
        must(n > 0 && (size_t)n <= strlen(text), "the canonical text is not longer");
        must(runspec_parse(&back, canonical, &e) == 0, "the canonical text parses");
        must(memcmp(&r, &back, sizeof r) == 0, "parse(format(parse(x))) == parse(x)");
        must(runspec_format(&back, again, sizeof again) == n && strcmp(again, canonical) == 0,
             "the canonical text is its own canonical text");
        must(runspec_node_hours(&r, 1) > 0, "a run costs something");
    }
    free(text);
    return 0;
}
