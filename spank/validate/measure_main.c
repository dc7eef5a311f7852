/* SPDX-License-Identifier: BSD-3-Clause */
/* The options of hpcai500 validate --nodes, --reservation: one table. */
#include <config.h>

#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/option.h"
#include "spank/validate/measure.h"
#include "spank/validate/validate.h"

enum kind { OPTION_TEXT, OPTION_NUMBER, OPTION_FLAG };

#define AT(member) offsetof(struct measure_options, member)

static const struct row {
    const char *name;
    enum kind kind;
    size_t offset;
    long least, most;
} rows[] = {
    {"nodes", OPTION_TEXT, AT(nodes), 0, 0},
    {"reservation", OPTION_TEXT, AT(reservation), 0, 0},
    {"profile", OPTION_TEXT, AT(profile), 0, 0},
    {"budget", OPTION_NUMBER, AT(budget), 1, 86400},
    {"only", OPTION_TEXT, AT(only), 0, 0},
    {"calls", OPTION_NUMBER, AT(calls), 1, 100000000},
    {"samples", OPTION_NUMBER, AT(samples), 1, 16},
    {"spacing", OPTION_NUMBER, AT(spacing), 0, 3600},
    {"patience", OPTION_NUMBER, AT(patience), 1, 604800},
    {"minutes", OPTION_NUMBER, AT(minutes), 1, 10080},
    {"turns", OPTION_FLAG, AT(turns), 0, 0},
    {"mpi", OPTION_TEXT, AT(mpi), 0, 0},
    {"partition", OPTION_TEXT, AT(partition), 0, 0},
    {"account", OPTION_TEXT, AT(account), 0, 0},
    {"folder", OPTION_TEXT, AT(folder), 0, 0},
    {"disk", OPTION_TEXT, AT(tests_folder), 0, 0},
    {"node-program", OPTION_TEXT, AT(node_program), 0, 0},
    {"agent", OPTION_TEXT, AT(agent), 0, 0},
    {"conf", OPTION_TEXT, AT(conf), 0, 0},
    {"dry-run", OPTION_FLAG, AT(dry_run), 0, 0},
    {"json", OPTION_FLAG, AT(json), 0, 0},
    {"junit", OPTION_TEXT, AT(junit), 0, 0},
    {"quiet", OPTION_FLAG, AT(quiet), 0, 0},
};

enum { ROWS = sizeof rows / sizeof *rows };

int validate_measure_usage(FILE *f)
{
    fprintf(f,
            "usage: hpcai500 validate --nodes=LIST | --reservation=NAME [--nodes=LIST] [options]\n"
            "           [--profile=quick|standard|deep] [--budget=SECONDS] [--only=TEST,...]\n"
            "           [--calls=N] [--samples=N] [--spacing=SECONDS] [--patience=SECONDS]\n"
            "           [--minutes=N] [--turns] [--mpi=TYPE] [--partition=NAME] [--account=NAME]\n"
            "           [--folder=FOLDER] [--disk=FOLDER] [--node-program=FILE] [--agent=FILE]\n"
            "           [--conf=FILE] [--dry-run] [--json] [--junit=FILE] [-q, --quiet]\n"
            "Measures nodes by jobs, says which are not what they should be, changes nothing.\n");
    return f == stdout ? 0 : ALARM_UNKNOWN;
}

static int take(struct measure_options *o, const struct row *r, const char *text, struct err *e)
{
    void *at = (char *)o + r->offset;
    char *end;

    if (r->kind == OPTION_FLAG)
        *(bool *)at = true;
    else if (r->kind == OPTION_TEXT)
        *(const char **)at = text;
    else if ((*(long *)at = strtol(text, &end, 10), !*text) || *end || *(long *)at < r->least ||
             *(long *)at > r->most)
        return err_set(e, "--%s='%.32s' is not a number from %ld to %ld", r->name, text, r->least,
                       r->most);
    return 0;
}

/* A name of Slurm's that becomes a word of a command: nothing that a shell or sbatch would
 * read otherwise. */
static bool plain(const char *text)
{
    return !text || (*text && *text != '-' &&
                     strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "-_.,[]+") == strlen(text));
}

static int check(const struct measure_options *o, struct err *e)
{
    const char *const names[] = {o->nodes, o->reservation, o->partition, o->account, o->mpi};

    if (!o->nodes && !o->reservation)
        return err_set(e, "give --nodes=LIST, --reservation=NAME, or both");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!plain(names[i]))
            return err_set(e,
                           "'%.64s' is not a name of nodes, a reservation, a partition, an "
                           "account or a kind of MPI",
                           names[i]);
    if (strcmp(o->profile, "quick") != 0 && strcmp(o->profile, "standard") != 0 &&
        strcmp(o->profile, "deep") != 0)
        return err_set(e, "--profile='%.32s' is not quick, standard or deep", o->profile);
    return 0;
}

/* 0, 1 help, -1 and a sentence. */
static int parse(struct measure_options *o, int argc, char **argv, struct err *e)
{
    struct option longs[ROWS + 2] = {{NULL, 0, NULL, 0}};
    int c, row = 0;

    for (int i = 0; i < ROWS; i++)
        longs[i] = (struct option){
            rows[i].name, rows[i].kind == OPTION_FLAG ? no_argument : required_argument, NULL, 'o'};
    longs[ROWS] = (struct option){"help", no_argument, NULL, 'h'};
    *o = (struct measure_options){.profile = "standard", .spacing = 60, .patience = 600};
    opterr = 0;
    while ((c = getopt_long(argc, argv, "hq", longs, &row)) != -1) {
        if (c == 'h' || c == '?')
            return c == 'h' ? 1 : option_refuse(argv, longs, e);
        if (c == 'q')
            o->quiet = true;
        else if (take(o, &rows[row], optarg, e) < 0)
            return -1;
    }
    if (optind < argc)
        return err_set(e, "'%.32s' is one word too many", argv[optind]);
    return check(o, e);
}

int validate_measure_main(int argc, char **argv)
{
    struct measure_options o;
    struct err e = ERR_INIT;
    int rc = parse(&o, argc, argv, &e);

    if (rc > 0)
        return validate_measure_usage(stdout);
    if (rc == 0)
        rc = validate_measure(&o, &e);
    if (rc >= 0)
        return fflush(stdout) ? (int)ALARM_UNKNOWN : rc;
    fprintf(stderr, "hpcai500 validate: %s\n", e.text);
    return ALARM_UNKNOWN;
}
