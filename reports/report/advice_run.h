/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A run that can be asked what would make it faster: its record and its steps file,
 * played again (reports/predict). What the page and hpcai500 show --buy say of a run
 * comes from here, so that they agree.
 *
 * Life:    advice_run_open() fills, advice_run_close() frees; it borrows nothing of the
 *          file, and of the record texts alone.
 * Failure: -1 and a sentence: why nothing can be said of this workload.
 * Threads: pure functions.
 */
#ifndef REPORT_ADVICE_RUN_H
#define REPORT_ADVICE_RUN_H

#include <cjson/cJSON.h>

#include "reports/predict/recorded.h"
#include "reports/report/advice.h"

struct advice_run {
    struct recorded recorded;
    struct predictor predictor;
    struct quality_run quality;
};

/* Index in the file of that workload of the record: of the one of its name before which as
 * many of the name stand (runs=), as the file's order is the record's, and only the last,
 * which was stopped, may lack. -1: it is not there. */
int advice_run_find(const struct steps_file *f, const cJSON *record, const cJSON *work);

/* workload: its index in the file; work: the record's object of it. */
int advice_run_open(struct advice_run *r, struct steps_file *f, int workload, const cJSON *record,
                    const cJSON *work, struct err *e);
/* Ceilings of another run of the same machine, for a record that has none of its own. */
void advice_run_ceilings(struct advice_run *r, const cJSON *ceilings, const cJSON *work);
void advice_run_close(struct advice_run *r);

#endif
