/* SPDX-License-Identifier: BSD-3-Clause */
/* Who a run is: what its record says, and the one key of both. */
#include <config.h>

#include "reports/history/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reports/history/history_db.h"
#include "reports/record/fields.h"

static bool is_word(const char *text, bool empty_too)
{
    return (empty_too || text[0]) &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-") ==
               strlen(text);
}

bool history_key(const struct history_run *run, char key[HISTORY_KEY_SIZE])
{
    char member[32] = "";
    int n;

    if (run->local_id[0]) {
        if (strncmp(run->local_id, "local-", 6) != 0 || !is_word(run->local_id, false))
            return false;
        return snprintf(key, HISTORY_KEY_SIZE, "%s", run->local_id) < HISTORY_KEY_SIZE;
    }
    bool bare = run->status == HISTORY_NONE;
    if (!is_word(run->cluster, false) || !is_word(run->step, bare) || run->job <= 0 ||
        run->restart < 0 || bare != (run->step[0] == '\0'))
        return false;
    long job = run->job;
    if (run->array_job > 0 && run->array_task >= 0) {
        job = run->array_job;
        snprintf(member, sizeof member, "_%ld", run->array_task);
    } else if (run->het_job > 0 && run->het_offset >= 0) {
        job = run->het_job;
        snprintf(member, sizeof member, "+%ld", run->het_offset);
    }
    n = snprintf(key, HISTORY_KEY_SIZE, "%s-%ld%s.%d%s%s", run->cluster, job, member, run->restart,
                 bare ? "" : ".", run->step);
    return n < HISTORY_KEY_SIZE;
}

/* "2026-11-22T19:02:57.250Z" to Unix time; 0 when it is not a time. */
static int64_t unix_time(const char *utc)
{
    struct tm t = {0};
    const char *end = strptime(utc, "%Y-%m-%dT%H:%M:%S", &t);

    if (!end || (*end != 'Z' && *end != '.'))
        return 0;
    time_t v = timegm(&t);
    return v > 0 ? (int64_t)v : 0;
}

/* Copies a text of the record where it fits; what does not is left out. */
static void copy(char *to, size_t size, const cJSON *o, const char *path)
{
    snprintf(to, size, "%s", json_text(o, path, ""));
}

static long count_of(const cJSON *job, const char *path)
{
    return json_integer(job, path, 0, INT32_MAX, -1);
}

static int claim_nodes(const cJSON *doc, struct history_run *run, struct err *e)
{
    const cJSON *list = json_at(doc, "job.nodes"), *node;

    if (!cJSON_IsArray(list))
        list = json_at(doc, "system.nodes");
    int n = cJSON_GetArraySize(list);
    const char **names = calloc((size_t)n + 1, sizeof *names);
    if (!names)
        return err_set(e, "out of memory");
    cJSON_ArrayForEach(node, list)
    {
        const char *name =
            cJSON_IsObject(node) ? json_text(node, "name", "") : cJSON_GetStringValue(node);
        if (name && name[0] && strlen(name) < RECORD_NAME_SIZE)
            names[run->n_nodes++] = name;
    }
    run->nodes = names;
    return 0;
}

int history_claim(const cJSON *doc, struct history_run *run, struct err *e)
{
    const cJSON *job = json_at(doc, "job");
    char key[HISTORY_KEY_SIZE];
    const char *id = json_text(doc, "id", "");

    *run = (struct history_run){.job = -1,
                                .array_job = count_of(job, "array_job_id"),
                                .array_task = count_of(job, "array_task_id"),
                                .het_job = count_of(job, "het_job_id"),
                                .het_offset = count_of(job, "het_offset"),
                                .uid = json_integer(job, "uid", 0, UINT32_MAX - 1L, -1),
                                .begin = unix_time(json_text(doc, "time.start", "")),
                                .end = unix_time(json_text(doc, "time.end", "")),
                                .status = status_of(json_text(doc, "status", "")),
                                .valid = cJSON_IsTrue(json_at(doc, "valid"))};
    if (run->status < 0)
        return err_set(e, "%.64s has no status", id);
    if (cJSON_IsObject(job)) {
        run->job = json_integer(job, "job_id", 1, UINT32_MAX, -1);
        run->restart = (int)json_integer(job, "restart", 0, INT32_MAX, -1);
        copy(run->cluster, sizeof run->cluster, job, "cluster");
        copy(run->step, sizeof run->step, job, "step_id");
    } else if (strlen(id) < sizeof run->local_id) {
        copy(run->local_id, sizeof run->local_id, doc, "id");
    }
    copy(run->user, sizeof run->user, job, "user");
    copy(run->account, sizeof run->account, job, "account");
    copy(run->partition, sizeof run->partition, job, "partition");
    copy(run->asked, sizeof run->asked, doc, "run.text");
    if (!history_key(run, key))
        return err_set(e, "'%.64s' does not name a cluster, job, restart and step", id);
    return claim_nodes(doc, run, e);
}
