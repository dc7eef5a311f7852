/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever bytes come in as a configuration file: no crash, a failure changes
 * nothing and says one printable sentence, and the values that were read, put
 * into a file, are read as the same values again. With clang a libFuzzer
 * target (fuzz.sh); with -DREPLAY a program that runs the corpus once.
 */
#include <config.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_config: %s does not hold\n", what);
    abort();
}

static void check_again(const struct config *c)
{
    static char text[CONFIG_MAX_KEYS * (CONFIG_TEXT_SIZE + 64)];
    char value[CONFIG_TEXT_SIZE], again[CONFIG_TEXT_SIZE];
    struct err e = ERR_INIT;
    struct config back;
    size_t n = 0;

    for (int i = 0; i < config_count(); i++) {
        config_value(c, i, value, sizeof value);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s = %s\n", config_row(i)->name, value);
    }
    config_defaults(&back);
    must(config_parse(&back, text, n, "again", &e) == 0, "what was read can be read again");
    for (int i = 0; i < config_count(); i++) {
        config_value(c, i, value, sizeof value);
        config_value(&back, i, again, sizeof again);
        must(strcmp(value, again) == 0, "what is read again is the same");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size ? size : 1); /* of the exact size: an overrun is seen */
    struct err e = ERR_INIT;
    struct config c, before;

    must(text != NULL, "malloc");
    if (size)
        memcpy(text, data, size);
    config_defaults(&c);
    before = c;
    if (config_parse(&c, text, size, "fuzz", &e)) {
        must(memcmp(&c, &before, sizeof c) == 0, "a failure changes nothing");
        must(e.text[0] != '\0', "a failure says a sentence");
        for (const char *p = e.text; *p; p++)
            must((unsigned char)*p >= 0x20 && *p != 0x7f, "a sentence is printable");
    } else {
        check_again(&c);
    }
    free(text);
    return 0;
}

#ifdef REPLAY
#include <dirent.h>

int main(int argc, char **argv)
{
    const char *top = getenv("top_srcdir");
    char path[4096];
    uint8_t data[8192];
    int replayed = 0;

    snprintf(path, sizeof path, "%s/tests/reports/corpus/config", top ? top : ".");
    const char *folder = argc > 1 ? argv[1] : path;
    DIR *d = opendir(folder);
    if (!d) {
        perror(folder);
        return 1;
    }
    for (struct dirent *entry; (entry = readdir(d)); replayed++) {
        char name[8192];
        snprintf(name, sizeof name, "%s/%s", folder, entry->d_name);
        FILE *f = fopen(name, "rb");
        size_t n = f ? fread(data, 1, sizeof data, f) : 0;
        if (f)
            fclose(f);
        LLVMFuzzerTestOneInput(data, n);
    }
    closedir(d);
    printf("%d texts replayed\n", replayed);
    return replayed > 5 ? 0 : 1;
}
#endif
