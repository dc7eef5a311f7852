/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What hpcai500-slurmctl answers: its exit codes, and the first word of the line that
 * answers a verb that writes. `hpcai500 validate` starts it and reads them.
 */
#ifndef VALIDATE_SLURMCTL_H
#define VALIDATE_SLURMCTL_H

/* Name of the jobs that measure nodes. */
#define SLURMCTL_JOB "hpcai500-validate"

enum slurmctl_code {
    SLURMCTL_DONE = 0, /* "done": written, and seen there afterwards; "there": it was so already */
    SLURMCTL_REFUSED = 1, /* "refused": what we never do; nothing was sent */
    SLURMCTL_USAGE = 2,
    SLURMCTL_LATER = 3,   /* "later": slurmctld is down or busy, or the reservation is in use */
    SLURMCTL_NONE = 4,    /* "none": no such node or reservation */
    SLURMCTL_DENIED = 5,  /* "denied": this user may not */
    SLURMCTL_CHANGED = 6, /* "changed": not as it was seen, before or after the write: look again */
    SLURMCTL_CODES
};

#endif
