/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * make_bundles OUT SOCKET KIND JOB [COUNT]: bundles as the witness writes them,
 * of COUNT jobs from JOB on (cluster lab, user id 1000), and wrong ones. KIND:
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
 *   user       the credential is of an ordinary user (needs root)
 *   torn       the last byte is missing
 *   noise      not a bundle
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
    long job;
    struct err e;
};

static bool is(const struct made *m, const char *kind)
{
    return strcmp(m->kind, kind) == 0;
}

static struct witness witness_of(const struct made *m, int node)
{
    struct witness w = WITNESS_INIT;
    bool both = is(m, "two") || is(m, "journals") || is(m, "first");

    strcpy(w.cluster, "lab");
    strcpy(w.user, "ada");
    strcpy(w.account, "phys");
    strcpy(w.partition, "batch");
    snprintf(w.node, sizeof w.node, "n%d", node);
    strcpy(w.nodes, both ? "n[1-2]" : "n1");
    strcpy(w.asked, "cosmoflow,class=tiny");
    w.job = m->job;
    w.uid = 1000;
    w.begin = BEGIN;
    w.end = BEGIN + 120;
    w.cpu_user_seconds = 50;
    strcpy(w.cgroup_reason, "a test");
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
    if (!is(m, "user")) {
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

    snprintf(name, sizeof name, "lab-%ld-n%d-1795374290.bundle", m->job, node);
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
    if (is(m, "fast")) {
        r.workloads[0].result.flop_per_second = measured(1e18);
        r.workloads[0].result.samples_per_second = measured(1e18 / 210000000);
    }
    record_judge(&r);
    record_id(&r, id);
    snprintf(name, RECORD_ID_SIZE + 8, "%s.json", id);
    struct record_ranks_file ranks = {"", ""};
    snprintf(ranks.name, sizeof ranks.name, "%s.ranks.json.gz", id);
    sha256_of(RANKS, strlen(RANKS), ranks.sha256);
    char *text = record_to_json(&r, has_ranks(m) ? &ranks : NULL, &m->e);
    record_fini(&r);
    return text;
}

static int with_record(struct made *m)
{
    char name[RECORD_ID_SIZE + 8];
    char *text = record_text(m, name);
    struct witness w = witness_of(m, 1);
    struct content files[] = {{name, text}, {"extra.txt", (char *)"extra"}};
    char ranks[RECORD_ID_SIZE + 32];
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

/* Three ranks on two nodes wrote, rank 2's node is silent. */
static int with_journals(struct made *m)
{
    char dir[] = "/tmp/make-bundles-XXXXXX", id[RECORD_ID_SIZE], folder[PATH_MAX];
    double seconds[PHASE_COUNT] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    struct record r;
    int rc = mkdtemp(dir) ? 0 : -1;

    sample_record(&r, 3, 2, 2);
    r.job.job_id = m->job;
    record_id(&r, id);
    snprintf(folder, sizeof folder, "%s/%s.journal", dir, id);
    for (int k = 0; rc == 0 && k < 2; k++) {
        struct workload_result res = sample_result(3, 0);
        struct journal *j = journal_open(dir, id, k, &m->e);
        rc = journal_start(j, &r, k, 3, &r.nodes[k], &m->e) | journal_workload(j, 0, &res, &m->e) |
             journal_epoch(j, 0, &r.workloads[0].result.epochs[1], &m->e) |
             journal_phases(j, 0, 45, seconds, &m->e);
        journal_close(j);
        result_fini(&res);
    }
    for (int k = 0; rc == 0 && k < (is(m, "first") ? 1 : 2); k++) {
        char name[RECORD_ID_SIZE + 32], path[PATH_MAX + 32];
        struct witness w = witness_of(m, k + 1);
        snprintf(path, sizeof path, "%s/%05d", folder, k);
        if (access(path, R_OK) < 0)
            snprintf(path, sizeof path, "%s/%d", folder, k);
        snprintf(name, sizeof name, "%s.journal/%05d", id, k);
        struct content file = {name, load(path)};
        if (!file.text)
            rc = -1;
        else
            add(m, &w, name, file.text);
        rc = rc == 0 ? put(m, k + 1, &w, &file, 1) : rc;
        free(file.text);
        unlink(path);
        witness_fini(&w);
    }
    record_fini(&r);
    char rest[PATH_MAX + 8];
    for (int k = 0; k < 2; k++) {
        snprintf(rest, sizeof rest, "%s/%05d", folder, k);
        unlink(rest);
    }
    rmdir(folder);
    rmdir(dir);
    return rc;
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: make_bundles OUT SOCKET KIND JOB [COUNT]\n");
        return 2;
    }
    struct made m = {argv[1], argv[2], argv[3], atol(argv[4]), ERR_INIT};
    long count = argc > 5 ? atol(argv[5]) : 1;
    for (long i = 0; i < count; i++, m.job++) {
        struct witness w = witness_of(&m, 1);
        int rc = is(&m, "journals") || is(&m, "first") ? with_journals(&m)
                 : is(&m, "none")                      ? put(&m, 1, &w, NULL, 0)
                                                       : with_record(&m);
        if (rc != 0) {
            fprintf(stderr, "make_bundles: job %ld: %s\n", m.job, m.e.text);
            return 1;
        }
    }
    return 0;
}
