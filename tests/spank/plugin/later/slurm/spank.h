/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What later releases of Slurm added to <slurm/spank.h>, over the installed
 * one: the plugin must build with it (the declarations follow the manual page
 * spank(7) of 25.11; the numbers are the build's own).
 */
#ifndef TESTS_SPANK_LATER_H
#define TESTS_SPANK_LATER_H

#include <stdint.h>
#include_next <slurm/spank.h>

enum { ESPANK_NODE_FAILURE = 3018, ESPANK_JOB_FAILURE = 3019 };

extern int slurm_spank_init_failure_mode;

/* from 23.11 */
spank_err_t spank_prepend_task_argv(spank_t spank, int argc, const char *argv[]);

#endif
