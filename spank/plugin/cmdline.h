/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line of the process that the plugin is in, on the login node,
 * read by getopt's rules.
 *
 * SPANK does not hand it out: the words come from /proc/self/cmdline, and where
 * the command begins is what srun's own getopt_long() has left in `optind`,
 * which is libc's and so the plugin's too. Which of the words before it are
 * options and which are values is found by one table of srun's, sbatch's and
 * salloc's options, with getopt's rules: options end at the first other word
 * or at "--"; a value follows "=" or is the next word; short options may share
 * a word (-lN2); a beginning of a long name stands for it if there is only one.
 * The table holds what Slurm 22.05 to 26.05 know (tests/cluster/launch.bats
 * asks the installed srun about each row). An option that is not in it, as of
 * another plugin, has the next word for its value if getopt took that for one:
 * if it is not an option and still lies before the command.
 *
 * Life:    cmdline_init() to cmdline_fini(); strings are borrowed from it.
 * Failure: -1: there is no command line to read, or no memory.
 */
#ifndef PLUGIN_CMDLINE_H
#define PLUGIN_CMDLINE_H

#include <stdbool.h>

struct cmdline {
    int argc;
    char **argv; /* argc words and NULL, with room for one more */
    char *words; /* what argv points into */
};

int cmdline_init(struct cmdline *c);
void cmdline_fini(struct cmdline *c);

/* One option as getopt reads it. */
struct cmdline_option {
    int at;            /* its word */
    int words;         /* 1, or 2 when its value is the next word */
    const char *name;  /* long name; NULL: not in the table */
    const char *value; /* NULL: none */
};

/* The option at word *at, which moves to the next; false when *at is where the
 * options end: the command, "--" or `end`. Of short options that share a word
 * it is the last. `end` is where the command begins if that is known (optind),
 * else argc; `known` says which. */
bool cmdline_next(const struct cmdline *c, int *at, int end, bool known, struct cmdline_option *o);

/* The last option of that name before the command, as which it counts; false
 * when there is none. */
bool cmdline_find(const struct cmdline *c, int command, const char *name, struct cmdline_option *o);

/* Whether nothing but options follows from word `at` on: no command. */
bool cmdline_only_options(const struct cmdline *c, int at);

/* Whether srun is asked for several components of a heterogeneous job: a ":"
 * behind the options, or --het-group. */
bool cmdline_is_het(const struct cmdline *c);

#endif
