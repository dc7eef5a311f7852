/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hpcai500 verify: is a record what root saw at the job's end, and can it be
 * true? Needs MUNGE, so it stands here and not in reports/.
 */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/history/archive.h"
#include "reports/core/conf.h"
#include "reports/record/fields.h"
#include "reports/history/history.h"
#include "reports/history/history_words.h"
#include "reports/history/reader.h"
#include "reports/record/record.h"
#include "reports/record/redact.h"
#include "reports/core/sha256.h"
#include "reports/core/option.h"
#include "reports/core/out.h"
#include "spank/relay/witness.h"
#include "spank/collect/collect_check.h"
#include "spank/collect/collect_journals.h"
#include "spank/relay/cred.h"

enum { GOOD = 0, WRONG = 1, USAGE = 2, UNKNOWN = 3 };

/* What is verified, and what was found. */
struct subject {
    const struct conf *config;
    char name[PATH_MAX];
    char *text;
    size_t size;
    char *witness;  /* credentials, one a line; NULL */
    struct err why; /* why the history could not be asked for it */
    char sha256[SHA256_HEX_SIZE];
    /* of the files with everything per rank, and with steps; "" not there */
    char ranks[SHA256_HEX_SIZE], steps[SHA256_HEX_SIZE];

    /* What the history has of a redacted record, whose witness is not kept. */
    bool redacted, archived; /* archived: the file is the archive's */
    char filed[SHA256_HEX_SIZE];
    char seal[REDACT_NAME_SIZE];

    int verdict;
    struct witness seen; /* root's, of the node that had the record */
    bool is_seen;
    int n_root;   /* credentials of root */
    bool vouched; /* the collector made it from journals */
};

static void row(struct subject *s, int verdict, const char *check, const char *sentence)
{
    static const char *const words[] = {[GOOD] = "ok", [WRONG] = "WRONG", [UNKNOWN] = "unknown"};

    printf("  %-8s %-10s %s\n", words[verdict], check, sentence);
    if (verdict == WRONG || (verdict == UNKNOWN && s->verdict == GOOD))
        s->verdict = verdict;
}

static int usage(FILE *f)
{
    fprintf(
        f,
        "usage: hpcai500 verify JOB|FILE...\n"
        "JOB is a job id (4711, 4711_7, 4711+1) or a record's id (lab-4711.0.3); FILE a record.\n"
        "Exit: 0 all holds, 1 something does not, 3 it cannot be told.\n");
    return f == stdout ? GOOD : USAGE;
}

/* ---- the witness ---- */

/* Our own word: id and hash of a record that was made from journals. */
static bool vouches(const struct subject *s, const struct cred *c)
{
    const struct passwd *pw = getpwnam(s->config->service_user);
    char id[RECORD_ID_SIZE], hex[SHA256_HEX_SIZE];

    if (c->uid != 0 && (!pw || c->uid != pw->pw_uid))
        return false;
    return sscanf(c->payload, COLLECTED_PREFIX "%159s %64s", id, hex) == 2 &&
           strcmp(hex, s->sha256) == 0;
}

static bool has_hash(const struct witness *w, const char *hex)
{
    for (int i = 0; i < w->n_files; i++)
        if (strcmp(w->files[i].sha256, hex) == 0)
            return true;
    return false;
}

/* One credential; -1 when MUNGE does not take it. */
static int read_credential(struct subject *s, const char *text, struct err *e)
{
    struct witness w = WITNESS_INIT;
    struct cred c;

    if (cred_decode(s->config->munge_socket, text, &c, e) < 0)
        return -1;
    if (strncmp(c.payload, COLLECTED_PREFIX, strlen(COLLECTED_PREFIX)) == 0) {
        s->vouched |= vouches(s, &c);
    } else if (c.uid == 0 && witness_parse(c.payload, &w, NULL) == 0) {
        bool better = !s->is_seen || has_hash(&w, s->sha256);
        s->n_root++;
        if (better) {
            witness_fini(&s->seen);
            s->seen = w;
            s->is_seen = true;
            cred_fini(&c);
            return 0;
        }
        witness_fini(&w);
    }
    cred_fini(&c);
    return 0;
}

/* Without its witness: the file against the hashes that the collector kept when
 * it had checked what root saw. */
static void check_filed(struct subject *s)
{
    struct redact x = {.salt_size = 0};
    char seal[REDACT_NAME_SIZE];

    if (strcmp(s->sha256, s->filed) == 0) {
        row(s, GOOD, "filed",
            "redacted; the bytes that were filed when root's witness was checked");
        return;
    }
    if (redact_open(&x, s->config, NULL) < 0)
        x.salt_size = 0;
    redact_seal(&x, s->sha256, seal);
    if (s->archived)
        row(s, WRONG, "filed", "not the bytes that were filed: the archive was changed");
    else if (x.salt_size == 0 || !strchr(s->seal, '-'))
        row(s, UNKNOWN, "seal", "it has none, or the salt that it is made with cannot be read");
    else if (strcmp(seal, s->seal) == 0)
        row(s, GOOD, "seal", "the bytes that root saw, before they were redacted");
    else
        row(s, WRONG, "seal", "not the bytes that root saw: it was changed, or is another");
}

static void check_witness(struct subject *s)
{
    char *rest = s->witness, *line;
    struct err e = ERR_INIT;
    char text[160];
    int bad = 0;

    if (!s->witness) {
        row(s, UNKNOWN, "witness",
            s->why.text[0] ? s->why.text : "there is none: this is a claim of the job's user");
        return;
    }
    while ((line = strsep(&rest, "\n")))
        if (*line && read_credential(s, line, &e) < 0)
            bad++;
    char *probe = bad ? cred_encode(s->config->munge_socket, "", 0, NULL) : NULL;
    if (bad && !probe)
        row(s, UNKNOWN, "witness", e.text);
    else if (bad)
        row(s, WRONG, "witness", e.text);
    else if (!s->is_seen)
        row(s, WRONG, "witness", "no credential in it is root's");
    free(probe);
    if (bad || !s->is_seen)
        return;
    snprintf(text, sizeof text, "root on %d node%s, job %ld of %.64s", s->n_root,
             s->n_root == 1 ? "" : "s", s->seen.job, s->seen.cluster);
    row(s, GOOD, "witness", text);
}

static void check_hash(struct subject *s)
{
    if (!s->is_seen)
        return;
    if (has_hash(&s->seen, s->sha256))
        row(s, GOOD, "hash",
            "the bytes that root saw at the job's end: it saw this file, not that it is true");
    else if (s->vouched)
        row(s, GOOD, "hash",
            "made by the collector from the journals that root saw: it saw them, not that they are "
            "true");
    else
        row(s, WRONG, "hash", "not the bytes that root saw: the record was changed, or is another");
}

/* ---- plausibility ---- */

static void check_bounds(struct subject *s, const cJSON *doc)
{
    struct history_run run = {0};
    struct err e = ERR_INIT;

    if (history_claim(doc, &run, &e) < 0) {
        row(s, WRONG, "claim", e.text);
        free((void *)run.nodes);
        return;
    }
    struct claim claim = {doc, &run, &s->seen};
    const struct check_row *r;
    for (int i = 0; (r = check_row(i)); i++) {
        if (check_one(i, &claim, &e) < 0)
            row(s, WRONG, r->name, e.text);
        else
            row(s, GOOD, r->name, r->reason);
    }
    free((void *)run.nodes);
}

/* The record, whose hash root saw, has the hashes of its files. */
static void check_sides(struct subject *s, const cJSON *doc)
{
    const struct {
        const char *there, *says, *name, *good, *wrong;
    } rows[] = {{s->ranks, "ranks_file.sha256", "per rank",
                 "the file with everything per rank is the record's",
                 "the file with everything per rank was changed, or is another"},
                {s->steps, "steps_file.sha256", "steps", "the file with steps is the record's",
                 "the file with steps was changed, or is another"}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!rows[i].there[0])
            continue;
        const bool same = strcmp(rows[i].there, json_text(doc, rows[i].says, "")) == 0;
        row(s, same ? GOOD : WRONG, rows[i].name, same ? rows[i].good : rows[i].wrong);
    }
}

static void check_subject(struct subject *s)
{
    struct err e = ERR_INIT;

    printf("%s\n", s->name);
    sha256_of(s->text, s->size, s->sha256);
    cJSON *doc = record_parse(s->text, s->size, "the record", &e);
    if (doc)
        row(s, GOOD, "record", json_text(doc, "id", "?"));
    else
        row(s, WRONG, "record", e.text);
    if (s->redacted) {
        check_filed(s);
    } else {
        check_witness(s);
        check_hash(s);
    }
    if (doc)
        check_sides(s, doc);
    if (doc && s->is_seen)
        check_bounds(s, doc);
    cJSON_Delete(doc);
    witness_fini(&s->seen);
}

/* ---- where records are ---- */

/* Record and witness of a place; 0, or -1 and a sentence. Closes the archive, NULL is
 * the sentence that is there. */
static int from_archive(struct subject *s, struct archive *a, const char *place, struct err *e)
{
    size_t n;

    if (!a)
        return -1;
    if (!s->text)
        s->text = archive_get(a, place, &s->size, e);
    struct err none = ERR_INIT; /* not there is no sentence */
    if (s->text)
        s->witness = archive_witness(a, place, &n, &none);
    char *side = s->text && !none.text[0] ? archive_ranks(a, place, &n, &none) : NULL;
    if (side)
        sha256_of(side, n, s->ranks);
    free(side);
    side = s->text && !none.text[0] ? archive_steps(a, place, &n, &none) : NULL;
    if (side)
        sha256_of(side, n, s->steps);
    free(side);
    archive_close(a);
    if (s->text && none.text[0])
        return err_set(e, "%s", none.text);
    return s->text ? 0 : -1;
}

/* FOLDER/YYYY/MM/DD/ID.json.gz: the archive that this is in. */
static int from_packed(struct subject *s, const char *path, struct err *e)
{
    char dir[PATH_MAX];
    int slashes = 0;
    size_t n = strlen(path);

    while (n > 0 && slashes < 4)
        slashes += path[--n] == '/';
    if (slashes < 4)
        return err_set(e, "%s is not in an archive (FOLDER/YYYY/MM/DD/)", path);
    snprintf(dir, sizeof dir, "%.*s", (int)(n ? n : 1), path);
    return from_archive(s, archive_open(dir, e), path + n + 1, e);
}

static char *load_witness(const char *path, size_t most)
{
    FILE *f = fopen(path, "re");
    char *text = f ? malloc(most + 1) : NULL;
    size_t n = text ? fread(text, 1, most, f) : 0;

    if (f)
        fclose(f);
    if (text)
        text[n] = '\0';
    return text;
}

static bool ends_with(const char *name, const char *suffix)
{
    size_t n = strlen(name), k = strlen(suffix);
    return n > k && strcmp(name + n - k, suffix) == 0;
}

static int verify_one(struct subject *s)
{
    check_subject(s);
    free(s->text);
    free(s->witness);
    s->text = s->witness = NULL;
    return s->verdict;
}

/* All records of a filter; how many, -1 and a sentence. */
static int verify_history(const struct conf *c, const struct history_filter *f, int *verdict,
                          char *text, size_t size, struct err *e)
{
    struct history *h = reader_history(c, f, e);
    struct history_query *q = h ? history_ask(h, f, e) : NULL;
    struct history_row r;
    char last[HISTORY_KEY_SIZE] = "";
    int n = 0, rc = -1;

    while (q && (rc = history_next(q, &r, e)) > 0) {
        struct subject s = {.config = c, .seen = WITNESS_INIT, .text = NULL};
        if (strcmp(r.key, last) == 0)
            continue; /* another workload of the same record */
        snprintf(last, sizeof last, "%s", r.key);
        n++;
        snprintf(s.name, sizeof s.name, "%s", r.key);
        if (text) { /* a file's record: only its witness is wanted */
            s.text = strndup(text, size);
            s.size = size;
        }
        if (!r.archive[0]) {
            printf("%s\n", s.name);
            row(&s, UNKNOWN, "record", "the job left none");
        } else if (from_archive(&s, reader_archive(c, e), r.archive, e) < 0) {
            printf("%s\n", s.name);
            row(&s, WRONG, "record", e->text);
        } else {
            s.redacted = r.seen[0] != '\0';
            s.archived = !text;
            snprintf(s.filed, sizeof s.filed, "%s", r.sha256);
            snprintf(s.seal, sizeof s.seal, "%s", r.seen);
            verify_one(&s);
        }
        if (s.verdict == WRONG || *verdict == GOOD)
            *verdict = s.verdict == GOOD ? *verdict : s.verdict;
        free(s.text);
    }
    history_done(q);
    history_close(h);
    return rc < 0 ? -1 : n;
}

static int verify_file(const struct conf *c, const char *path, struct err *e)
{
    struct subject s = {.config = c, .seen = WITNESS_INIT};
    char beside[PATH_MAX];
    struct stat st;

    snprintf(s.name, sizeof s.name, "%s", path);
    if (ends_with(path, ".json.gz"))
        return from_packed(&s, path, e) < 0 ? UNKNOWN : verify_one(&s);
    if (!(s.text = record_load(path, &s.size, e)))
        return UNKNOWN;
    int stem = (int)strlen(path) - (ends_with(path, ".json") ? 5 : 0);
    snprintf(beside, sizeof beside, "%.*s.witness", stem, path);
    if (stat(beside, &st) == 0) {
        s.witness = load_witness(beside, ARCHIVE_MAX_WITNESS);
        snprintf(beside, sizeof beside, "%.*s.ranks.json.gz", stem, path);
        if (sha256_file(beside, s.ranks, NULL, NULL) < 0)
            s.ranks[0] = '\0';
        snprintf(beside, sizeof beside, "%.*s.steps.gz", stem, path);
        if (sha256_file(beside, s.steps, NULL, NULL) < 0)
            s.steps[0] = '\0';
        return verify_one(&s);
    }
    /* The witness of the same record, where the collector filed it. */
    struct history_filter f = HISTORY_FILTER_INIT;
    cJSON *doc = record_parse(s.text, s.size, path, NULL);
    const char *id = json_text(doc, "id", "");
    int verdict = GOOD, n = 0;
    f.key = id;
    if (*id)
        n = verify_history(c, &f, &verdict, s.text, s.size, &s.why);
    cJSON_Delete(doc);
    if (n <= 0)
        return verify_one(&s); /* without a witness */
    free(s.text);
    return verdict;
}

static int verify_word(const struct conf *c, const char *word, struct err *e)
{
    struct history_filter f = HISTORY_FILTER_INIT;
    char key[HISTORY_KEY_SIZE];
    struct stat st;
    int verdict = GOOD;

    if (strchr(word, '/') || stat(word, &st) == 0)
        return verify_file(c, word, e);
    if (words_job(word, &f, key, e) < 0)
        return UNKNOWN;
    int n = verify_history(c, &f, &verdict, NULL, 0, e);
    if (n == 0)
        err_set(e,
                "the history has no run %s that you may read, and there is no such file: before"
                " it is collected there is nothing to compare with",
                word);
    return n > 0 ? verdict : UNKNOWN;
}

int main(int argc, char **argv)
{
    static struct conf c;
    struct err e = ERR_INIT;
    int worst = GOOD;

    out_guard("hpcai500 verify");
    int help = option_help(argc, argv, &e);
    if (help < 0) {
        fprintf(stderr, "hpcai500 verify: %s\n", e.text);
        return USAGE;
    }
    if (help || optind == argc)
        return usage(help ? stdout : stderr);
    if (conf_load(&c, NULL, 0, &e) < 0) {
        fprintf(stderr, "hpcai500 verify: %s\n", e.text);
        return UNKNOWN;
    }
    for (int i = optind; i < argc; i++) {
        e.text[0] = '\0';
        int verdict = verify_word(&c, argv[i], &e);
        if (verdict == UNKNOWN && e.text[0])
            fprintf(stderr, "hpcai500 verify: %s\n", e.text);
        if (verdict == WRONG || worst == GOOD)
            worst = verdict == GOOD ? worst : verdict;
    }
    return worst;
}
