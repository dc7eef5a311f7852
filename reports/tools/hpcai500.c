/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hpcai500: one command in git's manner. `hpcai500 NAME ...` becomes the
 * program hpcai500-NAME, looked for in $HPCAI500_EXEC_PATH (folders with
 * colons between, for builds that are not installed), else in libexec.
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <limits.h>
#include <unistd.h>

#include "build_id.h"
#include "reports/core/nearest.h"
#include "reports/core/out.h"

enum { MAX_COMMANDS = 64, MAX_NAME = 32 };

static const char prefix[] = "hpcai500-";

/* What each command is for; one that is not here is listed without a word. */
static const struct {
    const char *name, *title;
} titles[] = {
    {"show", "print a record for a person, or as JSON"},
    {"recover", "make a record from the journals of a run that left none"},
    {"data", "generate, import and check data sets"},
    {"doctor", "look for what keeps a run from working here"},
    {"report", "runs as one page, for who decides and for who doubts it"},
    {"compare", "systems, runs or dates side by side"},
    {"history", "all runs of the site"},
    {"forget", "take a user's or a job's runs out of history and archive"},
    {"baseline", "approve what nodes are measured against"},
    {"export", "records in other formats"},
    {"verify", "is a record what the witness saw?"},
    {"validate", "which nodes are not what they should be?"},
    {"collect", "file the spool's records in the history"},
    {"reader", "shows users their own runs: the site's service"},
    {"config", "the site's settings"},
    {"node", "the tests of one node: a validation's helper"},
    {"slurmctl", "nodes and reservations in slurmctld: a validation's helper"},
    {"slurmdbd", "one job's AdminComment: the collector's helper"},
    {"witness", "what prolog and epilog run as root"},
    {"generate", "one process of data generate"},
};

struct commands {
    int n;
    char names[MAX_COMMANDS][MAX_NAME];
};

static const char *exec_path(void)
{
    const char *path = getenv("HPCAI500_EXEC_PATH");
    return path && *path ? path : HPCAI500_LIBEXECDIR;
}

/* The next folder of a path with colons; *path moves behind it. */
static int next_folder(const char **path, char folder[PATH_MAX])
{
    size_t n = strcspn(*path, ":");

    if (!**path)
        return 0;
    snprintf(folder, PATH_MAX, "%.*s", (int)n, *path);
    *path += n + ((*path)[n] == ':');
    return 1;
}

static int is_name(const char *word)
{
    size_t n = strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return n > 0 && n < MAX_NAME && word[n] == '\0' && word[0] != '-';
}

static int known(const struct commands *c, const char *name)
{
    for (int i = 0; i < c->n; i++)
        if (strcmp(c->names[i], name) == 0)
            return 1;
    return 0;
}

static void list_folder(const char *folder, struct commands *c)
{
    DIR *d = opendir(folder);
    struct dirent *entry;
    char path[PATH_MAX + 256];

    while (d && (entry = readdir(d))) {
        const char *name = entry->d_name + sizeof prefix - 1;
        if (strncmp(entry->d_name, prefix, sizeof prefix - 1) != 0 || !is_name(name))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (c->n < MAX_COMMANDS && !known(c, name) && access(path, X_OK) == 0)
            snprintf(c->names[c->n++], MAX_NAME, "%s", name);
    }
    if (d)
        closedir(d);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void find_commands(struct commands *c)
{
    const char *path = exec_path();
    char folder[PATH_MAX];

    c->n = 0;
    while (next_folder(&path, folder))
        list_folder(folder, c);
    qsort(c->names, (size_t)c->n, sizeof c->names[0], by_name);
}

static const char *title_of(const char *name)
{
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (strcmp(titles[i].name, name) == 0)
            return titles[i].title;
    return "";
}

static int help(FILE *f)
{
    struct commands c;

    find_commands(&c);
    fprintf(f, "usage: hpcai500 COMMAND [ARGUMENT...]\n"
               "       hpcai500 help COMMAND\n\n");
    for (int i = 0; i < c.n; i++)
        fprintf(f, "  %-10s %s\n", c.names[i], title_of(c.names[i]));
    if (c.n == 0)
        fprintf(f, "  no command is installed in %s\n", exec_path());
    fprintf(f, "\nRuns are started with srun --hpcai500=RUN, or with mpirun hpcai500-agent RUN.\n");
    return f == stdout ? 0 : 2;
}

static int unknown(const char *word)
{
    struct commands c;
    const char *candidates[MAX_COMMANDS];

    find_commands(&c);
    for (int i = 0; i < c.n; i++)
        candidates[i] = c.names[i];
    const char *near = nearest(word, candidates, c.n);
    fprintf(stderr, "hpcai500: there is no command '%.64s'", is_name(word) ? word : "?");
    if (near)
        fprintf(stderr, "; the nearest is '%s'\n", near);
    else
        fprintf(stderr, "; `hpcai500 help` lists them\n");
    return 2;
}

static int manual(const char *name)
{
    struct commands c;
    char page[sizeof prefix + MAX_NAME];

    find_commands(&c);
    if (!known(&c, name) && strcmp(name, "agent") != 0)
        return unknown(name);
    snprintf(page, sizeof page, "%s%s", prefix, name);
    execlp("man", "man", page, (char *)NULL);
    fprintf(stderr, "hpcai500: cannot run man: %s\n", strerror(errno));
    return 3;
}

/* Becomes the first hpcai500-NAME on the path; returns only when none runs. */
static int run(char **argv)
{
    const char *path = exec_path();
    char folder[PATH_MAX], program[PATH_MAX + 64];

    while (is_name(argv[0]) && next_folder(&path, folder)) {
        snprintf(program, sizeof program, "%s/%s%s", folder, prefix, argv[0]);
        execv(program, argv);
        if (errno != ENOENT && errno != ENOTDIR) {
            fprintf(stderr, "hpcai500: cannot run %s: %s\n", program, strerror(errno));
            return 3;
        }
    }
    return unknown(argv[0]);
}

int main(int argc, char **argv)
{
    out_guard("hpcai500");
    if (argc < 2)
        return help(stderr);
    if (strcmp(argv[1], "--version") == 0)
        return printf("hpcai500 %s (%s)\n", PACKAGE_VERSION, HPCAI500_BUILD_ID) < 0;
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
        strcmp(argv[1], "-h") == 0)
        return argc > 2 ? manual(argv[2]) : help(stdout);
    return run(argv + 1);
}
