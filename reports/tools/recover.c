/* SPDX-License-Identifier: BSD-3-Clause */
/* hpcai500 recover: a record from the journals of a run that left none. */
#include <config.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "reports/core/option.h"
#include "reports/core/out.h"
#include "reports/record/journal.h"
#include "reports/record/record.h"

static int usage(FILE *f)
{
    fprintf(f, "usage: hpcai500 recover FOLDER.journal [DIR]\n"
               "Makes a partial record from the ranks' journals in the folder and writes it\n"
               "into DIR (else beside the folder).\n");
    return f == stdout ? 0 : 2;
}

/* The folder that holds `folder`. */
static void parent_of(const char *folder, char dir[PATH_MAX])
{
    snprintf(dir, PATH_MAX, "%s", folder);
    for (size_t n = strlen(dir); n > 1 && dir[n - 1] == '/'; n--)
        dir[n - 1] = '\0';
    char *slash = strrchr(dir, '/');
    if (!slash)
        snprintf(dir, PATH_MAX, ".");
    else
        slash[slash == dir] = '\0';
}

int main(int argc, char **argv)
{
    struct record r;
    struct err e = ERR_INIT;
    char dir[PATH_MAX], path[PATH_MAX];

    out_guard("hpcai500 recover");
    int help = option_help(argc, argv, &e);
    if (help < 0) {
        fprintf(stderr, "hpcai500 recover: %s\n", e.text);
        return 2;
    }
    if (help || optind == argc || argc - optind > 2)
        return usage(help ? stdout : stderr);
    argv += optind;
    parent_of(argv[0], dir);
    signal(SIGXFSZ, SIG_IGN); /* a full quota is a sentence, not a death */
    record_init(&r);
    int rc = record_from_journals(argv[0], &r, &e);
    if (rc >= 0)
        rc = record_write(&r, argv[1] ? argv[1] : dir, path, &e);
    record_fini(&r);
    if (rc < 0) {
        fprintf(stderr, "hpcai500 recover: %s\n", e.text);
        return 3;
    }
    puts(path);
    return 0;
}
