/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever bytes come in as a record: it is refused with one printable
 * sentence, or it can be shown, with and without all its reasons, and what is
 * shown holds no control character.
 *
 * links: reports/tools/show_screen.c reports/tools/show_phases.c reports/tools/show_text.c
 * links: reports/tools/show_verdict.c reports/tools/show_why.c
 * links: lib:reports/diagnose lib:reports/judge lib:reports/record lib:reports/core pkg:libcjson pkg:zlib
 */
#include <config.h>

#include "reports/core/utf8.h"
#include "reports/record/fields.h"
#include "reports/record/record.h"
#include "reports/tools/show_screen.h"
#include "tests/fuzz.h"

static void check_screen(const char *text, size_t size)
{
    must(utf8_check(text, size) == size, "the screen is UTF-8");
    for (size_t i = 0; i < size; i++)
        must((unsigned char)text[i] >= 0x20 || text[i] == '\n', "no control character is shown");
}

static void show_to_memory(cJSON *doc, bool reasons)
{
    char *text = NULL;
    size_t size = 0;
    FILE *screen = open_memstream(&text, &size), *terminal = stdout;

    must(screen != NULL, "open_memstream");
    stdout = screen;
    show_screen(doc, &(struct show_options){.reasons = reasons});
    stdout = terminal;
    fclose(screen);
    check_screen(text, size);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    char *text = fuzz_copy(data, size, false);
    cJSON *doc = record_parse(text, size, "x", &e);
    if (doc) {
        json_clean(doc);
        show_to_memory(doc, false);
        show_to_memory(doc, true);
    } else {
        must_be_sentence(e.text);
    }
    cJSON_Delete(doc);
    free(text);
    return 0;
}
