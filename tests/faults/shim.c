/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * LD_PRELOAD for the tests of faults, since strace cannot do half a write.
 * HPCAI500_FAULT says what happens to writes into regular files, and to send()
 * and recv() on sockets:
 *
 *   short K   none takes more than K bytes
 *   torn N    the N-th write or send takes half of its bytes, then the process
 *             is killed
 *   room B    after B bytes the device is full (files alone)
 *
 * and HPCAI500_CLOCK=S: each reading of CLOCK_REALTIME by the program is S
 * seconds earlier than it would be, and each one S more. (By the program, as
 * libraries may wait by that clock: UCX does, in its constructor.)
 */
#include <config.h>

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

ssize_t pwrite64(int fd, const void *bytes, size_t n, off_t at);

static long amount(const char *name)
{
    const char *fault = getenv("HPCAI500_FAULT");
    size_t k = strlen(name);

    return fault && strncmp(fault, name, k) == 0 ? atol(fault + k) : -1;
}

static int is_file(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static size_t shorten(size_t n)
{
    long most = amount("short ");

    return most > 0 && n > (size_t)most ? (size_t)most : n;
}

/* Half of n bytes when this write or send is the last, else all. */
static size_t tear(size_t n, int *die)
{
    static long calls;
    long torn = amount("torn ");

    *die = torn > 0 && ++calls == torn;
    return *die ? n / 2 : n;
}

/* How many of n bytes this write takes; -1: errno. *die: it is the last. */
static ssize_t take(int fd, size_t n, int *die)
{
    static long bytes;
    long room = amount("room ");

    *die = 0;
    if (!is_file(fd) || n == 0)
        return (ssize_t)n;
    n = shorten(tear(n, die));
    if (room >= 0 && (long)n > room - bytes)
        n = (size_t)(room - bytes);
    bytes += (long)n;
    if (n > 0 || *die)
        return (ssize_t)n;
    errno = ENOSPC;
    return -1;
}

static ssize_t end(ssize_t done, int die)
{
    if (die)
        kill(getpid(), SIGKILL);
    return done;
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    int die;
    ssize_t k = take(fd, n, &die);

    return k < 0 ? -1 : end(syscall(SYS_write, fd, bytes, (size_t)k), die);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off_t at)
{
    int die;
    ssize_t k = take(fd, n, &die);

    return k < 0 ? -1 : end(syscall(SYS_pwrite64, fd, bytes, (size_t)k, at), die);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    return pwrite64(fd, bytes, n, at);
}

/* A short writev is what fits of its first part. */
ssize_t writev(int fd, const struct iovec *v, int n)
{
    int die, i = 0;
    size_t all = 0;

    for (i = 0; i < n; i++)
        all += v[i].iov_len;
    ssize_t k = take(fd, all, &die);
    if (k < 0)
        return -1;
    if ((size_t)k == all)
        return end(syscall(SYS_writev, fd, v, n), die);
    for (i = 0; i < n - 1 && v[i].iov_len == 0; i++)
        continue;
    size_t part = (size_t)k < v[i].iov_len ? (size_t)k : v[i].iov_len;
    return end(syscall(SYS_write, fd, v[i].iov_base, part), die);
}

ssize_t send(int fd, const void *bytes, size_t n, int flags)
{
    int die;
    size_t k = shorten(tear(n, &die));

    return end(syscall(SYS_sendto, fd, bytes, k, flags, NULL, 0), die);
}

ssize_t recv(int fd, void *bytes, size_t n, int flags)
{
    return syscall(SYS_recvfrom, fd, bytes, shorten(n), flags, NULL, NULL);
}

/* Whether the code there is of the program, and not of a library. */
static bool is_program(const void *code)
{
    Dl_info of, main_of;

    return dladdr(code, &of) && dladdr((const void *)getauxval(AT_ENTRY), &main_of) &&
           of.dli_fbase == main_of.dli_fbase;
}

static int read_clock(clockid_t clock, struct timespec *t, const void *reader)
{
    static long calls;
    const char *step = getenv("HPCAI500_CLOCK");
    int rc = (int)syscall(SYS_clock_gettime, clock, t);

    if (rc == 0 && step && clock == CLOCK_REALTIME && is_program(reader))
        t->tv_sec -= atol(step) * ++calls;
    return rc;
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
    return read_clock(clock, t, __builtin_return_address(0));
}

int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
    struct timespec now;

    (void)zone;
    read_clock(CLOCK_REALTIME, &now, __builtin_return_address(0));
    *t = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *t)
{
    struct timespec now;

    read_clock(CLOCK_REALTIME, &now, __builtin_return_address(0));
    if (t)
        *t = now.tv_sec;
    return now.tv_sec;
}
