/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Our words in a job's AdminComment, between those of others.
 *
 * Either form is one piece that knows its own end, so that it is found and
 * replaced wherever it stands:
 *
 *     H5:component/cosmoflow tiny mae 0.2992<=0.31 reached 188/s valid complete lab-4711.0.3;
 *     H5A1:<base64 of the gzipped record>;
 *
 * It has no newline, no '|' and no character beyond ASCII: sacct -P separates
 * by them, and so do those who read it. Everything else in the comment stays
 * byte for byte. Ours stands behind the rest after one blank. jobstats' reader
 * decodes all that follows `JS1:` as base64 and stops only at a padding, so
 * behind a JS1: text that has none `AA==` goes first: one zero byte, which
 * gzip ignores at its end.
 *
 * Life:    what is returned is freed by the caller.
 * Failure: NULL or -1 and one sentence.
 * Threads: pure functions; libc only.
 */
#ifndef ACCOUNT_ADMIN_COMMENT_H
#define ACCOUNT_ADMIN_COMMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "reports/core/err.h"

enum {
    ADMIN_COMMENT_LINE = 200,  /* bytes of the short form, at most */
    ADMIN_COMMENT_MAX = 60000, /* of the whole; slurmdbd's column holds 65,535 */
};

/* Whether text is one of our pieces, as above. */
bool admin_comment_ours(const char *text, struct err *e);

/* The comment (NULL: none) with ours in place of what we said before. */
char *admin_comment_merge(const char *comment, const char *ours, struct err *e);

/* Whether the comment has this piece of ours and no other. */
bool admin_comment_has(const char *comment, const char *ours);

/* What a change in slurmdbd's table of transactions (set_info, the SQL that was
 * run: "derived_ec=0, admin_comment='it\\'s'") makes the comment: 1, and it in
 * *comment (free() it; NULL: not wanted); 0: it leaves the comment as it is; -1:
 * it is cut off in the middle, or there is no memory. */
int admin_comment_set(const char *set_info, char **comment);

/* Makes the short form: "H5:" + text + ";", characters that cannot be become
 * '_' (a blank for those that only separate), cut before ADMIN_COMMENT_LINE. */
void admin_comment_line(const char *text, char line[ADMIN_COMMENT_LINE + 1]);

#endif
