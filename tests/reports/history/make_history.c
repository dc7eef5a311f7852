/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * make_history FILE ARCHIVE RUNS [RECORD...]: a history for tests: one run an
 * hour, every second one witnessed, 7 % slower from the 31st on; and two runs of
 * an enemy. Then the records, as the collector would file them.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "reports/history/history.h"
#include "tests/reports/record/sample.h"

static int file_text(struct history *h, const char *text, bool witnessed, struct err *e)
{
    struct history_run run = {.nodes = NULL};
    enum history_outcome outcome;
    cJSON *doc = record_parse(text, strlen(text), "sample", e);
    int rc = doc ? history_claim(doc, &run, e) : -1;

    if (rc == 0) {
        struct history_record record = {.doc = doc, .text = text, .size = strlen(text)};
        run.witnessed = witnessed;
        rc = history_file(h, &run, &record, NULL, &outcome, e);
    }
    free((void *)(uintptr_t)run.nodes);
    cJSON_Delete(doc);
    return rc;
}

static int file(struct history *h, struct record *r, bool witnessed, struct err *e)
{
    record_judge(r);
    char *text = record_to_json(r, NULL, e), *escape;
    while (text && (escape = strstr(text, "@@ESC@"))) /* as none of our writers would */
        memcpy(escape, "\\u001b", 6);
    int rc = text ? file_text(h, text, witnessed, e) : -1;
    free(text);
    record_fini(r);
    return rc;
}

static int file_path(struct history *h, const char *path, struct err *e)
{
    cJSON *doc = record_read(path, e);
    char *text = doc ? cJSON_PrintUnformatted(doc) : NULL;
    int rc = text ? file_text(h, text, false, e) : -1;

    cJSON_free(text);
    cJSON_Delete(doc);
    return rc;
}

static void begin(struct record *r, int i)
{
    sample_record(r, 4, 2, 3);
    r->job.job_id = 4711 + i;
    r->time.start.tv_sec += 3600 * i;
    r->time.end.tv_sec += 3600 * i;
}

/* Words that would act in a terminal, a spreadsheet, a page, a database. */
static int enemy(struct history *h, int i, struct err *e)
{
    struct record r;

    begin(&r, i);
    snprintf(r.job.user, sizeof r.job.user, "eve");
    snprintf(r.job.account, sizeof r.job.account, "=cmd|' /C calc'!A0");
    snprintf(r.workloads[0].result.name, sizeof r.workloads[0].result.name, "\"x\"");
    snprintf(r.workloads[0].result.class_name, sizeof r.workloads[0].result.class_name, "'--,\"");
    if (file(h, &r, false, e) < 0)
        return -1;
    begin(&r, i + 1);
    r.workloads[0].result.class_name[0] = '\0';
    snprintf(r.workloads[0].result.name, sizeof r.workloads[0].result.name,
             "<script>alert(1)</script>");
    snprintf(r.job.user, sizeof r.job.user, "eve@@ESC@[2J");
    return file(h, &r, false, e);
}

int main(int argc, char **argv)
{
    struct err e = ERR_INIT;

    if (argc < 4) {
        fprintf(stderr, "usage: make_history FILE ARCHIVE RUNS [RECORD...]\n");
        return 2;
    }
    struct archive *a = archive_open(argv[2], &e);
    struct history *h = a ? history_open_writer(argv[1], a, &e) : NULL;
    int rc = h ? history_begin(h, &e) : -1, runs = atoi(argv[3]);
    for (int i = 0; rc == 0 && i < runs; i++) {
        struct record r;
        begin(&r, i);
        r.workloads[0].result.samples_per_second.value *=
            (i >= 30 ? 0.93 : 1) * (1 + 0.0001 * (i * 7919 % 100));
        rc = file(h, &r, i % 2, &e);
    }
    if (rc == 0)
        rc = enemy(h, runs, &e);
    for (int i = 4; rc == 0 && i < argc; i++)
        rc = file_path(h, argv[i], &e);
    if (rc == 0)
        rc = history_commit(h, &e);
    if (rc < 0)
        fprintf(stderr, "make_history: %s\n", e.text);
    history_close(h);
    archive_close(a);
    return rc ? 1 : 0;
}
