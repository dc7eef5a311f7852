/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/account/user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

struct groups {
    int n;
    gid_t *id;
};

/* The user's groups, as the site's lists have them. */
static int groups_of(const struct passwd *pw, struct groups *g, struct err *e)
{
    for (int room = 64;; room *= 2) {
        g->n = room;
        g->id = calloc((size_t)room, sizeof *g->id);
        if (!g->id)
            return err_set(e, "no memory for the groups of user '%s'", pw->pw_name);
        if (getgrouplist(pw->pw_name, pw->pw_gid, g->id, &g->n) >= 0)
            return 0;
        free(g->id);
        g->id = NULL;
        if (room > 1 << 20)
            return err_set(e, "user '%s' has too many groups", pw->pw_name);
    }
}

static bool has(const struct groups *g, gid_t id)
{
    for (int i = 0; i < g->n; i++)
        if (g->id[i] == id)
            return true;
    return false;
}

/* What this process holds: its three group ids, then the others. */
static int groups_held(struct groups *g, struct err *e)
{
    int n = getgroups(0, NULL);

    g->id = n < 0 ? NULL : calloc((size_t)n + 3, sizeof *g->id);
    if (!g->id || getresgid(&g->id[0], &g->id[1], &g->id[2]) < 0 ||
        (n = getgroups(n, g->id + 3)) < 0)
        return err_set(e, "cannot tell this process's groups: %s", strerror(errno));
    g->n = n + 3;
    return 0;
}

/* No user id but his, no group that is not his. */
static int verify(const struct passwd *pw, struct err *e)
{
    struct groups his = {0}, held = {0};
    uid_t real, effective, saved;
    int rc = 0;

    if (getresuid(&real, &effective, &saved) < 0 || real != pw->pw_uid || effective != pw->pw_uid ||
        saved != pw->pw_uid)
        return err_set(e, "this process of user '%s' can become another user", pw->pw_name);
    if (groups_of(pw, &his, e) < 0 || groups_held(&held, e) < 0)
        rc = -1;
    for (int i = 0; rc == 0 && i < held.n; i++)
        if (!has(&his, held.id[i]))
            rc = err_set(e, "this process of user '%s' has the group %u, which is not his",
                         pw->pw_name, (unsigned)held.id[i]);
    free(his.id);
    free(held.id);
    return rc;
}

int user_become(const char *name, struct err *e)
{
    const struct passwd *pw = getpwnam(name);

    if (!pw)
        return err_set(e, "the service user '%s' does not exist (service_user=)", name);
    if (geteuid() != 0 && geteuid() != pw->pw_uid)
        return err_set(e, "only user '%s' (service_user=) and root may run this", name);
    if (geteuid() == 0 && verify(pw, NULL) < 0 &&
        (initgroups(name, pw->pw_gid) < 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
         setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0))
        return err_set(e, "cannot become user '%s': %s", name, strerror(errno));
    return verify(pw, e) < 0 ? -1 : user_confine(e);
}

/* All sets; the ambient one goes with them. */
static int drop_capabilities(struct err *e)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct held[_LINUX_CAPABILITY_U32S_3] = {{0}};

    if (syscall(SYS_capset, &head, held) < 0 || syscall(SYS_capget, &head, held) < 0)
        return err_set(e, "cannot drop capabilities: %s", strerror(errno));
    for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        if (held[i].effective || held[i].permitted || held[i].inheritable)
            return err_set(e, "a capability could not be dropped");
    return 0;
}

int user_confine(struct err *e)
{
    uid_t user[3];
    gid_t group[3];

    if (getresuid(&user[0], &user[1], &user[2]) < 0 ||
        getresgid(&group[0], &group[1], &group[2]) < 0 || user[0] != user[1] ||
        user[0] != user[2] || group[0] != group[1] || group[0] != group[2])
        return err_set(e, "this program must not be set-user-id or set-group-id");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return err_set(e, "cannot forbid new privileges: %s", strerror(errno));
    if (user[0] == 0)
        return 0;
    if (drop_capabilities(e) < 0)
        return -1;
    return setuid(0) == 0 ? err_set(e, "user id %u can become root", (unsigned)user[0]) : 0;
}

/* ---- a lock ---- */

/* A folder in which nobody else can make or take away a name. */
static bool is_ours(const char *folder)
{
    struct stat st;

    return *folder == '/' && lstat(folder, &st) == 0 && S_ISDIR(st.st_mode) &&
           (st.st_uid == geteuid() || st.st_uid == 0) && !(st.st_mode & 022) &&
           access(folder, W_OK) == 0;
}

/* Where the lock is if nobody says; "": nowhere. */
static void find_lock(char path[PATH_MAX])
{
    const struct passwd *pw = getpwuid(geteuid());
    char own[64];
    const char *folders[] = {"/var/lib/hpcai500", own, pw ? pw->pw_dir : ""};

    snprintf(own, sizeof own, "/run/user/%u", (unsigned)geteuid());
    path[0] = '\0';
    for (size_t i = 0; !path[0] && i < sizeof folders / sizeof *folders; i++)
        if (is_ours(folders[i]))
            snprintf(path, PATH_MAX, "%s/.hpcai500.lock", folders[i]);
}

int user_lock(const char *path, const char *variable, struct err *e)
{
    char found[PATH_MAX];
    struct stat st;

    if (!path || !*path) {
        find_lock(found);
        path = found;
    }
    if (!*path)
        return err_set(e,
                       "there is no folder for the lock that nobody else can write; set %s to a "
                       "file in one",
                       variable);
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(e, "cannot lock %s: %s", path, strerror(errno));
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
        flock(fd, LOCK_EX) == 0)
        return 0; /* stays open */
    close(fd);
    return err_set(e, "cannot lock %s: it is not ours; remove it, or set %s to another file", path,
                   variable);
}
