/* SPDX-License-Identifier: BSD-3-Clause */
/* doctor: what a machine is like, without Slurm. */
#include <config.h>

#include "spank/doctor/doctor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <netdb.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "build_id.h"
#ifdef HAVE_MUNGE
#include "spank/relay/cred.h"
#endif
#if defined HAVE_SQLITE && defined HAVE_ZLIB
#include "reports/history/history.h"
#endif

void doctor_config(struct doctor *d)
{
    static struct conf c;
    struct err e = ERR_INIT;
    const char *said = getenv("HPCAI500_CONF");
    const char *path = said && *said ? said : d->conf[0] ? d->conf : NULL;

    if (conf_load(&c, path, CONF_PRIVILEGED, &e))
        doctor_add(d, DOCTOR_CRITICAL,
                   "fix the configuration: root's programs refuse to start with it", "%s", e.text);
    else if (c.n_files == 0)
        doctor_add(d, DOCTOR_OK, "", "no configuration file: the defaults hold");
    else
        doctor_add(d, DOCTOR_OK, "", "%s%s", c.files[0], c.n_files > 1 ? " and conf.d" : "");
}

/* The agent as the plugin starts it; its libraries are looked for by starting.
 * In a step all ranks but the first are silent, so it must not know its own. */
void doctor_agent(struct doctor *d)
{
    static const char *const ranks[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK",
                                        "SLURM_PROCID"};

    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++)
        unsetenv(ranks[i]);

    const char *path = d->agent[0] ? d->agent : d->config.agent;
    const char *argv[] = {path, "--version", NULL};
    char *text;
    int rc = doctor_run(argv, d->seconds, &text);
    const char *line = doctor_line(text);

    if (rc == 127 && access(path, X_OK))
        doctor_add(d, DOCTOR_CRITICAL, "install hpcai500 there, or say agent= in plugstack",
                   "the agent %s cannot be started: %s", path, strerror(errno));
    else if (rc)
        doctor_add(d, DOCTOR_CRITICAL,
                   "install the library that it names, or build the agent again",
                   "the agent %s does not start (%d): %s", path, rc, line);
    else if (!strstr(line, HPCAI500_BUILD_ID))
        doctor_add(d, DOCTOR_WARN, "install agent and tools from one build",
                   "%s says %s, this program is %s", path, line, HPCAI500_BUILD_ID);
    else
        doctor_add(d, DOCTOR_OK, "", "%s: %s", path, line);
    free(text);
}

/* ---- spool ---- */

static int check_folder(struct doctor *d, const char *path, uid_t owner, mode_t most)
{
    struct stat st;

    if (lstat(path, &st) < 0) {
        if (errno == ENOENT)
            doctor_add(d, DOCTOR_WARN, "the first job there makes it; else: install -d -m 0755 it",
                       "%s is not there", path);
        else
            doctor_add(d, DOCTOR_UNKNOWN, "", "cannot look at %s: %s", path, strerror(errno));
        return -1;
    }
    if (!S_ISDIR(st.st_mode)) {
        doctor_add(d, DOCTOR_CRITICAL, "remove it", "%s is not a folder", path);
        return -1;
    }
    if (st.st_uid != owner || (st.st_mode & 07777 & ~most)) {
        doctor_add(d, DOCTOR_CRITICAL, "chown and chmod it: until then records are not trusted",
                   "%s belongs to user %ld with mode %04o, and should to %ld with at most %04o",
                   path, (long)st.st_uid, (unsigned)(st.st_mode & 07777), (long)owner,
                   (unsigned)most);
        return -1;
    }
    return 0;
}

/* In a job: the folder that root made for it when it began. */
static void check_drop(struct doctor *d)
{
    const char *job = getenv("SLURM_JOB_ID");
    char path[CONF_TEXT_SIZE + 128];

    if (!job || !*job || strspn(job, "0123456789") != strlen(job)) {
        doctor_add(d, DOCTOR_OK, "", "%s is root's", d->config.spool);
        return;
    }
    snprintf(path, sizeof path, "%s/jobs/%s/%s", d->config.spool, d->node, job);
    if (access(path, W_OK | X_OK) == 0)
        doctor_add(d, DOCTOR_OK, "", "%s is root's, a job can write in its own folder",
                   d->config.spool);
    else
        doctor_add(d, DOCTOR_CRITICAL,
                   "does plugstack of this node load hpcai500.so, and does slurmd's log say why?",
                   "this job has no folder in %s: %s", d->config.spool, strerror(errno));
}

void doctor_spool(struct doctor *d)
{
    if (check_folder(d, d->config.spool, 0, 0755) == 0)
        check_drop(d);
}

/* ---- name ---- */

/* Records go by Slurm's name; what goes by the host name may not find the node. */
void doctor_name(struct doctor *d)
{
    const char *slurms = getenv("SLURMD_NODENAME");
    char host[256] = "";

    if (!slurms || !*slurms)
        doctor_add(d, DOCTOR_OK, "", "Slurm's name of this machine is not known outside of a job");
    else if (gethostname(host, sizeof host - 1))
        doctor_add(d, DOCTOR_UNKNOWN, "", "the host name cannot be read: %s", strerror(errno));
    else if (strcmp(host, slurms) != 0)
        doctor_add(d, DOCTOR_WARN,
                   "records use Slurm's name; a launcher that goes by host names (mpirun) may not "
                   "find the node: make NodeName and host name equal, or give it a host list",
                   "Slurm calls this node %s, its host name is %s", slurms, host);
    else
        doctor_add(d, DOCTOR_OK, "", "the host name is Slurm's name, %s", host);
}

/* ---- counters, clock, disk ---- */

void doctor_counters(struct doctor *d)
{
    int level = 99;
    FILE *f = fopen("/proc/sys/kernel/perf_event_paranoid", "re");

    if (!f || fscanf(f, "%d", &level) != 1)
        doctor_add(d, DOCTOR_WARN, "a kernel with CONFIG_PERF_EVENTS counts",
                   "the kernel has no performance counters: records will say so");
    else if (level > 2)
        doctor_add(d, DOCTOR_WARN, "sysctl kernel.perf_event_paranoid=2, for users' own processes",
                   "kernel.perf_event_paranoid is %d: users may not count, records will say so",
                   level);
    else
        doctor_add(d, DOCTOR_OK, "", "kernel.perf_event_paranoid is %d", level);
    if (f)
        fclose(f);
}

void doctor_clock(struct doctor *d)
{
    struct timex t = {0};

    if (adjtimex(&t) < 0)
        doctor_add(d, DOCTOR_UNKNOWN, "", "the kernel does not say whether its clock is right: %s",
                   strerror(errno));
    else if (t.status & STA_UNSYNC)
        doctor_add(d, DOCTOR_WARN, "start chrony, ntpd or systemd-timesyncd",
                   "nothing keeps the clock right");
    else
        doctor_add(d, DOCTOR_OK, "", "the clock is synchronised, to %ld ms or better",
                   t.maxerror / 1000);
}

/* The nearest folder above that is there. */
static int space_of(const char *path, struct statvfs *v)
{
    char above[CONF_TEXT_SIZE];

    snprintf(above, sizeof above, "%s", path);
    while (statvfs(above, v) < 0) {
        char *slash = strrchr(above, '/');
        if (!slash || slash == above)
            return statvfs("/", v);
        *slash = '\0';
    }
    return 0;
}

static void check_space(struct doctor *d, const char *key, const char *path, uint64_t least)
{
    struct statvfs v;

    if (!*path || space_of(path, &v))
        return;
    double free_bytes = (double)v.f_bavail * (double)v.f_frsize;
    double part = v.f_blocks ? (double)v.f_bavail / (double)v.f_blocks : 1;
    double inodes = v.f_files ? (double)v.f_favail / (double)v.f_files : 1;
    bool empty = free_bytes < (double)least || (v.f_files && v.f_favail == 0);

    if (empty)
        doctor_add(d, DOCTOR_CRITICAL, "make room: nothing more is taken",
                   "%s=%s has %.0f MiB free", key, path, free_bytes / 1048576);
    else if (part < 0.05 || inodes < 0.05)
        doctor_add(d, DOCTOR_WARN, "make room",
                   "%s=%s has %.1f %% of its space and %.1f %% of its inodes free", key, path,
                   part * 100, inodes * 100);
    else
        doctor_add(d, DOCTOR_OK, "", "%s=%s has room", key, path);
}

void doctor_disk(struct doctor *d)
{
    check_space(d, "spool", d->config.spool, d->config.spool_reserve);
    check_space(d, "cache", d->config.cache, 1);
    if (d->as_node)
        return;
    check_space(d, "history", d->config.history, 16 << 20);
    check_space(d, "archive", d->config.archive, 16 << 20);
}

/* ---- munge ---- */

#ifdef HAVE_MUNGE
void doctor_munge(struct doctor *d)
{
    static const char payload[] = "hpcai500 doctor";
    struct err e = ERR_INIT;
    struct cred c = {0};
    char *text = cred_encode(d->config.munge_socket, payload, sizeof payload, &e);

    if (!text || cred_decode(d->config.munge_socket, text, &c, &e))
        doctor_add(d, DOCTOR_CRITICAL, "start munged, with the site's key: systemctl status munge",
                   "%s", e.text);
    else if (c.uid != geteuid() || c.size != sizeof payload)
        doctor_add(d, DOCTOR_CRITICAL, "look for a second munged",
                   "munged says that the credential is of user %ld", (long)c.uid);
    else if (c.state == CRED_REWOUND || c.state == CRED_EXPIRED)
        doctor_add(d, DOCTOR_WARN, "look at the clock", "a fresh credential is %s",
                   cred_state_name(c.state));
    else
        doctor_add(d, DOCTOR_OK, "", "munged encodes and decodes");
    if (text)
        cred_fini(&c);
    free(text);
}
#else
void doctor_munge(struct doctor *d)
{
    doctor_add(d, DOCTOR_WARN, "build with libmunge-dev: without it records are only claims",
               "this build has no MUNGE");
}
#endif

/* ---- history, collector ---- */

#if defined HAVE_SQLITE && defined HAVE_ZLIB
static void check_outbox(struct doctor *d, struct history *h)
{
    struct err e = ERR_INIT;
    long waiting = 0;
    int64_t since = 0;

    if (history_outbox_size(h, &waiting, &since, &e))
        doctor_add(d, DOCTOR_UNKNOWN, "", "%s", e.text);
    else if (waiting && time(NULL) - since > 3600)
        doctor_add(d, DOCTOR_WARN, "is slurmdbd up, and may the service user change jobs there?",
                   "accounting has not been told of %ld jobs, the first for %.1f h", waiting,
                   difftime(time(NULL), (time_t)since) / 3600);
    else
        doctor_add(d, DOCTOR_OK, "", "accounting is told of all but %ld jobs", waiting);
}

void doctor_history(struct doctor *d)
{
    struct err e = ERR_INIT;
    struct history *h;

    if (access(d->config.history, F_OK) && d->config.collector[0]) {
        doctor_add(d, DOCTOR_OK, "", "the history is where the collector runs");
        return;
    }
    if (access(d->config.history, F_OK)) {
        doctor_add(d, DOCTOR_UNKNOWN, "look where the collector runs; it makes one when it starts",
                   "there is no history %s here", d->config.history);
        return;
    }
    h = history_open_reader(d->config.history, &e);
    if (!h)
        doctor_add(d, access(d->config.history, R_OK) ? DOCTOR_UNKNOWN : DOCTOR_CRITICAL,
                   "ask as root or as the service user", "%s", e.text);
    else if (history_check(h, &e))
        doctor_add(d, DOCTOR_CRITICAL,
                   "stop the collector and restore the file; the archive holds every record", "%s",
                   e.text);
    else
        doctor_add(d, DOCTOR_OK, "", "%s is whole", d->config.history);
    if (h && d->findings[d->n - 1].status == DOCTOR_OK)
        check_outbox(d, h);
    history_close(h);
}
#else
void doctor_history(struct doctor *d)
{
    doctor_add(d, DOCTOR_WARN, "build with libsqlite3-dev", "this build has no history");
}
#endif

/* Whether somebody listens there, within 5 s. */
static int answers(const char *host, const char *port, struct err *e)
{
    struct addrinfo *list, hints = {.ai_socktype = SOCK_STREAM};
    int good = 0, problem = 0;
    int rc = getaddrinfo(host, port, &hints, &list);

    if (rc)
        return err_set(e, "%s", gai_strerror(rc));
    for (struct addrinfo *a = list; a && !good; a = a->ai_next) {
        int fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        socklen_t n = sizeof problem;
        if (fd < 0)
            continue;
        problem = connect(fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
        if (problem == EINPROGRESS && poll(&p, 1, 5000) == 0)
            problem = ETIMEDOUT;
        else if (problem == EINPROGRESS && getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &n))
            problem = errno;
        good = problem == 0;
        close(fd);
    }
    freeaddrinfo(list);
    return good ? 0 : err_set(e, "%s", strerror(problem));
}

/* Age of the oldest bundle that nobody took [s]; 0: none, -1: may not look. */
static double oldest_bundle(const char *spool)
{
    char path[CONF_TEXT_SIZE + 8];
    struct dirent *entry;
    struct stat st;
    time_t now = time(NULL);
    double age = 0;

    snprintf(path, sizeof path, "%s/out", spool);
    DIR *dir = opendir(path);
    if (!dir)
        return errno == ENOENT ? 0 : -1;
    while ((entry = readdir(dir))) {
        size_t n = strlen(entry->d_name);
        if (n > 7 && strcmp(entry->d_name + n - 7, ".bundle") == 0 &&
            fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
            age = fmax(age, difftime(now, st.st_mtime));
    }
    closedir(dir);
    return age;
}

void doctor_collector(struct doctor *d)
{
    struct err e = ERR_INIT;
    char host[256], port[8];
    double age = oldest_bundle(d->config.spool);

    if (d->config.collector[0] && conf_address(d->config.collector, false, host, port) == 0) {
        if (answers(host, port, &e))
            doctor_add(d, DOCTOR_CRITICAL,
                       "systemctl status hpcai500-collect there; is listen= set?",
                       "the collector %s does not answer: %s", d->config.collector, e.text);
        else
            doctor_add(d, DOCTOR_OK, "", "the collector %s answers", d->config.collector);
    }
    if (age > 3600)
        doctor_add(d, DOCTOR_WARN, "systemctl status hpcai500-collect.timer",
                   "%s/out has had a bundle for %.1f h", d->config.spool, age / 3600);
    else if (age < 0)
        doctor_add(d, DOCTOR_UNKNOWN, "ask as root or as the service user",
                   "cannot look whether the collector took all of %s/out", d->config.spool);
    else
        doctor_add(d, DOCTOR_OK, "", "nothing waits for the collector in %s/out", d->config.spool);
}
