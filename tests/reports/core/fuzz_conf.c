/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever bytes come in as a configuration file: no crash, a failure changes
 * nothing and says one printable sentence, and the values that were read, put
 * into a file, are read as the same values again.
 *
 * links: lib:reports/core
 */
#include <config.h>

#include "reports/core/conf.h"
#include "tests/fuzz.h"

static void check_again(const struct conf *c)
{
    static char text[CONF_MAX_KEYS * (CONF_TEXT_SIZE + 64)];
    char value[CONF_TEXT_SIZE], again[CONF_TEXT_SIZE];
    struct err e = ERR_INIT;
    struct conf back;
    size_t n = 0;

    for (int i = 0; i < conf_count(); i++) {
        conf_value(c, i, value, sizeof value);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s = %s\n", conf_row(i)->name, value);
    }
    conf_defaults(&back);
    must(conf_parse(&back, text, n, "again", &e) == 0, "what was read can be read again");
    for (int i = 0; i < conf_count(); i++) {
        conf_value(c, i, value, sizeof value);
        conf_value(&back, i, again, sizeof again);
        must(strcmp(value, again) == 0, "what is read again is the same");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_copy(data, size, false);
    struct err e = ERR_INIT;
    struct conf c, before;

    conf_defaults(&c);
    before = c;
    if (conf_parse(&c, text, size, "fuzz", &e)) {
        must(memcmp(&c, &before, sizeof c) == 0, "a failure changes nothing");
        must_be_sentence(e.text);
    } else {
        check_again(&c);
    }
    free(text);
    return 0;
}
