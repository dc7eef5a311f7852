/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever stands in a witness's line, it is refused with a sentence, or what
 * was read can be written and read again.
 *
 * links: spank/collect/witness_read.c spank/relay/witness.c
 * links: lib:reports/record lib:reports/core pkg:libcjson pkg:zlib
 */
#include <config.h>

#include "spank/relay/witness.h"
#include "tests/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    struct witness w = WITNESS_INIT, again = WITNESS_INIT;
    char *text = fuzz_copy(data, size, true);

    if (witness_parse(text, &w, &e) < 0) {
        must(e.text[0] != '\0', "a refusal says a sentence");
    } else {
        char *line = witness_format(&w, &e);
        must(line != NULL, "what was read can be written");
        must(witness_parse(line, &again, &e) == 0, "what was written can be read");
        must(again.job == w.job && again.uid == w.uid && again.n_files == w.n_files,
             "it says the same");
        witness_fini(&again);
        witness_fini(&w);
        free(line);
    }
    free(text);
    return 0;
}
