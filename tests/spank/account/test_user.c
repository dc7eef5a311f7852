/* SPDX-License-Identifier: BSD-3-Clause */
/* Who the collector becomes, and what he then can not. As root: each case is a
 * process of its own that starts from something else. */
#include <config.h>

#include <stdbool.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/capability.h>

#include "spank/account/user.h"
#include "tests/unit.h"

enum { FOREIGN = 4242, CAP_BIT = 1 << CAP_DAC_READ_SEARCH };

static const char user[] = "daemon";
static struct passwd him;

/* ---- what a process may have been before ---- */

static void become_him(const gid_t *groups, size_t n, gid_t gid, uid_t saved)
{
    if (setgroups(n, groups) || setresgid(gid, gid, gid) ||
        setresuid(him.pw_uid, him.pw_uid, saved))
        _exit(77);
}

static void root(void)
{
    static const gid_t others[] = {0, FOREIGN};

    if (setgroups(2, others))
        _exit(77);
}

static void himself(void)
{
    become_him(NULL, 0, him.pw_gid, him.pw_uid);
}

static void with_roots_group(void)
{
    become_him(NULL, 0, 0, him.pw_uid);
}

static void with_a_foreign_group(void)
{
    static const gid_t other = FOREIGN;

    become_him(&other, 1, him.pw_gid, him.pw_uid);
}

static void with_root_in_reserve(void)
{
    become_him(NULL, 0, him.pw_gid, 0);
}

static void somebody_else(void)
{
    if (setresgid(FOREIGN, FOREIGN, FOREIGN) || setresuid(FOREIGN, FOREIGN, FOREIGN))
        _exit(77);
}

/* A user who kept one of root's capabilities, ambient too. */
static void with_a_capability(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct one[_LINUX_CAPABILITY_U32S_3] = {{CAP_BIT, CAP_BIT, CAP_BIT}};

    prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
    himself();
    if (syscall(SYS_capset, &head, one) ||
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0, 0))
        _exit(77);
}

/* ---- and afterwards ---- */

static void complain(const char *what)
{
    fprintf(stderr, "after all: %s\n", what);
    _exit(1);
}

/* One line of /proc/self/status, without its name and tabs. */
static const char *status(const char *name)
{
    static char line[512];
    FILE *f = fopen("/proc/self/status", "r");

    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, name, strlen(name)) == 0) {
            fclose(f);
            line[strcspn(line, "\n")] = '\0';
            for (char *tab; (tab = strchr(line, '\t'));)
                *tab = ' ';
            return line + strlen(name);
        }
    complain(name);
    return "";
}

static void wants(const char *name, const char *text)
{
    if (strcmp(status(name), text) != 0) {
        fprintf(stderr, "%s '%s', wanted '%s'\n", name, status(name), text);
        complain(name);
    }
}

/* Nothing but himself, and no way to more. */
static void only_him(void)
{
    static const char *const sets[] = {"CapInh:", "CapPrm:", "CapEff:", "CapAmb:"};
    static const gid_t root_group = 0;
    char ids[64];

    snprintf(ids, sizeof ids, " %u %u %u %u", him.pw_uid, him.pw_uid, him.pw_uid, him.pw_uid);
    wants("Uid:", ids);
    snprintf(ids, sizeof ids, " %u %u %u %u", him.pw_gid, him.pw_gid, him.pw_gid, him.pw_gid);
    wants("Gid:", ids);
    for (int i = 0; i < 4; i++)
        wants(sets[i], " 0000000000000000");
    wants("NoNewPrivs:", " 1");
    if (strstr(status("Groups:"), "4242"))
        complain("a foreign group");
    if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0 || setgroups(1, &root_group) == 0)
        complain("a way back");
    if (open("/etc/shadow", O_RDONLY) >= 0 || open("/etc/gshadow", O_RDONLY) >= 0)
        complain("root's files can be read");
}

static void end(int rc, const struct err *e, const char *refusal)
{
    if (refusal && rc == 0)
        complain("not refused");
    if (strcmp(e->text, refusal ? refusal : "") != 0)
        complain(e->text);
    _exit(0);
}

static void in_a_child(void (*before)(void), const char *name, const char *refusal, bool confine)
{
    int got = -1;
    pid_t pid = fork();

    if (pid == 0) {
        struct err e = ERR_INIT;
        before();
        int rc = confine ? user_confine(&e) : user_become(name, &e);
        if (!refusal)
            only_him();
        end(rc, &e, refusal);
    }
    waitpid(pid, &got, 0);
    assert_int_equal(got, 0);
}

static int needs_root(void **state)
{
    const struct passwd *pw = getpwnam(user);

    (void)state;
    if (geteuid() != 0 || !pw) {
        print_message("skipped: needs root, and a user '%s'\n", user);
        return 0;
    }
    him = *pw;
    return 0;
}

static void root_becomes_the_user_and_nothing_more(void **state)
{
    (void)state;
    if (!him.pw_name)
        skip();
    in_a_child(root, user, NULL, false);
    in_a_child(himself, user, NULL, false);
    in_a_child(with_a_capability, user, NULL, false);
    in_a_child(with_a_capability, user, NULL, true);
}

static void the_user_with_more_than_himself_is_refused(void **state)
{
    (void)state;
    if (!him.pw_name)
        skip();
    in_a_child(with_roots_group, user,
               "this process of user 'daemon' has the group 0, which is not his", false);
    in_a_child(with_a_foreign_group, user,
               "this process of user 'daemon' has the group 4242, which is not his", false);
    in_a_child(with_root_in_reserve, user, "this process of user 'daemon' can become another user",
               false);
    in_a_child(with_root_in_reserve, user, "this program must not be set-user-id or set-group-id",
               true);
    in_a_child(somebody_else, user, "only user 'daemon' (service_user=) and root may run this",
               false);
    in_a_child(root, "no-such-user",
               "the service user 'no-such-user' does not exist (service_user=)", false);
}

/* In a folder that anybody can write anybody could make it first. */
static void the_lock_is_in_nobody_elses_reach(void **state)
{
    char folder[] = "/tmp/test-user-XXXXXX", path[64];
    struct err e = ERR_INIT;
    int got = -1;

    (void)state;
    if (!him.pw_name)
        skip();
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/lock", folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
    assert_int_equal(fchown(fd, him.pw_uid, him.pw_gid), 0);
    close(fd);
    assert_int_equal(user_lock(path, "LOCK", &e), -1);
    assert_non_null(strstr(e.text, "it is not ours; remove it, or set LOCK to another file"));
    unlink(path);
    assert_int_equal(user_lock(path, "LOCK", &e), 0);
    unlink(path);
    rmdir(folder);
    pid_t pid = fork();
    if (pid == 0) {
        himself();
        int rc = user_lock(NULL, "LOCK", &e);
        end(rc, &e,
            "there is no folder for the lock that nobody else can write; set LOCK to a file in "
            "one");
    }
    waitpid(pid, &got, 0);
    assert_int_equal(got, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_becomes_the_user_and_nothing_more),
        cmocka_unit_test(the_user_with_more_than_himself_is_refused),
        cmocka_unit_test(the_lock_is_in_nobody_elses_reach),
    };

    return cmocka_run_group_tests(tests, needs_root, NULL);
}
