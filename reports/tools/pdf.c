/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/tools/pdf.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/core/spawn.h"

enum { SECONDS = 120, MOST_TEXT = 1 << 16 };

static const char *const browsers[] = {"/usr/bin/chromium", "/usr/bin/chromium-browser",
                                       "/usr/bin/google-chrome", "/usr/bin/google-chrome-stable"};

static const char *browser(void)
{
    for (size_t i = 0; i < sizeof browsers / sizeof *browsers; i++)
        if (access(browsers[i], X_OK) == 0)
            return browsers[i];
    return NULL;
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

/* A browser's address of a file: every byte that is not plain in hex. */
static void address(const char *path, char *out, size_t size)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-~";
    size_t used = (size_t)snprintf(out, size, "file://");

    for (; *path && used + 4 < size; path++)
        used += (size_t)snprintf(out + used, size - used, strchr(plain, *path) ? "%c" : "%%%02X",
                                 (unsigned char)*path);
}

/* The program with a home of its own: nothing of the user's browser is touched. */
static int print(const char *program, const char *home, const char *page, const char *pdf,
                 struct err *e)
{
    char profile[PATH_MAX + 32], target[PATH_MAX + 32], home_is[PATH_MAX], url[3 * PATH_MAX + 8];
    char *text = NULL;
    struct stat st;

    snprintf(profile, sizeof profile, "--user-data-dir=%s", home);
    snprintf(target, sizeof target, "--print-to-pdf=%s", pdf);
    snprintf(home_is, sizeof home_is, "HOME=%s", home);
    address(page, url, sizeof url);
    const char *const argv[] = {program,
                                "--headless",
                                "--disable-gpu",
                                "--disable-dev-shm-usage",
                                "--no-pdf-header-footer",
                                "--host-resolver-rules=MAP * ~NOTFOUND",
                                profile,
                                target,
                                url,
                                geteuid() == 0 ? "--no-sandbox" : NULL, /* it refuses root else */
                                NULL};
    const char *const env[] = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", home_is, NULL};
    int code = spawn_run(&(struct spawn){.argv = argv, .env = env, .in = SPAWN_NULL, .group = true},
                         SECONDS, MOST_TEXT, &text);
    free(text);
    if (code != 0 || stat(pdf, &st) != 0 || st.st_size == 0)
        return err_set(e, "%s ended with %d and left no %s; the page itself is written", program,
                       code, pdf);
    return 0;
}

int pdf_print(const char *page, struct err *e)
{
    char pdf[PATH_MAX + 8], full[PATH_MAX], home[] = "/tmp/hpcai500-pdf-XXXXXX";
    size_t n = strlen(page);
    const char *program = browser();

    if (!program)
        return err_set(
            e, "--pdf needs Chromium (Debian: chromium); the page itself is written, and any "
               "browser prints it");
    if (!realpath(page, full) || !mkdtemp(home))
        return err_set(e, "cannot print %s: %s", page, strerror(errno));
    snprintf(pdf, sizeof pdf, "%.*s.pdf",
             (int)(n > 5 && strcmp(page + n - 5, ".html") == 0 ? n - 5 : n), page);
    int rc = print(program, home, full, pdf, e);
    nftw(home, drop, 16, FTW_DEPTH | FTW_PHYS);
    return rc;
}
