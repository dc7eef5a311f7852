/* SPDX-License-Identifier: BSD-3-Clause */
/* config: tables of good and bad files, the order of files, who may write. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/core/conf.h"
#include "tests/unit.h"

static const char *value_of(const struct conf *c, const char *name)
{
    static char text[CONF_TEXT_SIZE];

    assert_true(conf_find(name) >= 0);
    conf_value(c, conf_find(name), text, sizeof text);
    return text;
}

static const char *origin_of(const struct conf *c, const char *name)
{
    static char text[CONF_TEXT_SIZE + 16];

    conf_origin(c, conf_find(name), text, sizeof text);
    return text;
}

static void test_values(void **state)
{
    static const struct {
        const char *text, *key, *value;
    } table[] = {
        {"", "spool", "/var/spool/hpcai500"},
        {"", "spool_per_job", "16M"},
        {"", "admin_comment", "line"},
        {"", "confidential", "no"},
        {"spool = /s", "spool", "/s"},
        {"spool=/s\n", "spool", "/s"},
        {"\t spool \t=\t /s p \t\n", "spool", "/s p"},
        {"# a = b\n\n   # c\nspool = /s#1\n", "spool", "/s#1"},
        {"spool_per_job = 0", "spool_per_job", "0"},
        {"spool_per_job = 1048576", "spool_per_job", "1M"},
        {"spool_per_job = 1536K", "spool_per_job", "1536K"},
        {"spool_per_job = 1000", "spool_per_job", "1000"},
        {"spool_per_job = 2T", "spool_per_job", "2T"},
        {"collector = head.site:6815", "collector", "head.site:6815"},
        {"collector = [fe80::1]:1", "collector", "[fe80::1]:1"},
        {"collector =", "collector", ""},
        {"listen = :65535", "listen", ":65535"},
        {"cache =", "cache", ""},
        {"service_user = h-p.c_1", "service_user", "h-p.c_1"},
        {"admin_comment = h5a1", "admin_comment", "h5a1"},
        {"redact = host , user,user", "redact", "user,host"},
        {"redact =", "redact", ""},
        {"confidential = yes", "confidential", "yes"},
        {"energy =", "energy", ""},
        {"energy = slurm", "energy", "slurm"},
        {"energy = /usr/libexec/joules", "energy", "/usr/libexec/joules"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct conf c;
        struct err e = ERR_INIT;
        conf_defaults(&c);
        if (conf_parse(&c, table[i].text, strlen(table[i].text), "f", &e))
            fail_msg("%s: %s", table[i].text, e.text);
        assert_string_equal(value_of(&c, table[i].key), table[i].value);
    }
}

static void test_refusals(void **state)
{
    static const struct {
        const char *text, *sentence;
    } table[] = {
        {"spol = /s", "f:1: there is no key 'spol'; the nearest is 'spool'"},
        {"\n#\nzebra = 1", "f:3: there is no key 'zebra'; 'hpcai500 config' shows them all"},
        {"= 1", "f:1: there is no key ''; 'hpcai500 config' shows them all"},
        {"spool", "f:1: 'spool' is not key = value"},
        {"spool = /a\nspool = /b", "f:2: spool is given in line 1 already"},
        {"spool = s", "f:1: spool = s is not an absolute path"},
        {"spool =", "f:1: spool =  is not an absolute path"},
        {"spool = /a/../b", "f:1: spool = /a/../b has '..' in it"},
        {"spool = /s # here",
         "f:1: the value of spool has a comment behind it; put it on its own line"},
        {"cache = # none",
         "f:1: the value of cache has a comment behind it; put it on its own line"},
        {"spool = /a\x1b[2J", "f:1: byte 11 is a control character"},
        {"spool_per_job = 16MB", "f:1: spool_per_job = 16MB is not a size; say for example "
                                 "spool_per_job = 16M"},
        {"spool_per_job = -1",
         "f:1: spool_per_job = -1 is not a size; say for example spool_per_job = 16M"},
        {"spool_per_job = 99999999T", "f:1: spool_per_job = 99999999T is too large"},
        {"collector = head", "f:1: collector = head is not HOST:PORT"},
        {"collector = :1", "f:1: collector = :1 is not HOST:PORT"},
        {"collector = -x:1", "f:1: collector = -x:1 is not HOST:PORT"},
        {"collector = a b:1", "f:1: collector = a b:1 is not HOST:PORT"},
        {"collector = h:0", "f:1: collector = h:0 is not HOST:PORT"},
        {"collector = h:65536", "f:1: collector = h:65536 is not HOST:PORT"},
        {"collector = h:1x", "f:1: collector = h:1x is not HOST:PORT"},
        {"collector = fe80::1:80", "f:1: collector = fe80::1:80 is not HOST:PORT"},
        {"service_user = -x", "f:1: service_user = -x is not a name"},
        {"service_user = a b", "f:1: service_user = a b is not a name"},
        {"admin_comment = lines",
         "f:1: there is no admin_comment = lines; the nearest is 'admin_comment = line'"},
        {"redact = user,hots", "f:1: there is no word of redact 'hots'; the nearest is 'host'"},
        {"redact = user,,host",
         "f:1: redact = user,,host has an empty word; say for example 'redact = user,account'"},
        {"runs_per_job = 0", "f:1: runs_per_job = 0 is out of range; the nearest is "
                             "'runs_per_job = 1'"},
        {"runs_per_job = many", "f:1: runs_per_job = many is not a whole number; it goes from 1 to "
                                "100000"},
        {"energy = ipmitool",
         "f:1: energy = ipmitool is not an absolute path; give that of a command, or slurm"},
        {"confidential = 1", "f:1: confidential = 1 must be yes or no"},
    };
    struct conf c, before;

    (void)state;
    conf_defaults(&c);
    conf_defaults(&before);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct err e = ERR_INIT;
        assert_int_equal(conf_parse(&c, table[i].text, strlen(table[i].text), "f", &e), -1);
        assert_string_equal(e.text, table[i].sentence);
        assert_memory_equal(&c, &before, sizeof c);
    }
}

static void test_too_large(void **state)
{
    struct err e = ERR_INIT;
    struct conf c;
    char *text = malloc(CONF_MAX_BYTES + 1);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', CONF_MAX_BYTES + 1);
    conf_defaults(&c);
    assert_int_equal(conf_parse(&c, text, CONF_MAX_BYTES + 1, "f", &e), -1);
    assert_string_equal(e.text, "f is larger than 65536 bytes");
    assert_int_equal(conf_parse(&c, text, 4000, "f", &e), -1);
    assert_string_equal(e.text, "f:1: the line is longer than 1151 bytes");
    memset(text, '/', 1040);
    memcpy(text, "cache=", 6);
    assert_int_equal(conf_parse(&c, text, 1040, "f", &e), -1);
    assert_string_equal(e.text, "f:1: cache is longer than 1023 bytes");
    assert_int_equal(conf_parse(&c, "spool\0= /x", 10, "f", &e), -1);
    assert_string_equal(e.text, "f:1: byte 6 is a control character");
    for (int i = 0; i < CONF_MAX_FILES; i++)
        assert_int_equal(conf_parse(&c, "", 0, "f", &e), 0);
    assert_int_equal(conf_parse(&c, "", 0, "f", &e), -1);
    assert_string_equal(e.text, "there are more than 33 configuration files");
    free(text);
}

static void test_table(void **state)
{
    struct conf c;

    (void)state;
    conf_defaults(&c);
    for (int i = 0; i < conf_count(); i++) {
        const struct conf_row *row = conf_row(i);
        assert_int_equal(conf_find(row->name), i);
        assert_string_equal(value_of(&c, row->name), row->fallback);
        assert_string_equal(origin_of(&c, row->name), "default");
        assert_true(row->help[0] && row->shape[0]);
    }
    assert_null(conf_row(-1));
    assert_null(conf_row(conf_count()));
    assert_int_equal(conf_find("zebra"), -1);
}

/* ---- files ---- */

static char dir[] = "/tmp/hpcai500-config.XXXXXX";

static const char *in_dir(const char *name)
{
    static char path[4][256];
    static int turn;

    snprintf(path[++turn % 4], sizeof path[0], "%s/%s", dir, name);
    return path[turn % 4];
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(in_dir(name), "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(in_dir(name), 0644), 0);
}

static int make_files(void **state)
{
    (void)state;
    unsetenv("HPCAI500_SPOOL");
    unsetenv("HPCAI500_CACHE");
    unsetenv("HPCAI500_CONF");
    if (!mkdtemp(dir) || mkdir(in_dir("conf.d"), 0755))
        return -1;
    put("site.conf", "spool = /one\narchive = /one\n\nhistory = /one\n");
    put("conf.d/10-a.conf", "archive = /two\nhistory = /two\n");
    put("conf.d/20-b.conf", "\nhistory = /three\n");
    put("conf.d/.hidden.conf", "no such line\n");
    put("conf.d/20-b.conf.rpmsave", "no such line\n");
    put("conf.d/.conf", "no such line\n");
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    for (const char *const *n =
             (const char *const[]){"conf.d/10-a.conf", "conf.d/20-b.conf", "conf.d/.hidden.conf",
                                   "conf.d/20-b.conf.rpmsave", "conf.d/.conf", "site.conf", NULL};
         *n; n++)
        unlink(in_dir(*n));
    return rmdir(in_dir("conf.d")) || rmdir(dir);
}

static void test_order(void **state)
{
    struct err e = ERR_INIT;
    struct conf c;
    char wanted[300];

    (void)state;
    assert_int_equal(conf_load(&c, in_dir("site.conf"), 0, &e), 0);
    assert_string_equal(c.spool, "/one");
    assert_string_equal(c.archive, "/two");
    assert_string_equal(c.history, "/three");
    snprintf(wanted, sizeof wanted, "%s/site.conf:1", dir);
    assert_string_equal(origin_of(&c, "spool"), wanted);
    snprintf(wanted, sizeof wanted, "%s/conf.d/20-b.conf:2", dir);
    assert_string_equal(origin_of(&c, "history"), wanted);
    assert_string_equal(origin_of(&c, "quarantine"), "default");
}

static void test_environment(void **state)
{
    struct err e = ERR_INIT;
    struct conf c;

    (void)state;
    setenv("HPCAI500_CONF", in_dir("site.conf"), 1);
    setenv("HPCAI500_SPOOL", "/mine", 1);
    setenv("HPCAI500_CACHE", "", 1);
    assert_int_equal(conf_load(&c, NULL, 0, &e), 0);
    assert_string_equal(c.spool, "/mine");
    assert_string_equal(origin_of(&c, "spool"), "HPCAI500_SPOOL");
    assert_string_equal(c.archive, "/two");
    assert_string_equal(origin_of(&c, "cache"), "default");
    assert_int_equal(conf_load(&c, NULL, CONF_PRIVILEGED, &e), 0);
    assert_string_equal(c.spool, "/one");
    setenv("HPCAI500_SPOOL", "mine", 1);
    assert_int_equal(conf_load(&c, NULL, 0, &e), -1);
    assert_string_equal(e.text, "HPCAI500_SPOOL: spool = mine is not an absolute path");
    unsetenv("HPCAI500_SPOOL");
    unsetenv("HPCAI500_CACHE");
    setenv("HPCAI500_CONF", "/nowhere/f", 1);
    assert_int_equal(conf_load(&c, NULL, 0, &e), -1);
    assert_string_equal(e.text, "cannot read /nowhere/f: No such file or directory");
    unsetenv("HPCAI500_CONF");
}

/* What others may write, root does not read. */
static void test_writable(void **state)
{
    static const struct {
        const char *name;
        mode_t bad, good;
    } table[] = {{"site.conf", 0664, 0644},
                 {"site.conf", 0646, 0600},
                 {"conf.d/10-a.conf", 0666, 0644},
                 {"conf.d", 0777, 0755},
                 {"", 0770, 0700}};
    struct conf c;

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct err e = ERR_INIT;
        assert_int_equal(chmod(in_dir(table[i].name), table[i].bad), 0);
        assert_int_equal(conf_load(&c, in_dir("site.conf"), 0, &e), 0);
        assert_int_equal(conf_load(&c, in_dir("site.conf"), CONF_PRIVILEGED, &e), -1);
        assert_non_null(strstr(e.text, " can be written by others than its owner; chmod go-w /"));
        assert_int_equal(chmod(in_dir(table[i].name), table[i].good), 0);
        assert_int_equal(conf_load(&c, in_dir("site.conf"), CONF_PRIVILEGED, &e), 0);
    }
    if (geteuid() != 0)
        return; /* only root can give a file to another */
    struct err e = ERR_INIT;
    assert_int_equal(chown(in_dir("site.conf"), 12345, 0), 0);
    assert_int_equal(conf_load(&c, in_dir("site.conf"), CONF_PRIVILEGED, &e), -1);
    assert_non_null(strstr(e.text, " belongs to user 12345, who could change what we do"));
    assert_int_equal(chown(in_dir("site.conf"), 0, 0), 0);
}

static void test_not_a_file(void **state)
{
    struct err e = ERR_INIT;
    struct conf c;

    (void)state;
    assert_int_equal(conf_load(&c, dir, 0, &e), -1);
    assert_non_null(strstr(e.text, " is not a regular file"));
    assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
    assert_int_equal(conf_load(&c, in_dir("fifo"), 0, &e), -1);
    assert_non_null(strstr(e.text, "/fifo is not a regular file"));
    assert_int_equal(unlink(in_dir("fifo")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),    cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_too_large), cmocka_unit_test(test_table),
        cmocka_unit_test(test_order),     cmocka_unit_test(test_environment),
        cmocka_unit_test(test_writable),  cmocka_unit_test(test_not_a_file),
    };

    umask(022);
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
