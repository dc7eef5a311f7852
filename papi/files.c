/* SPDX-License-Identifier: BSD-3-Clause */
/* Small files of the kernel: reading, picking numbers, saying why not. */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "papi/backend.h"
#include "papi/state.h"
#include "reports/core/slurp.h"

void root_path(const struct counters *c, char *buf, size_t size, const char *path)
{
    int n = snprintf(buf, size, "%s%s", c->root, path);

    if (n < 0 || (size_t)n >= size)
        buf[0] = '\0';
}

ssize_t read_small(const struct counters *c, const char *path, char *buf, size_t size)
{
    char full[PATH_BYTES];

    root_path(c, full, sizeof(full), path);
    ssize_t n = slurp_text(full, buf, size);
    if (n < 0)
        n = -errno;
    if (n < 0)
        buf[0] = '\0';
    return n;
}

void read_line(const struct counters *c, const char *path, char *buf, size_t size)
{
    if (read_small(c, path, buf, size) < 0)
        buf[0] = '\0';
    buf[strcspn(buf, "\n")] = '\0';
}

void why_unread(const struct counters *c, const char *path, int err, char *why, size_t size)
{
    char full[PATH_BYTES];
    struct stat st;

    root_path(c, full, sizeof(full), path);
    if ((err == EACCES || err == EPERM) && stat(full, &st) == 0)
        snprintf(why, size, "%s: %s (mode %04o, owner uid %u)", path, strerror(err),
                 (unsigned)st.st_mode & 07777, (unsigned)st.st_uid);
    else
        snprintf(why, size, "%s: %s", path, strerror(err));
}

/* Where the word key ends in the line, NULL when it is not there. A word
 * stands between the line's ends, blanks, ':' and '='. */
static const char *after_word(const char *line, size_t len, const char *key)
{
    size_t k = strlen(key);

    for (const char *p = line; p + k <= line + len; p++) {
        if (memcmp(p, key, k) != 0 || (p > line && p[-1] != ' ' && p[-1] != '\t'))
            continue;
        if (p + k == line + len || strchr(" \t:=", p[k]))
            return p + k;
    }
    return NULL;
}

/* The field-th number in [p, end): digits, after blanks, ':' and '='. */
static bool number_at(const char *p, const char *end, int field, double *value)
{
    for (int i = 0;; i++) {
        while (p < end && strchr(" \t:=", *p))
            p++;
        if (p >= end)
            return false;
        if (i == field)
            break;
        while (p < end && !strchr(" \t:=", *p))
            p++;
    }
    if (*p < '0' || *p > '9')
        return false;
    *value = (double)strtoull(p, NULL, 10);
    return true;
}

bool pick_number(const char *text, const struct pick *p, double *value)
{
    double sum = 0;
    int found = 0;

    for (const char *line = text; *line;) {
        size_t len = strcspn(line, "\n");
        const char *at = p->key ? after_word(line, len, p->key) : line;
        double v;

        if (at && number_at(at, line + len, p->field, &v)) {
            sum += v;
            found++;
            if (p->lines == PICK_FIRST)
                break;
        }
        line += len + (line[len] == '\n');
    }
    *value = sum;
    return found > 0 || p->lines == PICK_SUM0;
}

static int visible(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

static int each_entry(struct counters *c, const char *full,
                      int (*f)(struct counters *c, const char *name, void *ctx), void *ctx)
{
    struct dirent **names = NULL;
    int n = scandir(full, &names, visible, alphasort), r = 0;

    if (n < 0)
        return -errno;
    for (int i = 0; i < n; i++) {
        if (r >= 0)
            r = f(c, names[i]->d_name, ctx);
        free(names[i]);
    }
    free(names);
    return r < 0 ? r : n;
}

int each_name(struct counters *c, const char *dir,
              int (*f)(struct counters *c, const char *name, void *ctx), void *ctx)
{
    char full[PATH_BYTES];

    root_path(c, full, sizeof(full), dir);
    return each_entry(c, full, f, ctx);
}

int each_own(struct counters *c, const char *dir,
             int (*f)(struct counters *c, const char *name, void *ctx), void *ctx)
{
    char full[64];

    snprintf(full, sizeof(full), "/proc/self/%s", dir);
    return each_entry(c, full, f, ctx);
}
