/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the tests of the history share: a folder with a history and an archive,
 * records of jobs to file, questions. What does not hold fails the test.
 */
#ifndef TESTS_REPORTS_HISTORY_SITE_H
#define TESTS_REPORTS_HISTORY_SITE_H

#include <stdbool.h>

#include "reports/history/history.h"

struct site {
    char dir[64], db[96], archive_dir[96];
    struct archive *archive;
    struct history *h;
};

/* As cmocka's setup and teardown: *state is a struct site, open. */
int site_setup(void **state);
int site_teardown(void **state);
void open_site(struct site *s);
void close_site(struct site *s);

/* A record of a job, and the run that it claims. */
struct paper {
    struct history_run run;
    struct history_record record;
    char *text;
    struct cJSON *doc;
};

/* Takes *r. */
void write_paper(struct paper *p, struct record *r);
/* The record of that job, started a minute after that of the job before. */
void make_paper(struct paper *p, long job, const char *user, enum run_status status);
void tear_up(struct paper *p);

enum history_outcome file(struct site *s, struct paper *p);
enum history_outcome file_job(struct site *s, long job, const char *user, enum run_status status,
                              bool witnessed);

/* Rows that answer, the last one in *last (its texts are gone); last may be NULL. */
long ask(struct history *h, const struct history_filter *f, struct history_row *last);
long ask_all(struct site *s, struct history_row *last);
long ask_job(struct site *s, long job, struct history_row *last);

#endif
