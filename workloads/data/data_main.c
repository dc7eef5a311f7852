/* SPDX-License-Identifier: BSD-3-Clause */
/* hpcai500-data: the verb `hpcai500 data`: makes, shows, draws and verifies sets. */
#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reports/core/out.h"
#include "workloads/data/check.h"
#include "workloads/data/dataset.h"
#include "workloads/data/import.h"
#include "workloads/data/manifest.h"

#define PROGRAM "hpcai500 data"

enum { EXIT_USAGE = 2, EXIT_NOT_RUN = 3 };

static int fail(int status, const struct err *e)
{
    fprintf(stderr, PROGRAM ": %s\n", e->text);
    return status;
}

/* Becomes another program: that of a build tree, by its path from the folder of this
 * one, else the installed one. */
static int become(const char *beside, const char *installed, char **argv, struct err *e)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 64);

    if (n > 0) {
        path[n] = '\0';
        snprintf(strrchr(path, '/') + 1, 64, "%s", beside);
    }
    if (n <= 0 || access(path, X_OK) < 0)
        snprintf(path, sizeof path, "%s", installed);
    argv[0] = path;
    execv(path, argv);
    err_set(e, "%s: %s", path, strerror(errno));
    return EXIT_NOT_RUN;
}

/* The generator is a program of its own (FFTW). */
static int generate(int argc, char **argv, struct err *e)
{
    (void)argc;
    return become("../generate/hpcai500-generate", HPCAI500_BINDIR "/hpcai500-generate", argv, e);
}

/* What draws knows the networks, too. */
static int view(int argc, char **argv, struct err *e)
{
    (void)argc;
#ifdef HAVE_PNG
    return become("../view/data-view", HPCAI500_LIBEXECDIR "/data-view", argv, e);
#else
    (void)argv;
    err_set(e, "view: this build has no libpng (Debian: libpng-dev)");
    return EXIT_NOT_RUN;
#endif
}

/* The manifest of the one folder named. */
static int read_manifest(struct manifest *m, int argc, char **argv, char *sha256, struct err *e)
{
    if (argc != 2) {
        err_set(e, "%s: expected one folder", argv[0]);
        return EXIT_USAGE;
    }
    int rc = manifest_read(m, argv[1], sha256, e);
    return rc == 0 ? EXIT_SUCCESS : rc == 1 ? EXIT_NOT_RUN : EXIT_FAILURE;
}

static void show_field(const struct dataset_info *info, int k)
{
    const struct field *field = &info->science->fields[k];
    const struct dataset_field *f = &info->field[k];

    printf("  %-10s ", field->name);
    for (int i = 0; i < f->rank; i++)
        printf("%s%ld", i ? " x " : "", f->dims[i]);
    printf("%s%s", f->rank ? ", " : "", f->stored[0] ? f->stored : "not stored");
    if (!f->stored[0] && !field->answer)
        printf(", %g is taken", (double)field->fallback);
    printf(": %s\n", field->title);
}

static int show_split(const char *folder, enum dataset_split split, const char *title,
                      const struct science *s, const struct data_class *c, struct err *e)
{
    struct dataset *d = dataset_open(folder, split, s, c, e);

    if (!d)
        return -1;
    const struct dataset_info *i = dataset_info(d);
    printf("%-12s %" PRIu64 " sample%s of %s in %" PRIu64
           " file%s, %.1f KB each on storage, layout "
           "%s\n",
           title, i->samples, &"s"[i->samples == 1], s -> title, i -> files, &"s"[i->files == 1],
           (double)i -> stored_bytes / 1e3, i -> layout -> name);
    if (i->split_here)
        printf("%-12s no folders 'train' and 'validation': the last eighth of the files is the "
               "latter\n",
               "");
    for (int k = 0; k < s->n_fields; k++)
        show_field(i, k);
    dataset_close(d);
    return 0;
}

static void show_manifest(const struct manifest *m, const char *sha256)
{
    printf("%-12s %s\n", "manifest", sha256);
    printf("%-12s %s, class %s, seed %" PRIu64 ", generator %d, build %s\n", "made for", m->science,
           m->class_name, m->seed, m->generator, m->build);
    for (int i = 0; i < m->n_notes; i++)
        printf("%-12s %s\n", m->note[i].name, m->note[i].text);
    for (int i = 0; i < m->n_baselines; i++)
        printf("%-12s %s %.4g\n", i ? "" : "baselines", m->baseline[i].name, m->baseline[i].value);
}

static const struct data_class *class_named(const struct science *s, const char *name)
{
    for (int i = 0; i < s->n_classes; i++)
        if (strcmp(runspec_class_name(s->classes[i].class), name) == 0)
            return &s->classes[i];
    return NULL;
}

/* Also of folders that were not made here: then there is no manifest. */
static int show(int argc, char **argv, struct err *e)
{
    struct manifest m;
    char sha256[65];
    int rc = read_manifest(&m, argc, argv, sha256, e);

    if (rc == EXIT_USAGE || rc == EXIT_FAILURE)
        return rc;
    const bool generated = rc == EXIT_SUCCESS;
    const struct science *s = dataset_science(argv[1], e);
    const struct data_class *c = s && generated ? class_named(s, m.class_name) : NULL;
    rc = EXIT_SUCCESS;
    if (!s || show_split(argv[1], DATASET_TRAIN, "train", s, c, e) < 0 ||
        show_split(argv[1], DATASET_VALIDATION, "validation", s, c, e) < 0)
        rc = EXIT_NOT_RUN;
    else if (generated)
        show_manifest(&m, sha256);
    else
        printf("%-12s none: the data were not generated here\n", "manifest");
    if (generated)
        manifest_fini(&m);
    return rc;
}

/* Every size and every hash. */
static int verify(int argc, char **argv, struct err *e)
{
    struct manifest m;
    int rc = read_manifest(&m, argc, argv, NULL, e);

    if (rc != EXIT_SUCCESS)
        return rc;
    if (manifest_verify(&m, argv[1], m.n_files, e) < 0)
        rc = EXIT_FAILURE;
    else
        printf("%s: %" PRIu64 " files are as the manifest says\n", argv[1], m.n_files);
    manifest_fini(&m);
    return rc;
}

/* Whatever is looked at is printed; what was not good says the status. */
static int check(int argc, char **argv, struct err *e)
{
    static const struct option table[] = {
        {"json", no_argument, NULL, 'j'}, {"quick", no_argument, NULL, 'q'}, {NULL, 0, NULL, 0}};
    static struct check c;
    bool json = false, quick = false;
    int o, status = EXIT_SUCCESS;

    opterr = 0;
    while ((o = getopt_long(argc, argv, "jq", table, NULL)) != -1) {
        if (o == '?')
            return err_set(e, "check: %s is not an option", argv[optind - 1]), EXIT_USAGE;
        json = json || o == 'j';
        quick = quick || o == 'q';
    }
    if (optind == argc)
        return err_set(e, "check: expected files or folders"), EXIT_USAGE;
    for (int i = optind; i < argc; i++) {
        if (check_path(&c, argv[i], !quick, e) < 0)
            return EXIT_NOT_RUN;
        if (!json)
            check_print(&c, stdout);
        else if (printf(i == optind ? "[" : ",\n") < 0 || check_print_json(&c, stdout, e) < 0)
            return EXIT_NOT_RUN;
        if (!check_good(&c))
            status = EXIT_FAILURE;
    }
    if (json)
        printf("]\n");
    return status;
}

/* Old formats into HDF5. */
static int import(int argc, char **argv, struct err *e)
{
    static const struct option table[] = {{"output", required_argument, NULL, 'o'},
                                          {"format", required_argument, NULL, 'f'},
                                          {"sidecar", required_argument, NULL, 's'},
                                          {"variable", required_argument, NULL, 'v'},
                                          {NULL, 0, NULL, 0}};
    struct import_order order = {.input = NULL};
    int o;

    opterr = 0;
    while ((o = getopt_long(argc, argv, "o:", table, NULL)) != -1)
        switch (o) {
        case 'o':
            order.output = optarg;
            break;
        case 'f':
            order.format = optarg;
            break;
        case 's':
            order.sidecar = optarg;
            break;
        case 'v':
            if (order.n_wanted == IMPORT_WANTED)
                return err_set(e, "import: at most %d --variable", IMPORT_WANTED), EXIT_USAGE;
            order.wanted[order.n_wanted++] = optarg;
            break;
        default:
            return err_set(e, "import: %s is not an option, or lacks its value", argv[optind - 1]),
                   EXIT_USAGE;
        }
    if (optind + 1 != argc || !order.output)
        return err_set(e, "import: expected one file and --output=FILE.h5"), EXIT_USAGE;
    order.input = argv[optind];
    return import_file(&order, stdout, e) < 0 ? EXIT_NOT_RUN : EXIT_SUCCESS;
}

static const struct verb {
    const char *name, *arguments, *help;
    int (*run)(int argc, char **argv, struct err *e);
} verbs[] = {
    {"generate", "WORKLOAD,class=CLASS --out DIR [-j N]", "makes a set (see hpcai500-generate)",
     generate},
    {"show", "DIR", "says what a folder holds", show},
    {"check", "FILE|DIR... [--json] [--quick]", "what they hold, what is wrong or slow", check},
    {"view", "FILE|DIR --output=PNG [...]", "a sample, and what a network says of it", view},
    {"import", "FILE --output=FILE.h5 [...]", "old formats (NetCDF, raw, CSV) into HDF5", import},
    {"verify", "DIR", "compares all files with the manifest", verify},
};

enum { VERBS = sizeof verbs / sizeof verbs[0] };

static void usage(FILE *f)
{
    fputs("usage:\n", f);
    for (int i = 0; i < VERBS; i++)
        fprintf(f, "  " PROGRAM " %-8s %-30s %s\n", verbs[i].name, verbs[i].arguments,
                verbs[i].help);
    fputs("  of view: --sample=N --split=train|validation --field=NAME --scale=auto|linear|log\n"
          "           --checkpoint=FILE --workload=NAME\n"
          "  of import: --variable=NAME[:PATH] --format=netcdf|raw|csv --sidecar=FILE\n",
          f);
}

int main(int argc, char **argv)
{
    struct err e = ERR_INIT;

    out_guard("hpcai500 data");
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
        usage(stdout);
        return EXIT_SUCCESS;
    }
    for (int i = 0; argc > 1 && i < VERBS; i++)
        if (strcmp(argv[1], verbs[i].name) == 0) {
            int status = verbs[i].run(argc - 1, argv + 1, &e);
            return status == EXIT_SUCCESS || !e.text[0] ? status : fail(status, &e);
        }
    if (argc > 1)
        fprintf(stderr, PROGRAM ": '%s' is not one of its verbs\n", argv[1]);
    usage(stderr);
    return EXIT_USAGE;
}
