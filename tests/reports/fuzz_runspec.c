/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever bytes come in as run text: no crash, a failure changes nothing and
 * says one printable sentence, and parse(format(parse(x))) == parse(x) in at
 * most as many bytes.
 *
 * With clang a libFuzzer target (fuzz.sh); with -DREPLAY a program that runs the
 * corpus once, which `make check` does with any compiler.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#ifndef RUNSPEC_WORKLOADS
#define RUNSPEC_WORKLOADS "tests/reports/runspec_workloads.def"
#endif
#include "reports/runspec.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_runspec: %s does not hold\n", what);
    abort();
}

static void check_refusal(const struct runspec *r, const struct err *e)
{
    struct runspec untouched;

    memset(&untouched, 0x5a, sizeof untouched);
    must(memcmp(r, &untouched, sizeof untouched) == 0, "a failure changes nothing");
    must(e->text[0] != '\0', "a failure says a sentence");
    for (const char *c = e->text; *c; c++)
        must((unsigned char)*c >= 0x20 && *c != 0x7f, "a sentence is printable");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char canonical[RUNSPEC_MAX_BYTES + 1], again[RUNSPEC_MAX_BYTES + 1];
    struct runspec r, back;
    struct err e = ERR_INIT;
    char *text = malloc(size + 1); /* of the exact size: an overrun is seen */

    must(text != NULL, "malloc");
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
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

#ifdef REPLAY
#include <dirent.h>

int main(int argc, char **argv)
{
    const char *top = getenv("top_srcdir");
    char path[4096];
    uint8_t data[4096];
    int replayed = 0;

    snprintf(path, sizeof path, "%s/tests/reports/corpus/runspec", top ? top : ".");
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
    return replayed > 10 ? 0 : 1;
}
#endif
