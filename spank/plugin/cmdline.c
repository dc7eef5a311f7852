/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/plugin/cmdline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The whole file, "" for none; *size without the final NUL that is added. */
static char *read_all(const char *path, size_t *size)
{
    FILE *f = fopen(path, "re");
    size_t room = 4096;
    char *text = malloc(room + 1);

    *size = 0;
    while (f && text) {
        size_t n = fread(text + *size, 1, room - *size, f);
        *size += n;
        if (n == 0)
            break;
        if (*size == room) {
            char *more = realloc(text, (room *= 2) + 1);
            if (!more)
                free(text);
            text = more;
        }
    }
    if (text)
        text[*size] = '\0';
    if (f)
        fclose(f);
    return text;
}

int cmdline_init(struct cmdline *c)
{
    size_t size;
    int n = 0;

    memset(c, 0, sizeof *c);
    c->words = read_all("/proc/self/cmdline", &size);
    if (!c->words || size == 0)
        goto fail;
    for (size_t i = 0; i < size; i++)
        n += c->words[i] == '\0';
    c->argv = calloc((size_t)n + 2, sizeof *c->argv);
    if (!c->argv)
        goto fail;
    for (char *word = c->words; c->argc < n; word += strlen(word) + 1)
        c->argv[c->argc++] = word;
    return 0;
fail:
    cmdline_fini(c);
    return -1;
}

void cmdline_fini(struct cmdline *c)
{
    free(c->argv);
    free(c->words);
    memset(c, 0, sizeof *c);
}

/* --NAME or a beginning of it; what follows it ("=VALUE" or "") or NULL.
 * getopt has already refused what is ambiguous. */
static const char *after_option(const char *word, const char *name)
{
    size_t n;

    if (strncmp(word, "--", 2) != 0)
        return NULL;
    word += 2;
    n = strcspn(word, "=");
    return n > 0 && strncmp(word, name, n) == 0 ? word + n : NULL;
}

int cmdline_is_option(const char *word, const char *name, bool takes_value)
{
    const char *rest = after_option(word, name);

    if (!rest)
        return 0;
    return takes_value && !*rest ? 2 : 1;
}

bool cmdline_has_option(const struct cmdline *c, int n, const char *name)
{
    for (int i = 1; i < n && i < c->argc; i++)
        if (after_option(c->argv[i], name))
            return true;
    return false;
}

bool cmdline_is_het(const struct cmdline *c, int n)
{
    for (int i = 1; i < n && i < c->argc; i++)
        if (strcmp(c->argv[i], ":") == 0 || strncmp(c->argv[i], "--het-group", 11) == 0 ||
            strncmp(c->argv[i], "--pack-group", 12) == 0)
            return true;
    return false;
}

bool cmdline_ends_with(const struct cmdline *c, const char *name, const char *value)
{
    const char *rest = c->argc > 1 ? after_option(c->argv[c->argc - 1], name) : NULL;

    if (rest && *rest == '=')
        return strcmp(rest + 1, value) == 0;
    rest = c->argc > 2 ? after_option(c->argv[c->argc - 2], name) : NULL;
    return rest && !*rest && strcmp(c->argv[c->argc - 1], value) == 0;
}

const char *cmdline_option(const struct cmdline *c, const char *name)
{
    for (int i = 1; i < c->argc; i++) {
        const char *word = c->argv[i], *before = c->argv[i - 1];
        const char *rest = after_option(word, name);
        if (rest)
            return *rest ? rest + 1 : c->argv[i + 1];
        if (word[0] != '-' && (before[0] != '-' || strchr(before, '=')))
            return NULL;
    }
    return NULL;
}

const char *cmdline_partition(const struct cmdline *c)
{
    const char *found = NULL;

    for (int i = 1; i < c->argc; i++) {
        const char *word = c->argv[i];
        if (strncmp(word, "--partition=", 12) == 0)
            found = word + 12;
        else if (strncmp(word, "-p", 2) == 0 && word[2])
            found = word + 2;
        else if (strcmp(word, "-p") == 0 || strcmp(word, "--partition") == 0)
            found = c->argv[i + 1];
    }
    return found;
}
