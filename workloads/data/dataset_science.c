/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "workloads/data/dataset.h"
#include "workloads/data/dataset_list.h"
#include "workloads/data/manifest.h"

/* 1: there is no manifest. */
static int by_manifest(const char *folder, const struct science **s, struct err *e)
{
    struct manifest m;
    int rc = manifest_read(&m, folder, NULL, e);

    if (rc != 0)
        return rc;
    *s = science_find(m.science);
    if (!*s)
        err_set(e, "%s: science '%s' is not known here", folder, m.science);
    manifest_fini(&m);
    return *s ? 0 : -1;
}

/* Whether there are files at all, which every science finds alike. */
static int has_files(const char *folder, struct err *e)
{
    struct dataset_info info = {0};
    struct dataset_list list = {0};
    int rc = dataset_list(&list, &info, folder, DATASET_TRAIN, science_at(0), e);

    dataset_list_fini(&list);
    return rc;
}

const struct science *dataset_science(const char *path, struct err *e)
{
    const struct science *s = NULL;
    struct stat st;

    if (stat(path, &st) < 0)
        return err_set(e, "%s: %s", path, strerror(errno)), NULL;
    const bool folder = S_ISDIR(st.st_mode);
    if (folder) {
        int rc = by_manifest(path, &s, e);
        if (rc != 1 || has_files(path, e) < 0)
            return s;
    }
    for (int i = 0; (s = science_at(i)); i++) {
        struct dataset *d = folder ? dataset_open(path, DATASET_TRAIN, s, NULL, e)
                                   : dataset_open_file(path, s, NULL, e);
        dataset_close(d);
        if (d)
            return s;
    }
    if (science_at(1)) /* else the one sentence says it all */
        err_set(e, "%s: fits no science; 'hpcai500 data check' says what each lacks", path);
    return NULL;
}
