/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "tests/reports/history/site.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/reports/record/sample.h"
#include "tests/unit.h"

void open_site(struct site *s)
{
    struct err e = ERR_INIT;

    s->archive = archive_open(s->archive_dir, &e);
    assert_string_equal(e.text, "");
    s->h = history_open_writer(s->db, s->archive, &e);
    assert_string_equal(e.text, "");
    assert_non_null(s->h);
}

void close_site(struct site *s)
{
    history_close(s->h);
    archive_close(s->archive);
    s->h = NULL;
    s->archive = NULL;
}

int site_setup(void **state)
{
    struct site *s = calloc(1, sizeof *s);

    snprintf(s->dir, sizeof s->dir, "/tmp/hpcai500-history-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    snprintf(s->db, sizeof s->db, "%s/history.sqlite", s->dir);
    snprintf(s->archive_dir, sizeof s->archive_dir, "%s/archive", s->dir);
    assert_int_equal(mkdir(s->archive_dir, 0755), 0);
    open_site(s);
    *state = s;
    return 0;
}

int site_teardown(void **state)
{
    struct site *s = *state;
    char command[128];

    close_site(s);
    snprintf(command, sizeof command, "rm -rf '%s'", s->dir);
    assert_int_equal(system(command), 0);
    free(s);
    return 0;
}

void write_paper(struct paper *p, struct record *r)
{
    struct err e = ERR_INIT;

    record_judge(r);
    p->text = record_to_json(r, NULL, &e);
    assert_non_null(p->text);
    p->doc = record_parse(p->text, strlen(p->text), "paper", &e);
    assert_string_equal(e.text, "");
    assert_int_equal(history_claim(p->doc, &p->run, &e), 0);
    p->record = (struct history_record){.doc = p->doc, .text = p->text, .size = strlen(p->text)};
    record_fini(r);
}

void make_paper(struct paper *p, long job, const char *user, enum run_status status)
{
    struct record r;

    sample_record(&r, 4, 2, 3);
    r.job.job_id = job;
    snprintf(r.job.user, sizeof r.job.user, "%s", user);
    r.workloads[0].result.status = status;
    r.time.start.tv_sec += 60 * job;
    r.time.end.tv_sec += 60 * job;
    write_paper(p, &r);
}

void tear_up(struct paper *p)
{
    free((void *)(uintptr_t)p->run.nodes);
    free(p->text);
    cJSON_Delete(p->doc);
}

enum history_outcome file(struct site *s, struct paper *p)
{
    struct err e = ERR_INIT;
    enum history_outcome outcome = HISTORY_KEPT;

    int rc = history_file(s->h, &p->run, &p->record, NULL, &outcome, &e);
    assert_string_equal(e.text, "");
    assert_int_equal(rc, 0);
    return outcome;
}

enum history_outcome file_job(struct site *s, long job, const char *user, enum run_status status,
                              bool witnessed)
{
    struct paper p;

    make_paper(&p, job, user, status);
    p.run.witnessed = witnessed;
    enum history_outcome outcome = file(s, &p);
    tear_up(&p);
    return outcome;
}

long ask(struct history *h, const struct history_filter *f, struct history_row *last)
{
    struct err e = ERR_INIT;
    struct history_row row;
    long n = 0;
    int rc;
    struct history_query *q = history_ask(h, f, &e);

    assert_string_equal(e.text, "");
    while ((rc = history_next(q, &row, &e)) > 0) {
        n++;
        if (last)
            *last = row;
    }
    assert_string_equal(e.text, "");
    assert_int_equal(rc, 0);
    history_done(q);
    return n;
}

long ask_all(struct site *s, struct history_row *last)
{
    return ask(s->h, &(struct history_filter)HISTORY_FILTER_INIT, last);
}

long ask_job(struct site *s, long job, struct history_row *last)
{
    struct history_filter f = HISTORY_FILTER_INIT;

    f.job = job;
    return ask(s->h, &f, last);
}
