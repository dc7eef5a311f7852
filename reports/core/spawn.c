/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <string.h>
#include <unistd.h>

#include "reports/core/clock.h"

enum { GRACE_MS = 5000, MAX_PAUSE_MS = 10, CODE_LATE = 124, CODE_NOT_STARTED = 127 };

const char *const spawn_clean_env[] = {"PATH=/usr/bin:/bin", "LC_ALL=C", NULL};

static int give(posix_spawn_file_actions_t *files, int its, int ours)
{
    if (ours == SPAWN_SAME && fcntl(its, F_GETFD) >= 0)
        return 0;
    if (ours == SPAWN_SAME || ours == SPAWN_NULL)
        return posix_spawn_file_actions_addopen(files, its, "/dev/null", its ? O_WRONLY : O_RDONLY,
                                                0);
    return posix_spawn_file_actions_adddup2(files, ours, its);
}

static void set_attributes(posix_spawnattr_t *a, bool group)
{
    sigset_t none, all;
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(a, &none);
    posix_spawnattr_setsigdefault(a, &all);
    if (group)
        flags |= POSIX_SPAWN_SETPGROUP;
    posix_spawnattr_setflags(a, flags);
}

int spawn_start(const struct spawn *s, pid_t *pid)
{
    char *const *argv = (char *const *)s->argv;
    char *const *env = (char *const *)(s->env ? s->env : spawn_clean_env);
    const int ours[] = {s->in, s->out, s->err};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int why = 0;

    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    set_attributes(&attributes, s->group);
    for (int fd = 0; why == 0 && fd < 3; fd++)
        why = give(&files, fd, ours[fd]);
    if (why == 0)
        why =
            (s->search ? posix_spawnp : posix_spawn)(pid, argv[0], &files, &attributes, argv, env);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return why;
}

bool spawn_wait(pid_t pid, int64_t until, int *status)
{
    int here, pause = 1;

    if (!status)
        status = &here;
    for (*status = 0;;) {
        pid_t who = waitpid(pid, status, until < 0 ? 0 : WNOHANG);
        if (who == pid || (who < 0 && errno != EINTR))
            return true;
        if (until >= 0 && clock_now_ms() >= until)
            return false;
        if (until >= 0)
            nanosleep(&(struct timespec){.tv_nsec = pause * 1000000L}, NULL);
        pause += pause < MAX_PAUSE_MS;
    }
}

int spawn_code(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Reads until the other side closes; false: the time is over or it is too much. */
static bool read_all(int fd, int64_t until, size_t most, char **text)
{
    size_t n = 0, room = 0;

    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left = until - clock_now_ms();
        if (left <= 0 || (poll(&p, 1, left < 60000 ? (int)left : 60000) < 0 && errno != EINTR))
            return false;
        if (!p.revents)
            continue;
        if (n + 4096 > room) {
            char *more = room > most ? NULL : realloc(*text, room + 65536);
            if (!more)
                return false;
            *text = more;
            room += 65536;
        }
        ssize_t got = read(fd, *text + n, room - n - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return true;
        n += (size_t)got;
        (*text)[n] = '\0';
    }
}

/* Asked to end, and made to after the grace. */
static void end(pid_t pid, int *status)
{
    kill(-pid, SIGTERM);
    if (spawn_wait(pid, clock_now_ms() + GRACE_MS, status))
        return;
    kill(-pid, SIGKILL);
    spawn_wait(pid, -1, status);
}

int spawn_run(const struct spawn *s, int seconds, size_t most, char **text)
{
    int64_t until = clock_now_ms() + 1000L * seconds;
    struct spawn own = *s;
    int ends[2], status = 0;
    pid_t pid;

    *text = calloc(1, 1);
    if (!*text || pipe2(ends, O_CLOEXEC))
        return CODE_NOT_STARTED;
    own.out = own.err = ends[1];
    own.group = true;
    int why = spawn_start(&own, &pid);
    close(ends[1]);
    bool late =
        why == 0 && !(read_all(ends[0], until, most, text) && spawn_wait(pid, until, &status));
    if (late)
        end(pid, &status);
    close(ends[0]);
    return why ? CODE_NOT_STARTED : late ? CODE_LATE : spawn_code(status);
}

int spawn_beside(const char *name, char path[PATH_MAX])
{
    const ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
    char *slash;

    if (n <= 0)
        return -1;
    path[n] = '\0';
    if (!(slash = strrchr(path, '/')) || slash + 1 + strlen(name) >= path + PATH_MAX)
        return -1;
    strcpy(slash + 1, name);
    return access(path, X_OK);
}
