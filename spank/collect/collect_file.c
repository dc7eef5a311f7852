/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/collect/collect_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "reports/record/fields.h"
#include "reports/core/fdio.h"
#include "reports/record/journal.h"
#include "reports/record/record.h"
#include "spank/relay/witness.h"
#include "spank/relay/bundle.h"
#include "spank/collect/collect_check.h"
#include "spank/collect/collect_quarantine.h"
#include "spank/collect/collect_say.h"
#include "spank/collect/collect_text.h"
#include "spank/relay/cred.h"

enum {
    MAX_NAMES = 200000,   /* of one pass; the next takes the rest */
    MAX_GROUP = 512,      /* bundles of one job at once */
    MAX_RUNS = 64,        /* runs of one job whose journals are looked at */
    COMMIT_BUNDLES = 512, /* between two commits */
    MAX_FAILURES = 3      /* of the history, one after the other */
};

static const char bundle_suffix[] = ".bundle", journal_part[] = ".journal/";

/* One bundle whose credential is good. */
struct seen {
    char *name;
    char *credential;
    struct witness w;
    time_t written;
    bool bad; /* refused since */
};

/* The bundles of one job. */
struct group {
    struct seen *seen[MAX_GROUP];
    int n;
    int accepted; /* records that the history has now */
    char why[64]; /* why a record was refused; "" */
    int n_ids;    /* runs that have a record */
    char ids[MAX_RUNS][RECORD_ID_SIZE];
};

/* What happens to a bundle after the commit: reason NULL, it goes. */
struct fate {
    char *name, *reason;
};

struct pass {
    struct collector *c;
    struct fate *fates;
    int n_fates, room;
    int failures;
    bool said_journals; /* why they cannot be unpacked */
};

/* ---- fates ---- */

static void fate(struct pass *p, const char *name, const char *reason)
{
    for (int i = 0; i < p->n_fates; i++)
        if (strcmp(p->fates[i].name, name) == 0) {
            if (reason && !p->fates[i].reason)
                p->fates[i].reason = strdup(reason);
            return;
        }
    if (p->n_fates == p->room) {
        int room = p->room ? 2 * p->room : COMMIT_BUNDLES;
        struct fate *more = realloc(p->fates, (size_t)room * sizeof *more);
        if (!more)
            return; /* it stays, and is filed again */
        p->fates = more;
        p->room = room;
    }
    struct fate f = {strdup(name), reason ? strdup(reason) : NULL};
    if (f.name && (!reason || f.reason)) {
        p->fates[p->n_fates++] = f;
    } else {
        free(f.name);
        free(f.reason);
    }
}

static void refuse(struct pass *p, const char *name, const char *reason)
{
    collect_say(p->c->say, "refused %s: %s", name, reason);
    fate(p, name, reason);
}

/* The history is on the device: now the bundles may go. */
static void settle(struct pass *p)
{
    struct collector *c = p->c;
    bool any = false;

    for (int i = 0; i < p->n_fates; i++) {
        struct fate *f = &p->fates[i];
        struct err e = ERR_INIT;
        if (!f->reason) {
            if (unlinkat(c->out, f->name, 0) < 0 && errno != ENOENT)
                collect_say(c->say, "cannot remove %s: %s", f->name, strerror(errno));
        } else {
            if (quarantine_take(c->config->quarantine, c->out, f->name, f->reason, &e) < 0)
                collect_say(c->say, "%s", e.text);
            c->refused++;
            any = true;
        }
        free(f->name);
        free(f->reason);
    }
    c->bundles += p->n_fates;
    p->n_fates = 0;
    if (any)
        quarantine_bound(c->config->quarantine, QUARANTINE_FILES, QUARANTINE_BYTES, NULL);
}

/* ---- reading ---- */

static void seen_free(struct seen *s)
{
    if (!s)
        return;
    free(s->name);
    free(s->credential);
    witness_fini(&s->w);
    free(s);
}

/* Whether munged answers at all: then a credential that does not decode is
 * bad, and not only unreadable today. */
static bool munged_answers(const struct collector *c, struct err *e)
{
    char *text = cred_encode(c->config->munge_socket, "", 0, e);

    free(text);
    return text != NULL;
}

/* READ_LATER: nothing can be read now; READ_WAITS: this bundle cannot. */
enum reading { READ_OK, READ_BAD, READ_LATER, READ_WAITS };

/* Credential and witness of a bundle. */
static enum reading read_witness(struct collector *c, const char *name, const char *text,
                                 struct witness *w, struct err *e)
{
    struct cred cred;
    enum reading rc = READ_BAD;

    if (cred_decode(c->config->munge_socket, text, &cred, e) < 0)
        return errno ? READ_LATER : munged_answers(c, NULL) ? READ_BAD : READ_LATER;
    if (cred.uid != 0)
        err_set(e, "its credential is of user id %ld, not of root", (long)cred.uid);
    else if (witness_parse(cred.payload, w, e) == 0)
        rc = READ_OK;
    if (rc == READ_OK && cred.state == CRED_REWOUND)
        collect_say(c->say, "%s: the clock of its node is %ld s ahead of ours", name,
                    (long)(cred.encoded - time(NULL)));
    cred_fini(&cred);
    return rc;
}

static enum reading read_seen(struct collector *c, const char *name, struct seen **seen,
                              struct err *e)
{
    struct stat st;
    struct bundle *b;
    struct seen *s;

    if (fstatat(c->out, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_set(e, "%s", strerror(errno)), READ_WAITS;
    if (!(b = bundle_open(c->out, name, e)))
        return errno ? READ_WAITS : READ_BAD;
    enum reading rc = READ_LATER;
    if (!(s = calloc(1, sizeof *s)) || !(s->name = strdup(name)) ||
        !(s->credential = strdup(bundle_credential(b)))) {
        err_set(e, "out of memory");
    } else {
        s->written = st.st_mtime;
        rc = read_witness(c, name, s->credential, &s->w, e);
    }
    bundle_close(b);
    if (rc == READ_OK) {
        *seen = s;
        return rc;
    }
    if (s) /* the witness is not filled in */
        s->w = (struct witness)WITNESS_INIT;
    seen_free(s);
    return rc;
}

/* Every file that root saw is there once, as root saw it, and no other.
 * READ_WAITS: that cannot be told now. */
static enum reading check_files(struct collector *c, const struct seen *s, struct err *e)
{
    struct bundle *b = bundle_open(c->out, s->name, e);
    bool later = !b && errno;
    bool *there = calloc((size_t)s->w.n_files + 1, sizeof *there);
    struct bundle_file f;
    int rc = b && there ? 0 : -1, more, found = 0;

    later |= !there;
    while (rc == 0 && (more = bundle_next(b, &f, e)) != 0) {
        const struct witness_file *w = more < 0 ? NULL : witness_find(&s->w, f.name);
        if (more < 0) {
            later = errno;
            rc = -1;
        } else if (!w || there[w - s->w.files])
            rc = err_set(e, "%s: root did not see it%s", f.name, w ? " twice" : "");
        else if (w->size != f.size || strcmp(w->sha256, f.sha256) != 0)
            rc = err_set(e, "%s: not the bytes that root saw", f.name);
        else
            there[w - s->w.files] = ++found;
    }
    if (rc == 0 && found < s->w.n_files)
        rc = err_set(e, "%d files are missing that root saw", s->w.n_files - found);
    free(there);
    bundle_close(b);
    return rc == 0 ? READ_OK : later ? READ_WAITS : READ_BAD;
}

/* ---- what a file is ---- */

static bool ends_with(const char *name, const char *suffix)
{
    size_t n = strlen(name), s = strlen(suffix);
    return n > s && strcmp(name + n - s, suffix) == 0;
}

static bool is_record(const char *name)
{
    return !strchr(name, '/') && ends_with(name, ".json") && !ends_with(name, ".ranks.json");
}

/* The run of a journal, "" when the file is none. */
static void journal_id(const char *name, char id[RECORD_ID_SIZE])
{
    const char *at = strstr(name, journal_part);
    size_t n = at ? (size_t)(at - name) : 0;

    id[0] = '\0';
    if (n > 0 && n < RECORD_ID_SIZE && !strchr(at + strlen(journal_part), '/'))
        snprintf(id, RECORD_ID_SIZE, "%.*s", (int)n, name);
}

static bool has_id(const struct group *g, const char *id)
{
    for (int i = 0; i < g->n_ids; i++)
        if (strcmp(g->ids[i], id) == 0)
            return true;
    return false;
}

/* ---- filing ---- */

/* Credentials for the archive, one a line: of the bundle that has the record,
 * then of the other nodes as far as there is room; then ours. */
static char *credentials(const struct group *g, const struct seen *first, const char *ours)
{
    size_t room = ARCHIVE_MAX_WITNESS, n = ours ? strlen(ours) + 1 : 0;
    char *text = malloc(room + 1), *at = text;

    if (!text)
        return NULL;
    for (int i = -1; i < g->n; i++) {
        const struct seen *s = i < 0 ? first : g->seen[i];
        size_t size = strlen(s->credential) + 1;
        if ((i >= 0 && (s == first || s->bad)) || n + size > room)
            continue;
        n += size;
        at = stpcpy(stpcpy(at, s->credential), "\n");
    }
    if (ours)
        at = stpcpy(stpcpy(at, ours), "\n");
    *at = '\0';
    return text;
}

static void take_over(const struct witness *w, struct history_run *run)
{
    run->witnessed = true;
    run->uid = w->uid;
    if (w->user[0])
        snprintf(run->user, sizeof run->user, "%.*s", RECORD_NAME_SIZE - 1, w->user);
    if (w->account[0])
        snprintf(run->account, sizeof run->account, "%.*s", RECORD_NAME_SIZE - 1, w->account);
    if (w->partition[0])
        snprintf(run->partition, sizeof run->partition, "%.*s", RECORD_NAME_SIZE - 1, w->partition);
    if (w->begin > 0)
        run->begin = (int64_t)w->begin;
    if (w->end > 0)
        run->end = (int64_t)w->end;
}

static void count(struct collector *c, enum history_outcome outcome)
{
    c->filed += outcome == HISTORY_FILED;
    c->replaced += outcome == HISTORY_REPLACED;
    c->same += outcome == HISTORY_SAME;
    c->kept += outcome == HISTORY_KEPT;
}

/* 0 filed, -1 not now. */
static int file_run(struct pass *p, struct group *g, const struct history_run *run,
                    const struct history_record *record, const char *why)
{
    struct collector *c = p->c;
    char line[ADMIN_COMMENT_LINE + 1];
    enum history_outcome outcome;
    struct err e = ERR_INIT;
    bool tell = c->config->admin_comment != COMMENT_OFF && run->cluster[0];

    collect_line(record->doc, run, why, g->accepted, line);
    if (history_file(c->history, run, record, tell ? line : NULL, &outcome, &e) < 0) {
        collect_say(c->say, "%s stays in the spool: %s", g->seen[0]->name, e.text);
        p->failures++;
        return -1;
    }
    p->failures = 0;
    count(c, outcome);
    if (record->doc)
        g->accepted++;
    return 0;
}

/* The record as the archive may show it; NULL: out of memory. The hashes of the
 * witness are of the record as it was, and its credential names what is hidden:
 * it is not kept beside. */
static char *redacted(const struct redact *x, const cJSON *doc)
{
    cJSON *copy = cJSON_Duplicate(doc, 1);
    char *text = copy && redact_record(x, copy, NULL) == 0 ? cJSON_PrintUnformatted(copy) : NULL;

    cJSON_Delete(copy);
    return text;
}

static void seal_of(const struct redact *x, const char *text, size_t size,
                    char seal[REDACT_NAME_SIZE])
{
    char hex[SHA256_HEX_SIZE];

    sha256_of(text, size, hex);
    redact_seal(x, hex, seal);
}

/* The bytes of the record's file with everything per rank, when it is in the
 * bundle and what the record says; free() it. NULL: there is none to archive. */
static void *find_ranks(const struct collector *c, const struct seen *s, const cJSON *doc,
                        size_t *size)
{
    const char *name = json_text(doc, "ranks_file.name", "");
    struct bundle *b = ends_with(name, ".gz") ? bundle_open(c->out, s->name, NULL) : NULL;
    struct bundle_file f;
    void *bytes = NULL;

    while (b && !bytes && bundle_next(b, &f, NULL) > 0) {
        if (strcmp(f.name, name) != 0)
            continue;
        if (strcmp(f.sha256, json_text(doc, "ranks_file.sha256", "")) != 0 ||
            f.size > ARCHIVE_MAX_RANKS) {
            collect_say(c->say, "%s is not what its record says: not archived", name);
            break;
        }
        if ((bytes = malloc(f.size + 1)))
            memcpy(bytes, f.bytes, f.size);
        *size = f.size;
    }
    bundle_close(b);
    return bytes;
}

/* The record's text as it is, against what root saw. 0 filed or refused (then
 * the sentence says why), -1 not now. */
static int file_text(struct pass *p, struct group *g, const struct seen *s, const char *name,
                     const char *text, size_t size, const char *ours, struct err *refusal)
{
    struct history_run run = {0};
    cJSON *doc = record_parse(text, size, name, refusal);
    int rc = 0;

    if (!doc)
        return 0;
    struct claim claim = {doc, &run, &s->w};
    if (history_claim(doc, &run, refusal) < 0 || check_all(&claim, refusal) < 0) {
        if (!strstr(refusal->text, name))
            err_prefix(refusal, "%s", name);
    } else {
        char *witness = credentials(g, s, ours);
        bool hide = redact_touches(p->c->redact, doc);
        char *shown = hide ? redacted(p->c->redact, doc) : NULL;
        char seal[REDACT_NAME_SIZE];
        size_t ranks_size = 0;
        void *ranks = hide ? NULL : find_ranks(p->c, s, doc, &ranks_size);
        struct history_record record = {.doc = doc,
                                        .text = text,
                                        .size = size,
                                        .witness = witness,
                                        .ranks = ranks,
                                        .ranks_size = ranks_size};
        if (shown) {
            seal_of(p->c->redact, text, size, seal);
            record = (struct history_record){
                .doc = doc, .text = shown, .size = strlen(shown), .seen = seal};
        }
        if (g->n_ids < MAX_RUNS)
            snprintf(g->ids[g->n_ids++], RECORD_ID_SIZE, "%s", json_text(doc, "id", ""));
        take_over(&s->w, &run);
        rc = witness && (shown || !hide) ? file_run(p, g, &run, &record, "") : -1;
        free(ranks);
        free(shown);
        free(witness);
    }
    free((void *)run.nodes);
    cJSON_Delete(doc);
    return rc;
}

static int file_records(struct pass *p, struct group *g, struct seen *s)
{
    struct bundle *b;
    struct bundle_file f;
    struct err e = ERR_INIT, refusal = ERR_INIT;
    int rc = 0, more;

    if (!(b = bundle_open(p->c->out, s->name, &e)))
        return -1;
    while (rc == 0 && (more = bundle_next(b, &f, &e)) > 0) {
        if (!is_record(f.name))
            continue;
        refusal.text[0] = '\0';
        rc = file_text(p, g, s, f.name, f.bytes, f.size, NULL, &refusal);
        if (!refusal.text[0])
            continue;
        snprintf(g->why, sizeof g->why, "its record was refused");
        refuse(p, s->name, refusal.text);
    }
    bundle_close(b);
    return rc == 0 && more < 0 ? -1 : rc; /* it was good when it was checked */
}

/* ---- journals ---- */

/* A journal ends when it was last written to; what is known of that is the end
 * of its job. */
static int save(int dir, const char *name, const struct bundle_file *f, double end)
{
    const struct timespec times[2] = {{0, UTIME_OMIT}, {(time_t)end, 0}};
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return -1;
    if (fdio_write(fd, f->bytes, f->size) < 0 || (end > 0 && futimens(fd, times) < 0)) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return close(fd);
}

/* The journals of one run out of all bundles of its job. */
static int extract(struct collector *c, const struct group *g, const char *id, int dir,
                   struct err *e)
{
    char whose[RECORD_ID_SIZE];
    struct bundle_file f;

    for (int i = 0; i < g->n; i++) {
        if (g->seen[i]->bad)
            continue;
        struct bundle *b = bundle_open(c->out, g->seen[i]->name, e);
        int more = -1;
        while (b && (more = bundle_next(b, &f, e)) > 0) {
            journal_id(f.name, whose);
            if (strcmp(whose, id) != 0)
                continue;
            if (save(dir, strchr(f.name, '/') + 1, &f, g->seen[i]->w.end) < 0 && errno != EEXIST) {
                bundle_close(b);
                return err_set(e, "cannot unpack %s: %s", f.name, strerror(errno));
            }
        }
        bundle_close(b);
        if (more < 0) /* it was good when it was checked: all journals or none */
            return -1;
    }
    return 0;
}

/* Our word that this record is what the journals gave. */
static char *vouch(const struct collector *c, const char *id, const char *text, size_t size,
                   struct err *e)
{
    char hex[SHA256_HEX_SIZE], payload[RECORD_ID_SIZE + 128];

    sha256_of(text, size, hex);
    int n = snprintf(payload, sizeof payload, COLLECTED_PREFIX "%s %s", id, hex);
    return cred_encode(c->config->munge_socket, payload, (size_t)n, e);
}

/* Reads the folder's journals and files the partial record; -1 and why: not now. */
static int file_partial(struct pass *p, struct group *g, const struct seen *s, const char *id,
                        const char *folder, struct err *e)
{
    struct err refusal = ERR_INIT;
    char *text = NULL, *ours = NULL;
    struct record r;

    record_init(&r);
    int rc = record_from_journals(folder, &r, &refusal);
    bool later = rc > 0 || (rc < 0 && errno);
    if (rc > 0)
        err_set(e, "%d unpacked journals of %s cannot be read", rc, id);
    else if (later)
        *e = refusal;
    else if (rc == 0 && (text = record_to_json(&r, NULL, &refusal)) &&
             (ours = vouch(p->c, id, text, strlen(text), e)))
        rc = file_text(p, g, s, id, text, strlen(text), ours, &refusal);
    else if (text)
        later = true;
    else
        rc = 0;
    if (!later && refusal.text[0]) {
        snprintf(g->why, sizeof g->why, "its journals were refused");
        refuse(p, s->name, refusal.text);
    }
    free(text);
    free(ours);
    record_fini(&r);
    return later ? -1 : rc;
}

/* Where journals are unpacked: beside the history, whose lock we hold, so that
 * what is there already is of a collector that died. */
static void unpack_folder(const struct collector *c, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s.journals", c->config->history);
}

static void remove_folder(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *at;

    while (d && (at = readdir(d)))
        unlinkat(dirfd(d), at->d_name, 0);
    if (d)
        closedir(d);
    rmdir(path);
}

/* 0 filed or refused, -1 not now: what stands in the way is said once in a pass. */
static int file_journals(struct pass *p, struct group *g, const struct seen *s, const char *id)
{
    char folder[PATH_MAX];
    struct err e = ERR_INIT;
    int rc = -1, dir = -1;

    unpack_folder(p->c, folder);
    remove_folder(folder);
    if (mkdir(folder, 0700) < 0 ||
        (dir = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
        err_set(&e, "cannot make %s: %s", folder, strerror(errno));
    else if (extract(p->c, g, id, dir, &e) == 0)
        rc = file_partial(p, g, s, id, folder, &e);
    if (dir >= 0)
        close(dir);
    remove_folder(folder);
    if (e.text[0] && !p->said_journals)
        collect_say(p->c->say, "journals wait in the spool: %s", e.text);
    p->said_journals |= e.text[0] != '\0';
    return rc;
}

/* Every run whose journals are there and whose record is not. */
static int file_all_journals(struct pass *p, struct group *g)
{
    char id[RECORD_ID_SIZE];
    int rc = 0;

    for (int i = 0; i < g->n; i++) {
        const struct seen *s = g->seen[i];
        for (int k = 0; !s->bad && rc == 0 && k < s->w.n_files; k++) {
            journal_id(s->w.files[k].name, id);
            if (!id[0] || has_id(g, id) || g->n_ids == MAX_RUNS)
                continue;
            rc = file_journals(p, g, s, id);
            if (!has_id(g, id) && g->n_ids < MAX_RUNS) /* refused: once is enough */
                snprintf(g->ids[g->n_ids++], RECORD_ID_SIZE, "%s", id);
        }
    }
    return rc;
}

/* ---- one job ---- */

static const struct seen *asking(const struct group *g)
{
    for (int i = 0; i < g->n; i++)
        if (g->seen[i]->w.asked[0] && !g->seen[i]->bad)
            return g->seen[i];
    return NULL;
}

/* Asked, and nothing to show. */
static int file_none(struct pass *p, struct group *g)
{
    const struct seen *s = asking(g);
    const char *nodes[MAX_GROUP];
    struct history_run run = {.array_task = -1, .het_offset = -1, .status = HISTORY_NONE};
    struct history_record record = {0};

    if (!s)
        s = g->seen[0];
    snprintf(run.cluster, sizeof run.cluster, "%.*s", RECORD_NAME_SIZE - 1, s->w.cluster);
    run.job = s->w.job;
    run.restart = s->w.restart;
    run.array_job = s->w.array_job;
    run.array_task = s->w.array_task;
    run.het_job = s->w.het_job;
    run.het_offset = s->w.het_offset;
    snprintf(run.asked, sizeof run.asked, "%s", s->w.asked);
    for (int i = 0; i < g->n; i++)
        nodes[i] = g->seen[i]->w.node;
    run.nodes = nodes;
    run.n_nodes = g->n;
    take_over(&s->w, &run);
    char *witness = credentials(g, s, NULL);
    record.witness = witness;
    int rc = witness ? file_run(p, g, &run, &record, g->why) : -1;
    free(witness);
    p->c->none += rc == 0;
    return rc;
}

/* Whether more bundles of this job may come that would change what is filed. */
static bool may_come(const struct collector *c, const struct group *g)
{
    int nodes = hostlist_count(g->seen[0]->w.nodes, MAX_GROUP);
    time_t last = 0;

    for (int i = 0; i < g->n; i++)
        if (g->seen[i]->written > last)
            last = g->seen[i]->written;
    return nodes != g->n && time(NULL) < last + c->grace;
}

static int file_good(struct pass *p, struct group *g)
{
    bool any = false;
    int rc = 0;

    for (int i = 0; i < g->n; i++)
        for (int k = 0; k < g->seen[i]->w.n_files; k++)
            any |= is_record(g->seen[i]->w.files[k].name) && !g->seen[i]->bad;
    if (!any && may_come(p->c, g)) {
        p->c->waiting += g->n;
        return 1;
    }
    for (int i = 0; any && rc == 0 && i < g->n; i++)
        if (!g->seen[i]->bad)
            rc = file_records(p, g, g->seen[i]);
    if (rc == 0)
        rc = file_all_journals(p, g);
    if (rc == 0 && g->accepted == 0 && (g->why[0] || asking(g)))
        rc = file_none(p, g);
    return rc;
}

static void file_group(struct pass *p, struct group *g)
{
    for (int i = 0; i < g->n; i++) {
        struct err e = ERR_INIT;
        enum reading told = check_files(p->c, g->seen[i], &e);
        if (told == READ_WAITS) { /* and with it its job's others */
            collect_say(p->c->say, "%s waits: %s", g->seen[i]->name, e.text);
            p->c->waiting += g->n;
            return;
        }
        if (told == READ_BAD) {
            g->seen[i]->bad = true;
            refuse(p, g->seen[i]->name, e.text);
            snprintf(g->why, sizeof g->why, "its bundle was refused");
        }
    }
    int before = p->n_fates;
    int rc = file_good(p, g);
    if (rc == 0) {
        for (int i = 0; i < g->n; i++)
            fate(p, g->seen[i]->name, NULL);
        return;
    }
    /* What was refused while it could not be filed whole is refused again. */
    while (p->n_fates > before && rc < 0) {
        free(p->fates[--p->n_fates].name);
        free(p->fates[p->n_fates].reason);
    }
}

static bool same_job(const struct seen *a, const struct seen *b)
{
    return a->w.job == b->w.job && a->w.restart == b->w.restart &&
           strcmp(a->w.cluster, b->w.cluster) == 0;
}

static void group_end(struct pass *p, struct group *g)
{
    if (g->n > 0)
        file_group(p, g);
    for (int i = 0; i < g->n; i++)
        seen_free(g->seen[i]);
    g->n = g->accepted = g->n_ids = 0;
    g->why[0] = '\0';
}

/* ---- the pass ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char **list_names(int out, int *n, struct err *e)
{
    int fd = openat(out, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), room = 0;
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *at;
    char **names = NULL;

    *n = 0;
    if (!d) {
        err_set(e, "cannot read the spool's out: %s", strerror(errno));
        return NULL;
    }
    while (*n < MAX_NAMES && (at = readdir(d))) {
        if (at->d_name[0] == '.' || !ends_with(at->d_name, bundle_suffix))
            continue;
        if (*n == room) {
            char **more = realloc(names, (size_t)(room = room ? 2 * room : 1024) * sizeof *more);
            if (!more)
                break;
            names = more;
        }
        if (!(names[*n] = strdup(at->d_name)))
            break;
        ++*n;
    }
    closedir(d);
    if (*n > 0)
        qsort(names, (size_t)*n, sizeof *names, by_name);
    return names ? names : calloc(1, sizeof *names);
}

static int commit(struct pass *p, struct err *e)
{
    if (history_commit(p->c->history, e) < 0) {
        history_rollback(p->c->history);
        return -1;
    }
    settle(p);
    return history_begin(p->c->history, e);
}

/* Takes one bundle into the group, or ends the group before it. 0, or -1: not
 * now. */
static int take(struct pass *p, struct group *g, const char *name, struct err *e)
{
    struct seen *s = NULL;
    struct err why = ERR_INIT;
    enum reading rc = read_seen(p->c, name, &s, &why);

    if (rc == READ_BAD)
        refuse(p, name, why.text);
    if (rc == READ_WAITS) {
        collect_say(p->c->say, "%s waits: %s", name, why.text);
        p->c->waiting++;
    }
    if (rc == READ_LATER)
        return err_set(e, "%s: %s", name, why.text);
    if (rc != READ_OK)
        return 0;
    if (g->n == MAX_GROUP || (g->n > 0 && !same_job(g->seen[0], s)))
        group_end(p, g);
    g->seen[g->n++] = s;
    return 0;
}

static int take_all(struct pass *p, char **names, int n, struct err *e)
{
    struct group *g = calloc(1, sizeof *g);
    int rc = g ? 0 : err_set(e, "out of memory");

    for (int i = 0; rc == 0 && i < n && !*p->c->stop; i++) {
        rc = take(p, g, names[i], e);
        if (rc == 0 && p->failures >= MAX_FAILURES)
            rc = err_set(e, "the history does not take any more");
        if (rc == 0 && p->n_fates >= COMMIT_BUNDLES)
            rc = commit(p, e);
    }
    if (g && rc == 0 && !*p->c->stop)
        group_end(p, g);
    for (int i = 0; g && i < g->n; i++)
        seen_free(g->seen[i]);
    free(g);
    return rc;
}

int collect_pass(struct collector *c, struct err *e)
{
    struct pass p = {.c = c};
    struct err later = ERR_INIT;
    char folder[PATH_MAX];
    int n, rc = -1;
    char **names = list_names(c->out, &n, e);

    c->waiting = 0;
    if (!names)
        return -1;
    unpack_folder(c, folder);
    if (n == 0 && access(folder, F_OK) < 0)
        rc = 0;
    else if (munged_answers(c, e) && history_begin(c->history, e) == 0) {
        remove_folder(folder);
        rc = take_all(&p, names, n, e);
        /* What was filed before it failed is filed. */
        if (history_commit(c->history, rc < 0 ? &later : e) == 0)
            settle(&p);
        else
            rc = -1;
    }
    for (int i = 0; i < p.n_fates; i++) {
        free(p.fates[i].name);
        free(p.fates[i].reason);
    }
    free(p.fates);
    for (int i = 0; i < n; i++)
        free(names[i]);
    free(names);
    return rc;
}
