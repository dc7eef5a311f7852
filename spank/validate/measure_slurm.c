/* SPDX-License-Identifier: BSD-3-Clause */
/* Slurm's own commands, by argv: names of nodes, a job and its end. */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reports/core/atomic.h"
#include "reports/core/clock.h"
#include "reports/core/slurp.h"
#include "reports/core/spawn.h"
#include "reports/record/fields.h"
#include "reports/validate/node_line.h"
#include "spank/validate/measure.h"

extern char **environ;

enum { OUTPUT = 16 << 20, MOST_NODES = 4096, ARGUMENTS = 32 };

static const int answer_seconds = 120;

/* Its output to *text, to free(); -1 and what it said. */
static int ask(const char *const *argv, char **text, struct err *e)
{
    const struct spawn s = {
        .argv = argv, .env = (const char *const *)environ, .in = SPAWN_NULL, .search = true};
    int code = spawn_run(&s, answer_seconds, OUTPUT, text);

    if (code == 0)
        return 0;
    if (*text)
        (*text)[strcspn(*text, "\n")] = '\0';
    return err_set(e, "%s failed (%d): %.300s", argv[0], code, *text ? *text : "");
}

/* ---- nodes ---- */

/* Names, a line each, into m. */
static int take_names(struct measure *m, char *text, struct err *e)
{
    m->names = calloc(MOST_NODES, sizeof *m->names);
    if (!m->names)
        return err_set(e, "out of memory for the names of the nodes");
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        if (m->n == MOST_NODES)
            return err_set(e, "more than %d nodes: measure them in parts, by --nodes=", MOST_NODES);
        snprintf(m->names[m->n++], sizeof *m->names, "%s", line);
    }
    m->list = calloc((size_t)m->n + 1, sizeof *m->list);
    m->there = calloc((size_t)m->n + 1, sizeof *m->there);
    if (!m->list || !m->there)
        return err_set(e, "out of memory for the names of the nodes");
    for (int i = 0; i < m->n; i++)
        m->list[i] = m->names[i];
    return m->n > 0 ? 0
                    : err_set(e, "'%.200s' names no node",
                              m->o->nodes ? m->o->nodes : m->o->reservation);
}

/* Of a reservation: the last word of the helper's line. */
static int reserved_nodes(const char *name, char **text, struct err *e)
{
    const char *const argv[] = {HPCAI500_LIBEXECDIR "/hpcai500-slurmctl", "reservation", name,
                                NULL};
    char *line = NULL;
    int rc = ask(argv, &line, e);

    if (rc == 0) {
        line[strcspn(line, "\n")] = '\0';
        const char *nodes = strrchr(line, ' ');
        *text = strdup(nodes ? nodes + 1 : "");
        rc = *text ? 0 : err_set(e, "out of memory for the reservation's nodes");
    }
    free(line);
    return rc;
}

/* Whether a state of sinfo, without its marks, lets a job begin; a '*' behind it says that
 * the node does not answer. */
static bool may_begin(const char *state, bool reserved)
{
    static const char *const states[] = {"idle", "mixed", "allocated", "completing", "planned"};

    if (strchr(state, '*'))
        return false;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strncmp(state, states[i], strlen(states[i])) == 0)
            return true;
    return reserved && (strncmp(state, "maint", 5) == 0 || strncmp(state, "reserved", 8) == 0);
}

static int look_at_states(struct measure *m, const char *list, struct err *e)
{
    char name[256], state[64], why[160];
    const char *const argv[] = {"sinfo", "-h", "-N", "-n", list, "-o", "%N %T", NULL};
    char *text = NULL;
    int rc = ask(argv, &text, e);

    for (char *line = rc == 0 ? strtok(text, "\n") : NULL; line; line = strtok(NULL, "\n"))
        for (int i = 0; i < m->n && sscanf(line, "%255s %63s", name, state) == 2; i++)
            if (strcmp(name, m->names[i]) == 0) {
                m->there[i] = may_begin(state, m->o->reservation != NULL);
                snprintf(why, sizeof why, "not measured: Slurm says %s", state);
                if (!m->there[i])
                    assess_why(m->assess, name, why);
            }
    free(text);
    return rc;
}

int measure_nodes(struct measure *m, struct err *e)
{
    char *list = NULL, *names = NULL;
    int rc = 0;

    if (!m->o->nodes)
        rc = reserved_nodes(m->o->reservation, &list, e);
    else if (!(list = strdup(m->o->nodes)))
        rc = err_set(e, "out of memory for the names of the nodes");
    if (rc == 0) {
        const char *const argv[] = {"scontrol", "show", "hostnames", list, NULL};
        rc = ask(argv, &names, e);
    }
    if (rc == 0)
        rc = take_names(m, names, e);
    if (rc == 0 && !(m->assess = assess_create(m->list, m->n, m->past, e)))
        rc = -1;
    if (rc == 0) {
        m->assess->baselines = m->baselines;
        m->assess->n_baselines = m->n_baselines;
    }
    if (rc == 0)
        rc = look_at_states(m, list, e);
    free(list);
    free(names);
    return rc;
}

/* ---- a job ---- */

static void file_of(const struct measure *m, const struct measure_job *j, const char *tail,
                    char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%.32s%.8s", m->folder, j->name, tail);
}

/* Words of sbatch; texts are put into `room`. Returns argc. */
struct words {
    int n;
    const char *of[ARGUMENTS];
    char room[ARGUMENTS][PATH_MAX + 64];
    char *list;
};

static void add_word(struct words *w, const char *fmt, const char *value)
{
    if (w->n >= ARGUMENTS - 1)
        return;
    snprintf(w->room[w->n], sizeof *w->room, "%s%s", fmt, value);
    w->of[w->n] = w->room[w->n];
    w->of[++w->n] = NULL;
}

static int make_words(const struct measure *m, const struct measure_job *j, struct words *w)
{
    const struct measure_options *o = m->o;
    char number[32], path[PATH_MAX];
    size_t size = 0;

    w->n = 0;
    for (int i = 0; i < j->n; i++)
        size += strlen(m->names[j->nodes[i]]) + 1;
    if (!(w->list = malloc(size + 32)))
        return -1;
    char *to = w->list + sprintf(w->list, "--nodelist=");
    for (int i = 0; i < j->n; i++)
        to += sprintf(to, "%s%s", i ? "," : "", m->names[j->nodes[i]]);
    add_word(w, "sbatch", "");
    add_word(w, "--parsable", "");
    add_word(w, "--job-name=hpcai500-validate", "");
    add_word(w, "--comment=", m->run);
    w->of[w->n++] = w->list;
    snprintf(number, sizeof number, "%d", j->n);
    add_word(w, "--nodes=", number);
    add_word(w, "--exclusive", "");
    add_word(w, "--no-kill", "");
    add_word(w, "--no-requeue", "");
    long minutes = o->minutes ? o->minutes : (long)ceil(5 + 4 * measure_seconds(m, j) / 60);
    snprintf(number, sizeof number, "%ld", minutes);
    add_word(w, "--time=", number);
    add_word(w, "--open-mode=append", "");
    file_of(m, j, ".out", path);
    add_word(w, "--output=", path);
    if (o->reservation)
        add_word(w, "--reservation=", o->reservation);
    if (o->partition)
        add_word(w, "--partition=", o->partition);
    if (o->account)
        add_word(w, "--account=", o->account);
    file_of(m, j, ".sh", path);
    add_word(w, path, "");
    return 0;
}

void measure_command(const struct measure *m, const struct measure_job *j, char *text, int size)
{
    struct words *w = malloc(sizeof *w);
    int at = 0;

    *text = '\0';
    if (!w || make_words(m, j, w) < 0) {
        free(w);
        return;
    }
    for (int i = 0; i < w->n && at < size; i++)
        at += snprintf(text + at, (size_t)(size - at), "%s%s", i ? " " : "", w->of[i]);
    free(w->list);
    free(w);
}

/* sbatch's "JOB" or "JOB;CLUSTER", in a line of its own: sites let it say more. 0: none. */
static long job_of(const char *text)
{
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        char *end;
        const long job = strtol(line, &end, 10);
        if (end > line && job > 0 && (*end == '\n' || *end == ';' || *end == '\0'))
            return job;
    }
    return 0;
}

static int submit(struct measure *m, const struct measure_job *j, struct err *e)
{
    struct words *w = malloc(sizeof *w);
    char path[PATH_MAX], *text = NULL, *script = measure_script(m, j);
    int rc = -1;

    file_of(m, j, ".sh", path);
    if (!w || !script || make_words(m, j, w) < 0)
        err_set(e, "out of memory for the script of a job");
    else if (atomic_write(AT_FDCWD, path, 0755, 0, script, strlen(script)) < 0)
        err_set(e, "the script %s cannot be written: %s", path, strerror(errno));
    else if (ask(w->of, &text, e) == 0) {
        m->job = job_of(text);
        rc = m->job > 0 ? 0 : err_set(e, "sbatch answered '%.100s' and no job", text);
    }
    if (w)
        free(w->list);
    free(w);
    free(script);
    free(text);
    return rc;
}

/* Its state by squeue: "", it has left the queue. */
static int state_of(long job, char state[32], struct err *e)
{
    char number[32], *text = NULL;
    const char *const argv[] = {"squeue", "-h", "-j", number, "-o", "%T", NULL};

    snprintf(number, sizeof number, "%ld", job);
    *state = '\0';
    int rc = ask(argv, &text, e);
    if (rc == 0)
        sscanf(text, "%31s", state);
    else if (text && strstr(text, "Invalid job id"))
        rc = 0; /* it was long enough ago */
    free(text);
    return rc;
}

static void cancel(long job)
{
    char number[32], *text = NULL;
    const char *const argv[] = {"scancel", number, NULL};

    snprintf(number, sizeof number, "%ld", job);
    ask(argv, &text, NULL);
    free(text);
}

/* To its end, or until its patience is over. A controller that does not answer is asked again. */
static int wait_for(struct measure *m, const struct measure_job *j, struct err *e)
{
    const double begin = clock_now(), most = 600 + 8 * measure_seconds(m, j);
    double seen = begin, started = 0;
    struct timespec poll = {m->o->spacing < 5 ? 1 : 5, 0};
    char state[32];

    for (;; nanosleep(&poll, NULL)) {
        int rc = state_of(m->job, state, e);
        double now = clock_now();
        if (rc == 0)
            seen = now;
        if (rc < 0 && now - seen > 300)
            return -1;
        if (rc < 0)
            continue;
        if (!*state || strncmp(state, "COMPLET", 7) == 0)
            return 0;
        const bool pending = strcmp(state, "PENDING") == 0;
        if (!pending && started == 0)
            started = now;
        if (pending ? now - begin < (double)m->o->patience : now - started < most)
            continue;
        cancel(m->job);
        return pending ? err_set(e, "job %ld did not start within %ld s and was cancelled", m->job,
                                 m->o->patience)
                       : err_set(e, "job %ld did not end within %.0f s and was cancelled", m->job,
                                 now - started);
    }
}

/* ---- what came ---- */

/* The links of one record of the agent. */
static int take_record(struct measure *m, int round, const char *path, struct err *e)
{
    size_t size;
    char *text = slurp(AT_FDCWD, path, 0, OUTPUT, &size);
    cJSON *doc = text ? cJSON_Parse(text) : NULL;
    const cJSON *row;
    int rc = 0;

    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(doc, "micro"))
    {
        const char *what = json_text(row, "what", ""), *from = json_text(row, "from", ""),
                   *to = json_text(row, "to", "");
        double v = json_number(row, "median", NAN);
        if (rc == 0 && *from && *to && strcmp(what, "bandwidth") == 0)
            rc = assess_pair(m->assess, round, from, to, v, NAN, e);
        else if (rc == 0 && *from && *to && strcmp(what, "latency") == 0)
            rc = assess_pair(m->assess, round, from, to, NAN, v, e);
    }
    cJSON_Delete(doc);
    free(text);
    return rc;
}

/* The records that the steps of this job left: links-ROUND-FIRST-NODES.json. */
static int take_records(struct measure *m, const struct measure_job *j, struct err *e)
{
    DIR *d = opendir(m->folder);
    struct dirent *entry;
    char path[PATH_MAX + NAME_MAX + 2];
    int rc = 0, round;

    while (d && rc == 0 && (entry = readdir(d))) {
        if (sscanf(entry->d_name, "links-%d-", &round) != 1 || round < j->from ||
            round >= j->from + j->rounds || !strstr(entry->d_name, ".json"))
            continue;
        snprintf(path, sizeof path, "%s/%s", m->folder, entry->d_name);
        rc = take_record(m, round, path, e);
    }
    if (d)
        closedir(d);
    return rc;
}

/* "failed ROUND NAME NAME": an MPI step of two nodes that did not work. */
static void take_failed(struct measure *m, char *line)
{
    char *words[5] = {NULL}, *save = NULL, **names = words + 2;
    int n = 0;

    for (char *word = strtok_r(line, " ", &save); word && n < 5; word = strtok_r(NULL, " ", &save))
        words[n++] = word;
    for (int i = 0; n == 4 && i < 2; i++) {
        char why[160];
        snprintf(why, sizeof why, "MPI does not start between %.60s and %.60s", names[0], names[1]);
        assess_why(m->assess, names[i], why);
    }
}

/* Slurm's own words on a node: "srun: error: Task launch ... failed on node n4: ..." */
static void take_error(struct measure *m, const char *line)
{
    const char *words = line + strlen("srun: error: ");

    for (int i = 0; i < m->n; i++) {
        const char *at = strstr(words, m->names[i]);
        char behind = at ? at[strlen(m->names[i])] : 'x';
        if (at && at > words && at[-1] == ' ' && (behind == ':' || behind == ' ' || behind == '\0'))
            assess_said(m->assess, m->names[i], words);
    }
}

static int take_output(struct measure *m, const struct measure_job *j, struct err *e)
{
    static struct node_result r;
    char path[PATH_MAX], *save = NULL;
    size_t size;
    int rc = 0, lines = 0;

    file_of(m, j, ".out", path);
    char *text = slurp(AT_FDCWD, path, 0, OUTPUT, &size);
    if (!text)
        return err_set(e, "job %ld left no output %s: %s; is the folder seen by the nodes?", m->job,
                       path, strerror(errno));
    for (char *line = strtok_r(text, "\n", &save); line && rc == 0;
         line = strtok_r(NULL, "\n", &save)) {
        if (strncmp(line, "failed ", 7) == 0)
            take_failed(m, line);
        if (strncmp(line, "srun: error: ", 13) == 0)
            take_error(m, line);
        if (node_line_parse(line, &r) < 0)
            continue;
        lines++;
        rc = assess_line(m->assess, &r, e);
    }
    free(text);
    if (rc == 0 && j->links)
        rc = take_records(m, j, e);
    if (rc == 0)
        measure_say(m, "job %ld: %d node%s answered", m->job, lines, lines == 1 ? "" : "s");
    return rc;
}

int measure_run(struct measure *m, const struct measure_job *j, struct err *e)
{
    if (submit(m, j, e) < 0)
        return -1;
    measure_say(m, "job %ld: %s, %d node%s", m->job, j->name, j->n, j->n == 1 ? "" : "s");
    return wait_for(m, j, e) < 0 ? -1 : take_output(m, j, e);
}
