/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/manifest.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/core/sha256.h"
#include "reports/core/slurp.h"

enum { LINE_MAX_BYTES = 512, TEXT_MAX_BYTES = 256 << 20 };

enum kind { KIND_TEXT, KIND_INT, KIND_U64 };

/* The head of the text, in its order. */
static const struct field_row {
    const char *key;
    enum kind kind;
    size_t offset, size; /* size: of a text */
} rows[] = {
#define AT(m)   offsetof(struct manifest, m)
#define TEXT(m) KIND_TEXT, AT(m), sizeof((struct manifest *)0)->m
    {"science", TEXT(science)},
    {"class", TEXT(class_name)},
    {"layout", TEXT(layout)},
    {"generator", KIND_INT, AT(generator), 0},
    {"build", TEXT(build)},
    {"seed", KIND_U64, AT(seed), 0},
    {"train", KIND_U64, AT(train), 0},
    {"validation", KIND_U64, AT(validation), 0},
    {"train_samples", KIND_U64, AT(train_samples), 0},
    {"validation_samples", KIND_U64, AT(validation_samples), 0},
#undef TEXT
#undef AT
};

enum { ROWS = sizeof rows / sizeof rows[0] };

/* Digits only, no sign, no overflow. */
static bool parse_u64(const char *s, uint64_t *v)
{
    char *end;

    if (!isdigit((unsigned char)*s))
        return false;
    errno = 0;
    unsigned long long n = strtoull(s, &end, 10);
    *v = n;
    return errno == 0 && *end == '\0' && n <= UINT64_MAX;
}

static bool parse_double(const char *s, double *v)
{
    char *end;

    if (!isdigit((unsigned char)s[*s == '-']))
        return false;
    *v = strtod(s, &end);
    return *end == '\0';
}

static bool parse_value(struct manifest *m, const struct field_row *row, const char *s)
{
    char *at = (char *)m + row->offset;
    uint64_t n;

    switch (row->kind) {
    case KIND_TEXT:
        if (*s == '\0' || strlen(s) >= row->size)
            return false;
        strcpy(at, s);
        return true;
    case KIND_INT:
        if (!parse_u64(s, &n) || n > 1 << 20)
            return false;
        *(int *)at = (int)n;
        return true;
    case KIND_U64:
        return parse_u64(s, (uint64_t *)at);
    }
    return false;
}

/* A file of one of the two folders, nothing hidden, nothing above. */
static bool good_path(const char *s)
{
    const char *slash = strchr(s, '/');

    if (strncmp(s, "train/", 6) != 0 && strncmp(s, "validation/", 11) != 0)
        return false;
    if (slash[1] == '.' || slash[1] == '\0' || strlen(s) >= MANIFEST_PATH_SIZE)
        return false;
    for (const char *c = slash + 1; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '.' && *c != '_' && *c != '-')
            return false;
    return true;
}

/* Small letters, digits and _, as fits MANIFEST_NAME_SIZE. */
static bool good_name(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_");

    return n > 0 && n < MANIFEST_NAME_SIZE && s[n] == '\0';
}

/* "NAME TEXT" of a note, "NAME VALUE" of a baseline: notes first, no name twice. */
static bool parse_note(struct manifest *m, const char *name, const char *text)
{
    for (int i = 0; i < m->n_notes; i++)
        if (strcmp(m->note[i].name, name) == 0)
            return false;
    return m->n_baselines == 0 && manifest_note(m, name, "%s", text);
}

static bool parse_baseline(struct manifest *m, const char *name, const char *text)
{
    double value;

    for (int i = 0; i < m->n_baselines; i++)
        if (strcmp(m->baseline[i].name, name) == 0)
            return false;
    return parse_double(text, &value) && manifest_baseline(m, name, value);
}

/* A line of those that stand before the files. */
static int parse_named(struct manifest *m, const char *key, char *value, struct err *e)
{
    char *text = strchr(value, ' ');

    if (text)
        *text++ = '\0';
    if (!text || m->n_files > 0 ||
        !(*key == 'n' ? parse_note(m, value, text) : parse_baseline(m, value, text)))
        return err_set(e, "bad or misplaced %s '%.40s'", key, value);
    return 0;
}

/* "SHA BYTES PATH", after the file before it in the list's order. */
static bool parse_file(struct manifest *m, char *s)
{
    struct manifest_file *f = &m->files[m->n_files];
    char *bytes = strchr(s, ' ');
    char *path = bytes ? strchr(bytes + 1, ' ') : NULL;

    if (!path)
        return false;
    *bytes++ = *path++ = '\0';
    if (strlen(s) != 64 || strspn(s, "0123456789abcdef") != 64 || !parse_u64(bytes, &f->bytes) ||
        !good_path(path))
        return false;
    if (m->n_files && strcmp(path, f[-1].path) <= 0)
        return false;
    memcpy(f->sha256, s, 65);
    strcpy(f->path, path);
    m->n_files++;
    return true;
}

/* Room for one more file. */
static int grow(struct manifest *m, struct err *e)
{
    if (m->n_files == MANIFEST_MAX_FILES)
        return err_set(e, "more than %d files", MANIFEST_MAX_FILES);
    if (m->n_files < 64 ? m->n_files % 64 == 0 : (m->n_files & (m->n_files - 1)) == 0) {
        size_t room = m->n_files < 64 ? 64 : 2 * m->n_files;
        void *p = realloc(m->files, room * sizeof *m->files);
        if (!p)
            return err_set(e, "no memory for %zu files", room);
        m->files = p;
    }
    return 0;
}

/* Line `number` (from 0). 0, 1 after the last line, -1. */
static int parse_line(struct manifest *m, char *line, size_t number, struct err *e)
{
    char *value = strchr(line, ' ');
    uint64_t n;

    if (!value)
        return err_set(e, "'%.40s' has no value", line);
    *value++ = '\0';
    if (number == 0) {
        if (strcmp(line, "hpcai500-data") != 0)
            return err_set(e, "not a manifest of hpcai500");
        if (parse_u64(value, &n) && n < MANIFEST_FORMAT)
            return err_set(e, "of an older hpcai500 (format %" PRIu64 "): make the data again", n);
        if (!parse_u64(value, &n) || n != MANIFEST_FORMAT)
            return err_set(e, "format %.20s is not known, expected %d", value, MANIFEST_FORMAT);
        return 0;
    }
    if (number <= ROWS) {
        const struct field_row *row = &rows[number - 1];
        if (strcmp(line, row->key) != 0)
            return err_set(e, "'%.40s' where '%s' was expected", line, row->key);
        if (!parse_value(m, row, value))
            return err_set(e, "'%.40s' is not a value of '%s'", value, row->key);
        return 0;
    }
    if (strcmp(line, "note") == 0 || strcmp(line, "baseline") == 0)
        return parse_named(m, line, value, e);
    if (strcmp(line, "file") == 0) {
        if (grow(m, e) < 0)
            return -1;
        return parse_file(m, value) ? 0 : err_set(e, "bad or misplaced file '%.40s'", value);
    }
    if (strcmp(line, "end") != 0)
        return err_set(e, "'%.40s' where 'note', 'baseline', 'file' or 'end' was expected", line);
    if (!parse_u64(value, &n) || n != m->n_files || m->train > n || m->validation > n ||
        m->train + m->validation != n)
        return err_set(e, "%" PRIu64 " files listed, %.20s promised", m->n_files, value);
    return 1;
}

/* Sorted by path, "train/" stands before "validation/". */
static bool split_holds(const struct manifest *m)
{
    for (uint64_t i = 0; i < m->n_files; i++)
        if ((i < m->train) != (m->files[i].path[0] == 't'))
            return false;
    return true;
}

/* Copies the line at *at, NUL for newline, and steps over it. */
static int next_line(const char **at, const char *end, char line[LINE_MAX_BYTES], struct err *e)
{
    const char *eol = memchr(*at, '\n', (size_t)(end - *at));
    size_t n = eol ? (size_t)(eol - *at) : 0;

    if (!eol)
        return err_set(e, "ends before its last line");
    if (n >= LINE_MAX_BYTES)
        return err_set(e, "longer than %d bytes", LINE_MAX_BYTES - 1);
    memcpy(line, *at, n);
    line[n] = '\0';
    *at = eol + 1;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)line[i] < 0x20 || (unsigned char)line[i] > 0x7e)
            return err_set(e, "byte %zu is not printable", i + 1);
    return 0;
}

int manifest_parse(struct manifest *m, const char *text, size_t size, const char *name,
                   struct err *e)
{
    const char *at = text, *end = text + size;
    char line[LINE_MAX_BYTES];
    size_t number = 0;
    int got;

    memset(m, 0, sizeof *m);
    do {
        got = next_line(&at, end, line, e);
        if (got == 0)
            got = parse_line(m, line, number, e);
        number++;
    } while (got == 0);
    if (got == 1 && at != end)
        got = err_set(e, "text after the end");
    if (got == 1 && !split_holds(m))
        got = err_set(e, "the files are not the %" PRIu64 " + %" PRIu64 " promised", m->train,
                      m->validation);
    if (got == 1)
        return 0;
    manifest_fini(m);
    return err_prefix(e, "%s, line %zu", name, number);
}

/* The whole file; free() it. 1 when there is none. */
static int load(const char *path, char **text, size_t *size, struct err *e)
{
    *text = slurp(AT_FDCWD, path, 0, TEXT_MAX_BYTES, size);
    if (*text)
        return 0;
    if (errno == ENOENT)
        return err_set(e, "%s: there is none", path), 1;
    if (errno == EINVAL || errno == EFBIG)
        return err_set(e, "%s: not a regular file of at most %d bytes", path, TEXT_MAX_BYTES);
    return err_set(e, "%s: %s", path, strerror(errno));
}

int manifest_read(struct manifest *m, const char *folder, char *sha256, struct err *e)
{
    char path[4096];
    char *text = NULL;
    size_t size = 0;

    memset(m, 0, sizeof *m);
    if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, MANIFEST_NAME) >= sizeof path)
        return err_set(e, "the path '%.80s...' is too long", folder);
    int rc = load(path, &text, &size, e);
    if (rc != 0)
        return rc;
    if (sha256) {
        struct sha256 s;
        sha256_init(&s);
        sha256_add(&s, text, size);
        sha256_hex(&s, sha256);
    }
    rc = manifest_parse(m, text, size, path, e);
    free(text);
    return rc;
}

static void write_value(FILE *f, const struct manifest *m, const struct field_row *row)
{
    const char *at = (const char *)m + row->offset;

    fprintf(f, "%s ", row->key);
    switch (row->kind) {
    case KIND_TEXT:
        fprintf(f, "%s\n", at);
        break;
    case KIND_INT:
        fprintf(f, "%d\n", *(const int *)at);
        break;
    case KIND_U64:
        fprintf(f, "%" PRIu64 "\n", *(const uint64_t *)at);
        break;
    }
}

int manifest_write(const struct manifest *m, FILE *f)
{
    fprintf(f, "hpcai500-data %d\n", MANIFEST_FORMAT);
    for (size_t i = 0; i < ROWS; i++)
        write_value(f, m, &rows[i]);
    for (int i = 0; i < m->n_notes; i++)
        fprintf(f, "note %s %s\n", m->note[i].name, m->note[i].text);
    for (int i = 0; i < m->n_baselines; i++)
        fprintf(f, "baseline %s %.9g\n", m->baseline[i].name, m->baseline[i].value);
    for (uint64_t i = 0; i < m->n_files; i++)
        fprintf(f, "file %s %" PRIu64 " %s\n", m->files[i].sha256, m->files[i].bytes,
                m->files[i].path);
    fprintf(f, "end %" PRIu64 "\n", m->n_files);
    return fflush(f) == 0 && !ferror(f) ? 0 : -1;
}

void manifest_fini(struct manifest *m)
{
    free(m->files);
    memset(m, 0, sizeof *m);
}

int manifest_verify(const struct manifest *m, const char *folder, uint64_t hashes, struct err *e)
{
    char path[4096];
    struct stat st;

    for (uint64_t i = 0; i < m->n_files; i++) {
        const struct manifest_file *f = &m->files[i];
        if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, f->path) >= sizeof path)
            return err_set(e, "the path '%.80s...' is too long", folder);
        if (stat(path, &st) < 0)
            return err_set(e, "%s: %s, expected %" PRIu64 " bytes", path, strerror(errno),
                           f->bytes);
        if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != f->bytes)
            return err_set(e, "%s: %lld bytes, expected %" PRIu64, path, (long long)st.st_size,
                           f->bytes);
        /* the files at which i * hashes / n_files steps up */
        if (hashes > 0 && (i == 0 || i * hashes / m->n_files != (i - 1) * hashes / m->n_files)) {
            char hex[SHA256_HEX_SIZE];
            if (sha256_file(path, hex, NULL, e) < 0)
                return -1;
            if (strcmp(hex, f->sha256) != 0)
                return err_set(e, "%s: its SHA-256 is not the manifest's", path);
        }
    }
    return 0;
}

bool manifest_note(struct manifest *m, const char *name, const char *fmt, ...)
{
    struct manifest_note *note = &m->note[m->n_notes];
    va_list ap;

    if (m->n_notes == MANIFEST_NOTES || !good_name(name))
        return false;
    va_start(ap, fmt);
    int n = vsnprintf(note->text, sizeof note->text, fmt, ap);
    va_end(ap);
    if (n <= 0 || (size_t)n >= sizeof note->text)
        return false;
    strcpy(note->name, name);
    m->n_notes++;
    return true;
}

bool manifest_baseline(struct manifest *m, const char *name, double value)
{
    struct manifest_baseline *b = &m->baseline[m->n_baselines];

    if (m->n_baselines == SCIENCE_BASELINES || !good_name(name) || !isfinite(value))
        return false;
    strcpy(b->name, name);
    b->value = value;
    m->n_baselines++;
    return true;
}
