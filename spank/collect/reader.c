/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hpcai500-reader: shows users their own runs (reports/history/reader.h says how
 * and why so). Takes its socket from systemd, or makes it; as root it becomes the
 * service user before it takes a question. A process per question, few at a time
 * and fewer of one user, none for longer than READER_SECONDS.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reports/core/conf.h"
#include "reports/core/fdio.h"
#include "reports/core/option.h"
#include "reports/core/out.h"
#include "reports/history/reader.h"
#include "spank/account/user.h"

enum {
    AT_ONCE = 32,     /* questions */
    AT_ONCE_EACH = 4, /* of one user */
    QUESTION_SECONDS = 5,
    MEMORY = 1 << 30, /* bytes of address space for one answer */
    FROM_SYSTEMD = 3  /* the descriptor; sd_listen_fds(3) */
};

/* Who is being answered. */
static struct child {
    pid_t pid; /* 0: free */
    uid_t uid;
} children[AT_ONCE];

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
    (void)sig;
    stopped = 1;
}

static void say(const char *sentence)
{
    fprintf(stderr, "hpcai500 reader: %s\n", sentence);
}

/* ---- one question ---- */

/* A line, without its newline. */
static int read_question(int fd, char line[READER_MAX_QUESTION])
{
    for (size_t n = 0; n < READER_MAX_QUESTION; n++) {
        if (fdio_read(fd, line + n, 1) != 1)
            return -1;
        if (line[n] == '\n') {
            line[n] = '\0';
            return strlen(line) == n ? 0 : -1;
        }
    }
    return -1;
}

static int answer(int fd, const struct conf *c, uid_t uid)
{
    char line[READER_MAX_QUESTION], head[600];
    struct err e = ERR_INIT;
    size_t size = 0;

    if (read_question(fd, line) < 0)
        return 1;
    void *bytes = reader_answer(c, uid, line, &size, &e);
    if (bytes)
        snprintf(head, sizeof head, "ok %zu\n", size);
    else
        snprintf(head, sizeof head, e.text[0] ? "no %s\n" : "none%s\n", e.text);
    int rc = fdio_write(fd, head, strlen(head));
    if (rc == 0 && bytes)
        rc = fdio_write(fd, bytes, size);
    free(bytes);
    return rc < 0;
}

/* The child: a clock, a bound on its memory, and the one descriptor. */
static void answer_and_exit(int fd, const struct conf *c, uid_t uid)
{
    const struct rlimit memory = {MEMORY, MEMORY};
    struct timeval limit = {.tv_sec = QUESTION_SECONDS};

    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    alarm(READER_SECONDS);
    setrlimit(RLIMIT_AS, &memory);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    _exit(answer(fd, c, uid));
}

/* ---- many ---- */

static void reap(void)
{
    for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;)
        for (int i = 0; i < AT_ONCE; i++)
            if (children[i].pid == pid)
                children[i].pid = 0;
}

/* A free place for that user; NULL: he has his share, or there is none. */
static struct child *place_for(uid_t uid)
{
    struct child *free_one = NULL;
    int his = 0;

    for (int i = 0; i < AT_ONCE; i++) {
        if (!children[i].pid)
            free_one = &children[i];
        else
            his += children[i].uid == uid;
    }
    return his < AT_ONCE_EACH ? free_one : NULL;
}

static void take(int fd, int listener, const struct conf *c)
{
    static const char busy[] = "no the site's reader is busy with other questions; ask again\n";
    struct ucred who;
    socklen_t size = sizeof who;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0 || size != sizeof who)
        return;
    reap();
    struct child *place = place_for(who.uid);
    if (!place) {
        send(fd, busy, sizeof busy - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
        return;
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(listener);
        answer_and_exit(fd, c, who.uid);
    }
    if (pid > 0)
        *place = (struct child){pid, who.uid};
}

static int serve(int listener, const struct conf *c, struct err *e)
{
    while (!stopped) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EINTR || errno == ECONNABORTED)
                continue;
            return err_set(e, "the socket: %s", strerror(errno));
        }
        take(fd, listener, c);
        close(fd);
    }
    return 0;
}

/* ---- the socket ---- */

/* What systemd opened for us; -1: nothing. */
static int from_systemd(void)
{
    const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
    int type = 0, listens = 0;
    socklen_t size = sizeof type;

    if (!pid || !n || strtol(pid, NULL, 10) != getpid() || strcmp(n, "1") != 0)
        return -1;
    if (getsockopt(FROM_SYSTEMD, SOL_SOCKET, SO_DOMAIN, &type, &size) < 0 || type != AF_UNIX ||
        getsockopt(FROM_SYSTEMD, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0 || !listens)
        return -1;
    fcntl(FROM_SYSTEMD, F_SETFD, FD_CLOEXEC);
    return FROM_SYSTEMD;
}

/* What a dead one of us left goes; a living one stays, and so does any other file. */
static int clear_way(const struct sockaddr_un *a, struct err *e)
{
    struct stat st;
    int fd;

    if (lstat(a->sun_path, &st) < 0)
        return 0;
    if (!S_ISSOCK(st.st_mode))
        return err_set(e, "%s is there and is not a socket", a->sun_path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc = connect(fd, (const struct sockaddr *)a, sizeof *a);
    close(fd);
    if (rc == 0)
        return err_set(e, "a reader answers at %s already", a->sun_path);
    unlink(a->sun_path);
    return 0;
}

static int listen_at(const char *path, struct err *e)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    char folder[PATH_MAX];

    if (!path[0])
        return err_set(e, "reader= in hpcai500.conf is empty: there is no socket to answer at");
    if (strlen(path) >= sizeof a.sun_path)
        return err_set(e, "reader = %s is too long for a socket", path);
    strcpy(a.sun_path, path);
    snprintf(folder, sizeof folder, "%s", path);
    if (mkdir(dirname(folder), 0755) == 0)
        chmod(folder, 0755);
    int fd = clear_way(&a, e) < 0 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    mode_t mask = umask(0111); /* everybody may ask */
    int rc = bind(fd, (const struct sockaddr *)&a, sizeof a);
    umask(mask);
    if (rc == 0 && listen(fd, 64) == 0)
        return fd;
    err_set(e, "cannot listen at %s: %s", path, strerror(errno));
    close(fd);
    return -1;
}

/* ---- main ---- */

static int usage(FILE *f)
{
    fprintf(f, "usage: hpcai500 reader\n"
               "Shows users their own runs: answers at reader= of hpcai500.conf(5).\n");
    return f == stdout ? 0 : 2;
}

static int parse(int argc, char **argv)
{
    struct err e = ERR_INIT;
    int help = option_help(argc, argv, &e);

    if (help < 0) {
        say(e.text);
        return 2;
    }
    if (help)
        return usage(stdout);
    return optind < argc ? usage(stderr) : -1;
}

static int start(struct conf *c, struct err *e)
{
    struct sigaction action = {.sa_handler = on_signal};
    int listener = -1;

    signal(SIGPIPE, SIG_IGN);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    if (conf_load(c, NULL, CONF_PRIVILEGED, e) < 0)
        return -1;
    listener = from_systemd();
    if (listener < 0 && (listener = listen_at(c->reader, e)) < 0)
        return -1;
    if (user_become(c->service_user, e) < 0 || chdir("/") < 0) {
        close(listener);
        return -1;
    }
    clearenv(); /* nothing of it is needed from here on */
    return listener;
}

int main(int argc, char **argv)
{
    static struct conf c;
    struct err e = ERR_INIT;
    int rc = parse(argc, argv), listener;

    out_guard("hpcai500 reader");
    if (rc >= 0)
        return rc;
    if ((listener = start(&c, &e)) < 0 || serve(listener, &c, &e) < 0) {
        say(e.text);
        return 3;
    }
    return 0;
}
