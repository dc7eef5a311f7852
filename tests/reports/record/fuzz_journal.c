/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever lines whole journals hold, the record that is made from them can
 * be read again. Lines of the input are events; an empty line begins the next
 * rank's journal.
 *
 * links: lib:reports/record lib:reports/core pkg:libcjson pkg:zlib
 */
#include "reports/record/journal_record.c"
#include "tests/fuzz.h"

static void check(struct record *r)
{
    struct err e = ERR_INIT;
    char *text = record_to_json(r, NULL, &e);

    must(text != NULL, "a record is made");
    cJSON *doc = record_parse(text, strlen(text), "made", &e);
    if (!doc)
        fprintf(stderr, "%s\n%s\n", e.text, text);
    must(doc != NULL, "the record can be read");
    cJSON_Delete(doc);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { STORIES = 4 };
    struct story stories[STORIES];
    struct record r;
    char *text = fuzz_copy(data, size, true), *line = text, *end;
    int n = 0;

    record_init(&r);
    stories[0] = (struct story){.r = &r, .rank = -1, .node = -1};
    for (; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        if (*line)
            take(&stories[n], line);
        else if (n + 1 < STORIES)
            stories[++n] = (struct story){.r = &r, .rank = -1, .node = -1};
    }
    must(merge(&r, stories, n + 1) == 0, "journals are merged");
    check(&r);
    for (int k = 0; k <= n; k++)
        fini_story(&stories[k]);
    record_fini(&r);
    free(text);
    return 0;
}
