/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/vet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char mark[] = "hpcai500-vet ";

struct node {
    const char *name; /* length bytes */
    int length, tasks;
    bool spare;
};

/* ---- the job's nodes ---- */

static bool is_name(const char *text, int n)
{
    return n > 0 && n < 256 &&
           (int)strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") >=
               n;
}

/* NULL: one is not a name, or no memory. */
static struct node *nodes_of(const char *names, int *n)
{
    struct node *all;
    int lines = 0;

    for (const char *c = names; *c; c++)
        lines += *c == '\n';
    *n = 0;
    if (!(all = calloc((size_t)lines + 1, sizeof *all)))
        return NULL;
    for (const char *at = names; *at; at += all[*n - 1].length + (at[all[*n - 1].length] == '\n')) {
        const int length = (int)strcspn(at, "\n");
        if (!is_name(at, length)) {
            free(all);
            return NULL;
        }
        all[(*n)++] = (struct node){.name = at, .length = length, .tasks = 1};
    }
    return all;
}

/* "8(x2),4" */
static void set_tasks(struct node *all, int n, const char *tasks)
{
    int at = 0;

    while (tasks && *tasks && at < n) {
        char *end;
        long each = strtol(tasks, &end, 10), times = 1;
        if (strncmp(end, "(x", 2) == 0)
            times = strtol(end + 2, &end, 10);
        if (end == tasks || each < 1)
            return;
        for (; times > 0 && at < n; times--)
            all[at++].tasks = (int)each;
        end += strcspn(end, ",");
        tasks = *end ? end + 1 : end;
    }
}

/* ---- what the agent said ---- */

static const char *line_of(const char *said)
{
    for (const char *at = said; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
        if (strncmp(at, mark, sizeof mark - 1) == 0)
            return at + sizeof mark - 1;
    return NULL;
}

/* Marks the spares of a line; false: it is not about these nodes. */
static bool take_line(const char *line, struct node *all, int n, int spares)
{
    int count = 0;

    for (const char *at = strchr(line, ' '); at && *at != '\n' && *at; at += strcspn(at, ",\n")) {
        char *end;
        const long i = strtol(at + 1, &end, 10);
        const int length = (int)strcspn(end, ",\n") - 1;
        if (*end != ':' || i < 0 || i >= n || all[i].spare || length != all[i].length ||
            strncmp(end + 1, all[i].name, (size_t)length) != 0)
            return false;
        all[i].spare = true;
        count++;
        at = end;
    }
    return count == spares;
}

/* ---- words ---- */

/* Names of the nodes that are spare, or are not, with what stands between and behind. */
static char *list(const struct node *all, int n, bool spare, bool hosts)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    for (int i = 0, k = 0; i < n; i++) {
        if (all[i].spare != spare)
            continue;
        if (hosts)
            fprintf(f, "%.*s slots=%d\n", all[i].length, all[i].name, all[i].tasks);
        else
            fprintf(f, "%s%.*s", k++ ? "," : "", all[i].length, all[i].name);
    }
    if (fclose(f) == 0)
        return text;
    free(text);
    return NULL;
}

static char *srun_words(const struct node *all, int n, const char *spares)
{
    int nodes = 0, tasks = 0;
    char *text;

    for (int i = 0; i < n; i++)
        if (!all[i].spare) {
            nodes++;
            tasks += all[i].tasks;
        }
    return asprintf(&text, "-N%d -n%d -x %s", nodes, tasks, spares) < 0 ? NULL : text;
}

static void leave_last(struct node *all, int n, int spares)
{
    for (int i = 0; i < n; i++)
        all[i].spare = i >= n - spares;
}

void vet_fini(struct vet *v)
{
    free(v->nodes);
    free(v->spares);
    free(v->srun);
    free(v->hosts);
    *v = (struct vet){.state = NULL};
}

int vet_choose(struct vet *v, const char *said, const char *names, const char *tasks, int spares,
               struct err *e)
{
    const char *line = line_of(said);
    int n;
    struct node *all = nodes_of(names, &n);

    *v = (struct vet){.state = "failed"};
    if (!all || n == 0) {
        free(all);
        return err_set(e, "the names of the job's nodes are not known");
    }
    if (n <= spares) {
        free(all);
        return err_set(e, "spares=%d of %d node%s leaves none", spares, n, n == 1 ? "" : "s");
    }
    if (line && take_line(line, all, n, spares))
        v->state = strncmp(line, "short ", 6) == 0 ? "short" : "ok";
    else
        leave_last(all, n, spares);
    set_tasks(all, n, tasks);
    v->nodes = list(all, n, false, false);
    v->spares = list(all, n, true, false);
    v->hosts = list(all, n, false, true);
    v->srun = v->spares ? srun_words(all, n, v->spares) : NULL;
    free(all);
    if (v->nodes && v->spares && v->hosts && v->srun)
        return 0;
    vet_fini(v);
    return err_set(e, "no memory for the names of the job's nodes");
}

char *vet_exports(const struct vet *v)
{
    char *text;

    return asprintf(&text,
                    "export " ENV_VET "='%s'\n"
                    "export HPCAI500_NODES='%s'\n"
                    "export HPCAI500_SPARES='%s'\n"
                    "export HPCAI500_SRUN='%s'\n",
                    v->state, v->nodes, v->spares, v->srun) < 0
               ? NULL
               : text;
}
