/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A fixture: a folder with the small files of a recorded machine, to be
 * changed while counters read it. A failure ends the test program.
 */
#ifndef TESTS_PAPI_TREE_H
#define TESTS_PAPI_TREE_H

enum { TREE_PATH = 512 };

/* Unpacks tests/papi/fixtures/NAME.tree into a new folder in the build
 * folder, whose name goes to root[TREE_PATH]. */
void tree_make(const char *name, char *root);

/* Writes, replaces, removes one file of it. */
void tree_write(const char *root, const char *path, const char *text);
void tree_unlink(const char *root, const char *path);

/* Removes all of it. */
void tree_remove(const char *root);

#endif
