/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/conf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/core/keys.h"
#include "reports/core/slurp.h"

static const struct keys_style style = {"", " = ", ','};

static int parse_address(void *, const struct keys_key *, const char *, const struct keys_style *,
                         struct err *);
static int parse_listen(void *, const struct keys_key *, const char *, const struct keys_style *,
                        struct err *);
static int parse_name(void *, const struct keys_key *, const char *, const struct keys_style *,
                      struct err *);

static const struct keys_kind an_address = {parse_address, keys_format_text};
static const struct keys_kind a_listen = {parse_listen, keys_format_text};
static int parse_people(void *, const struct keys_key *, const char *, const struct keys_style *,
                        struct err *);
static const struct keys_kind a_name = {parse_name, keys_format_text};
static int parse_socket(void *, const struct keys_key *, const char *, const struct keys_style *,
                        struct err *);
static const struct keys_kind a_socket = {parse_socket, keys_format_text};
static int parse_energy(void *, const struct keys_key *, const char *, const struct keys_style *,
                        struct err *);
static const struct keys_kind an_energy = {parse_energy, keys_format_text};
static const struct keys_kind some_people = {parse_people, keys_format_text};

static const char *const comment_words[] = {"line", "h5a1", "off", NULL};
const char *const conf_redact_words[REDACT_COUNT + 1] = {
    [REDACT_USER] = "user",       [REDACT_ACCOUNT] = "account",     [REDACT_HOST] = "host",
    [REDACT_PATH] = "path",       [REDACT_JOB_NAME] = "job_name",   [REDACT_JOB] = "job",
    [REDACT_CLUSTER] = "cluster", [REDACT_PARTITION] = "partition", [REDACT_DATA] = "data",
    [REDACT_TIME] = "time"};

struct key {
    struct conf_row row;
    const struct keys_kind *kind;
    size_t offset, size;
    const char *const *words;
};

#define FIELD(member) KEYS_FIELD(struct conf, member)

static const struct key keys[] = {
    {{"spool", "/var/spool/hpcai500", "FOLDER", "where jobs leave records and journals, per node",
      "HPCAI500_SPOOL"},
     &keys_path,
     FIELD(spool),
     NULL},
    {{"spool_per_job", "16M", "SIZE",
      "what one job may put there on one node; 0: a plain folder, no limit", NULL},
     &keys_bytes,
     FIELD(spool_per_job),
     NULL},
    {{"spool_reserve", "64M", "SIZE", "free space of the spool below which nothing is taken", NULL},
     &keys_bytes,
     FIELD(spool_reserve),
     NULL},
    {{"spool_queue", "256M", "SIZE",
      "what may wait on a node for the collector; beyond it the oldest goes", NULL},
     &keys_bytes,
     FIELD(spool_queue),
     NULL},
    {{"collector", "", "HOST:PORT",
      "where nodes send what they witnessed; unset: the spool is shared", NULL},
     &an_address,
     FIELD(collector),
     NULL},
    {{"listen", "", "[ADDRESS]:PORT", "where the collector listens for nodes; unset: nowhere",
      NULL},
     &a_listen,
     FIELD(listen),
     NULL},
    {{"history", "/var/lib/hpcai500/history.sqlite", "FILE",
      "every run of the site; on a local disk", NULL},
     &keys_path,
     FIELD(history),
     NULL},
    {{"archive", "/var/lib/hpcai500/archive", "FOLDER", "the records themselves, by date", NULL},
     &keys_path,
     FIELD(archive),
     NULL},
    {{"quarantine", "/var/lib/hpcai500/quarantine", "FOLDER",
      "what the collector refused, with the reason", NULL},
     &keys_path,
     FIELD(quarantine),
     NULL},
    {{"runs_per_job", "256", "NUMBER",
      "runs of one job that are filed; what a job leaves beyond them goes into the quarantine",
      NULL},
     &keys_whole,
     FIELD(runs_per_job),
     NULL},
    {{"service_user", "slurm", "USER", "who the collector is and who owns history and archive",
      NULL},
     &a_name,
     FIELD(service_user),
     NULL},
    {{"reader", "/run/hpcai500/reader", "SOCKET",
      "where hpcai500-reader shows users their own runs; empty: nobody asks it", NULL},
     &a_socket,
     FIELD(reader),
     NULL},
    {{"readers", "", "USER,@GROUP,...|*",
      "who may read everybody's runs there, beside root and the service user; *: everybody", NULL},
     &some_people,
     FIELD(readers),
     NULL},
    {{"munge_socket", "", "SOCKET", "of the munged that this Slurm uses; unset: the system's",
      NULL},
     &keys_path,
     FIELD(munge_socket),
     NULL},
    {{"admin_comment", "line", "line|h5a1|off",
      "what accounting gets in a job's AdminComment: a line, the record too, nothing", NULL},
     &keys_word,
     FIELD(admin_comment),
     comment_words},
    {{"cache", "", "FOLDER", "where generated data are kept; unset: in the user's own cache",
      "HPCAI500_CACHE"},
     &keys_path,
     FIELD(cache),
     NULL},
    {{"agent", HPCAI500_BINDIR "/hpcai500-agent", "FILE", "the agent that doctor looks for", NULL},
     &keys_path,
     FIELD(agent),
     NULL},
    {{"energy", "", "COMMAND|slurm",
      "what says how much energy a node took: a command, Slurm; unset: what the kernel shows",
      NULL},
     &an_energy,
     FIELD(energy),
     NULL},
    {{"redact", "", "WORD,...",
      "what exports and archive show as a salted hash or not at all: user, account, host, path, "
      "job_name, job, cluster, partition, data, time",
      NULL},
     &keys_words,
     FIELD(redact),
     conf_redact_words},
    {{"confidential", "no", "yes|no",
      "exports and archive hold only what is on the list of what identifies nobody", NULL},
     &keys_switch,
     FIELD(confidential),
     NULL},
    {{"salt", HPCAI500_SYSCONFDIR "/salt", "FILE",
      "secret of the site that makes its hashes; only root and the service user may read it", NULL},
     &keys_path,
     FIELD(salt),
     NULL},
};

enum { N_KEYS = sizeof keys / sizeof keys[0] };
_Static_assert((int)N_KEYS <= (int)CONF_MAX_KEYS, "struct conf has no room for them all");

static const char default_path[] = HPCAI500_SYSCONFDIR "/hpcai500.conf";

/* ---- kinds of value; a sentence's head "FILE:LINE: " is put by the caller ---- */

enum { MOST_COUNT = 100000 };

static struct keys_key key_of(int k)
{
    const struct key *row = &keys[k];

    return (struct keys_key){.name = row->row.name,
                             .kind = row->kind,
                             .offset = row->offset,
                             .size = row->size,
                             .fallback = row->row.fallback,
                             .words = row->words,
                             .min = 1, /* of keys_whole: what is counted */
                             .max = MOST_COUNT,
                             .shape = row->row.shape,
                             .help = row->row.help};
}

static int parse(struct conf *c, int k, const char *value, struct err *e)
{
    const struct keys_key key = key_of(k);

    return key.kind->parse(c, &key, value, &style, e);
}

int conf_address(const char *text, bool any_host, char host[256], char port[8])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    const char *colon = strrchr(text, ':'), *start = text;
    size_t n = colon ? (size_t)(colon - text) : 0, good = 0;

    if (!colon || n >= 256)
        return -1;
    if (n > 2 && text[0] == '[' && text[n - 1] == ']') {
        start++;
        n -= 2;
        good = strspn(start, "0123456789abcdefABCDEF:.");
    } else {
        while (good < n && (strchr(letters, start[good]) || strchr(".-_", start[good])))
            good++;
    }
    size_t digits = strspn(colon + 1, "0123456789");
    long number = digits > 0 && digits < 6 ? strtol(colon + 1, NULL, 10) : 0;
    if (good != n || (n == 0 && !any_host) || (n && start[0] == '-') || colon[1 + digits] ||
        number < 1 || number > 65535)
        return -1;
    snprintf(host, 256, "%.*s", (int)n, start);
    snprintf(port, 8, "%ld", number);
    return 0;
}

static int store_address(void *base, const struct keys_key *k, const char *value, bool any_host,
                         struct err *e)
{
    char host[256], port[8];

    if (*value && conf_address(value, any_host, host, port))
        return err_set(e, "%s%s%s is not %s", k->name, style.equals, value, k->shape);
    return keys_store_text(base, k, value, e);
}

static int parse_address(void *base, const struct keys_key *k, const char *value,
                         const struct keys_style *s, struct err *e)
{
    (void)s;
    return store_address(base, k, value, false, e);
}

static int parse_listen(void *base, const struct keys_key *k, const char *value,
                        const struct keys_style *s, struct err *e)
{
    (void)s;
    return store_address(base, k, value, true, e);
}

static int parse_name(void *base, const struct keys_key *k, const char *value,
                      const struct keys_style *s, struct err *e)
{
    size_t n = strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    if (n == 0 || value[n] || value[0] == '-')
        return err_set(e, "%s%s%s is not a name", k->name, s->equals, value);
    return keys_store_text(base, k, value, e);
}

/* A path, or nothing where there is a default that can be turned off. */
static int parse_socket(void *base, const struct keys_key *k, const char *value,
                        const struct keys_style *s, struct err *e)
{
    return *value ? keys_path.parse(base, k, value, s, e) : keys_store_text(base, k, value, e);
}

/* The path of a command, the word slurm, or nothing. */
static int parse_energy(void *base, const struct keys_key *k, const char *value,
                        const struct keys_style *s, struct err *e)
{
    if (!*value || strcmp(value, "slurm") == 0)
        return keys_store_text(base, k, value, e);
    if (*value != '/')
        return err_set(e, "%s%s%s is not an absolute path; give that of a command, or slurm",
                       k->name, s->equals, value);
    return keys_path.parse(base, k, value, s, e);
}

/* Names of users, of groups with an @ before them, commas between; or *. */
static int parse_people(void *base, const struct keys_key *k, const char *value,
                        const struct keys_style *s, struct err *e)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const char *at = strcmp(value, "*") == 0 ? "" : value;

    while (*at) {
        at += *at == '@';
        size_t n = strspn(at, good);
        if (n == 0 || n >= CONF_WORD_SIZE || at[0] == '-' ||
            (at[n] && (at[n] != ',' || !at[n + 1])))
            return err_set(
                e, "%s%s%s is not a list of users and @groups; use for example alice,@hpcadmin",
                k->name, s->equals, value);
        at += n + (at[n] == ',');
    }
    return keys_store_text(base, k, value, e);
}

/* ---- one file ---- */

int conf_find(const char *name)
{
    for (int i = 0; i < N_KEYS; i++)
        if (strcmp(keys[i].row.name, name) == 0)
            return i;
    return -1;
}

static int refuse_key(const char *name, struct err *e)
{
    const char *names[N_KEYS];

    for (int i = 0; i < N_KEYS; i++)
        names[i] = keys[i].row.name;
    return keys_refuse("key", name, names, N_KEYS, "'hpcai500 config' shows them all", e);
}

/* Cuts blanks at both ends of text, in place. */
static char *trim(char *text)
{
    text += strspn(text, " \t");
    for (size_t n = strlen(text); n && (text[n - 1] == ' ' || text[n - 1] == '\t'); n--)
        text[n - 1] = '\0';
    return text;
}

static int check_bytes(const char *line, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++)
        if (((unsigned char)line[i] < 0x20 && line[i] != '\t') || line[i] == 0x7f)
            return err_set(e, "byte %zu is a control character", i + 1);
    return 0;
}

/* One line, of which seen[] knows which keys stood before it in this file. */
static int parse_line(struct conf *c, char *line, int file, int number, int *seen, struct err *e)
{
    char *name = trim(line), *value = strchr(name, '=');

    if (!*name || *name == '#')
        return 0;
    if (!value)
        return err_set(e, "'%s' is not key = value", name);
    *value++ = '\0';
    name = trim(name);
    value = trim(value);
    int k = conf_find(name);
    if (k < 0)
        return refuse_key(name, e);
    if (seen[k])
        return err_set(e, "%s is given in line %d already", name, seen[k]);
    if (value[0] == '#' || strstr(value, " #") || strstr(value, "\t#"))
        return err_set(e, "the value of %s has a comment behind it; put it on its own line", name);
    if (parse(c, k, value, e))
        return -1;
    seen[k] = number;
    c->origin[k].from = FROM_FILE;
    c->origin[k].file = file;
    c->origin[k].line = number;
    return 0;
}

/* Into *c, which may be left half filled. */
static int parse_file(struct conf *c, const char *text, size_t size, const char *name,
                      struct err *e)
{
    char line[CONF_TEXT_SIZE + 128];
    int seen[N_KEYS] = {0};
    int number = 0;

    if (size > CONF_MAX_BYTES)
        return err_set(e, "%s is larger than %d bytes", name, CONF_MAX_BYTES);
    if (c->n_files == CONF_MAX_FILES)
        return err_set(e, "there are more than %d configuration files", CONF_MAX_FILES);
    snprintf(c->files[c->n_files], sizeof c->files[0], "%s", name);
    for (size_t from = 0; from < size; number++) {
        const char *end = memchr(text + from, '\n', size - from);
        size_t n = (end ? (size_t)(end - text) : size) - from;
        if (n >= sizeof line)
            return err_set(e, "%s:%d: the line is longer than %zu bytes", name, number + 1,
                           sizeof line - 1);
        memcpy(line, text + from, n);
        line[n] = '\0';
        if (check_bytes(line, n, e) || parse_line(c, line, c->n_files, number + 1, seen, e))
            return err_prefix(e, "%s:%d", name, number + 1);
        from += n + (end != NULL);
    }
    c->n_files++;
    return 0;
}

int conf_parse(struct conf *c, const char *text, size_t size, const char *name, struct err *e)
{
    struct conf next = *c;

    if (parse_file(&next, text, size, name, e))
        return -1;
    *c = next;
    return 0;
}

/* ---- files and who may write them ---- */

static int check_owner(const struct stat *st, const char *path, struct err *e)
{
    bool folder = S_ISDIR(st->st_mode);

    if (st->st_uid != 0 && st->st_uid != geteuid())
        return err_set(e, "%s belongs to user %ld, who could change what we do; chown it to root",
                       path, (long)st->st_uid);
    if ((st->st_mode & 022) && !(folder && (st->st_mode & S_ISVTX)))
        return err_set(e, "%s can be written by others than its owner; chmod go-w %s", path, path);
    return 0;
}

/* Every folder above path, after links. */
static int check_folders(const char *path, struct err *e)
{
    char real[PATH_MAX];
    struct stat st;

    if (!realpath(path, real))
        return err_set(e, "cannot find %s: %s", path, strerror(errno));
    for (char *slash; (slash = strrchr(real, '/'));) {
        slash[slash == real] = '\0';
        if (stat(real, &st) < 0)
            return err_set(e, "cannot look at %s: %s", real, strerror(errno));
        if (check_owner(&st, real, e))
            return -1;
        if (slash == real)
            break;
    }
    return 0;
}

/* The whole file; free() it. NULL with a sentence. O_NONBLOCK: a FIFO does not
 * hold us. */
static char *read_file(const char *path, unsigned flags, size_t *size, struct err *e)
{
    struct stat st;
    char *text = NULL;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

    if (fd < 0) {
        err_set(e, "cannot read %s: %s", path, strerror(errno));
        return NULL;
    }
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        err_set(e, "%s is not a regular file", path);
    else if (!(flags & CONF_PRIVILEGED) ||
             (check_owner(&st, path, e) == 0 && check_folders(path, e) == 0)) {
        text = slurp_fd(fd, CONF_MAX_BYTES, size);
        if (!text && errno == EFBIG)
            err_set(e, "%s is larger than %d bytes", path, CONF_MAX_BYTES);
        else if (!text)
            err_set(e, "cannot read %s: %s", path, strerror(errno));
    }
    close(fd);
    return text;
}

static int load_file(struct conf *c, const char *path, unsigned flags, struct err *e)
{
    size_t size;

    if (strlen(path) >= sizeof c->files[0])
        return err_set(e, "the path %s is too long", path);
    char *text = read_file(path, flags, &size, e);
    int rc = text ? parse_file(c, text, size, path, e) : -1;
    free(text);
    return rc;
}

static int is_conf(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);
    return n > 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + n - 5, ".conf") == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* conf.d beside path; it may be missing. */
static int load_folder(struct conf *c, const char *path, unsigned flags, struct err *e)
{
    char folder[PATH_MAX], file[PATH_MAX + NAME_MAX + 2];
    const char *slash = strrchr(path, '/');
    struct dirent **entries = NULL;
    int rc = 0;

    snprintf(folder, sizeof folder, "%.*sconf.d", slash ? (int)(slash - path) + 1 : 0, path);
    int n = scandir(folder, &entries, is_conf, by_bytes);
    if (n < 0)
        return errno == ENOENT ? 0 : err_set(e, "cannot read %s: %s", folder, strerror(errno));
    for (int i = 0; i < n; i++) {
        snprintf(file, sizeof file, "%s/%s", folder, entries[i]->d_name);
        if (rc == 0)
            rc = load_file(c, file, flags, e);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

static int load_environment(struct conf *c, struct err *e)
{
    for (int i = 0; i < N_KEYS; i++) {
        const char *name = keys[i].row.environment;
        const char *value = name ? getenv(name) : NULL;
        if (!value || !*value)
            continue;
        if (parse(c, i, value, e))
            return err_prefix(e, "%s", name);
        c->origin[i].from = FROM_ENVIRONMENT;
    }
    return 0;
}

void conf_defaults(struct conf *c)
{
    memset(c, 0, sizeof *c);
    for (int i = 0; i < N_KEYS; i++)
        parse(c, i, keys[i].row.fallback, NULL);
}

int conf_load(struct conf *c, const char *path, unsigned flags, struct err *e)
{
    const char *said = path ? path : secure_getenv("HPCAI500_CONF");
    struct conf next;

    conf_defaults(&next);
    if (!said || !*said)
        said = NULL;
    path = said ? said : default_path;
    if ((said || access(path, F_OK) == 0 || errno != ENOENT) && load_file(&next, path, flags, e))
        return -1;
    if (load_folder(&next, path, flags, e))
        return -1;
    if (!(flags & CONF_PRIVILEGED) && load_environment(&next, e))
        return -1;
    *c = next;
    return 0;
}

/* ---- the table, for others ---- */

int conf_count(void)
{
    return N_KEYS;
}

const struct conf_row *conf_row(int key)
{
    return key >= 0 && key < N_KEYS ? &keys[key].row : NULL;
}

void conf_value(const struct conf *c, int key, char *text, size_t size)
{
    const struct keys_key k = key_of(key);

    k.kind->format(c, &k, &style, text, size);
}

void conf_origin(const struct conf *c, int key, char *text, size_t size)
{
    if (c->origin[key].from == FROM_FILE)
        snprintf(text, size, "%s:%d", c->files[c->origin[key].file], c->origin[key].line);
    else
        snprintf(text, size, "%s",
                 c->origin[key].from == FROM_DEFAULT ? "default" : keys[key].row.environment);
}
