/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file of lines to which several processes append, and which does not grow without
 * bound: verdicts.jsonl, values.jsonl.
 *
 *     struct lines l;
 *     if (lines_open(&l, "the verdicts", path, &e) == 0 && lines_add(&l, text, size, &e) == 0 &&
 *         lines_full(&l, 1 << 20))
 *         lines_renew(&l, put, ctx);            put() writes what is to stay
 *     lines_close(&l);
 *
 * One process at a time has it, by flock(2) of the file; others wait. Who waited while a
 * new file was put in its place opens that one. What is appended is one write(2), on the
 * device when lines_add() returns; a line that a crash cut short is ended first, and no
 * reader takes it for a line.
 *
 * A file is full when it is twice as large as when it was last written anew, and at least
 * `least` bytes. The new one is written beside it (.NAME.tmp), put on the device and
 * renamed: whoever is killed anywhere leaves the old file or the new one, whole. Its first
 * line says how large it was,
 *     {"hpcai500":"renewed 1","bytes":        123456}
 * which every reader skips as a line of another kind.
 *
 * Life:    lines_close() ends what lines_open() began, and gives the file to the others.
 * Failure: -1 and a sentence that begins with `what`. A renewal that fails leaves the old
 *          file: the next one tries again.
 * Threads: one for each struct.
 */
#ifndef VALIDATE_LINES_H
#define VALIDATE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "reports/core/err.h"

struct lines {
    const char *what, *path; /* borrowed */
    int fd;                  /* for reading and appending; -1: closed */
};

/* Opens it, makes it (0640), waits until nobody else has it. */
int lines_open(struct lines *l, const char *what, const char *path, struct err *e);
void lines_close(struct lines *l);

/* FOLDER/NAME of the history /FOLDER/history.sqlite. */
int lines_path(const char *history, const char *name, char *path, int size, struct err *e);

/* Whether a line says that it is of that kind, "verdict 1"; and whether of any but the mark
 * of lines_renew(). */
bool lines_is(const char *line, const char *kind);
bool lines_is_any(const char *line);

/* Appends whole lines. */
int lines_add(struct lines *l, const char *text, size_t size, struct err *e);

bool lines_full(const struct lines *l, long least);

/* Puts what put() writes (-1: it failed) in the file's place, with its owner, group and mode
 * or not at all, and closes. */
int lines_renew(struct lines *l, int (*put)(FILE *f, void *ctx), void *ctx);

/* Hands each whole line to take() (-1: enough), without its newline; one of `size` bytes or
 * more is none, nor is one with a NUL, as a crash of the machine leaves them. 0: to the end,
 * and where there is no file; -1: what take() said, or a sentence. line: room for `size`
 * bytes. */
int lines_read(const char *what, const char *path, char *line, int size,
               int (*take)(const char *line, void *ctx, struct err *e), void *ctx, struct err *e);

#endif
