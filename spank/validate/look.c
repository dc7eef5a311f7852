/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/validate/look.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reports/core/spawn.h"

enum { ANSWER_SECONDS = 90, N_PASSED = 3 };

/* ---- parsing ---- */

struct look_node *look_find(const struct look *l, const char *name)
{
    for (int i = 0; i < l->n; i++)
        if (strcmp(l->nodes[i].node.name, name) == 0)
            return &l->nodes[i];
    return NULL;
}

void look_fini(struct look *l)
{
    free(l->nodes);
    *l = (struct look){.nodes = NULL};
}

/* "nodes TIME N" and its lines. */
static int parse_nodes(const char *head, char **rest, struct look *l, struct err *e)
{
    long long time;
    char *line;
    int n;

    if (sscanf(head, "nodes %lld %d", &time, &n) != 2 || n < 0 || n > 1000000)
        return err_set(e, "'%.80s' is not a table of nodes", head);
    l->nodes = calloc((size_t)n + 1, sizeof *l->nodes);
    if (!l->nodes)
        return err_set(e, "no memory for %d nodes", n);
    for (l->n = 0; l->n < n; l->n++)
        if (!(line = strsep(rest, "\n")) || node_parse(line, &l->nodes[l->n].node, e) < 0)
            return line ? -1 : err_set(e, "the table of nodes is cut short");
    return 0;
}

static int parse_member(const char *name, struct look *l)
{
    struct look_node *n = look_find(l, name);

    if (n)
        n->member = true;
    else
        l->absent++;
    return 0;
}

/* "ID STATE NODE,NODE" or "-". */
static int parse_job(char *words, struct look *l, struct err *e)
{
    char *id = strsep(&words, " "), *state = strsep(&words, " "), *name;

    if (!id || !state || !words)
        return err_set(e, "'job %.80s' is not a job", id ? id : "");
    while ((name = strsep(&words, ","))) {
        struct look_node *n = look_find(l, name);
        if (n)
            n->covered = true;
    }
    return 0;
}

static int parse_reservation(const char *words, struct look *l, struct err *e)
{
    char flags[64];
    long long end;

    if (sscanf(words, "%lld %63s", &end, flags) != 2)
        return err_set(e, "'reservation %.80s' is not a reservation", words);
    l->end = end;
    l->maintenance = strncmp(flags, "MAINT", 5) == 0;
    return 0;
}

/* 0, 1: that was the end, -1. */
static int parse_line(char *line, char **rest, struct look *l, struct err *e)
{
    if (strncmp(line, "nodes ", 6) == 0)
        return parse_nodes(line, rest, l, e);
    if (strncmp(line, "member ", 7) == 0)
        return parse_member(line + 7, l);
    if (strncmp(line, "job ", 4) == 0)
        return parse_job(line + 4, l, e);
    if (strncmp(line, "reservation ", 12) == 0)
        return parse_reservation(line + 12, l, e);
    return strcmp(line, "end") == 0 ? 1 : err_set(e, "'%.80s' is not a line of a look", line);
}

int look_parse(char *text, struct look *l, struct err *e)
{
    char *line;
    int rc = 0;

    *l = (struct look){.nodes = NULL};
    while (rc == 0 && (line = strsep(&text, "\n")) && (*line || text))
        rc = parse_line(line, &text, l, e);
    if (rc > 0 && l->nodes)
        return 0;
    if (rc >= 0)
        err_set(e, "the answer of hpcai500-slurmctl is cut short");
    look_fini(l);
    return -1;
}

/* ---- the writer ---- */

static void ctl_env(char rows[N_PASSED][PATH_MAX + 64], const char *env[N_PASSED + 3])
{
    static const char *const passed[N_PASSED] = {"SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_JWT"};
    int n = 0;

    for (const char *const *clean = spawn_clean_env; *clean && n < 2; clean++)
        env[n++] = *clean;
    for (int i = 0; i < N_PASSED; i++) {
        const char *value = getenv(passed[i]);
        if (value &&
            snprintf(rows[i], sizeof rows[i], "%s=%s", passed[i], value) < (int)sizeof rows[i])
            env[n++] = rows[i];
    }
    env[n] = NULL;
}

enum slurmctl_code ctl_run(const char *const words[], char **text)
{
    char path[PATH_MAX], rows[N_PASSED][PATH_MAX + 64];
    const char *argv[CTL_WORDS + 2] = {path}, *env[N_PASSED + 3];

    *text = NULL;
    for (int i = 0; i < CTL_WORDS && words[i]; i++)
        argv[i + 1] = words[i];
    if (spawn_beside("hpcai500-slurmctl", path) < 0) {
        *text = strdup("later hpcai500-slurmctl is not beside this program: is this build without "
                       "libslurm?\n");
        return SLURMCTL_LATER;
    }
    ctl_env(rows, env);
    const struct spawn s = {.argv = argv, .env = env, .in = SPAWN_NULL};
    const int code = spawn_run(&s, ANSWER_SECONDS, CTL_MOST, text);
    if (!*text)
        *text = strdup("");
    if (code == 127) /* libslurm ends a program whose request is denied */
        return SLURMCTL_DENIED;
    return code >= 0 && code < SLURMCTL_CODES ? (enum slurmctl_code)code : SLURMCTL_LATER;
}

/* What it printed before its sentence (libslurm's complaints) counts for nothing. */
const char *ctl_said(char *text)
{
    char *end = text + strlen(text), *line;

    while (end > text && end[-1] == '\n')
        *--end = '\0';
    line = strrchr(text, '\n');
    line = line ? line + 1 : text;
    return strchr(line, ' ') ? strchr(line, ' ') + 1 : "";
}

enum slurmctl_code look_ask(const char *reservation, const char *nodes, struct look *l,
                            struct err *e)
{
    const char *const words[] = {"look", reservation ? reservation : "-", nodes, NULL};
    const int64_t now = time(NULL);
    char *text;
    enum slurmctl_code code = ctl_run(words, &text);

    *l = (struct look){.nodes = NULL};
    if (!text) {
        err_set(e, "no memory for the table of nodes");
        return SLURMCTL_LATER;
    }
    if (code != SLURMCTL_DONE) {
        const char *said = ctl_said(text);
        err_set(e, "%s", *said ? said : "hpcai500-slurmctl gave no answer");
    } else if (look_parse(text, l, e) < 0) {
        code = SLURMCTL_LATER;
    } else {
        l->time = now;
    }
    free(text);
    return code;
}
