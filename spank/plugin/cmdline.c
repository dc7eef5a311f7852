/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/plugin/cmdline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/slurp.h"

enum { SRUN = 1, SBATCH = 2, SALLOC = 4, ALL = SRUN | SBATCH | SALLOC };
enum takes { NO_VALUE, VALUE, OPTIONAL }; /* OPTIONAL: only with "=", or in the same word */

static const struct row {
    const char *name;
    char letter; /* 0: none */
    enum takes takes;
    int programs;
} rows[] = {
    {"accel-bind", 0, VALUE, SRUN},
    {"account", 'A', VALUE, ALL},
    {"acctg-freq", 0, VALUE, ALL},
    {"array", 'a', VALUE, SBATCH},
    {"autocomplete", 0, VALUE, ALL},
    {"batch", 0, VALUE, SBATCH},
    {"bb", 0, VALUE, ALL},
    {"bbf", 0, VALUE, ALL},
    {"bcast", 0, OPTIONAL, SRUN},
    {"bcast-exclude", 0, VALUE, SRUN},
    {"begin", 'b', VALUE, ALL},
    {"bell", 0, NO_VALUE, SALLOC},
    {"chdir", 'D', VALUE, ALL},
    {"cluster-constraint", 0, VALUE, ALL},
    {"clusters", 'M', VALUE, ALL},
    {"comment", 0, VALUE, ALL},
    {"compress", 0, OPTIONAL, SRUN},
    {"consolidate-segments", 0, NO_VALUE, ALL},
    {"constraint", 'C', VALUE, ALL},
    {"container", 0, VALUE, ALL},
    {"container-id", 0, VALUE, ALL},
    {"contiguous", 0, NO_VALUE, ALL},
    {"core-spec", 'S', VALUE, ALL},
    {"cores-per-socket", 0, VALUE, ALL},
    {"cpu-bind", 0, VALUE, SRUN},
    {"cpu-freq", 0, VALUE, ALL},
    {"cpus-per-gpu", 0, VALUE, ALL},
    {"cpus-per-task", 'c', VALUE, ALL},
    {"deadline", 0, VALUE, ALL},
    {"debugger-test", 0, NO_VALUE, SRUN},
    {"delay-boot", 0, VALUE, ALL},
    {"dependency", 'd', VALUE, ALL},
    {"disable-status", 'X', NO_VALUE, SRUN},
    {"distribution", 'm', VALUE, ALL},
    {"epilog", 0, VALUE, SRUN},
    {"error", 'e', VALUE, SRUN | SBATCH},
    {"exact", 0, NO_VALUE, SRUN},
    {"exclude", 'x', VALUE, ALL},
    {"exclusive", 0, OPTIONAL, ALL},
    {"export", 0, VALUE, SRUN | SBATCH},
    {"export-file", 0, VALUE, SBATCH},
    {"external-launcher", 0, NO_VALUE, SRUN},
    {"extra", 0, VALUE, ALL},
    {"extra-node-info", 'B', VALUE, ALL},
    {"get-user-env", 0, OPTIONAL, SBATCH | SALLOC},
    {"gid", 0, VALUE, ALL},
    {"gpu-bind", 0, VALUE, ALL},
    {"gpu-freq", 0, VALUE, ALL},
    {"gpus", 'G', VALUE, ALL},
    {"gpus-per-node", 0, VALUE, ALL},
    {"gpus-per-socket", 0, VALUE, ALL},
    {"gpus-per-task", 0, VALUE, ALL},
    {"gres", 0, VALUE, ALL},
    {"gres-flags", 0, VALUE, ALL},
    {"help", 'h', NO_VALUE, ALL},
    {"het-group", 0, VALUE, SRUN},
    {"hint", 0, VALUE, ALL},
    {"hold", 'H', NO_VALUE, ALL},
    {"hpcai500", 0, VALUE, ALL},
    {"ignore-pbs", 0, NO_VALUE, SBATCH},
    {"immediate", 'I', OPTIONAL, SRUN | SALLOC},
    {"input", 'i', VALUE, SRUN | SBATCH},
    {"interactive", 0, NO_VALUE, SRUN},
    {"job-name", 'J', VALUE, ALL},
    {"jobid", 0, VALUE, SRUN | SALLOC},
    {"kill-command", 'K', OPTIONAL, SALLOC},
    {"kill-on-bad-exit", 'K', OPTIONAL, SRUN},
    {"kill-on-invalid-dep", 0, VALUE, SBATCH},
    {"label", 'l', NO_VALUE, SRUN},
    {"licenses", 'L', VALUE, ALL},
    {"mail-type", 0, VALUE, ALL},
    {"mail-user", 0, VALUE, ALL},
    {"mcs-label", 0, VALUE, ALL},
    {"mem", 0, VALUE, ALL},
    {"mem-bind", 0, VALUE, SRUN},
    {"mem-per-cpu", 0, VALUE, ALL},
    {"mem-per-gpu", 0, VALUE, ALL},
    {"mincpus", 0, VALUE, ALL},
    {"mpi", 0, VALUE, SRUN},
    {"msg-timeout", 0, VALUE, SRUN},
    {"multi-prog", 0, NO_VALUE, SRUN},
    {"network", 0, VALUE, ALL},
    {"nice", 0, OPTIONAL, ALL},
    {"no-allocate", 'Z', NO_VALUE, SRUN},
    {"no-bell", 0, NO_VALUE, SALLOC},
    {"no-kill", 'k', OPTIONAL, ALL},
    {"no-requeue", 0, NO_VALUE, SBATCH},
    {"no-shell", 0, NO_VALUE, SALLOC},
    {"nodefile", 'F', VALUE, ALL},
    {"nodelist", 'w', VALUE, ALL},
    {"nodes", 'N', VALUE, ALL},
    {"ntasks", 'n', VALUE, ALL},
    {"ntasks-per-core", 0, VALUE, ALL},
    {"ntasks-per-gpu", 0, VALUE, ALL},
    {"ntasks-per-node", 0, VALUE, ALL},
    {"ntasks-per-socket", 0, VALUE, ALL},
    {"oom-kill-step", 0, OPTIONAL, ALL},
    {"open-mode", 0, VALUE, SRUN | SBATCH},
    {"output", 'o', VALUE, SRUN | SBATCH},
    {"overcommit", 'O', NO_VALUE, ALL},
    {"overlap", 0, OPTIONAL, SRUN},
    {"oversubscribe", 's', NO_VALUE, ALL},
    {"pack-group", 0, VALUE, SRUN},
    {"parsable", 0, NO_VALUE, SBATCH},
    {"partition", 'p', VALUE, ALL},
    {"power", 0, VALUE, ALL},
    {"prefer", 0, VALUE, ALL},
    {"preserve-env", 'E', NO_VALUE, SRUN},
    {"priority", 0, VALUE, ALL},
    {"profile", 0, VALUE, ALL},
    {"prolog", 0, VALUE, SRUN},
    {"propagate", 0, OPTIONAL, SRUN | SBATCH},
    {"pty", 0, OPTIONAL, SRUN},
    {"qos", 'q', VALUE, ALL},
    {"quiet", 'Q', NO_VALUE, ALL},
    {"quit-on-interrupt", 0, NO_VALUE, SRUN},
    {"reboot", 0, NO_VALUE, ALL},
    {"relative", 'r', VALUE, SRUN},
    {"requeue", 0, OPTIONAL, SBATCH},
    {"reservation", 0, VALUE, ALL},
    {"resv-ports", 0, OPTIONAL, ALL},
    {"segment", 0, VALUE, ALL},
    {"send-libs", 0, OPTIONAL, SRUN},
    {"signal", 0, VALUE, ALL},
    {"slurmd-debug", 0, VALUE, SRUN},
    {"sockets-per-node", 0, VALUE, ALL},
    {"spread-job", 0, NO_VALUE, ALL},
    {"spread-segments", 0, NO_VALUE, ALL},
    {"stepmgr", 0, NO_VALUE, ALL},
    {"switches", 0, VALUE, ALL},
    {"task-epilog", 0, VALUE, SRUN},
    {"task-prolog", 0, VALUE, SRUN},
    {"test-only", 0, NO_VALUE, SRUN | SBATCH},
    {"thread-spec", 0, VALUE, ALL},
    {"threads", 'T', VALUE, SRUN},
    {"threads-per-core", 0, VALUE, ALL},
    {"time", 't', VALUE, ALL},
    {"time-min", 0, VALUE, ALL},
    {"tmp", 0, VALUE, ALL},
    {"treewidth", 0, VALUE, SRUN},
    {"tres-bind", 0, VALUE, ALL},
    {"tres-per-task", 0, VALUE, ALL},
    {"uid", 0, VALUE, ALL},
    {"unbuffered", 'u', NO_VALUE, SRUN},
    {"usage", 0, NO_VALUE, ALL},
    {"use-min-nodes", 0, NO_VALUE, ALL},
    {"verbose", 'v', NO_VALUE, ALL},
    {"version", 'V', NO_VALUE, ALL},
    {"wait", 'W', VALUE, SRUN | SALLOC},
    {"wait", 'W', NO_VALUE, SBATCH},
    {"wait-all-nodes", 0, VALUE, SBATCH | SALLOC},
    {"wait-for-children", 0, NO_VALUE, SRUN},
    {"wckey", 0, VALUE, ALL},
    {"whole", 0, NO_VALUE, SRUN},
    {"wrap", 0, VALUE, SBATCH},
    {"x11", 0, OPTIONAL, SRUN | SALLOC},
};

enum { N_ROWS = sizeof rows / sizeof *rows };

enum { MAX_BYTES = 64 << 20 }; /* the kernel gives a command line less */

int cmdline_init(struct cmdline *c)
{
    size_t size;
    int n = 0;

    memset(c, 0, sizeof *c);
    c->words = slurp(AT_FDCWD, "/proc/self/cmdline", 0, MAX_BYTES, &size);
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

static int program_of(const struct cmdline *c)
{
    const char *slash = strrchr(c->argv[0], '/');
    const char *name = slash ? slash + 1 : c->argv[0];

    return strcmp(name, "sbatch") == 0 ? SBATCH : strcmp(name, "salloc") == 0 ? SALLOC : SRUN;
}

/* The row of a long name of n bytes or the only one that begins with them. */
static const struct row *long_row(int program, const char *name, size_t n)
{
    const struct row *found = NULL;
    int count = 0;

    for (int i = 0; i < N_ROWS; i++) {
        if (!(rows[i].programs & program) || strncmp(rows[i].name, name, n) != 0)
            continue;
        if (!rows[i].name[n])
            return &rows[i];
        found = &rows[i];
        count++;
    }
    return count == 1 ? found : NULL;
}

static const struct row *short_row(int program, char letter)
{
    for (int i = 0; i < N_ROWS; i++)
        if ((rows[i].programs & program) && rows[i].letter == letter)
            return &rows[i];
    return NULL;
}

/* Whether the word at i, not known to be an option's value, must be one: getopt
 * would have ended before it. */
static bool must_be_value(const struct cmdline *c, int i, int end, bool known)
{
    return known && i < end && (c->argv[i][0] != '-' || !c->argv[i][1]);
}

static void take_next_word(const struct cmdline *c, struct cmdline_option *o)
{
    o->words = 2;
    o->value = c->argv[o->at + 1]; /* NULL behind the last word */
}

static void read_long(const struct cmdline *c, int end, bool known, struct cmdline_option *o)
{
    const char *word = c->argv[o->at] + 2;
    size_t n = strcspn(word, "=");
    const struct row *row = long_row(program_of(c), word, n);

    o->name = row ? row->name : NULL;
    if (word[n])
        o->value = word + n + 1;
    else if (row ? row->takes == VALUE : must_be_value(c, o->at + 1, end, known))
        take_next_word(c, o);
}

static void read_short(const struct cmdline *c, int end, bool known, struct cmdline_option *o)
{
    for (const char *letter = c->argv[o->at] + 1; *letter; letter++) {
        const struct row *row = short_row(program_of(c), *letter);
        o->name = row ? row->name : NULL;
        if (row && row->takes == NO_VALUE)
            continue;
        if (letter[1]) {
            o->value = row ? letter + 1 : NULL;
            return;
        }
        if (row ? row->takes == VALUE : must_be_value(c, o->at + 1, end, known))
            take_next_word(c, o);
    }
}

bool cmdline_next(const struct cmdline *c, int *at, int end, bool known, struct cmdline_option *o)
{
    const char *word = *at < end && *at < c->argc ? c->argv[*at] : NULL;

    if (!word || word[0] != '-' || !word[1] || strcmp(word, "--") == 0)
        return false;
    *o = (struct cmdline_option){.at = *at, .words = 1};
    if (word[1] == '-')
        read_long(c, end, known, o);
    else
        read_short(c, end, known, o);
    *at += o->words;
    return true;
}

bool cmdline_find(const struct cmdline *c, int command, const char *name, struct cmdline_option *o)
{
    struct cmdline_option each;
    bool found = false;

    for (int at = 1; cmdline_next(c, &at, command, true, &each);)
        if (each.name && strcmp(each.name, name) == 0) {
            *o = each;
            found = true;
        }
    return found;
}

/* Where the options end that begin at `at`, when optind does not say it. */
static int end_of_options(const struct cmdline *c, int at)
{
    struct cmdline_option each;

    while (cmdline_next(c, &at, c->argc, false, &each))
        ;
    return at < c->argc ? at : c->argc;
}

bool cmdline_only_options(const struct cmdline *c, int at)
{
    at = end_of_options(c, at);
    return at == c->argc || (at == c->argc - 1 && strcmp(c->argv[at], "--") == 0);
}

bool cmdline_is_het(const struct cmdline *c)
{
    struct cmdline_option o;
    int command = end_of_options(c, 1);

    for (int i = command; i < c->argc; i++)
        if (strcmp(c->argv[i], ":") == 0)
            return true;
    return cmdline_find(c, command, "het-group", &o) || cmdline_find(c, command, "pack-group", &o);
}
