/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * JUnit's XML, as CI servers read it: a suite per record, a test case per
 * workload. A workload that is not valid failed, one that crashed or a record
 * without workloads is an error.
 */
#include <config.h>

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#include "reports/export/export.h"
#include "reports/record/fields.h"
#include "reports/core/result.h"
#include "reports/core/utf8.h"
#include "reports/draw/xml.h"

static void attribute(FILE *f, const char *name, const char *value)
{
    fprintf(f, " %s=\"", name);
    xml_text(f, value);
    fprintf(f, "\"");
}

static void seconds(FILE *f, double value)
{
    fprintf(f, " time=\"%.3f\"", isfinite(value) && value >= 0 ? value : 0);
}

static void property(FILE *f, const char *name, const char *value)
{
    fprintf(f, "   <property");
    attribute(f, "name", name);
    attribute(f, "value", value);
    fprintf(f, "/>\n");
}

/* What the record says of why. i < 0: of itself. */
static const char *reason(const cJSON *doc, int i, const char *what)
{
    const cJSON *reasons = json_at(doc, "reasons"), *why;
    char path[64];

    snprintf(path, sizeof path, "workloads[%d].%s", i, what);
    why = cJSON_GetObjectItemCaseSensitive(reasons, i < 0 ? what : path);
    return cJSON_IsString(why) ? why->valuestring : "the record does not say why";
}

enum verdict { PASSED, FAILED, ERROR };

static enum verdict verdict_of(const cJSON *w)
{
    if (strcmp(json_text(w, "status", "crashed"), status_name(RUN_CRASHED)) == 0)
        return ERROR;
    return cJSON_IsTrue(json_at(w, "valid")) ? PASSED : FAILED;
}

static void sad(FILE *f, enum verdict v, const char *why)
{
    const char *word = v == ERROR ? "error" : "failure";

    fprintf(f, "    <%s", word);
    attribute(f, "type", v == ERROR ? "crashed" : "invalid");
    attribute(f, "message", why);
    fprintf(f, "/>\n");
}

static void test_case(struct export *x, const cJSON *doc, const cJSON *w, int i)
{
    char name[128], suite[96];
    enum verdict v = w ? verdict_of(w) : ERROR;

    snprintf(name, sizeof name, "%s class=%s engine=%s dtype=%s", json_text(w, "name", "run"),
             json_text(w, "class", "-"), json_text(w, "engine", "-"), json_text(w, "dtype", "-"));
    snprintf(suite, sizeof suite, "hpcai500.%s", json_text(w, "suite", "run"));
    utf8_clean(name); /* they may have been cut inside a character */
    utf8_clean(suite);
    fprintf(x->f, "  <testcase");
    attribute(x->f, "classname", suite);
    attribute(x->f, "name", name);
    seconds(x->f, json_number(w, "wall_seconds", 0));
    if (v == PASSED) {
        fprintf(x->f, "/>\n");
        return;
    }
    fprintf(x->f, ">\n");
    sad(x->f, v, reason(doc, w ? i : -1, v == ERROR ? "status" : "valid"));
    fprintf(x->f, "  </testcase>\n");
}

/* xs:dateTime of the pattern that the common schema wants: no fraction, no zone. */
static void timestamp(FILE *f, const char *utc)
{
    char text[20] = "1970-01-01T00:00:00";

    if (isfinite(export_time(utc)))
        snprintf(text, sizeof text, "%.19s", utc);
    attribute(f, "timestamp", text);
}

static void suite_head(struct export *x, const cJSON *doc, int tests, int failures, int errors)
{
    const cJSON *node = json_at(doc, "job.nodes[0]");

    fprintf(x->f, " <testsuite id=\"%ld\"", x->n_records - 1);
    attribute(x->f, "package", "hpcai500");
    attribute(x->f, "name", json_text(doc, "id", "unknown"));
    timestamp(x->f, json_text(doc, "time.start", ""));
    attribute(x->f, "hostname", cJSON_IsString(node) ? node->valuestring : "unknown");
    fprintf(x->f, " tests=\"%d\" failures=\"%d\" errors=\"%d\"", tests, failures, errors);
    seconds(x->f, json_number(doc, "time.wall_seconds", 0));
    fprintf(x->f, ">\n  <properties>\n");
    property(x->f, "run", json_text(doc, "run.canonical", ""));
    property(x->f, "status", json_text(doc, "status", ""));
    property(x->f, "cluster", json_text(doc, "job.cluster", ""));
    fprintf(x->f, "  </properties>\n");
}

static int begin(struct export *x, struct err *e)
{
    (void)e;
    fprintf(x->f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    return 0;
}

static int record(struct export *x, const cJSON *doc, struct err *e)
{
    int n[3] = {0, 0, 0}, i = 0;
    const cJSON *w;

    (void)e;
    while ((w = export_workload(x, doc, &i)))
        n[verdict_of(w)]++;
    bool none = n[0] + n[1] + n[2] == 0;
    n[ERROR] += none;
    suite_head(x, doc, n[0] + n[1] + n[2], n[FAILED], n[ERROR]);
    for (i = 0; (w = export_workload(x, doc, &i)); x->n_workloads++)
        test_case(x, doc, w, i - 1);
    if (none)
        test_case(x, doc, NULL, -1);
    fprintf(x->f, "  <system-out/>\n  <system-err/>\n </testsuite>\n");
    return 0;
}

static int end(struct export *x, bool good, struct err *e)
{
    (void)e;
    if (good)
        fprintf(x->f, "</testsuites>\n");
    return 0;
}

const struct export_sink export_junit = {"junit", "XML for CI servers", false, begin, record, end};
