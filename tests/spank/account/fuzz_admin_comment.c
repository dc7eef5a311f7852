/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever a comment holds, ours put into it is there once, and put in again
 * it still is.
 *
 * links: spank/account/admin_comment.c lib:reports/core
 */
#include <config.h>

#include "spank/account/admin_comment.h"
#include "tests/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    char *text = fuzz_copy(data, size, true), line[ADMIN_COMMENT_LINE + 1];

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
    char *set = NULL;
    must(admin_comment_set(text, &set) == (set ? 1 : admin_comment_set(text, NULL)),
         "a change is read the same way twice");
    free(set);
    free(text);
    return 0;
}
