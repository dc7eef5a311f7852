/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/begin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/job.h"
#include "build_id.h"

/* Set in the environment of an agent's step. */
static const char inside[] = "HPCAI500_INSIDE";

/* The rank that the launcher gave; 0 without a launcher. */
static long launched_rank(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK",
                                        "SLURM_PROCID"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        long rank = job_number(names[i]);
        if (rank >= 0)
            return rank;
    }
    return 0;
}

/* Before MPI: rank 0 says it for all. The others end later, since Open MPI 5
 * ends all with the first that fails, also one that is about to speak. */
void begin_complain(const char *sentence)
{
    const struct timespec later = {.tv_nsec = 500000000};

    if (launched_rank() == 0)
        fprintf(stderr, "hpcai500-agent: %s\n", sentence);
    else
        nanosleep(&later, NULL);
}

/* One task of several that Slurm started. Where the plugin is missing on a
 * node, the tasks there have no run text. */
static bool in_wide_step(void)
{
    return job_number("SLURM_STEP_ID") >= 0 && job_number("SLURM_NTASKS") > 1;
}

/* What an agent starts, and all that this starts, is inside its step: an agent
 * there would take its ranks' places in PMIx, or start runs without end. */
static int enter_step(void)
{
    const char *outer = getenv(inside);
    char text[192], own[128];

    if (outer && *outer) {
        snprintf(text, sizeof text,
                 "this is inside the step of another hpcai500-agent (%.64s), and one cannot run "
                 "inside another",
                 outer);
        begin_complain(text);
        return AGENT_COULD_NOT_RUN;
    }
    const char *space = getenv("PMIX_NAMESPACE");
    snprintf(own, sizeof own, "process %ld%s%.64s", (long)getpid(), space ? ", PMIx " : "",
             space ? space : "");
    setenv(inside, own, 1);
    return -1;
}

/* Answers that need no MPI. Returns an exit code, -1: go on. */
int begin_run(struct run *r, int argc, char **argv)
{
    struct err e = ERR_INIT;
    bool speaks = launched_rank() == 0;

    if (options_parse(&r->o, argc, argv, &e) < 0) {
        begin_complain(e.text);
        return AGENT_USAGE;
    }
    if (r->o.help) {
        if (speaks)
            options_help(r->out);
        return AGENT_OK;
    }
    if (r->o.version) {
        if (speaks)
            fprintf(r->out, "hpcai500-agent %s (%s)\n", PACKAGE_VERSION, HPCAI500_BUILD_ID);
        return AGENT_OK;
    }
    if (!r->o.run && in_wide_step())
        return enter_step(); /* perhaps another rank knows: agree_text() */
    if (!r->o.run) {
        begin_complain("there is nothing to run: give a run text, or 'list' to see all workloads");
        return AGENT_USAGE;
    }
    if (speaks ? runspec_answer(r->o.run, r->out)
               : strcmp(r->o.run, "help") == 0 || strcmp(r->o.run, "list") == 0)
        return AGENT_OK;
    if (runspec_parse(&r->spec, r->o.run, &e) < 0) {
        begin_complain(e.text);
        return AGENT_USAGE;
    }
    return enter_step();
}
