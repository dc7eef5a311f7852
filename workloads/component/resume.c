/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/component/resume.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SAVED_EPOCHS = 4096 };

/* The workload's own part of a checkpoint. */
struct saved {
    char what[256];
    int64_t epochs; /* that are behind it */
    double trained_seconds;
    double seen[TALLY_SUMS];
    struct {
        double seconds, input_wait_seconds, train_loss, train_quality, quality;
    } row[SAVED_EPOCHS];
};

static void name_file(char *path, size_t size, const char *folder, const char *workload,
                      const struct workload_plan *plan)
{
    if (*folder)
        snprintf(path, size, "%s/%s-%s.checkpoint", folder, workload,
                 runspec_class_name(plan->class));
    else
        path[0] = '\0';
}

int resume_init(struct resume *r, const char *workload, const struct runspec *spec, int index,
                const struct workload_plan *plan, struct err *e)
{
    *r = (struct resume){.said = false};
    name_file(r->save, sizeof r->save, runspec_checkpoint(spec, index), workload, plan);
    name_file(r->load, sizeof r->load, runspec_resume(spec, index), workload, plan);
    snprintf(r->what, sizeof r->what, "%s class=%s model=%s dtype=%s batch=%ld seed=%llu epochs=%d",
             workload, runspec_class_name(plan->class), runspec_model(spec, index),
             runspec_dtype_name(spec->dtype), plan->batch, (unsigned long long)spec->seed,
             plan->epochs);
    if (!r->save[0] && !r->load[0])
        return 0;
    if (plan->epochs > SAVED_EPOCHS)
        return err_set(e, "a checkpoint holds at most %d epochs, this run has %d", SAVED_EPOCHS,
                       plan->epochs);
    r->saved = calloc(1, sizeof *r->saved);
    return r->saved ? 0 : err_set(e, "no memory for a checkpoint");
}

void resume_fini(struct resume *r)
{
    free(r->saved);
    r->saved = NULL;
}

/* The folders are there; checked before hours of training. Rank 0 writes. */
static int check_folder(const char *file, const char *key, int mode, struct err *e)
{
    char folder[RUNSPEC_FOLDER_SIZE + 64];
    struct stat st;

    if (!*file)
        return 0;
    snprintf(folder, sizeof folder, "%s", file);
    *strrchr(folder, '/') = '\0';
    if (key[0] == 'c' && mkdir(folder, 0777) < 0 && errno != EEXIST)
        return err_set(e, "checkpoint=%s: %s", folder, strerror(errno));
    if (stat(folder, &st) < 0)
        return err_set(e, "%s=%s: %s", key, folder, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return err_set(e, "%s=%s is not a folder", key, folder);
    return access(folder, mode) < 0 ? err_set(e, "%s=%s: %s", key, folder, strerror(errno)) : 0;
}

/* The rows of the epochs that are behind it. */
static int restore(const struct saved *s, struct workload_result *w, struct err *e)
{
    for (int i = 0; i < s->epochs; i++) {
        struct result_epoch row = {
            .epoch = i + 1,
            .seconds = s->row[i].seconds,
            .input_wait_seconds = s->row[i].input_wait_seconds,
            .train_loss = s->row[i].train_loss,
            .train_quality = isnan(s->row[i].train_quality) ? unmeasured("the checkpoint has none")
                                                            : measured(s->row[i].train_quality),
            .quality = s->row[i].quality,
        };
        if (result_add_epoch(w, &row) < 0)
            return err_set(e, "no memory for the epochs' rows");
    }
    return 0;
}

static int load(struct resume *r, struct model *m, struct workload_result *w, struct err *e)
{
    struct saved *s = r->saved;

    if (model_load(m, r->load, s, sizeof *s, e) < 0)
        return -1;
    s->what[sizeof s->what - 1] = '\0';
    if (strcmp(s->what, r->what) != 0)
        return err_set(e, "checkpoint '%s' is of '%.160s', this run is '%.160s'", r->load, s->what,
                       r->what);
    if (s->epochs < 0 || s->epochs > SAVED_EPOCHS)
        return err_set(e, "checkpoint '%s' says it has %lld epochs", r->load, (long long)s->epochs);
    return restore(s, w, e);
}

int resume_load(struct resume *r, struct model *m, struct workload_result *w,
                struct train_task *task, double seen[TALLY_SUMS], const struct workload_host *host,
                struct err *e)
{
    struct comm *comm = host->comm;
    char text[128];
    int rc = comm->rank == 0 ? check_folder(r->save, "checkpoint", W_OK, e) : 0;

    if (rc == 0 && comm->rank == 0)
        rc = check_folder(r->load, "resume", R_OK, e);
    if (comm_agree(comm, rc, e) < 0)
        return -1;
    const size_t at = strlen(r->what);
    snprintf(r->what + at, sizeof r->what - at, " data=%.16s", w->data_manifest_sha256);
    if (!r->load[0])
        return 0;
    char there = access(r->load, F_OK) == 0; /* rank 0 decides whether there is one */
    if (comm->broadcast(comm, &there, 1, 0, e) < 0)
        return -1;
    if (!there && host->say && comm->rank == 0)
        host->say(host->ctx, "there is no checkpoint to go on from yet: training begins");
    if (!there)
        return 0;
    if (comm_agree(comm, load(r, m, w, e), e) < 0)
        return -1;
    if (comm->rank == 0)
        memcpy(seen, r->saved->seen, sizeof r->saved->seen);
    task->first_epoch = (int)r->saved->epochs;
    task->trained_seconds = r->saved->trained_seconds;
    snprintf(text, sizeof text, "goes on after epoch %d, from a checkpoint", task->first_epoch);
    if (host->say && comm->rank == 0)
        host->say(host->ctx, text);
    return 0;
}

/* The word behind " key=" in what; "" where there is none. */
static void word_of(const char *what, const char *key, char *word, size_t size)
{
    char with[32];

    snprintf(with, sizeof with, " %s=", key);
    const char *at = strstr(what, with);
    if (at)
        at += strlen(with);
    snprintf(word, size, "%.*s", at ? (int)strcspn(at, " ") : 0, at ? at : "");
}

int resume_peek(const char *path, struct resume_origin *o, struct err *e)
{
    static const char *const keys[] = {"class", "model", "dtype", "batch", "seed"};
    struct saved *s = calloc(1, sizeof *s);
    int rc = s ? model_peek(path, s, sizeof *s, e) : err_set(e, "no memory for a checkpoint");
    char word[64];

    if (rc == 0) {
        s->what[sizeof s->what - 1] = '\0';
        o->epochs = (long)s->epochs;
        word_of(s->what, "data", o->data, sizeof o->data);
        size_t n = strcspn(s->what, " ");
        n = (size_t)snprintf(o->text, sizeof o->text, "%.*s", (int)(n < 64 ? n : 64), s->what);
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
            word_of(s->what, keys[i], word, sizeof word);
            if (*word && n < sizeof o->text)
                n += (size_t)snprintf(o->text + n, sizeof o->text - n, ",%s=%s", keys[i], word);
        }
    }
    free(s);
    return rc;
}

int resume_restore(const char *path, struct model *m, struct err *e)
{
    struct saved *s = calloc(1, sizeof *s);
    int rc = s ? model_load(m, path, s, sizeof *s, e) : err_set(e, "no memory for a checkpoint");

    free(s);
    return rc;
}

void resume_save(struct resume *r, struct model *m, const struct train_state *t,
                 const double seen[TALLY_SUMS], const struct workload_host *host)
{
    struct err why = ERR_INIT;
    struct saved *s = r->saved;
    char text[sizeof why.text + 64];

    if (host->comm->rank != 0)
        return;
    memset(s, 0, sizeof *s);
    memcpy(s->what, r->what, sizeof s->what);
    s->epochs = t->n_epochs;
    s->trained_seconds = t->trained_seconds;
    memcpy(s->seen, seen, sizeof s->seen);
    for (int i = 0; i < t->n_epochs; i++) {
        const struct result_epoch *row = &t->epochs[i];
        s->row[i].seconds = row->seconds;
        s->row[i].input_wait_seconds = row->input_wait_seconds;
        s->row[i].train_loss = row->train_loss;
        s->row[i].train_quality = row->train_quality.reason ? NAN : row->train_quality.value;
        s->row[i].quality = row->quality;
    }
    if (model_save(m, r->save, s, sizeof *s, &why) == 0)
        return;
    if (!r->said && host->say) {
        snprintf(text, sizeof text, "%s; training goes on without", why.text);
        host->say(host->ctx, text);
    }
    r->said = true;
}
