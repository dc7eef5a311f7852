/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * data-view: the program behind `hpcai500 data view`, which starts it: one sample of
 * any science as a PNG, with a checkpoint what its network says of it.
 */
#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "reports/core/out.h"
#include "reports/core/utf8.h"
#include "workloads/view/view.h"

#define PROGRAM "hpcai500 data view"

enum { EXIT_USAGE = 2, EXIT_NOT_RUN = 3 };

struct wish {
    const char *path, *out, *field, *workload, *checkpoint;
    enum dataset_split split;
    bool split_given;
    enum panel_scale scale;
    uint64_t sample;
};

static const struct option options[] = {
    {"sample", required_argument, NULL, 's'},   {"output", required_argument, NULL, 'o'},
    {"field", required_argument, NULL, 'f'},    {"split", required_argument, NULL, 'p'},
    {"scale", required_argument, NULL, 'c'},    {"checkpoint", required_argument, NULL, 'k'},
    {"workload", required_argument, NULL, 'w'}, {NULL, 0, NULL, 0}};

static const char usage[] =
    "usage: " PROGRAM " FILE|DIR --output=PNG [--sample=N] [--split=train|validation]\n"
    "           [--field=NAME] [--scale=auto|linear|log] [--checkpoint=FILE [--workload=NAME]]\n";

/* Which of the words it is; -1 and a sentence. */
static int word(const char *text, const char *option, const char *const words[], struct err *e)
{
    char all[96] = "";

    for (int i = 0; words[i]; i++) {
        if (strcmp(text, words[i]) == 0)
            return i;
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", words[i]);
    }
    return err_set(e, "--%s=%.40s is not one of %s", option, text, all);
}

static int number(const char *text, uint64_t *n, struct err *e)
{
    char *end;

    errno = 0;
    *n = strtoull(text, &end, 10);
    if (errno || end == text || *end || text[strspn(text, "0123456789")])
        return err_set(e, "--sample=%.40s is not a number from 0 on", text);
    return 0;
}

static int take(struct wish *w, int o, struct err *e)
{
    static const char *const splits[] = {
        [DATASET_TRAIN] = "train", [DATASET_VALIDATION] = "validation", NULL};
    static const char *const scales[] = {
        [SCALE_AUTO] = "auto", [SCALE_LINEAR] = "linear", [SCALE_LOG] = "log", NULL};
    int i = 0;

    switch (o) {
    case 's':
        return number(optarg, &w->sample, e);
    case 'o':
        w->out = optarg;
        return 0;
    case 'f':
        w->field = optarg;
        return 0;
    case 'k':
        w->checkpoint = optarg;
        return 0;
    case 'w':
        w->workload = optarg;
        return 0;
    case 'p':
        w->split = (enum dataset_split)(i = word(optarg, "split", splits, e));
        w->split_given = true;
        return i < 0 ? -1 : 0;
    case 'c':
        w->scale = (enum panel_scale)(i = word(optarg, "scale", scales, e));
        return i < 0 ? -1 : 0;
    default:
        return err_set(e, "what is asked of a picture is not clear; %s", usage);
    }
}

static int parse(struct wish *w, int argc, char **argv, struct err *e)
{
    int o;

    opterr = 0;
    while ((o = getopt_long(argc, argv, "o:", options, NULL)) != -1)
        if (take(w, o, e) < 0)
            return -1;
    if (argc - optind != 1)
        return err_set(e, "expected one file or folder; %s", usage);
    w->path = argv[optind];
    if (!w->out)
        return err_set(e, "--output=PNG is missing: which picture is to be written?");
    if (w->workload && !w->checkpoint)
        return err_set(e, "--workload needs --checkpoint=FILE, one of checkpoint=FOLDER's");
    return 0;
}

/* The picture's first two lines. */
static void head(struct picture *p, const struct wish *w, const struct dataset_info *info,
                 bool folder)
{
    snprintf(p->title, sizeof p->title, "%s: sample %llu of %llu%s", info->science->title,
             (unsigned long long)w->sample, (unsigned long long)info->samples,
             folder ? w->split == DATASET_TRAIN ? ", training" : ", validation" : "");
    snprintf(p->note, sizeof p->note, "%.150s, layout %s", w->path, info->layout->name);
    utf8_clean(p->note);
}

/* What is drawn of a sample: every field, or the one that was asked for, and with a
 * network what it says. */
static int draw(struct picture *p, const struct wish *w, const struct dataset_info *info,
                const void *sample, struct answerer *a, struct err *e)
{
    const struct science *s = info->science;
    const int only = w->field ? science_field(s, w->field) : -1;

    if (w->field && only < 0)
        return err_set(e, "%s have no field '%.40s'; `hpcai500 data show` lists them", s->title,
                       w->field);
    if (only >= 0 && s->fields[only].answer && !info->field[only].stored[0])
        return err_set(e, "%s: layout '%s' is without %s", w->path, info->layout->name, w->field);
    for (int k = 0; k < s->n_fields; k++) {
        const bool known = !s->fields[k].answer || info->field[k].stored[0];
        if ((only < 0 || k == only || (a && k == answerer_component(a)->answers)) && known &&
            view_field(p, info, sample, k, w->scale, e) < 0)
            return -1;
    }
    if (!a)
        return 0;
    const float *said = answerer_ask(a, w->sample, e);
    if (!said)
        return -1;
    const struct resume_origin *o = answerer_origin(a);
    picture_line(p, "network %s after %ld epochs%s", o->text, o->epochs,
                 strncmp(info->manifest_sha256, o->data, 16) == 0 ? "" : ", trained on other data");
    return view_answer(p, a, info, sample, said, e);
}

static int draw_sample(const struct wish *w, struct dataset *d, bool folder, struct answerer *a,
                       struct err *e)
{
    const struct dataset_info *info = dataset_info(d);
    static struct picture picture;
    void *sample = NULL;
    int rc;

    if (w->sample >= info->samples)
        return err_set(e, "%s has no sample %llu: there are %llu, from 0 on", w->path,
                       (unsigned long long)w->sample, (unsigned long long)info->samples);
    if (posix_memalign(&sample, 64, info->sample_bytes))
        return err_set(e, "no memory for a sample of %zu bytes", info->sample_bytes);
    head(&picture, w, info, folder);
    rc = dataset_look(d, w->sample, sample, e);
    if (rc == 0 && (rc = draw(&picture, w, info, sample, a, e)) == 0)
        rc = picture_write(&picture, w->out, e);
    picture_fini(&picture);
    free(sample);
    return rc;
}

/* Opens what is to be drawn, and the network where one is asked. */
static int view(const struct wish *w, struct err *e)
{
    struct answerer *a = NULL;
    struct dataset *d = NULL;
    struct stat st;

    if (stat(w->path, &st) < 0)
        return err_set(e, "%s: %s", w->path, strerror(errno));
    const bool folder = S_ISDIR(st.st_mode);
    if (!folder && w->split_given)
        return err_set(e, "--split needs a folder; %s is a file", w->path);
    if (!folder && w->checkpoint)
        return err_set(e,
                       "--checkpoint needs the folder of the set: %s alone does not have the "
                       "training part that the network's norms are of",
                       w->path);
    if (w->checkpoint) {
        a = answerer_open(w->checkpoint, w->workload ? w->workload : "", w->path, w->split, 1, e);
        d = a ? answerer_data(a) : NULL;
    } else {
        const struct science *s = dataset_science(w->path, e);
        if (s)
            d = folder ? dataset_open(w->path, w->split, s, NULL, e)
                       : dataset_open_file(w->path, s, NULL, e);
    }
    int rc = d ? draw_sample(w, d, folder, a, e) : -1;
    if (!a)
        dataset_close(d);
    answerer_close(a);
    return rc;
}

int main(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct wish w = {.split = DATASET_TRAIN};

    out_guard(PROGRAM);
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    int status = parse(&w, argc, argv, &e) < 0 ? EXIT_USAGE
                 : view(&w, &e) < 0            ? EXIT_NOT_RUN
                                               : EXIT_SUCCESS;
    if (status != EXIT_SUCCESS)
        fprintf(stderr, PROGRAM ": %s\n", e.text);
    return status;
}
