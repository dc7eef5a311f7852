/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever a comment holds, ours put into it is there once, and put in again
 * it still is. A libFuzzer target (fuzz.sh admin_comment).
 */
#include <config.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spank/admin_comment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_admin_comment: %s does not hold\n", what);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    char *text = malloc(size + 1), line[ADMIN_COMMENT_LINE + 1];

    must(text != NULL, "malloc");
    memcpy(text, data, size);
    text[size] = '\0';
    admin_comment_line(text, line);
    must(admin_comment_ours(line, &e), "a line that we make is ours");
    char *once = admin_comment_merge(text, line, &e);
    if (once) {
        must(admin_comment_has(once, line), "what was put in is there");
        char *twice = admin_comment_merge(once, line, &e);
        must(twice && admin_comment_has(twice, line), "put in again it is there still");
        free(twice);
    } else {
        must(e.text[0] != '\0', "a refusal says a sentence");
    }
    free(once);
    free(text);
    return 0;
}
