/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line of the process that the plugin is in, which SPANK does not
 * hand out: read from /proc/self/cmdline, on the login node only.
 */
#ifndef PLUGIN_CMDLINE_H
#define PLUGIN_CMDLINE_H

#include <stdbool.h>

struct cmdline {
    int argc;
    char **argv; /* argc words and NULL, with room for one more */
    char *words; /* what argv points into */
};

/* -1 when there is none; cmdline_fini() frees it. */
int cmdline_init(struct cmdline *c);
void cmdline_fini(struct cmdline *c);

/* Whether one of the first n words is --NAME, or an abbreviation of it that
 * srun took for it, with or without =VALUE. */
bool cmdline_has_option(const struct cmdline *c, int n, const char *name);

/* Whether a word is --NAME (or an abbreviation): 1 with =VALUE or for a flag,
 * 2 when the next word is its value (takes_value), 0 when it is another. */
int cmdline_is_option(const char *word, const char *name, bool takes_value);

/* Whether one of the first n words asks srun for several components of a
 * heterogeneous job. */
bool cmdline_is_het(const struct cmdline *c, int n);

/* Whether the last words are --NAME=VALUE or --NAME VALUE: no command. */
bool cmdline_ends_with(const struct cmdline *c, const char *name, const char *value);

/* The value of --NAME if it stands before any word that could be a script;
 * NULL. (Words after an option without "=" are taken for its value.) */
const char *cmdline_option(const struct cmdline *c, const char *name);

/* Value of -p or --partition; NULL. Only right when there is no command. */
const char *cmdline_partition(const struct cmdline *c);

#endif
