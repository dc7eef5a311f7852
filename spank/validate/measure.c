/* SPDX-License-Identifier: BSD-3-Clause */
/* From options to verdicts: the look, what stands out once more, the page, the files. */
#include <config.h>

#include "spank/validate/measure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "reports/core/conf.h"
#include "reports/core/text.h"
#include "reports/validate/causes.h"
#include "reports/validate/metric_tests.h"
#include "reports/validate/page.h"
#include "spank/validate/validate.h"

/* ---- begin ---- */

/* A program beside this one, or in bin; where it was built is for tests. */
static void find_program(const char *given, const char *standard, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s", given ? given : standard);
}

static int make_folder(struct measure *m, struct err *e)
{
    char base[PATH_MAX];
    const char *slash = strrchr(m->history, '/');

    if (m->o->folder)
        snprintf(base, sizeof base, "%s", m->o->folder);
    else
        snprintf(base, sizeof base, "%.*s/validate", (int)(slash ? slash - m->history : 1),
                 slash ? m->history : ".");
    if (snprintf(m->folder, sizeof m->folder, "%s/%s", base, m->run) >= (int)sizeof m->folder)
        return err_set(e, "the folder '%.100s...' is too long for a path", base);
    if (m->o->dry_run)
        return 0;
    if ((mkdir(base, 0750) < 0 && errno != EEXIST) || mkdir(m->folder, 0750) < 0)
        return err_set(e, "the folder %s cannot be made: %s; --folder= names another", m->folder,
                       strerror(errno));
    return 0;
}

/* Which kinds of trouble the site's nodes have had. */
static int find_priors(struct measure *m, struct err *e)
{
    struct verdict_line *v;
    char path[PATH_MAX];
    int n;

    if (verdicts_path(m->history, path, sizeof path, e) < 0 || verdicts_read(path, &v, &n, e) < 0)
        return -1;
    causes_text(v, n, m->priors);
    free(v);
    return 0;
}

int measure_init(struct measure *m, const struct measure_options *o, struct err *e)
{
    struct conf *c = malloc(sizeof *c);
    char values[PATH_MAX];
    time_t now = time(NULL);
    struct tm tm;

    *m = (struct measure){.o = o};
    if (!c || conf_load(c, o->conf, 0, e) < 0) {
        free(c);
        return c ? -1 : err_set(e, "out of memory for the settings");
    }
    snprintf(m->history, sizeof m->history, "%s", c->history);
    find_program(o->node_program, HPCAI500_LIBEXECDIR "/hpcai500-node", m->node_program);
    find_program(o->agent, c->agent[0] ? c->agent : "hpcai500-agent", m->agent);
    free(c);
    size_t n = strftime(m->run, sizeof m->run, "%Y%m%dT%H%M%S", gmtime_r(&now, &tm));
    snprintf(m->run + n, sizeof m->run - n, "-%ld", (long)getpid());
    if (make_folder(m, e) < 0 || past_path(m->history, values, sizeof values, e) < 0)
        return -1;
    m->past = past_open(values, e);
    if (!m->past || baseline_path(m->history, values, sizeof values, e) < 0)
        return -1;
    if (baseline_read(values, &m->baselines, &m->n_baselines, e) < 0)
        return -1;
    return o->budget > 0 ? find_priors(m, e) : 0;
}

void measure_fini(struct measure *m)
{
    assess_close(m->assess);
    past_close(m->past);
    free(m->baselines);
    free(m->names);
    free(m->list);
    free(m->there);
}

/* ---- the jobs ---- */

/* All that may begin, as a job's nodes; how many. */
static int all_there(const struct measure *m, int *nodes)
{
    int n = 0;

    for (int i = 0; i < m->n; i++)
        if (m->there[i])
            nodes[n++] = i;
    return n;
}

static bool wants_links(const struct measure *m)
{
    return !m->o->mpi || strcmp(m->o->mpi, "none") != 0;
}

static void say_gated(const struct measure *m)
{
    char text[512] = "";
    int shown = 0;

    for (int g = 0; g < m->assess->n_groups; g++) {
        const struct assess_group *is = &m->assess->groups[g];
        for (int i = 0; i < is->n; i++)
            if (is->seen[i].gated && shown++ < 6)
                text_add(text, sizeof text, "%s%s %s", *text ? ", " : "", m->names[is->node[i]],
                         node_metric_row(is->of[i])->name);
    }
    if (shown)
        measure_say(m, "to confirm: %s%s", text, shown > 6 ? ", ..." : "");
}

/* Rounds until every answer is there, or MEASURE_JOBS jobs have run. */
static int confirm(struct measure *m, struct err *e)
{
    for (int turn = 1; turn <= MEASURE_JOBS; turn++) {
        struct assess_todo todo;
        char tests[METRIC_TESTS_SIZE], name[32];
        int n = assess_todo(m->assess, turn, &todo, e);
        if (n <= 0)
            return n;
        if (turn == 1)
            say_gated(m);
        struct measure_job j = {.name = name,
                                .nodes = todo.nodes,
                                .n = todo.n,
                                .from = todo.from,
                                .rounds = todo.rounds,
                                .only = tests};
        j.links = metric_tests(todo.metrics, tests);
        snprintf(name, sizeof name, "%s-%d", todo.all ? "again" : "confirm", turn);
        int rc = measure_run(m, &j, e);
        free(todo.nodes);
        if (rc < 0) /* what stands out stays gated, and the page says so */
            return -1;
        if (todo.all && assess_look(m->assess, e) < 0)
            return -1;
    }
    return 0;
}

/* ---- the files ---- */

static int file_verdicts(const struct measure *m, const struct page *p, struct err *e)
{
    struct verdict_line *v = calloc((size_t)m->n, sizeof *v);
    char path[PATH_MAX];
    int rc = v ? verdicts_path(m->history, path, sizeof path, e)
               : err_set(e, "out of memory for %d verdicts", m->n);

    for (int i = 0; i < m->n && rc == 0; i++) {
        page_verdict(p, i, &v[i]);
        if (v[i].time == 0)
            v[i].time = time(NULL);
    }
    if (rc == 0)
        rc = verdicts_append(path, v, m->n, e);
    free(v);
    return rc;
}

/* What was measured between them. */
static int file_links(const struct measure *m, const char *path, struct err *e)
{
    struct link_line *links;
    int n, rc = assess_links(m->assess, &links, &n, e);

    if (rc == 0 && n > 0)
        rc = past_append_links(path, m->run, links, n, e);
    free(links);
    return rc;
}

/* What every node measured in every round. */
static int file_values(const struct measure *m, struct err *e)
{
    const struct node_result **lines =
        malloc((size_t)m->n * (JUDGE_ROUNDS + 1) * sizeof *lines + 1);
    char path[PATH_MAX];
    int n = 0, rc = lines ? past_path(m->history, path, sizeof path, e)
                          : err_set(e, "out of memory for the values of %d nodes", m->n);

    for (int i = 0; i < m->n && rc == 0; i++)
        for (int k = 0; k <= JUDGE_ROUNDS; k++)
            if (m->assess->nodes[i].lines[k])
                lines[n++] = m->assess->nodes[i].lines[k];
    if (rc == 0)
        rc = past_append(path, m->run, lines, n, e);
    free(lines);
    return rc < 0 ? -1 : file_links(m, path, e);
}

static int write_junit(const struct page *p, const char *path, struct err *e)
{
    FILE *f = fopen(path, "we");

    if (f)
        page_junit(p, f);
    return f && fclose(f) == 0 ? 0 : err_set(e, "%s cannot be written: %s", path, strerror(errno));
}

/* ---- the whole ---- */

static void dry_run(const struct measure *m, const struct measure_job *look)
{
    char command[16384];
    double seconds = measure_seconds(m, look);
    char *script = measure_script(m, look);

    measure_command(m, look, command, sizeof command);
    printf("%s: %d of %d nodes are up; profile %s\n",
           m->o->reservation ? m->o->reservation : m->o->nodes, look->n, m->n, m->o->profile);
    printf("cost: %d nodes x %.0f s = %.2f node-hours, and at most three times that to confirm\n",
           look->n, seconds, look->n * seconds / 3600);
    printf("acts on nothing\n\n%s\n\n%s", command, script ? script : "");
    free(script);
}

static int finish(struct measure *m, struct err *e)
{
    int counts[VERDICT_COUNT], rc = assess_decide(m->assess, e);
    struct page p = {.a = m->assess,
                     .run = m->run,
                     .reservation = m->o->reservation,
                     .profile = m->o->profile,
                     .job = m->job,
                     .where = m->folder};

    if (rc == 0)
        rc = file_verdicts(m, &p, e);
    if (rc == 0)
        rc = file_values(m, e);
    if (rc == 0 && m->o->junit)
        rc = write_junit(&p, m->o->junit, e);
    if (rc == 0 && m->o->json)
        rc = page_json(&p, stdout) < 0 ? err_set(e, "out of memory for the JSON") : 0;
    else if (rc == 0)
        page_text(&p, stdout);
    page_count(m->assess, counts);
    return rc < 0 ? -1 : (int)verdict_alarm(counts);
}

int validate_measure(const struct measure_options *o, struct err *e)
{
    struct measure m;
    struct measure_job look = {.name = "look", .rounds = 1};
    int rc = measure_init(&m, o, e) < 0 || measure_nodes(&m, e) < 0 ? -1 : 0;
    int *nodes = rc == 0 ? malloc((size_t)m.n * sizeof *nodes) : NULL;

    if (rc == 0 && !nodes)
        rc = err_set(e, "out of memory for %d nodes", m.n);
    if (rc == 0) {
        look.nodes = nodes;
        look.n = all_there(&m, nodes);
        look.links = wants_links(&m) && look.n > 1;
        measure_say(&m, "%d of %d nodes are up", look.n, m.n);
    }
    if (rc == 0 && o->dry_run) {
        dry_run(&m, &look);
    } else if (rc == 0) {
        if (look.n > 0)
            rc = measure_run(&m, &look, e);
        if (rc == 0)
            rc = assess_look(m.assess, e);
        struct err why = ERR_INIT;
        if (rc == 0 && confirm(&m, &why) < 0)
            measure_say(&m, "%s", why.text);
        if (rc == 0)
            rc = finish(&m, e);
    }
    free(nodes);
    measure_fini(&m);
    return rc;
}
