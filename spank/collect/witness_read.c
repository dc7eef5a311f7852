/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/relay/witness.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "reports/record/fields.h"

#define MOST (1L << 53) /* what JSON keeps exactly */

static const struct {
    const char *name;
    size_t offset, size;
} texts[] = {
#define TEXT(member)                                                                               \
    {                                                                                              \
#member, offsetof(struct witness, member), sizeof((struct witness *)0)->member             \
    }
    TEXT(cluster), TEXT(user),  TEXT(account),       TEXT(partition),     TEXT(node),
    TEXT(nodes),   TEXT(asked), TEXT(cgroup_reason), TEXT(skipped_reason)
#undef TEXT
};

static const struct {
    const char *path;
    size_t offset;
} numbers[] = {
    {"begin", offsetof(struct witness, begin)},
    {"end", offsetof(struct witness, end)},
    {"cgroup.cpu_user_seconds", offsetof(struct witness, cpu_user_seconds)},
    {"cgroup.cpu_system_seconds", offsetof(struct witness, cpu_system_seconds)},
    {"cgroup.memory_peak_bytes", offsetof(struct witness, memory_peak_bytes)},
    {"cgroup.read_bytes", offsetof(struct witness, read_bytes)},
    {"cgroup.write_bytes", offsetof(struct witness, write_bytes)},
    {"machine.cpus", offsetof(struct witness, cpus)},
    {"machine.flop_f32", offsetof(struct witness, flop_f32)},
    {"machine.flop_bf16", offsetof(struct witness, flop_bf16)},
};

enum { N_TEXTS = sizeof texts / sizeof *texts, N_NUMBERS = sizeof numbers / sizeof *numbers };

static int read_files(const cJSON *list, struct witness *w, struct err *e)
{
    const cJSON *row;

    if (!cJSON_IsArray(list))
        return err_set(e, "a witness without a list of files");
    cJSON_ArrayForEach(row, list)
    {
        const char *name = json_text(row, "name", ""), *hash = json_text(row, "sha256", "");
        long size = json_integer(row, "size", 0, MOST, -1);
        if (!*name || size < 0 || strlen(hash) != SHA256_HEX_SIZE - 1 ||
            strspn(hash, "0123456789abcdef") != SHA256_HEX_SIZE - 1)
            return err_set(e, "a witness whose file %d has no name, size or hash", w->n_files);
        if (witness_find(w, name))
            return err_set(e, "a witness that lists %s twice", name);
        struct witness_file *f = witness_add(w, name, e);
        if (!f)
            return -1;
        f->size = (uint64_t)size;
        snprintf(f->sha256, sizeof f->sha256, "%s", hash);
    }
    return 0;
}

static void read_fields(const cJSON *o, struct witness *w)
{
    for (int i = 0; i < N_TEXTS; i++)
        snprintf((char *)w + texts[i].offset, texts[i].size, "%s", json_text(o, texts[i].name, ""));
    for (int i = 0; i < N_NUMBERS; i++)
        *(double *)((char *)w + numbers[i].offset) = json_number(o, numbers[i].path, NAN);
    w->job = json_integer(o, "job", 1, MOST, -1);
    w->uid = json_integer(o, "uid", 0, MOST, -1);
    w->restart = (int)json_integer(o, "restart", 0, INT_MAX, 0);
    w->array_job = json_integer(o, "array_job", 0, MOST, -1);
    w->array_task = json_integer(o, "array_task", 0, MOST, -1);
    w->het_job = json_integer(o, "het_job", 0, MOST, -1);
    w->het_offset = json_integer(o, "het_offset", 0, MOST, -1);
    w->skipped = (int)json_integer(o, "skipped", 0, INT_MAX, 0);
    w->interrupted = cJSON_IsTrue(json_at(o, "interrupted"));
}

int witness_parse(const char *text, struct witness *w, struct err *e)
{
    struct witness out = WITNESS_INIT;
    cJSON *o = cJSON_Parse(text);
    int rc = 0;

    if (!o || json_integer(o, "witness", 1, 1, 0) != 1)
        rc = err_set(e, "not a witness of version 1");
    if (rc == 0) {
        read_fields(o, &out);
        if (out.job < 0 || out.uid < 0 || !out.node[0])
            rc = err_set(e, "a witness without job, uid or node");
    }
    if (rc == 0)
        rc = read_files(json_at(o, "files"), &out, e);
    cJSON_Delete(o);
    if (rc == 0)
        *w = out;
    else
        witness_fini(&out);
    return rc;
}
