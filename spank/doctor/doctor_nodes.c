/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * doctor on many nodes: one wide step that runs this program once on each.
 * A node tells lines of fields with tabs between:
 *   T  NODE  nanoseconds of its clock
 *   F  NODE  STATUS  CHECK  TEXT  ADVICE
 */
#include <config.h>

#include "spank/doctor/doctor.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reports/core/clock.h"

enum { MAX_NODES = 16384, MAX_ARGUMENTS = 32, NAME_SIZE = 64 };

struct node {
    char name[NAME_SIZE];
    char agent[320]; /* what its agent said; "" it did not start */
    bool told;
};

struct nodes {
    int n;
    struct node *row;
};

void doctor_tell(const struct doctor *d)
{
    printf("T\t%s\t%" PRId64 "\n", d->node, clock_real());
    for (int i = 0; i < d->n; i++) {
        const struct finding *f = &d->findings[i];
        printf("F\t%s\t%d\t%s\t%s\t%s\n", f->node, (int)f->status, f->check, f->text, f->advice);
    }
}

/* ---- which nodes ---- */

static struct node *node_of(struct nodes *all, const char *name)
{
    for (int i = 0; i < all->n; i++)
        if (strcmp(all->row[i].name, name) == 0)
            return &all->row[i];
    return NULL;
}

static void add_node(struct nodes *all, const char *name)
{
    if (all->n < MAX_NODES && !node_of(all, name))
        snprintf(all->row[all->n++].name, sizeof all->row[0].name, "%s", name);
}

/* Slurm marks what it adds to a state with one of these behind it. */
static bool is_state(const char *state, const char *word)
{
    size_t n = strlen(word);
    return strncmp(state, word, n) == 0 && strspn(state + n, "-+") == strlen(state + n);
}

/* A word that srun can only take for one node: else it could be an option, a
 * list, or with a slash in it the name of a file. */
static bool is_node(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    size_t n = strlen(name);

    return n > 0 && n < NAME_SIZE && strspn(name, letters) == n && name[0] != '-' && name[0] != '.';
}

/* Those that a step can run on now; for the others a finding says why not. */
static void take_node(struct doctor *d, struct nodes *all, const char *name, const char *state)
{
    if (!is_node(name))
        doctor_add(d, DOCTOR_UNKNOWN, "compare it with slurm.conf",
                   "'%.64s' is not a node's name: not checked", name);
    else if (is_state(state, "idle") || is_state(state, "mixed"))
        add_node(all, name);
    else if (is_state(state, "allocated") || is_state(state, "completing"))
        doctor_add(d, DOCTOR_UNKNOWN, "ask again when it is free", "%s is busy: not checked", name);
    else
        doctor_add(d, DOCTOR_WARN, "scontrol show node says why", "%s is %s: not checked", name,
                   state);
}

static int find_nodes(struct doctor *d, const char *list, struct nodes *all)
{
    const char *argv[] = {"sinfo", "-h", "-N", "-o", "%N %T", "-n", list, NULL};
    const char *last = "";
    char *text, *save = NULL;
    bool named = false;

    if (!list)
        argv[5] = NULL;
    int rc = doctor_run(argv, 2 * d->seconds, &text);
    for (char *line = strtok_r(text, "\n", &save); rc == 0 && line;
         line = strtok_r(NULL, "\n", &save)) {
        char *state = strchr(line, ' ');
        if (!state || !state[1])
            continue;
        *state++ = '\0';
        state[strcspn(state, " ")] = '\0';
        named = true;
        if (strcmp(line, last) != 0) /* once for each of its partitions */
            take_node(d, all, line, state);
        last = line;
    }
    if (rc || !named)
        doctor_add(d, DOCTOR_UNKNOWN, "is slurmctld up? sinfo must list the nodes",
                   "sinfo names no nodes: %s", rc ? doctor_line(text) : "none");
    free(text);
    return all->n;
}

/* ---- what they told ---- */

/* Cuts the next field off; "" when there is none. */
static char *field(char **p)
{
    char *start = *p, *tab = strchr(start, '\t');

    if (!tab) {
        *p = start + strlen(start);
        return start;
    }
    *tab = '\0';
    *p = tab + 1;
    return start;
}

static void take_finding(struct doctor *d, struct nodes *all, char *p)
{
    struct finding f = {.status = DOCTOR_UNKNOWN};
    struct node *node;

    snprintf(f.node, sizeof f.node, "%s", field(&p));
    int status = atoi(field(&p));
    f.status = status >= DOCTOR_OK && status <= DOCTOR_UNKNOWN ? (enum doctor_status)status
                                                               : DOCTOR_UNKNOWN;
    snprintf(f.check, sizeof f.check, "%s", field(&p));
    snprintf(f.text, sizeof f.text, "%s", field(&p));
    snprintf(f.advice, sizeof f.advice, "%s", field(&p));
    node = node_of(all, f.node);
    if (!node)
        return;
    if (strcmp(f.check, "agent") == 0 && f.status <= DOCTOR_WARN)
        snprintf(node->agent, sizeof node->agent, "%s", f.text);
    doctor_put(d, &f);
}

/* A node's clock was read between our `before` and `after`: outside of
 * that it is off by at least the difference. */
static void take_time(struct doctor *d, struct nodes *all, char *p, int64_t before, int64_t after)
{
    const char *name = field(&p);
    int64_t t = strtoll(field(&p), NULL, 10);
    struct node *node = node_of(all, name);
    int64_t off = t < before ? before - t : t > after ? t - after : 0;

    if (!node)
        return;
    node->told = true;
    if (off > 50000000) /* 50 ms: jobs' times would be told wrong */
        doctor_add(d, off > 1000000000 ? DOCTOR_CRITICAL : DOCTOR_WARN,
                   "start chrony or ntpd there, and look at its sources",
                   "the clock of %s is %s by at least %.3f s", name, t < before ? "slow" : "fast",
                   (double)off / 1e9);
}

/* One build everywhere, or no two numbers can be compared. */
static void compare_agents(struct doctor *d, const struct nodes *all)
{
    const char *first = NULL;
    int n = 0, other = -1;

    for (int i = 0; i < all->n; i++) {
        if (!all->row[i].agent[0])
            continue;
        n++;
        if (!first)
            first = all->row[i].agent;
        else if (strcmp(first, all->row[i].agent) != 0)
            other = i;
    }
    if (other >= 0)
        doctor_add(d, DOCTOR_CRITICAL,
                   "install one build on all nodes: results of mixed builds are not valid",
                   "the nodes have different agents: %.100s, and on %s %.100s", first,
                   all->row[other].name, all->row[other].agent);
    else if (n > 0)
        doctor_add(d, DOCTOR_OK, "", "one agent on %d of %d nodes", n, all->n);
}

static void judge(struct doctor *d, struct nodes *all, int rc, char *text, int64_t before,
                  int64_t after)
{
    char *save = NULL, *rest = NULL;
    int silent = 0;

    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        if (strncmp(line, "T\t", 2) == 0)
            take_time(d, all, line + 2, before, after);
        else if (strncmp(line, "F\t", 2) == 0)
            take_finding(d, all, line + 2);
        else if (!rest)
            rest = line;
    }
    for (int i = 0; i < all->n; i++) {
        if (all->row[i].told)
            continue;
        silent++;
        doctor_add(d, DOCTOR_CRITICAL, "is hpcai500 installed there? see slurmd's log",
                   "%s gave no answer%s%.200s", all->row[i].name, rest ? ": " : "",
                   rest ? rest : "");
    }
    if (rc && !silent)
        doctor_add(d, DOCTOR_WARN, "", "srun ended with %d", rc);
    compare_agents(d, all);
}

/* ---- the step ---- */

static char *list_of(const struct nodes *all)
{
    char *text = malloc((size_t)all->n * sizeof all->row[0].name + 16), *to = text;

    if (!text)
        return NULL;
    to = stpcpy(to, "--nodelist=");
    for (int i = 0; i < all->n; i++)
        to += sprintf(to, "%s%s", i ? "," : "", all->row[i].name);
    return text;
}

static void run_step(struct doctor *d, struct nodes *all, char **checks, int n_checks)
{
    char self[PATH_MAX], nodes[32], tasks[32], *text, *list = list_of(all);
    const char *argv[MAX_ARGUMENTS] = {"srun",
                                       "--quiet",
                                       "--job-name=hpcai500-doctor",
                                       "--immediate=60",
                                       "--time=5",
                                       "--mpi=none",
                                       "--chdir=/",
                                       "--kill-on-bad-exit=0",
                                       "--ntasks-per-node=1",
                                       nodes,
                                       tasks,
                                       list,
                                       self,
                                       "--as-node"};
    int n = 14;
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);

    self[length > 0 ? length : 0] = '\0';
    snprintf(nodes, sizeof nodes, "--nodes=%d", all->n);
    snprintf(tasks, sizeof tasks, "--ntasks=%d", all->n);
    for (int i = 0; i < n_checks && n < MAX_ARGUMENTS - 1; i++)
        argv[n++] = checks[i];
    if (list) {
        int64_t before = clock_real();
        int rc = doctor_run(argv, 10 * d->seconds, &text);
        judge(d, all, rc, text, before, clock_real());
        free(text);
    }
    free(list);
}

void doctor_nodes(struct doctor *d, const char *list, char **checks, int n_checks)
{
    struct nodes all = {.row = calloc(MAX_NODES, sizeof *all.row)};

    if (all.row && find_nodes(d, list, &all) > 0)
        run_step(d, &all, checks, n_checks);
    free(all.row);
}
