/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Slurm's programs, as far as a SPANK plugin sees them: loads the plugin,
 * exports what Slurm exports to it, and calls its hooks in the order of the
 * real ones (plugstack.c of 22.05). Compiled against the real <slurm/spank.h>.
 *
 *   fake_host WORD...     WORDs are srun's, sbatch's or salloc's command line
 *
 * Environment:
 *   FAKE_CONTEXT  local, allocator, remote, slurmd, job_script
 *   FAKE_PLUGIN   the plugin's path; FAKE_ARGS its plugstack arguments
 *   FAKE_OPTION   remote: value of the option in the launch message
 *   FAKE_UID      the job's user in prolog and epilog; unset: not known
 *   FAKE_JOB, FAKE_STEP, FAKE_NODES, FAKE_TASKS, FAKE_RANK   items
 *   FAKE_NO_ITEMS every spank_get_item fails; FAKE_NO_MEMORY=N the N-th calloc
 *   FAKE_NO_OPTION  no option can be registered
 *   FAKE_RC=N     what every SPANK call of a hook returns, having done nothing
 *   FAKE_CLOCK=N  for hooks time runs N times as fast
 *   FAKE_NO_KILL  what a hook kills lives on, as in a dead file system
 *
 * Before Slurm would launch or exec, prints "launch: COMMAND" or "exec:
 * COMMAND" with those of the variables in shown[] that are set. In the remote
 * context everything before the task's own process runs as slurmstepd, where
 * a plugin must not touch files, processes or the network: then the functions
 * at the end of this file say so and abort.
 */
#include <config.h>

#include <dlfcn.h>
#include <getopt.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <slurm/slurm.h>
#include <slurm/spank.h>

#define OPTION_STEP "_SLURM_SPANK_OPTION_hpcai500_hpcai500"
#define OPTION_JOB  "SLURM_SPANK_" OPTION_STEP

extern char **environ;

struct spank_handle {
    int phase;
};

static const char *const shown[] = {OPTION_STEP,       OPTION_JOB,        "HPCAI500_RUN",
                                    "HPCAI500_PLUGIN", "HPCAI500_STOP",   "HPCAI500_SPOOL",
                                    "HPCAI500_CONF",   "SLURM_VERSION",   "HPCAI500_VET",
                                    "HPCAI500_NODES",  "HPCAI500_SPARES", "HPCAI500_SRUN"};

static struct spank_handle handle;
static spank_context_t context;
static struct spank_option registered;
static bool in_hook, in_slurmstepd;
static int command_argc;
static char **command_argv;
static char *plugin_argv[64];
static int plugin_argc;
static void *plugin;
static struct sigaction pipe_before;

/* ---- what Slurm exports ---- */

static void say(const char *level, const char *fmt, va_list ap)
{
    fprintf(stderr, "fake: %s", level);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
}

#define LOGGER(name, level)                                                                        \
    void name(const char *fmt, ...)                                                                \
    {                                                                                              \
        va_list ap;                                                                                \
        va_start(ap, fmt);                                                                         \
        say(level, fmt, ap);                                                                       \
        va_end(ap);                                                                                \
    }

LOGGER(slurm_error, "error: ")
LOGGER(slurm_info, "")
LOGGER(slurm_verbose, "verbose: ")
LOGGER(slurm_debug, "debug: ")
LOGGER(slurm_debug2, "debug: ")
LOGGER(slurm_debug3, "debug: ")
LOGGER(slurm_spank_log, "")

spank_context_t spank_context(void)
{
    return context;
}

/* Any number at all, as a later release may say. */
static spank_err_t failure(void)
{
    return (spank_err_t)atoi(getenv("FAKE_RC"));
}

spank_err_t spank_option_register(spank_t sp, struct spank_option *opt)
{
    if (sp != &handle || !opt->name || !opt->usage)
        return ESPANK_BAD_ARG;
    if (getenv("FAKE_RC"))
        return failure();
    if (getenv("FAKE_NO_OPTION"))
        return ESPANK_ERROR;
    registered = *opt;
    return ESPANK_SUCCESS;
}

static uint32_t number(const char *name, uint32_t otherwise)
{
    const char *text = getenv(name);

    return text ? (uint32_t)strtoul(text, NULL, 0) : otherwise;
}

spank_err_t spank_get_item(spank_t sp, spank_item_t item, ...)
{
    static const struct {
        spank_item_t item;
        const char *name;
        uint32_t otherwise;
    } numbers[] = {{S_JOB_ID, "FAKE_JOB", 7},
                   {S_JOB_STEPID, "FAKE_STEP", 0},
                   {S_JOB_NNODES, "FAKE_NODES", 2},
                   {S_JOB_TOTAL_TASK_COUNT, "FAKE_TASKS", 3},
                   {S_TASK_GLOBAL_ID, "FAKE_RANK", 0}};
    spank_err_t rc = ESPANK_NOT_AVAIL;
    va_list ap;

    if (sp != &handle || getenv("FAKE_NO_ITEMS"))
        return ESPANK_BAD_ARG;
    if (getenv("FAKE_RC"))
        return failure();
    va_start(ap, item);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].item == item) {
            bool batch = item == S_JOB_NNODES && number("FAKE_STEP", 0) == 0xfffffffb;
            *va_arg(ap, uint32_t *) = batch ? 0 : number(numbers[i].name, numbers[i].otherwise);
            rc = ESPANK_SUCCESS;
        }
    if (item == S_JOB_UID && getenv("FAKE_UID")) {
        *va_arg(ap, uid_t *) = number("FAKE_UID", 0);
        rc = ESPANK_SUCCESS;
    } else if (item == S_SLURM_VERSION) {
        *va_arg(ap, char **) = (char *)"22.5";
        rc = ESPANK_SUCCESS;
    } else if (item == S_JOB_ARGV) {
        *va_arg(ap, int *) = command_argc;
        *va_arg(ap, char ***) = command_argv;
        rc = ESPANK_SUCCESS;
    } else if (item == S_JOB_ENV && context == S_CTX_REMOTE) {
        *va_arg(ap, char ***) = environ;
        rc = ESPANK_SUCCESS;
    }
    va_end(ap);
    return rc;
}

spank_err_t spank_getenv(spank_t sp, const char *var, char *buf, int len)
{
    const char *value = getenv(var);

    if (sp != &handle || len < 0 || context != S_CTX_REMOTE)
        return ESPANK_BAD_ARG;
    if (getenv("FAKE_RC"))
        return failure();
    if (!value)
        return ESPANK_ENV_NOEXIST;
    snprintf(buf, (size_t)len, "%s", value);
    return strlen(value) < (size_t)len ? ESPANK_SUCCESS : ESPANK_NOSPACE;
}

spank_err_t spank_setenv(spank_t sp, const char *var, const char *val, int overwrite)
{
    if (sp != &handle || context != S_CTX_REMOTE)
        return ESPANK_NOT_REMOTE;
    if (getenv("FAKE_RC"))
        return failure();
    return setenv(var, val, overwrite) ? ESPANK_ERROR : ESPANK_SUCCESS;
}

spank_err_t spank_unsetenv(spank_t sp, const char *var)
{
    if (sp != &handle || context != S_CTX_REMOTE)
        return ESPANK_NOT_REMOTE;
    if (getenv("FAKE_RC"))
        return failure();
    return unsetenv(var) ? ESPANK_ERROR : ESPANK_SUCCESS;
}

#ifdef SLURM_COMPLETE_JOB_TAKES_STEP_ID
int slurm_complete_job(slurm_step_id_t *step_id, uint32_t job_return_code)
{
    const uint32_t job_id = step_id->job_id;
#else
int slurm_complete_job(uint32_t job_id, uint32_t job_return_code)
{
#endif

    printf("job %u ends with %#x\n", job_id, job_return_code);
    return 0;
}

/* ---- what Slurm does ---- */

static void die(const char *what)
{
    fprintf(stderr, "fake_host: %s\n", what);
    exit(70);
}

/* Return codes are ignored, as with `optional`; the test sees them. */
static void hook(const char *name)
{
    spank_f *f;
    *(void **)&f = dlsym(plugin, name);

    if (!f)
        return;
    in_hook = true;
    int rc = f(&handle, plugin_argc, plugin_argv);
    in_hook = false;
    if (rc)
        printf("%s returned %d\n", name, rc);
    fflush(stdout);
}

static int callback(const char *value, int remote)
{
    in_hook = true;
    int rc = registered.cb ? registered.cb(registered.val, value, remote) : 0;
    in_hook = false;
    return rc;
}

static void show(const char *what)
{
    struct sigaction pipe_now;

    printf("%s:", what);
    for (int i = 0; i < command_argc; i++)
        printf(" %s", command_argv[i]);
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        if (getenv(shown[i]))
            printf(" %s=%s", shown[i], getenv(shown[i]));
    sigaction(SIGPIPE, NULL, &pipe_now);
    printf("%s\n",
           pipe_now.sa_handler == pipe_before.sa_handler ? "" : " SIGPIPE is not as it was");
    fflush(stdout);
}

/* Options of Slurm's programs that the tests use, with what they take. */
static const struct option slurm_options[] = {
    {"bcast", optional_argument, NULL, 0},
    {"chdir", required_argument, NULL, 'D'},
    {"comment", required_argument, NULL, 0},
    {"exact", no_argument, NULL, 0},
    {"exclude", required_argument, NULL, 'x'},
    {"exclusive", optional_argument, NULL, 0},
    {"export", required_argument, NULL, 0},
    {"help", no_argument, NULL, 'h'},
    {"het-group", required_argument, NULL, 0},
    {"input", required_argument, NULL, 'i'},
    {"job-name", required_argument, NULL, 0},
    {"jobid", required_argument, NULL, 0},
    {"label", no_argument, NULL, 'l'},
    {"multi-prog", no_argument, NULL, 0},
    {"new", required_argument, NULL, 0},
    {"nodes", required_argument, NULL, 'N'},
    {"ntasks", required_argument, NULL, 'n'},
    {"output", required_argument, NULL, 'o'},
    {"overlap", no_argument, NULL, 0},
    {"partition", required_argument, NULL, 'p'},
    {"pty", no_argument, NULL, 0},
    {"test-only", no_argument, NULL, 0},
    {"time", required_argument, NULL, 't'},
    {"wrap", required_argument, NULL, 0},
    {"error", required_argument, NULL, 'e'},
    {"quit-on-interrupt", no_argument, NULL, 0},
    {"wait", required_argument, NULL, 'W'},
    {"uid", required_argument, NULL, 0},
    {"gid", required_argument, NULL, 0},
};

enum { N_SLURM_OPTIONS = sizeof slurm_options / sizeof *slurm_options, OURS = 0x1000 };

static void say_option(const char *value)
{
    if (callback(value, 0))
        die("option refused");
    setenv(OPTION_STEP, value, 1);
    if (context == S_CTX_ALLOCATOR)
        setenv(OPTION_JOB, value, 1);
}

/* One component's options, by getopt as in Slurm's programs; optind is then
 * where its command begins. */
static void parse_component(int argc, char **argv)
{
    static const char letters[] = "+A:b:D:M:C:S:c:d:Xm:e:x:B:G:hHI::i:J:K::lL:T:Zk::F:w:N:n:o:Osp:"
                                  "Eq:Qr:t:uvVW:";
    struct option table[N_SLURM_OPTIONS + 2] = {{NULL, 0, NULL, 0}};
    int c;

    memcpy(table, slurm_options, sizeof slurm_options);
    if (registered.name)
        table[N_SLURM_OPTIONS] = (struct option){registered.name, required_argument, NULL, OURS};
    optind = 0;
    while ((c = getopt_long(argc, argv, letters, table, NULL)) != -1) {
        if (c == OURS)
            say_option(optarg);
        if (c == '?')
            exit(1);
    }
}

/* srun's, sbatch's and salloc's words: options, then the command; several
 * components with ":" between. */
static void parse_words(int argc, char **argv)
{
    const char *from_job = getenv(OPTION_JOB);
    int next;

    if (from_job && callback(from_job, 0))
        die("option from the job refused");
    for (;; argc -= next, argv += next) {
        parse_component(argc, argv);
        if (optind == argc && context == S_CTX_LOCAL)
            die("fatal: No command given to execute.");
        if (!command_argv) {
            command_argc = argc - optind;
            command_argv = argv + optind;
        }
        setenv("FAKE_INNER", "1", 1); /* what is started from here on is another srun */
        hook("slurm_spank_init_post_opt");
        for (next = optind; next < argc && strcmp(argv[next], ":") != 0; next++)
            ;
        if (next == argc)
            break;
    }
}

/* The srun that a hook of this one starts is the test's program ./srun. */
static void inner_srun(char **argv)
{
    execvp("./srun", argv);
    die("no ./srun");
}

static void login(int argc, char **argv)
{
    if (getenv("FAKE_INNER"))
        inner_srun(argv);
    hook("slurm_spank_init");
    parse_words(argc, argv);
    if (context == S_CTX_LOCAL)
        hook("slurm_spank_local_user_init");
    show("launch");
    hook("slurm_spank_exit");
}

static void task(void)
{
    in_slurmstepd = false;
    hook("slurm_spank_task_init");
    show("exec");
    _exit(0);
}

static int slurmstepd(int argc, char **argv)
{
    const char *faked = getenv(OPTION_STEP);
    int status;

    command_argc = argc - 1;
    command_argv = argv + 1;
    in_slurmstepd = true;
    hook("slurm_spank_init");
    if (getenv("FAKE_OPTION"))
        callback(getenv("FAKE_OPTION"), 1);
    if (faked) {
        callback(faked, 1);
        unsetenv(OPTION_STEP);
    }
    hook("slurm_spank_init_post_opt");
    hook("slurm_spank_user_init");
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        task();
    hook("slurm_spank_task_post_fork");
    in_slurmstepd = false;
    waitpid(pid, &status, 0);
    in_slurmstepd = true;
    hook("slurm_spank_task_exit");
    hook("slurm_spank_exit");
    in_slurmstepd = false;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void daemon_(void)
{
    in_slurmstepd = true;
    hook("slurm_spank_init");
    in_slurmstepd = context != S_CTX_JOB_SCRIPT; /* a process of its own, for that */
    hook("slurm_spank_job_prolog");
    hook("slurm_spank_job_epilog");
    in_slurmstepd = true;
    hook("slurm_spank_slurmd_exit");
    in_slurmstepd = false;
    printf("done%s\n", registered.name ? " (an option was registered)" : "");
}

int main(int argc, char **argv)
{
    static const char *const names[] = {
        [S_CTX_ERROR] = "error",   [S_CTX_LOCAL] = "local",
        [S_CTX_REMOTE] = "remote", [S_CTX_ALLOCATOR] = "allocator",
        [S_CTX_SLURMD] = "slurmd", [S_CTX_JOB_SCRIPT] = "job_script"};
    const char *asked = getenv("FAKE_CONTEXT");
    char *args = strdup(getenv("FAKE_ARGS") ? getenv("FAKE_ARGS") : "");

    sigaction(SIGPIPE, NULL, &pipe_before);
    for (int i = 0; asked && i < (int)(sizeof names / sizeof *names); i++)
        if (strcmp(names[i], asked) == 0)
            context = (spank_context_t)i;
    for (char *word = strtok(args, " "); word && plugin_argc < 63; word = strtok(NULL, " "))
        plugin_argv[plugin_argc++] = word;
    plugin = dlopen(getenv("FAKE_PLUGIN"), RTLD_NOW);
    if (!plugin)
        die(dlerror());
    const char *type = dlsym(plugin, "plugin_type");
    const unsigned int *version = dlsym(plugin, "plugin_version");
    if (!type || strcmp(type, "spank") != 0 || !version || *version != SLURM_VERSION_NUMBER)
        die("not a plugin of this Slurm");
    if (context == S_CTX_REMOTE)
        return slurmstepd(argc, argv);
    if (context == S_CTX_LOCAL || context == S_CTX_ALLOCATOR)
        login(argc, argv);
    else
        daemon_();
    free(args);
    return 0;
}

/* ---- what a plugin must not do in slurmstepd; in place of libc's ---- */

static void forbidden(const char *name)
{
    if (!in_hook || !in_slurmstepd)
        return;
    fprintf(stderr, "fake_host: the plugin called %s() in slurmstepd\n", name);
    abort();
}

#define LIBC(name, pointer) *(void **)&pointer = dlsym(RTLD_NEXT, name)

FILE *fopen(const char *path, const char *mode)
{
    FILE *(*next)(const char *, const char *);

    forbidden("fopen");
    LIBC("fopen", next);
    return next(path, mode);
}

ssize_t readlink(const char *path, char *buf, size_t size)
{
    ssize_t (*next)(const char *, char *, size_t);

    forbidden("readlink");
    LIBC("readlink", next);
    return next(path, buf, size);
}

int access(const char *path, int mode)
{
    int (*next)(const char *, int);

    forbidden("access");
    LIBC("access", next);
    return next(path, mode);
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *files,
                const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
    int (*next)(pid_t *, const char *, const posix_spawn_file_actions_t *,
                const posix_spawnattr_t *, char *const[], char *const[]);

    forbidden("posix_spawn");
    LIBC("posix_spawn", next);
    return next(pid, path, files, attributes, argv, envp);
}

int execv(const char *path, char *const argv[])
{
    int (*next)(const char *, char *const[]);

    forbidden("execv");
    LIBC("execv", next);
    return next(path, argv);
}

int pipe2(int ends[2], int flags)
{
    int (*next)(int *, int);

    forbidden("pipe2");
    LIBC("pipe2", next);
    return next(ends, flags);
}

int sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
    int (*next)(int, const struct sigaction *, struct sigaction *);

    forbidden("sigaction");
    LIBC("sigaction", next);
    return next(sig, act, old);
}

int kill(pid_t pid, int sig)
{
    int (*next)(pid_t, int);

    if (in_hook && getenv("FAKE_NO_KILL"))
        return 0;
    LIBC("kill", next);
    return next(pid, sig);
}

int clock_gettime(clockid_t id, struct timespec *t)
{
    int (*next)(clockid_t, struct timespec *);
    static struct timespec first;

    LIBC("clock_gettime", next);
    int rc = next(id, t);
    if (in_hook && id == CLOCK_MONOTONIC && getenv("FAKE_CLOCK")) {
        if (first.tv_sec == 0)
            first = *t;
        t->tv_sec += (t->tv_sec - first.tv_sec) * atoi(getenv("FAKE_CLOCK"));
    }
    return rc;
}

extern void *__libc_calloc(size_t n, size_t size);

/* The N-th calloc of the plugin finds no memory. */
void *calloc(size_t n, size_t size)
{
    static int calls;

    if (in_hook && getenv("FAKE_NO_MEMORY") && ++calls == atoi(getenv("FAKE_NO_MEMORY")))
        return NULL;
    return __libc_calloc(n, size);
}
