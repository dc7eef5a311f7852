/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever bytes come in as a record: it is refused with one printable
 * sentence, or it can be shown, with and without all its reasons, and what is
 * shown holds no control character.
 *
 * A libFuzzer target (fuzz.sh record); show.bats replays the corpus.
 */
#define main show_main
#include "reports/show.c"
#undef main

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_record: %s does not hold\n", what);
    abort();
}

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
    char *text = malloc(size ? size : 1); /* of the exact size: an overrun is seen */

    must(text != NULL, "malloc");
    if (size)
        memcpy(text, data, size);
    cJSON *doc = record_parse(text, size, "x", &e);
    if (doc) {
        clean(doc);
        show_to_memory(doc, false);
        show_to_memory(doc, true);
    } else {
        must(e.text[0] != '\0', "a refusal says a sentence");
        for (const char *c = e.text; *c; c++)
            must((unsigned char)*c >= 0x20 && *c != 0x7f, "a sentence is printable");
    }
    cJSON_Delete(doc);
    free(text);
    return 0;
}
