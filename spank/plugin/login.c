/* SPDX-License-Identifier: BSD-3-Clause */
/* What srun, sbatch and salloc share, and what sbatch and salloc do: they
 * check the run text before the job exists; the rest happens in the job. */
#include <config.h>

#include "spank/plugin/plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spank/plugin/cmdline.h"

static void answer(const char *text)
{
    if (runspec_answer(text, stdout))
        exit(fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS);
}

void login_option(struct request *r, const char *text)
{
    struct err e = ERR_INIT;

    answer(text);
    if (request_parse(r, text, &e) || site_allows(r, 1, NULL, getuid(), &e)) {
        slurm_error("hpcai500: %s", e.text);
        exit(EXIT_FAILURE);
    }
}

/* sbatch reads the script, perhaps from the terminal, before its options. */
static void allocator_init(void)
{
    struct cmdline_option o;
    struct cmdline c;

    if (cmdline_init(&c))
        return;
    for (int at = 1; cmdline_next(&c, &at, c.argc, false, &o);)
        if (o.name && strcmp(o.name, "hpcai500") == 0 && o.value)
            answer(o.value);
    cmdline_fini(&c);
}

static int allocator_option(struct request *r, const char *text)
{
    login_option(r, text);
    return 0;
}

/* The number of nodes is not known to a plugin in sbatch and salloc. */
static int allocator_init_post_opt(spank_t sp, struct request *r)
{
    char cost[64];

    (void)sp;
    slurm_info("hpcai500: %s may cost %s per node of the job", r->run,
               node_hours(runspec_node_hours(&r->spec, 1), cost, sizeof cost));
    return 0;
}

const struct context context_allocator = {
    .init = allocator_init,
    .option = allocator_option,
    .init_post_opt = allocator_init_post_opt,
};
