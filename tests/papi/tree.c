/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/papi/tree.h"

static void fail(const char *what)
{
    perror(what);
    exit(99);
}

/* Opens root/path for writing, with the folders above it. */
static FILE *create(const char *root, const char *path)
{
    char full[2 * TREE_PATH];
    FILE *f;

    snprintf(full, sizeof(full), "%s%s", root, path);
    for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        mkdir(full, 0755);
        *p = '/';
    }
    f = fopen(full, "w");
    if (!f)
        fail(full);
    return f;
}

void tree_write(const char *root, const char *path, const char *text)
{
    FILE *f = create(root, path);

    if (fputs(text, f) < 0 || fclose(f) != 0)
        fail(path);
}

void tree_unlink(const char *root, const char *path)
{
    char full[2 * TREE_PATH];

    snprintf(full, sizeof(full), "%s%s", root, path);
    if (unlink(full) != 0)
        fail(full);
}

/* Finishes the file that was begun. */
static void finish(FILE *f, unsigned mode)
{
    if (f && mode)
        fchmod(fileno(f), mode);
    if (f && fclose(f) != 0)
        fail("fixture");
}

void tree_make(const char *name, char *root)
{
    char path[TREE_PATH], line[1024];
    const char *src = getenv("top_srcdir");
    unsigned mode = 0;
    FILE *in, *out = NULL;

    snprintf(path, sizeof(path), "%s/tests/papi/fixtures/%s.tree", src ? src : ".", name);
    in = fopen(path, "r");
    if (!in)
        fail(path);
    snprintf(root, TREE_PATH, "%s", "papi-tree.XXXXXX");
    if (!mkdtemp(root) || chmod(root, 0755) != 0)
        fail(root);
    while (fgets(line, sizeof(line), in)) {
        if (line[0] == '@') {
            finish(out, mode);
            mode = 0;
            if (sscanf(line, "@ %511s %o", path, &mode) < 1)
                fail(line);
            out = create(root, path);
        } else if (out && fputs(line, out) < 0) {
            fail(path);
        }
    }
    finish(out, mode);
    fclose(in);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void tree_remove(const char *root)
{
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
