/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever bytes come in as a record: it is refused with one printable
 * sentence, or it can be shown, with and without all its reasons, and what is
 * shown holds no control character.
 *
 * links: reports/core/err.c reports/core/nearest.c reports/core/conf.c reports/core/crc32c.c reports/core/fdio.c
 * links: reports/record/fields.c reports/record/record.c reports/record/record_fields.c reports/record/record_file.c
 * links: reports/record/record_json.c reports/core/result.c reports/core/runspec.c reports/core/sha256.c reports/core/utf8.c
 * links: pkg:libcjson pkg:zlib
 */
#define main show_main
#include "reports/tools/show.c"
#undef main

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
    show(doc, reasons);
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
