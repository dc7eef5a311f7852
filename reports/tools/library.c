/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/tools/library.h"

#include <stdlib.h>

#include "reports/record/fields.h"
#include "reports/record/redact.h"

static int hide(const struct conf *c, struct found *f, struct err *e)
{
    static const int names[] = {REDACT_USER, REDACT_ACCOUNT, REDACT_HOST,     REDACT_PATH,
                                REDACT_JOB,  REDACT_CLUSTER, REDACT_JOB_NAME, REDACT_PARTITION};
    struct redact x;

    if (redact_open(&x, c, e))
        return -1;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        x.bits |= 1u << names[i];
    return redact_record(&x, f->doc, e);
}

int library_add(struct library *l, const struct conf *c, const char *word, const char *folder,
                bool redact, struct err *e)
{
    struct found f = FOUND_INIT;

    if (l->n == LIBRARY_MOST)
        return err_set(e, "at most %d runs at once; leave some out", LIBRARY_MOST);
    if (find_record(c, word, folder, &f, e))
        return -1;
    json_clean(f.doc);
    l->steps[l->n] = cJSON_Duplicate(json_at(f.doc, "steps_file"), true);
    if (redact && hide(c, &f, e)) {
        cJSON_Delete(l->steps[l->n]);
        found_fini(&f);
        return -1;
    }
    if (!redact)
        sha256_of(f.text, f.size, l->sha256[l->n]);
    free(f.text); /* the document is enough */
    f.text = NULL;
    l->runs[l->n++] = f;
    return 0;
}

void library_fini(struct library *l)
{
    while (l->n) {
        found_fini(&l->runs[--l->n]);
        cJSON_Delete(l->steps[l->n]);
    }
}

void *library_steps(const struct library *l, const struct conf *c, int run, size_t *size)
{
    return find_steps_of(c, &l->runs[run], l->steps[run], size, NULL);
}
