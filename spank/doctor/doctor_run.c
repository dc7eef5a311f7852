/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/doctor/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reports/core/clock.h"

extern char **environ;

enum { MAX_OUTPUT = 64 << 20 };

/* Reads until the other side closes or the time is over; false: it is. */
static bool read_all(int fd, int64_t until, char **text)
{
    size_t n = 0, room = 0;

    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left = until - clock_now_ms();
        if (left <= 0 || poll(&p, 1, (int)left) == 0)
            return false;
        if (n + 4096 > room) {
            char *more = room > MAX_OUTPUT ? NULL : realloc(*text, room + 65536);
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

/* In a group of its own, so that ending it ends what it started. */
static int start(const char *const argv[], int out, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none;
    int rc;

    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out, 1);
    posix_spawn_file_actions_adddup2(&files, out, 2);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    rc = posix_spawnp(pid, argv[0], &files, &attributes, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return rc;
}

/* Its end; asked to end after `until`, and made to 5 s later. */
static int wait_for(pid_t pid, int64_t until)
{
    int status;
    bool late = false;

    for (int asked = 0; waitpid(pid, &status, WNOHANG) != pid;) {
        int64_t over = clock_now_ms() - until;
        if (over > 0 && asked == 0) {
            late = true;
            asked = kill(-pid, SIGTERM) == 0 || errno == ESRCH;
        } else if (over > 5000) {
            kill(-pid, SIGKILL);
        }
        usleep(10000);
    }
    return late ? 124 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int doctor_run(const char *const argv[], int seconds, char **text)
{
    int64_t until = clock_now_ms() + 1000L * seconds;
    int ends[2];
    pid_t pid;

    *text = calloc(1, 1);
    if (!*text || pipe2(ends, O_CLOEXEC))
        return 127;
    int rc = start(argv, ends[1], &pid);
    close(ends[1]);
    if (rc == 0) {
        if (!read_all(ends[0], until, text))
            until = clock_now_ms();
        rc = wait_for(pid, until);
    } else {
        rc = 127;
    }
    close(ends[0]);
    return rc;
}

const char *doctor_line(char *text)
{
    text += strspn(text, "\r\n");
    text[strcspn(text, "\r\n")] = '\0';
    return text;
}
