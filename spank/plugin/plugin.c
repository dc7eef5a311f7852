/* SPDX-License-Identifier: BSD-3-Clause */
/* Slurm's symbols: each hands its call to the context that Slurm is in. */
#include <config.h>

#include "spank/plugin/plugin.h"

SPANK_PLUGIN(hpcai500, 1)

#if HAVE_DECL_ESPANK_JOB_FAILURE
/* From 25.05 on a failing init may name what fails: the job, never the node. */
extern int slurm_spank_init_failure_mode;
int slurm_spank_init_failure_mode = ESPANK_JOB_FAILURE;
#endif

static struct request request;

static const struct context *context(void)
{
    static const struct context none;

    switch (spank_context()) {
    case S_CTX_LOCAL:
        return &context_local;
    case S_CTX_ALLOCATOR:
        return &context_allocator;
    case S_CTX_REMOTE:
        return &context_remote;
    case S_CTX_JOB_SCRIPT:
        return &context_script;
    default:
        return &none;
    }
}

static int option(int val, const char *text, int remote)
{
    const struct context *c = context();

    (void)val;
    (void)remote;
    if (!c->option)
        return 0;
    request.said = true;
    return c->option(&request, text ? text : "");
}

static struct spank_option option_row = {
    .name = (char *)"hpcai500",
    .arginfo = (char *)"RUN",
    .usage = (char *)"run the hpcai500 benchmark first; RUN is help, list, or a suite or "
                     "workload with key=value words, for example cosmoflow,class=tiny",
    .has_arg = 1,
    .cb = option,
};

int slurm_spank_init(spank_t sp, int ac, char *av[])
{
    const struct context *c = context();

    if (!c->option)
        return 0;
    if (c->init)
        c->init();
    request.site_argc = ac;
    request.site_argv = av;
    /* Without it the option is unknown, which srun says when it is used. A
     * failure here would end jobs that never asked, as `required` even nodes. */
    spank_err_t rc = spank_option_register(sp, &option_row);
    if (rc != ESPANK_SUCCESS)
        slurm_verbose("hpcai500: Slurm does not take the option --hpcai500 (%d)", (int)rc);
    return 0;
}

int slurm_spank_init_post_opt(spank_t sp, int ac, char *av[])
{
    const struct context *c = context();

    (void)ac;
    (void)av;
    return request.said && c->init_post_opt ? c->init_post_opt(sp, &request) : 0;
}

int slurm_spank_local_user_init(spank_t sp, int ac, char *av[])
{
    const struct context *c = context();

    (void)ac;
    (void)av;
    return request.said && c->local_user_init ? c->local_user_init(sp, &request) : 0;
}

int slurm_spank_task_init(spank_t sp, int ac, char *av[])
{
    const struct context *c = context();

    (void)ac;
    (void)av;
    return c->task_init ? c->task_init(sp, &request) : 0;
}

int slurm_spank_job_prolog(spank_t sp, int ac, char *av[])
{
    const struct context *c = context();

    return c->job_prolog ? c->job_prolog(sp, ac, av) : 0;
}

int slurm_spank_job_epilog(spank_t sp, int ac, char *av[])
{
    const struct context *c = context();

    return c->job_epilog ? c->job_epilog(sp, ac, av) : 0;
}
