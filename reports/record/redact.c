/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/record/redact.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/record/fields.h"
#include "reports/record/record_fields.h"
#include "reports/core/runspec.h"
#include "reports/core/sha256.h"

enum { MAX_PATH = 160, MAX_DEPTH = RECORD_MAX_DEPTH + 1, AN_ID = -1, A_SEAL = -2 };

static const char hidden[] = "redacted";

#define BIT(word) (1u << REDACT_##word)
#define ALL       ((1u << REDACT_COUNT) - 1)

/* ---- what is redacted, and how ---- */

enum action { NOTHING, HASH, GONE, DATE, RUN_TEXT };

static const struct rule {
    uint32_t bits; /* any of them */
    enum action action;
    int kind; /* HASH: whose */
} rules[] = {
    [SECRET_NONE] = {0, NOTHING, 0},
    [SECRET_USER] = {BIT(USER), HASH, REDACT_USER},
    [SECRET_UID] = {BIT(USER), GONE, 0},
    [SECRET_ACCOUNT] = {BIT(ACCOUNT), HASH, REDACT_ACCOUNT},
    [SECRET_PARTITION] = {BIT(PARTITION), HASH, REDACT_PARTITION},
    [SECRET_CLUSTER] = {BIT(CLUSTER), HASH, REDACT_CLUSTER},
    [SECRET_JOB_NAME] = {BIT(JOB_NAME), HASH, REDACT_JOB_NAME},
    [SECRET_JOB] = {BIT(JOB), GONE, 0},
    [SECRET_ID] = {BIT(JOB) | BIT(CLUSTER) | BIT(TIME), HASH, AN_ID},
    [SECRET_RANKS_FILE] = {BIT(JOB) | BIT(CLUSTER) | BIT(TIME), GONE, 0}, /* its name has the id */
    [SECRET_HOST] = {BIT(HOST), HASH, REDACT_HOST},
    [SECRET_RUN_TEXT] = {BIT(PATH) | BIT(DATA), RUN_TEXT, 0},
    [SECRET_FOLDER] = {BIT(PATH) | BIT(DATA), GONE, 0},
    [SECRET_SETTINGS] = {BIT(PATH), GONE, 0},
    [SECRET_DATA] = {BIT(DATA), GONE, 0},
    [SECRET_TIME] = {BIT(TIME), DATE, 0},
};

/* What no record of ours holds, but another's may. */
static const struct field foreign_fields[] = {
    FIELD_HAND(TEXT, "job.name", "job name", .secret = SECRET_JOB_NAME),
    FIELD_END,
};

/* The row of a place; NULL: no field that we know. */
static const struct field *row_of(const char *path, struct field_key *key)
{
    const struct field *f = field_find(record_fields, path, key);

    return f ? f : field_find(foreign_fields, path, key);
}

/* One of the words of that row, which identify nobody. */
static bool is_known_word(const struct field *f, const char *text)
{
    if (f->kind == FIELD_STATUS)
        return status_of(text) >= 0;
    for (const char *const *w = f->words; w && *w; w++)
        if (strcmp(*w, text) == 0)
            return true;
    return f->known && f->known(text) >= 0;
}

/* ---- names ---- */

static const struct {
    int kind;
    const char *letter;
} letters[] = {{AN_ID, "r"},          {A_SEAL, "s"},          {REDACT_USER, "u"},
               {REDACT_ACCOUNT, "a"}, {REDACT_HOST, "n"},     {REDACT_JOB_NAME, "j"},
               {REDACT_CLUSTER, "c"}, {REDACT_PARTITION, "p"}};

static const char *letter_of(int kind)
{
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if (letters[i].kind == kind)
            return letters[i].letter;
    return "x";
}

/* "u-0123456789abcdef" */
static bool is_hash(const char *text)
{
    return text[0] >= 'a' && text[0] <= 'z' && text[1] == '-' &&
           strspn(text + 2, "0123456789abcdef") == 16 && text[18] == '\0';
}

static void hash_name(const struct redact *x, int kind, const char *name,
                      char out[REDACT_NAME_SIZE])
{
    char hex[SHA256_HEX_SIZE];
    struct sha256 s;
    const char *letter = letter_of(kind);

    if (x->salt_size == 0) {
        snprintf(out, REDACT_NAME_SIZE, "%s", hidden);
        return;
    }
    sha256_init(&s);
    sha256_add(&s, x->salt, x->salt_size);
    sha256_add(&s, letter, 2); /* with its NUL: no kind is another's beginning */
    sha256_add(&s, name, strlen(name));
    sha256_hex(&s, hex);
    snprintf(out, REDACT_NAME_SIZE, "%s-%.16s", letter, hex);
}

void redact_seal(const struct redact *x, const char *sha256, char seal[REDACT_NAME_SIZE])
{
    hash_name(x, A_SEAL, sha256, seal);
}

void redact_name(const struct redact *x, int bit, const char *name, char *out, size_t size)
{
    char hash[REDACT_NAME_SIZE];
    uint32_t mine = bit == AN_ID ? BIT(JOB) | BIT(CLUSTER) | BIT(TIME) : 1u << bit;

    hash_name(x, bit, name, hash);
    snprintf(out, size, "%s", x->bits & mine ? hash : name);
}

/* ---- paths of values ---- */

/* What is done at each value, children first. Returns 1 when the value goes.
 * path has "[]" for every index, real has the index. */
struct visited {
    const char *path, *real;
    const struct field *f; /* NULL: not a field of a record */
    struct field_key key;
};

struct walk {
    int (*visit)(struct walk *w, cJSON *node, const struct visited *at);
    const struct redact *x;
    cJSON *reasons; /* of the document; NULL: none */
    int n_secrets, bad;
    struct secret {
        char *was;
        char now[REDACT_NAME_SIZE];
    } * secrets;
};

struct place {
    char path[MAX_PATH], real[MAX_PATH];
};

/* What does not fit, and a key that would look like a path of its own, is at
 * "?", which is not a field. */
static void place_below(const cJSON *parent, const cJSON *child, int index, const struct place *at,
                        struct place *below)
{
    const char *key = child->string ? child->string : "", *dot = *at->path ? "." : "";
    bool odd = strpbrk(key, ".[]*") && strcmp(at->path, "reasons") != 0;
    int n, m;

    if (cJSON_IsArray(parent)) {
        m = snprintf(below->real, MAX_PATH, "%s[%d]", at->real, index);
        n = snprintf(below->path, MAX_PATH, "%s[]", at->path);
    } else {
        m = snprintf(below->real, MAX_PATH, "%s%s%s", at->real, dot, key);
        n = snprintf(below->path, MAX_PATH, "%s%s%s", at->path, dot, key);
    }
    if (n >= MAX_PATH || m >= MAX_PATH || odd)
        snprintf(below->path, MAX_PATH, "?");
}

static void walk(struct walk *w, cJSON *node, const struct place *at, int depth)
{
    struct place below;
    cJSON *next;
    int index = 0;

    for (cJSON *child = depth < MAX_DEPTH ? node->child : NULL; child; child = next) {
        next = child->next;
        place_below(node, child, index++, at, &below);
        walk(w, child, &below, depth + 1);
        struct visited here = {.path = below.path, .real = below.real};
        here.f = row_of(below.path, &here.key);
        if (w->visit(w, child, &here))
            cJSON_Delete(cJSON_DetachItemViaPointer(node, child));
    }
}

static void walk_all(struct walk *w, cJSON *doc,
                     int (*visit)(struct walk *, cJSON *, const struct visited *))
{
    w->visit = visit;
    walk(w, doc, &(struct place){"", ""}, 0);
}

static void set_text(struct walk *w, cJSON *node, const char *text)
{
    if (!cJSON_IsString(node) || !cJSON_SetValuestring(node, text))
        w->bad = 1;
}

/* Makes a value null, whatever it was, and says why. */
static void set_null(struct walk *w, cJSON *node, const char *real)
{
    if (w->reasons && !cJSON_HasObjectItem(w->reasons, real) &&
        !cJSON_AddStringToObject(w->reasons, real, hidden))
        w->bad = 1;
    if (node->child)
        cJSON_Delete(node->child);
    if (node->valuestring)
        cJSON_free(node->valuestring);
    node->child = NULL;
    node->valuestring = NULL;
    node->type = (node->type & ~0xff) | cJSON_NULL;
}

/* ---- first: what the site's words name ---- */

static void remember(struct walk *w, const char *was, const char *now)
{
    for (int i = 0; i < w->n_secrets; i++)
        if (strcmp(w->secrets[i].was, was) == 0)
            return;
    struct secret *more = realloc(w->secrets, (size_t)(w->n_secrets + 1) * sizeof *more);
    char *copy = strdup(was);
    if (more)
        w->secrets = more;
    if (!more || !copy) {
        free(copy);
        w->bad = 1;
        return;
    }
    w->secrets[w->n_secrets].was = copy;
    snprintf(w->secrets[w->n_secrets++].now, REDACT_NAME_SIZE, "%s", now);
}

/* A run text without its folders; what does not parse is not shown. */
static void strip_run(struct walk *w, cJSON *node)
{
    char text[RUNSPEC_MAX_BYTES + 1];
    struct runspec r;

    if (runspec_parse(&r, node->valuestring, NULL)) {
        set_text(w, node, hidden);
        return;
    }
    runspec_strip(&r);
    set_text(w, node, runspec_format(&r, text, sizeof text) < 0 ? hidden : text);
}

/* Redacted before: twice is as once. */
static bool is_done(const char *text, enum action action, int kind)
{
    return action == HASH &&
           (strcmp(text, hidden) == 0 || (is_hash(text) && text[0] == letter_of(kind)[0]));
}

static void apply(struct walk *w, cJSON *node, const struct rule *r, const char *real)
{
    char name[REDACT_NAME_SIZE], date[RECORD_UTC_SIZE];
    const char *text = cJSON_IsString(node) ? node->valuestring : NULL;

    if (cJSON_IsNull(node) || (text && is_done(text, r->action, r->kind)))
        return;
    if (text && r->action == HASH) {
        hash_name(w->x, r->kind, text, name);
        remember(w, text, name);
        set_text(w, node, name);
    } else if (text && r->action == RUN_TEXT) {
        strip_run(w, node);
    } else if (text && r->action == DATE && strlen(text) >= 10) {
        snprintf(date, sizeof date, "%.10sT00:00:00.000Z", text);
        set_text(w, node, date);
    } else {
        if (text)
            remember(w, text, hidden);
        set_null(w, node, real);
    }
}

/* A list is hidden name by name. */
static int visit_names(struct walk *w, cJSON *node, const struct visited *at)
{
    if (at->f && (rules[at->f->secret].bits & w->x->bits) &&
        !(at->f->kind == FIELD_TEXTS && cJSON_IsArray(node)))
        apply(w, node, &rules[at->f->secret], at->real);
    return 0;
}

/* ---- then: the same names in sentences ---- */

static bool is_letter(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || (c & 0x80);
}

/* Length of the longest secret that stands at p as a word of its own. */
static size_t secret_at(const struct walk *w, const char *text, const char *p, const char **now)
{
    size_t best = 0;

    if (p > text && is_letter(p[-1]) && is_letter(p[0]))
        return 0;
    for (int i = 0; i < w->n_secrets; i++) {
        size_t n = strlen(w->secrets[i].was);
        if (n > best && strncmp(p, w->secrets[i].was, n) == 0 &&
            !(is_letter(p[n - 1]) && is_letter(p[n]))) {
            best = n;
            *now = w->secrets[i].now;
        }
    }
    return best;
}

/* An absolute path that begins at p, to the next blank or quote. */
static size_t path_at(const struct walk *w, const char *text, const char *p)
{
    if (!(w->x->bits & (BIT(PATH) | BIT(DATA))) || p[0] != '/' || (p > text && is_letter(p[-1])))
        return 0;
    size_t n = strcspn(p, " \t\"'<>|;,()");
    return n > 1 ? n : 0;
}

static char *replace(struct walk *w, const char *text)
{
    char *out = malloc(strlen(text) * REDACT_NAME_SIZE + 1), *to = out;

    if (!out) {
        w->bad = 1;
        return NULL;
    }
    for (const char *p = text; *p;) {
        const char *now = hidden;
        size_t n = secret_at(w, text, p, &now);
        if (!n)
            n = path_at(w, text, p);
        if (n) {
            to = stpcpy(to, now);
            p += n;
        } else {
            *to++ = *p++;
        }
    }
    *to = '\0';
    return out;
}

/* A key of `reasons` is a path in the record, and nothing else. */
static bool is_reason(const char *path)
{
    size_t n = sizeof "reasons." - 1;

    return strncmp(path, "reasons.", n) != 0 ||
           path[n + strspn(path + n, "abcdefghijklmnopqrstuvwxyz0123456789_.[]")] == '\0';
}

static int visit_text(struct walk *w, cJSON *node, const struct visited *at)
{
    const char *was = cJSON_IsString(node) ? node->valuestring : "";

    if (!is_reason(at->path))
        return 1;
    if (!*was || is_hash(was) || (at->f && is_known_word(at->f, was)))
        return 0;
    char *text = replace(w, was);
    if (text)
        set_text(w, node, text);
    free(text);
    return 0;
}

/* ---- last, when confidential: what is not allowed goes ---- */

static bool is_allowed(const cJSON *node, const struct field *f)
{
    const char *text = cJSON_IsString(node) ? node->valuestring : NULL;

    bool secret = rules[f->secret].action != NOTHING;

    if (!f->leaves)
        return false;
    if (field_holds(f) && !text) /* goes when nothing is left in it */
        return node->child != NULL;
    if (cJSON_IsNull(node))
        return !secret;
    if (!text)
        return cJSON_IsBool(node) ? field_type(f) == TYPE_BOOL
                                  : cJSON_IsNumber(node) && (field_type(f) == TYPE_WHOLE ||
                                                             field_type(f) == TYPE_NUMBER);
    if (rules[f->secret].action == DATE)
        return strspn(text, "0123456789-") == 10 && strcmp(text + 10, "T00:00:00.000Z") == 0;
    return secret ? is_hash(text) || strcmp(text, hidden) == 0 : is_known_word(f, text);
}

/* Under the keys of a map are only those that may leave. */
static int visit_allowed(struct walk *w, cJSON *node, const struct visited *at)
{
    (void)w;
    if (!at->f || (at->key.map && at->key.map->known(at->key.text) < 0))
        return 1;
    return !is_allowed(node, at->f);
}

/* What the run's own text asks for; nothing when there is none. A text that
 * cannot be read (a later release's) but speaks of either key asks for all. */
static uint32_t asked_by_run(const cJSON *doc, bool *confidential)
{
    const cJSON *run = cJSON_GetObjectItemCaseSensitive(doc, "run");
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(run, "text"));
    struct runspec r;

    *confidential = false;
    if (!text)
        return 0;
    if (runspec_parse(&r, text, NULL) < 0) {
        *confidential = strstr(text, "confidential=") || strstr(text, "redact=");
        return *confidential ? ALL : 0;
    }
    *confidential = r.confidential;
    return r.confidential ? ALL : r.redact;
}

bool redact_touches(const struct redact *x, const cJSON *doc)
{
    bool confidential;

    return x->bits || x->confidential || asked_by_run(doc, &confidential);
}

int redact_record(const struct redact *site, cJSON *doc, struct err *e)
{
    struct redact both = *site, *x = &both;
    struct walk w = {.x = x, .reasons = cJSON_GetObjectItemCaseSensitive(doc, "reasons")};
    bool confidential;

    x->bits |= asked_by_run(doc, &confidential);
    x->confidential |= confidential;
    if (!x->bits)
        return 0;
    walk_all(&w, doc, visit_names);
    walk_all(&w, doc, visit_text);
    if (x->confidential) {
        walk_all(&w, doc, visit_allowed);
        w.bad = w.bad || !cJSON_AddObjectToObject(doc, "reasons");
    }
    for (int i = 0; i < w.n_secrets; i++)
        free(w.secrets[i].was);
    free(w.secrets);
    return w.bad ? err_set(e, "the record cannot be redacted: out of memory") : 0;
}

/* ---- the salt ---- */

static int check_salt(const struct stat *st, const char *path, struct err *e)
{
    if (!S_ISREG(st->st_mode))
        return err_set(e, "the salt %s is not a regular file", path);
    if (st->st_mode & 0027)
        return err_set(e, "others can read or change the salt %s; chmod 0440 %s", path, path);
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return err_set(e, "the salt %s belongs to user %ld; chown it to root", path,
                       (long)st->st_uid);
    return 0;
}

static int read_salt(struct redact *x, const char *path, struct err *e)
{
    struct stat st;
    int rc = -1;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0 && errno == EACCES)
        return 0;
    if (fd < 0)
        return err_set(e,
                       "cannot read the salt %s: %s; make it with: (umask 077; head -c 32 "
                       "/dev/urandom >%s)",
                       path, strerror(errno), path);
    if (fstat(fd, &st) < 0 || check_salt(&st, path, e))
        goto out;
    ssize_t n = read(fd, x->salt, sizeof x->salt);
    if (n < REDACT_MIN_SALT)
        err_set(e, "the salt %s is shorter than %d bytes", path, REDACT_MIN_SALT);
    else
        rc = 0;
    x->salt_size = rc == 0 ? (size_t)n : 0;
out:
    close(fd);
    return rc;
}

int redact_open(struct redact *x, const struct conf *c, struct err *e)
{
    memset(x, 0, sizeof *x);
    x->confidential = c->confidential;
    x->bits = c->confidential ? ALL : c->redact;
    if (x->bits == 0 && access(c->salt, F_OK) < 0)
        return 0; /* runs that ask get the word */
    return read_salt(x, c->salt, e);
}
