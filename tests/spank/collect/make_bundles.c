/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * make_bundles OUT SOCKET KIND JOB [COUNT]: bundles as the witness writes them,
 * of COUNT jobs from JOB on (cluster lab, user id 1000), and wrong ones. Of the
 * last five kinds it is one job: of COUNT runs, nodes or files. KIND:
 *
 *   record     a complete record of one node
 *   secret     the same of a run that asked for confidential=yes
 *   ranks      the same with its file of everything per rank
 *   forged     the same, whose file of everything per rank is another
 *   two        the same on two nodes: the record comes with n1's bundle
 *   journals   two nodes, journals of three ranks, no record
 *   first      the first of these nodes alone
 *   none       asked, left nothing
 *   edited     a byte of the record is not what root saw
 *   missing    a file is missing that root saw
 *   strange    a file that root did not see
 *   other      the record of another job
 *   fast       more FLOP than there can be
 *   broken     a record that is no JSON
 *   blank      the credential is empty
 *   keyless    the credential is MUNGE's frame with nothing in it
 *   again      a record, and two more bundles of its node without any
 *   named      what the environment calls IDENTIFIER is what it calls WORD
 *   late       the record of step 77
 *   invented   a record that names another partition and account
 *   unknown    a record of a workload that there is not
 *   user       the credential is of an ordinary user (needs root)
 *   torn       the last byte is missing
 *   noise      not a bundle
 *
 *   runs       COUNT runs on one node, every third of which left a journal only
 *   wide       killed on COUNT nodes of a rank each, which left their journals
 *   failed     the same, each of them has its sentence, and is torn behind it
 *   requeued   killed on COUNT nodes, requeued, killed on them again
 *   empty      COUNT empty files that are called records
 */
#include <config.h>

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reports/record/journal.h"
#include "reports/record/record.h"
#include "spank/relay/witness.h"
#include "spank/relay/bundle.h"
#include "spank/relay/cred.h"
#include "tests/reports/record/sample.h"

#define BEGIN 1795374170.0 /* the sample's start is at ...177 */

struct made {
    const char *out, *socket, *kind;
    long job, count;
    int restart;
    struct err e;
};

static bool is(const struct made *m, const char *kind)
{
    return strcmp(m->kind, kind) == 0;
}

/* Whether this is the identifier that is named otherwise. */
static bool rename_as(const char *identifier, char *text, size_t size)
{
    const char *which = getenv("IDENTIFIER"), *word = getenv("WORD");

    if (!which || !word || strcmp(which, identifier) != 0)
        return false;
    snprintf(text, size, "%s", word);
    return true;
}

static struct witness witness_of(const struct made *m, int node)
{
    struct witness w = WITNESS_INIT;
    bool both = is(m, "two") || is(m, "journals") || is(m, "first");
    bool many = is(m, "wide") || is(m, "failed") || is(m, "requeued");

    strcpy(w.cluster, "lab");
    strcpy(w.user, "ada");
    strcpy(w.account, "phys");
    strcpy(w.partition, "batch");
    snprintf(w.node, sizeof w.node, "n%d", node);
    strcpy(w.nodes, both ? "n[1-2]" : "n1");
    if (many)
        snprintf(w.nodes, sizeof w.nodes, "n[1-%ld]", m->count);
    w.restart = m->restart;
    strcpy(w.asked, "cosmoflow,class=tiny");
    w.job = m->job;
    w.uid = 1000;
    w.begin = BEGIN;
    w.end = BEGIN + 120;
    w.cpu_user_seconds = 50;
    strcpy(w.cgroup_reason, "a test");
    if (is(m, "named")) {
        rename_as("cluster", w.cluster, sizeof w.cluster);
        rename_as("user", w.user, sizeof w.user);
        rename_as("account", w.account, sizeof w.account);
        rename_as("partition", w.partition, sizeof w.partition);
        rename_as("asked", w.asked, sizeof w.asked);
        if (rename_as("node", w.node, sizeof w.node))
            strcpy(w.nodes, w.node);
    }
    return w;
}

static void add(struct made *m, struct witness *w, const char *name, const char *text)
{
    struct witness_file *f = witness_add(w, name, &m->e);

    f->size = strlen(text);
    sha256_of(text, f->size, f->sha256);
}

/* A credential of root, or of nobody. */
static char *credential(struct made *m, const struct witness *w)
{
    char *line = witness_format(w, &m->e), *text = NULL;
    int ends[2];

    if (!line)
        return NULL;
    if (is(m, "blank") || is(m, "keyless")) {
        text = strdup(is(m, "blank") ? "" : "MUNGE::");
    } else if (!is(m, "user")) {
        text = cred_encode(m->socket, line, strlen(line), &m->e);
    } else if (pipe(ends) == 0) {
        pid_t pid = fork();
        if (pid == 0) {
            if (setuid(65534) < 0 || !(text = cred_encode(m->socket, line, strlen(line), &m->e)))
                _exit(1);
            _exit(write(ends[1], text, strlen(text)) < 0);
        }
        close(ends[1]);
        text = calloc(1, 1 << 20);
        for (ssize_t n, at = 0; (n = read(ends[0], text + at, (1 << 20) - 1 - (size_t)at)) > 0;)
            at += n;
        close(ends[0]);
        waitpid(pid, NULL, 0);
    }
    free(line);
    return text;
}

struct content {
    const char *name;
    char *text;
};

/* The bundle of one node with these files, by rename. */
static int put(struct made *m, int node, const struct witness *w, const struct content *files,
               int n)
{
    char name[NAME_MAX + 1], path[PATH_MAX], part[PATH_MAX + 8];
    char *cred = credential(m, w);

    snprintf(name, sizeof name, "lab-%ld-n%d-179537429%d.bundle", m->job, node, m->restart);
    snprintf(path, sizeof path, "%s/%s", m->out, name);
    snprintf(part, sizeof part, "%s.part", path);
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int rc = fd < 0 || !cred ? -1 : 0;
    if (rc == 0 && is(m, "noise"))
        rc = write(fd, "noise\n", 6) == 6 ? 0 : -1;
    else if (rc == 0)
        rc = bundle_write_credential(fd, cred, &m->e);
    for (int i = 0; rc == 0 && i < n && !is(m, "noise"); i++)
        rc = bundle_write_file(fd, files[i].name, files[i].text, strlen(files[i].text), &m->e);
    if (rc == 0 && is(m, "torn"))
        rc = ftruncate(fd, lseek(fd, 0, SEEK_END) - 1);
    free(cred);
    if (fd >= 0)
        close(fd);
    return rc == 0 ? rename(part, path) : -1;
}

/* As the agent packs it; nobody unpacks it here. */
#define RANKS "\x1f\x8b of every rank"
#define STEPS "\x1f\x8b of every step"

static bool has_ranks(const struct made *m)
{
    return is(m, "ranks") || is(m, "forged") || is(m, "secret");
}

static char *record_text(struct made *m, char name[RECORD_ID_SIZE + 8])
{
    struct record r;
    char id[RECORD_ID_SIZE];

    sample_record(&r, 2, 1, 2);
    if (is(m, "secret")) {
        strcpy(r.run.text, "cosmoflow,class=tiny,confidential=yes");
        strcpy(r.run.canonical, r.run.text);
    }
    r.job.job_id = is(m, "other") ? m->job + 1000000 : m->job;
    if (is(m, "named")) {
        struct workload_result *w = &r.workloads[0].result;
        char counter[64];
        rename_as("cluster", r.job.cluster, sizeof r.job.cluster);
        rename_as("step", r.job.step_id, sizeof r.job.step_id);
        rename_as("node", r.nodes[0].name, sizeof r.nodes[0].name);
        rename_as("class", w->class_name, sizeof w->class_name);
        rename_as("metric", w->metric, sizeof w->metric);
        rename_as("origin", w->data_origin, sizeof w->data_origin);
        rename_as("workload", w->name, sizeof w->name);
        if (rename_as("counter", counter, sizeof counter))
            r.workloads[0].counters[0].name = strdup(counter);
    }
    if (is(m, "late"))
        strcpy(r.job.step_id, "77");
    if (is(m, "invented")) {
        strcpy(r.job.partition, "vip");
        strcpy(r.job.account, "board");
    }
    if (is(m, "unknown"))
        strcpy(r.workloads[0].result.name, "cosmoflaw");
    if (is(m, "fast")) {
        r.workloads[0].result.flop_per_second = measured(1e18);
        r.workloads[0].result.samples_per_second = measured(1e18 / 210000000);
    }
    record_judge(&r);
    record_id(&r, id);
    snprintf(name, RECORD_ID_SIZE + 8, "%s.json", id);
    struct record_sides sides = {{"", ""}, {"", ""}};
    snprintf(sides.ranks.name, sizeof sides.ranks.name, "%s.ranks.json.gz", id);
    sha256_of(RANKS, strlen(RANKS), sides.ranks.sha256);
    snprintf(sides.steps.name, sizeof sides.steps.name, "%s.steps.gz", id);
    sha256_of(STEPS, strlen(STEPS), sides.steps.sha256);
    char *text = record_to_json(&r, has_ranks(m) ? &sides : NULL, &m->e);
    record_fini(&r);
    return text;
}

static int with_record(struct made *m)
{
    char name[RECORD_ID_SIZE + 8];
    char *text = record_text(m, name);
    struct witness w = witness_of(m, 1);
    struct content files[3] = {{name, text}, {"extra.txt", (char *)"extra"}};
    char ranks[RECORD_ID_SIZE + 32], steps[RECORD_ID_SIZE + 32];
    int n = 1, rc;

    if (!text)
        return -1;
    if (is(m, "broken"))
        strcpy(text, "{\"schema\":");
    add(m, &w, name, text);
    if (has_ranks(m)) {
        snprintf(ranks, sizeof ranks, "%.*s.ranks.json.gz", (int)strlen(name) - 5, name);
        files[n++] = (struct content){ranks, (char *)(is(m, "forged") ? "another" : RANKS)};
        add(m, &w, ranks, files[1].text);
        snprintf(steps, sizeof steps, "%.*s.steps.gz", (int)strlen(name) - 5, name);
        files[n++] = (struct content){steps, (char *)(is(m, "forged") ? "another" : STEPS)};
        add(m, &w, steps, files[2].text);
    }
    if (is(m, "missing"))
        add(m, &w, "extra.txt", "extra");
    if (is(m, "edited"))
        text[strlen(text) / 2] ^= 1;
    if (is(m, "strange"))
        n = 2;
    rc = put(m, 1, &w, files, n);
    witness_fini(&w);
    if (rc == 0 && is(m, "two")) {
        w = witness_of(m, 2);
        rc = put(m, 2, &w, NULL, 0);
    }
    for (int i = 1; rc == 0 && is(m, "again") && i < 3; i++) {
        w = witness_of(m, 1);
        m->restart = i; /* in the name alone */
        rc = put(m, 1, &w, NULL, 0);
        m->restart = 0;
    }
    free(text);
    return rc;
}

static char *load(const char *path)
{
    size_t n;
    struct err e = ERR_INIT;
    char *text = record_load(path, &n, &e);

    if (text)
        text[n] = '\0';
    return text;
}

/* What one rank wrote before it was killed. */
static char *journal_text(struct made *m, const char *dir, const struct record *r, int rank,
                          int ranks)
{
    double seconds[PHASE_COUNT] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    struct workload_result res = sample_result(ranks, 0);
    char id[RECORD_ID_SIZE], path[PATH_MAX], *text = NULL;

    record_id(r, id);
    struct journal *j = journal_open(dir, id, rank, &m->e);
    int rc = journal_start(j, r, rank, ranks, &r->nodes[rank], &m->e) |
             journal_workload(j, 0, &res, &m->e) |
             journal_epoch(j, 0, &r->workloads[0].result.epochs[1], &m->e) |
             journal_phases(j, 0, 45, seconds, &m->e);
    if (rc == 0 && is(m, "failed"))
        rc = journal_failure(j, rank, r->nodes[rank].name, "rank 0 on n1 was lost", &m->e);
    snprintf(path, sizeof path, "%s/%s.journal/%05d", dir, id, rank);
    if (rc == 0)
        text = load(path);
    journal_remove(j);
    result_fini(&res);
    if (text && is(m, "failed") && (text = realloc(text, strlen(text) + 16)))
        strcat(text, "0000004b 6e");
    return text;
}

/* Of so many ranks, one a node; the first `wrote` of them left their journal. */
static int with_journals(struct made *m, int nodes, int ranks, int wrote)
{
    char dir[] = "/dev/shm/make-bundles-XXXXXX", id[RECORD_ID_SIZE];
    struct record r;
    int rc = mkdtemp(dir) ? 0 : -1;

    sample_record(&r, ranks, nodes, 2);
    r.job.job_id = m->job;
    r.job.restart = m->restart;
    record_id(&r, id);
    for (int k = 0; rc == 0 && k < wrote; k++) {
        char name[RECORD_ID_SIZE + 32];
        struct witness w = witness_of(m, k + 1);
        snprintf(name, sizeof name, "%s.journal/%05d", id, k);
        struct content file = {name, journal_text(m, dir, &r, k, ranks)};
        rc = file.text ? 0 : -1;
        if (rc == 0) {
            add(m, &w, name, file.text);
            rc = put(m, k + 1, &w, &file, 1);
        }
        free(file.text);
        witness_fini(&w);
    }
    record_fini(&r);
    rmdir(dir);
    return rc;
}

static int requeued(struct made *m)
{
    int rc = 0, nodes = (int)m->count;

    for (m->restart = 0; rc == 0 && m->restart < 2; m->restart++)
        rc = with_journals(m, nodes, nodes, nodes);
    return rc;
}

/* The sample as if it had taken one part of its time. */
static void sample_short(struct record *r, int part)
{
    struct workload_result *w = &r->workloads[0].result;

    r->time.wall_seconds /= part;
    r->time.end = r->time.start;
    w->wall_seconds /= part;
    w->time_to_quality_seconds.value /= part;
    for (int i = 0; i < w->n_epochs; i++)
        w->epochs[i].seconds /= part;
    for (int p = 0; p < PHASE_COUNT; p++)
        r->workloads[0].ranks[0].phase_seconds[p] /= part;
    r->workloads[0].ranks[0].wall_seconds /= part;
}

/* Steps 0 to COUNT - 1 of one job, of a second each. */
static int with_runs(struct made *m)
{
    char dir[] = "/dev/shm/make-bundles-XXXXXX";
    struct content *files = calloc((size_t)m->count, sizeof *files);
    char(*names)[RECORD_ID_SIZE + 32] = calloc((size_t)m->count, sizeof *names);
    struct witness w = witness_of(m, 1);
    int rc = mkdtemp(dir) ? 0 : -1;

    for (int k = 0; rc == 0 && k < m->count; k++) {
        struct record r;
        char id[RECORD_ID_SIZE];
        sample_record(&r, 1, 1, 2);
        r.job.job_id = m->job;
        snprintf(r.job.step_id, sizeof r.job.step_id, "%d", k);
        sample_short(&r, 100);
        record_judge(&r);
        record_id(&r, id);
        snprintf(names[k], sizeof names[k], k % 3 ? "%s.json" : "%s.journal/00000", id);
        files[k].name = names[k];
        files[k].text = k % 3 ? record_to_json(&r, NULL, &m->e) : journal_text(m, dir, &r, 0, 1);
        rc = files[k].text ? 0 : -1;
        if (rc == 0)
            add(m, &w, names[k], files[k].text);
        record_fini(&r);
    }
    rc = rc == 0 ? put(m, 1, &w, files, (int)m->count) : rc;
    for (int k = 0; k < m->count; k++)
        free(files[k].text);
    free(files);
    free(names);
    witness_fini(&w);
    rmdir(dir);
    return rc;
}

static int with_empty(struct made *m)
{
    struct content *files = calloc((size_t)m->count, sizeof *files);
    char(*names)[32] = calloc((size_t)m->count, sizeof *names), nothing[] = "";
    struct witness w = witness_of(m, 1);

    for (int k = 0; k < m->count; k++) {
        snprintf(names[k], sizeof names[k], "f%05d.json", k);
        files[k] = (struct content){names[k], nothing};
        add(m, &w, names[k], nothing);
    }
    int rc = put(m, 1, &w, files, (int)m->count);
    free(files);
    free(names);
    witness_fini(&w);
    return rc;
}

static int one_job(struct made *m)
{
    int n = (int)m->count;

    if (is(m, "wide") || is(m, "failed"))
        return with_journals(m, n, n, n);
    if (is(m, "journals") || is(m, "first"))
        return with_journals(m, 2, 3, is(m, "first") ? 1 : 2);
    if (is(m, "requeued"))
        return requeued(m);
    if (is(m, "runs"))
        return with_runs(m);
    return is(m, "empty") ? with_empty(m) : with_record(m);
}

static bool is_one_job(const struct made *m)
{
    return is(m, "wide") || is(m, "failed") || is(m, "requeued") || is(m, "runs") || is(m, "empty");
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: make_bundles OUT SOCKET KIND JOB [COUNT]\n");
        return 2;
    }
    struct made m = {.out = argv[1], .socket = argv[2], .kind = argv[3], .job = atol(argv[4])};
    m.count = argc > 5 ? atol(argv[5]) : 1;
    long jobs = is_one_job(&m) ? 1 : m.count;
    for (long i = 0; i < jobs; i++, m.job++) {
        struct witness w = witness_of(&m, 1);
        int rc = is(&m, "none") ? put(&m, 1, &w, NULL, 0) : one_job(&m);
        if (rc != 0) {
            fprintf(stderr, "make_bundles: job %ld: %s\n", m.job, m.e.text);
            return 1;
        }
    }
    return 0;
}
