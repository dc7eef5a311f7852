/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever stands in a witness's line, it is refused with a sentence, or what
 * was read can be written and read again. A libFuzzer target (fuzz.sh witness).
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/witness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_witness: %s does not hold\n", what);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    struct witness w = WITNESS_INIT, again = WITNESS_INIT;
    char *text = malloc(size + 1);

    must(text != NULL, "malloc");
    memcpy(text, data, size);
    text[size] = '\0';
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
