/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * For agent-flip: whatever the library computes, one bit in the middle of it is wrong.
 * The linker puts this in the place of dnn_run() (--wrap); the shipped agent has no such
 * hook.
 */
#include <config.h>

#include <string.h>

#include "workloads/engine/cpu/onednn.h"

int __real_dnn_run(struct dnn_op *op, void *const at[DNN_ARGS], struct err *e);
int __wrap_dnn_run(struct dnn_op *op, void *const at[DNN_ARGS], struct err *e);

/* What the operation writes; DNN_ARGS: it only copies. */
static enum dnn_arg written(const struct dnn_op *op)
{
    static const struct {
        const char *what;
        enum dnn_arg arg;
    } rows[] = {{"convolution", DNN_DST},
                {"data gradient", DNN_DIFF_SRC},
                {"weight gradient", DNN_DIFF_WEIGHTS},
                {"product", DNN_DST}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(dnn_op_what(op), rows[i].what) == 0)
            return rows[i].arg;
    return DNN_ARGS;
}

int __wrap_dnn_run(struct dnn_op *op, void *const at[DNN_ARGS], struct err *e)
{
    const enum dnn_arg arg = written(op);
    int rc = __real_dnn_run(op, at, e);

    if (rc == 0 && arg != DNN_ARGS) {
        size_t middle = dnn_layout_bytes(dnn_op_layout(op, arg)) / 2 / 4 * 4;
        ((unsigned char *)at[arg])[middle] ^= 1; /* the lowest bit of a float */
    }
    return rc;
}
