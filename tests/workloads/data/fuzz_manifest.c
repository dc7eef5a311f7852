/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever bytes a manifest holds: it is refused and nothing is kept, or it
 * is written and read again to the same text, with every path inside the
 * folder.
 *
 * links: workloads/data/manifest.c lib:reports/core
 */
#include <config.h>

#include <math.h>

#include "tests/fuzz.h"
#include "workloads/data/manifest.h"

/* The manifest's own text, malloc'ed. */
static char *text_of(const struct manifest *m, size_t *size)
{
    char *text = NULL;
    FILE *f = open_memstream(&text, size);

    must(f && manifest_write(m, f) == 0 && fclose(f) == 0, "it is written");
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct manifest m, again;
    struct err e = ERR_INIT;
    size_t one, two;

    if (manifest_parse(&m, (const char *)data, size, "fuzz", &e) < 0) {
        must(e.text[0] && !m.files, "a refusal says why and keeps nothing");
        return 0;
    }
    for (uint64_t i = 0; i < m.n_files; i++)
        must(m.files[i].path[0] != '/' && !strstr(m.files[i].path, "/."), "paths stay inside");
    for (int i = 0; i < m.n_notes; i++)
        must(m.note[i].name[0] && strlen(m.note[i].text) > 0, "notes say something");
    for (int i = 0; i < m.n_baselines; i++)
        must(m.baseline[i].name[0] && isfinite(m.baseline[i].value), "baselines are numbers");
    char *first = text_of(&m, &one);
    must(manifest_parse(&again, first, one, "again", &e) == 0, "what was written is read");
    char *second = text_of(&again, &two);
    must(one == two && memcmp(first, second, one) == 0, "it is the same text");
    free(first);
    free(second);
    manifest_fini(&m);
    manifest_fini(&again);
    return 0;
}
