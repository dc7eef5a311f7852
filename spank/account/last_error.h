/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Why the last call of libslurm failed: releases before 23.11 have a function for it,
 * later ones errno. For programs that are linked with libslurm.
 */
#ifndef ACCOUNT_LAST_ERROR_H
#define ACCOUNT_LAST_ERROR_H

#include <errno.h>

#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>

static inline int last_error(void)
{
#if HAVE_DECL_SLURM_GET_ERRNO
    return slurm_get_errno();
#else
    return errno;
#endif
}

#endif
