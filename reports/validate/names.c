/* SPDX-License-Identifier: BSD-3-Clause */
/* Open addressing, at most half full; FNV-1a (Fowler, Noll, Vo). */
#include <config.h>

#include "reports/validate/names.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

/* Where the name is, or the free slot where it would be. */
static int slot_of(const struct names *names, const char *name)
{
    uint32_t hash = 2166136261U;

    for (const char *c = name; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619U;
    int s = (int)(hash & (uint32_t)(names->slots - 1));
    while (names->slot[s] && strcmp(names->of[names->slot[s] - 1], name) != 0)
        s = (s + 1) & (names->slots - 1);
    return s;
}

/* Twice the room; room and slots are powers of two. */
static int grow(struct names *names)
{
    const int room = names->room ? 2 * names->room : FIRST_ROOM;
    void *of = realloc(names->of, (size_t)room * sizeof *names->of);
    int *slot = calloc((size_t)room * 2, sizeof *slot);

    if (of)
        names->of = of;
    if (!of || !slot) {
        free(slot);
        return -1;
    }
    free(names->slot);
    names->slot = slot;
    names->room = room;
    names->slots = 2 * room;
    for (int i = 0; i < names->n; i++)
        names->slot[slot_of(names, names->of[i])] = i + 1;
    return 0;
}

static void cut(char to[NAMES_SIZE], const char *name)
{
    snprintf(to, NAMES_SIZE, "%s", name);
}

int names_add(struct names *names, const char *name)
{
    char is[NAMES_SIZE];
    int s;

    cut(is, name);
    if (names->n == names->room && grow(names) < 0)
        return -1;
    s = slot_of(names, is);
    if (!names->slot[s]) {
        memcpy(names->of[names->n], is, sizeof is);
        names->slot[s] = ++names->n;
    }
    return names->slot[s] - 1;
}

int names_find(const struct names *names, const char *name)
{
    char is[NAMES_SIZE];

    cut(is, name);
    return names->n ? names->slot[slot_of(names, is)] - 1 : -1;
}

void names_fini(struct names *names)
{
    free(names->of);
    free(names->slot);
    *names = (struct names){0};
}
