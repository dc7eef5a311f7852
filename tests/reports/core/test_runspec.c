/* SPDX-License-Identifier: BSD-3-Clause */
/* The run text: good texts with their canonical form, bad texts with their
 * sentence. Runs on a table of a few workloads, so that what needs several is
 * seen (runspec_workloads.def); runspec_table.c is compiled into this program. */
#include <config.h>

#include <math.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define RUNSPEC_WORKLOADS "tests/reports/core/runspec_workloads.def"
#include "reports/core/runspec.c"
#include "reports/core/runspec_table.c"
#include "tests/unit.h"

static const struct {
    const char *text;
    const char *canonical;
} good[] = {
    {"component", "component"},
    {"cosmoflow", "cosmoflow"},
    {"all", "all"},
    {"deepcam+cosmoflow", "deepcam+cosmoflow"},
    {"component+gemm", "component+gemm"},
    {"cosmoflow,class=tiny", "cosmoflow,class=tiny"},
    {"cosmoflow,time=5m,class=small", "cosmoflow,class=small,time=5m"},
    /* given with their default: as good as not given */
    {"cosmoflow,class=auto,dtype=f32,time=10m,seed=1,engine=auto,gate=no,division=closed",
     "cosmoflow"},
    {"cosmoflow,time=600s", "cosmoflow"},
    {"cosmoflow,time=60m", "cosmoflow,time=1h"},
    {"cosmoflow,time=90s", "cosmoflow,time=90s"},
    {"cosmoflow,time=720h", "cosmoflow,time=720h"},
    {"cosmoflow,dtype=bf16,engine=ref", "cosmoflow,dtype=bf16,engine=ref"},
    {"micro,turns=yes", "micro,turns=yes"},
    {"micro,turns=auto", "micro"},
    {"gemm,profile=standard", "gemm"},
    {"vet,time=60s,spares=02", "vet,time=1m,spares=2"},
    {"gemm,budget=60s,profile=quick,turns=yes", "gemm,turns=yes,profile=quick,budget=1m"},
    {"gemm,pause=90s,budget=20s", "gemm,budget=20s,pause=90s"},
    {"cosmoflow,bucket=1024K,turns=yes", "cosmoflow,turns=yes,bucket=1M"},
    {"cosmoflow,keep=no,ahead=3,workers=02", "cosmoflow,workers=2,ahead=3,keep=no"},
    {"cosmoflow,division=look-alike,gate=yes", "cosmoflow,gate=yes,division=look-alike"},
    {"cosmoflow,confidential=yes,redact=host+user+host",
     "cosmoflow,redact=user+host,confidential=yes"},
    {"cosmoflow,confidential=no", "cosmoflow"},
    {"cosmoflow,seed=18446744073709551615", "cosmoflow,seed=18446744073709551615"},
    {"cosmoflow,seed=0", "cosmoflow,seed=0"},
    {"cosmoflow,epochs=007,batch=64,threads=2", "cosmoflow,epochs=7,batch=64,threads=2"},
    {"cosmoflow,target=0.30", "cosmoflow,target=0.3"},
    {"cosmoflow,target=00.124", "cosmoflow,target=0.124"},
    {"cosmoflow,target=0.12345678901234", "cosmoflow,target=0.12345678901234"},
    {"cosmoflow,target=1000000", "cosmoflow,target=1000000"},
    {"cosmoflow,target=0.000001", "cosmoflow,target=0.000001"},
    {"cosmoflow,data=/d,out=/o", "cosmoflow,data=/d,out=/o"},
    {"cosmoflow,data=cosmoflow:/d", "cosmoflow,data=/d"},
    {"cosmoflow,data=host:/d", "cosmoflow,data=host:/d"},
    {"cosmoflow,data=cosmoflow:gemm:/d", "cosmoflow,data=cosmoflow:gemm:/d"},
    {"cosmoflow,data='/a,b'", "cosmoflow,data='/a,b'"},
    {"cosmoflow,data='/a'", "cosmoflow,data=/a"},
    {"cosmoflow,data=/it's", "cosmoflow,data=/it's"},
    {"cosmoflow,data='it''s, here'", "cosmoflow,data='it''s, here'"},
    {"cosmoflow,data='''quoted'''", "cosmoflow,data='''quoted'''"},
    {"cosmoflow,out=a=b+c", "cosmoflow,out=a=b+c"},
    {"cosmoflow,out=/data/%n%s%1$hhn", "cosmoflow,out=/data/%n%s%1$hhn"},
    {"cosmoflow,out=/dätä/数据", "cosmoflow,out=/dätä/数据"},
    {"component,data=deepcam:/e,data=cosmoflow:/d", "component,data=cosmoflow:/d,data=deepcam:/e"},
    {"gemm+deepcam,data='deepcam:/e,f'", "gemm+deepcam,data='deepcam:/e,f'"},
    /* a folder of all */
    {"component,data=/a", "component,data=/a"},
    {"component,data=/a/", "component,data=/a/"},
    {"component,data=/a,data=deepcam:/b", "component,data=deepcam:/b,data=/a"},
    {"component,data=deepcam:/a/deepcam,data=/a", "component,data=/a"},
    {"component,data=deepcam:/a/b", "component,data=deepcam:/a/b"},
    {"component,data=./host:/d", "component,data=./host:/d"},
    {"component,checkpoint=/c,resume=gemm", "component,checkpoint=/c,resume=gemm"},
    {"cosmoflow,resume=/r,checkpoint=cosmoflow:c", "cosmoflow,checkpoint=c,resume=/r"},
    /* whose value it is */
    {"cosmoflow,target=cosmoflow:0.30,epochs=cosmoflow:7", "cosmoflow,epochs=7,target=0.3"},
    {"component,target=deepcam:0.97,target=cosmoflow:0.1",
     "component,target=cosmoflow:0.1,target=deepcam:0.97"},
    {"gemm+deepcam,batch=deepcam:8,epochs=gemm:07,batch=gemm:4",
     "gemm+deepcam,epochs=gemm:7,batch=gemm:4,batch=deepcam:8"},
    {"cosmoflow,model=cosmo-net_2.0", "cosmoflow,model=cosmo-net_2.0"},
    {"component,model=deepcam:unet", "component,model=deepcam:unet"},
    /* runs of each training */
    {"cosmoflow,runs=3", "cosmoflow,runs=3"},
    {"component,runs=1", "component"},
    {"component,runs=3,target=deepcam:0.97,data=/d,epochs=cosmoflow:4",
     "component,data=/d,epochs=cosmoflow:4,target=deepcam:0.97,runs=3"},
    {"gemm+deepcam,runs=16,batch=deepcam:4", "gemm+deepcam,runs=16,batch=deepcam:4"},
    /* a suite's own time */
    {"component,time=40m", "component"},
    {"component,time=10m", "component,time=10m"},
    {"micro,time=300s", "micro"},
    {"all,time=60m", "all"},
    {"cosmoflow+deepcam,time=10m", "cosmoflow+deepcam"},
    {"cosmoflow,time=40m", "cosmoflow,time=40m"},
};

static void test_good(void **state)
{
    char buf[RUNSPEC_MAX_BYTES + 1], again[RUNSPEC_MAX_BYTES + 1];
    struct runspec r, back;
    struct err e = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (runspec_parse(&r, good[i].text, &e))
            fail_msg("%s: %s", good[i].text, e.text);
        assert_int_equal(runspec_format(&r, buf, sizeof buf), (int)strlen(good[i].canonical));
        assert_string_equal(buf, good[i].canonical);
        assert_int_equal(runspec_parse(&back, buf, &e), 0);
        assert_memory_equal(&r, &back, sizeof r);
        runspec_format(&back, again, sizeof again);
        assert_string_equal(again, buf);
    }
}

#define X64  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X512 X64 X64 X64 X64 X64 X64 X64 X64

static const struct {
    const char *text;
    const char *sentence;
} bad[] = {
    {"", "the run text names no suite or workload; say for example 'micro'"},
    {",class=tiny", "the run text names no suite or workload; say for example 'micro'"},
    {"cosmoflow+", "the run text names no suite or workload; say for example 'micro'"},
    {"cosmoflw", "there is no suite or workload 'cosmoflw'; the nearest is 'cosmoflow'"},
    {"components", "there is no suite or workload 'components'; the nearest is 'component'"},
    {"zzzzzzzzzzz", "there is no suite or workload 'zzzzzzzzzzz'; 'help' shows them all"},
    {"../etc/passwd", "there is no suite or workload '../etc/passwd'; 'help' shows them all"},
    {"%n%n%n%n%n", "there is no suite or workload '%n%n%n%n%n'; 'help' shows them all"},
    {"cosmoflow+component", "the suite 'component' can only be the first word"},
    {"cosmoflow+cosmoflow", "'cosmoflow' is given twice"},
    {"component+cosmoflow", "'cosmoflow' is given twice: it is in component"},
    {"cosmoflow,", "'' is not key=value; say for example 'class=tiny'"},
    {"cosmoflow,,", "'' is not key=value; say for example 'class=tiny'"},
    {"cosmoflow,,,,,,,,,,,,", "'' is not key=value; say for example 'class=tiny'"},
    {"cosmoflow,tiny", "'tiny' is not key=value; the nearest is 'class=tiny'"},
    {"cosmoflow,bf16", "'bf16' is not key=value; the nearest is 'dtype=bf16'"},
    {"cosmoflow,fast", "'fast' is not key=value; say for example 'class=tiny'"},
    {"cosmoflow,=tiny", "there is no key ''; 'help' shows them all"},
    {"cosmoflow,clas=tiny", "there is no key 'clas'; the nearest is 'class'"},
    {"cosmoflow,epoch=3", "there is no key 'epoch'; the nearest is 'epochs'"},
    {"cosmoflow,CLASS=tiny", "there is no key 'CLASS'; the nearest is 'class'"},
    {"cosmoflow,qwertz=1", "there is no key 'qwertz'; 'help' shows them all"},
    {"cosmoflow,class=tiny,class=tiny", "'class' is given twice"},
    {"cosmoflow,class=tiney", "there is no class=tiney; the nearest is 'class=tiny'"},
    {"cosmoflow,class=", "there is no class=; the nearest is 'class=auto'"},
    {"cosmoflow,dtype=fp64", "there is no dtype=fp64; the nearest is 'dtype=f32'"},
    {"cosmoflow,bucket=much", "bucket=much is not a size; say for example bucket=16M"},
    {"micro,turns=on", "there is no turns=on; the nearest is 'turns=no'"},
    {"cosmoflow,spares=2", "spares=2 belongs to vet: 'vet,spares=2'"},
    {"vet", "vet needs to know how many nodes to leave out; say for example 'vet,spares=1'"},
    {"vet+gemm,spares=1", "vet runs alone: what it says is for the script behind it"},
    {"gemm,profile=slow", "there is no profile=slow; the nearest is 'profile=standard'"},
    {"cosmoflow,engine=gpu", "there is no engine=gpu; the nearest is 'engine=cpu'"},
    {"cosmoflow,gate=true", "there is no gate=true; the nearest is 'gate=no'"},
    {"cosmoflow,redact=usr", "there is no word of redact 'usr'; the nearest is 'user'"},
    {"cosmoflow,redact=", "redact= has an empty word; say for example 'redact=user+account'"},
    {"cosmoflow,redact=user+",
     "redact=user+ has an empty word; say for example 'redact=user+account'"},
    {"cosmoflow,redact=host,redact=user", "'redact' is given twice"},
    {"cosmoflow,division=lookalike",
     "there is no division=lookalike; the nearest is 'division=look-alike'"},
    {"cosmoflow,epochs=0", "epochs=0 is out of range; the nearest is 'epochs=1'"},
    {"cosmoflow,epochs=100001", "epochs=100001 is out of range; the nearest is 'epochs=100000'"},
    {"cosmoflow,epochs=-1", "epochs=-1 is not a whole number; it goes from 1 to 100000"},
    {"cosmoflow,epochs=1e3", "epochs=1e3 is not a whole number; it goes from 1 to 100000"},
    {"cosmoflow,epochs=", "epochs= is not a whole number; it goes from 1 to 100000"},
    {"cosmoflow,epochs=99999999999999999999999",
     "epochs=99999999999999999999999 is out of range; the nearest is 'epochs=100000'"},
    {"cosmoflow,seed=18446744073709551616",
     "seed=18446744073709551616 is out of range; the nearest is 'seed=18446744073709551615'"},
    {"cosmoflow,batch=16777217", "batch=16777217 is out of range; the nearest is 'batch=16777216'"},
    {"cosmoflow,runs=0", "runs=0 is out of range; the nearest is 'runs=1'"},
    {"cosmoflow,runs=33", "runs=33 is out of range; the nearest is 'runs=32'"},
    {"component,runs=17", "runs=17 of these workloads are 34 runs, and a record holds 32: take "
                          "fewer runs, or fewer workloads"},
    {"cosmoflow,runs=2,checkpoint=/c", "checkpoint= and resume= are of one run of a training, and "
                                       "runs=2 are several: leave one of them out"},
    {"cosmoflow,threads=4097", "threads=4097 is out of range; the nearest is 'threads=4096'"},
    {"cosmoflow,time=10",
     "time=10 is not a time: use a whole number of s, m or h, for example 'time=10m'"},
    {"cosmoflow,time=1.5h",
     "time=1.5h is not a time: use a whole number of s, m or h, for example 'time=10m'"},
    {"cosmoflow,time=m",
     "time=m is not a time: use a whole number of s, m or h, for example 'time=10m'"},
    {"cosmoflow,time=0s", "time=0s is out of range; the nearest is 'time=1s'"},
    {"cosmoflow,time=721h", "time=721h is out of range; the nearest is 'time=720h'"},
    {"cosmoflow,time=5124095576030432h",
     "time=5124095576030432h is out of range; the nearest is 'time=720h'"},
    {"cosmoflow,time=99999999999999999999999s",
     "time=99999999999999999999999s is out of range; the nearest is 'time=720h'"},
    {"cosmoflow,target=good", "target=good is not a number; say for example 'target=0.5'"},
    {"cosmoflow,target=.5", "target=.5 is not a number; say for example 'target=0.5'"},
    {"cosmoflow,target=5.", "target=5. is not a number; say for example 'target=0.5'"},
    {"cosmoflow,target=nan", "target=nan is not a number; say for example 'target=0.5'"},
    {"cosmoflow,target=1e400", "target=1e400 is not a number; say for example 'target=0.5'"},
    {"cosmoflow,target=0", "target=0 is out of range; the nearest is 'target=0.000001'"},
    {"cosmoflow,target=1000000.5", "target=1000000.5 is out of range; the nearest is "
                                   "'target=1000000'"},
    {"cosmoflow,target=0.1234567890123456", "target=0.1234567890123456 has more than 15 digits"},
    {"cosmoflow,out=", "out= needs a folder"},
    {"cosmoflow,out=''", "out= needs a folder"},
    {"cosmoflow,out='/a", "out='/a has no closing quote"},
    {"cosmoflow,out='/a'b", "out= has 'b' after its closing quote"},
    {"cosmoflow,data=cosmoflow:", "data=cosmoflow: needs a folder"},
    {"cosmoflow,data=gemm:/d", "there is no workload in this run called 'gemm'; 'help' shows "
                               "them all"},
    {"cosmoflow,data=/a,data=/b", "'data' of cosmoflow is given twice"},
    {"component,data=/a,data=/b", "'data' is given twice"},
    {"component,data=", "data= needs a folder"},
    {"component,data=host:/d", "there is no workload in this run called 'host'; 'help' shows "
                               "them all"},
    {"component,checkpoint=deepcam:", "checkpoint=deepcam: needs a folder"},
    {"cosmoflow,resume=", "resume= needs a folder"},
    {"cosmoflow,resume=/a,resume=/b", "'resume' of cosmoflow is given twice"},
    {"component,target=0.3",
     "target=0.3 must say for which workload, as several run: 'target=cosmoflow:0.3'"},
    {"gemm+deepcam,epochs=3",
     "epochs=3 must say for which workload, as several run: 'epochs=deepcam:3'"},
    {"deepcam+cosmoflow,epochs=3",
     "epochs=3 must say for which workload, as several run: 'epochs=deepcam:3'"},
    {"component,batch=8",
     "batch=8 must say for which workload, as several run: 'batch=cosmoflow:8'"},
    {"component,model=unet",
     "model=unet must say for which workload, as several run: 'model=cosmoflow:unet'"},
    {"component,target=gemm:0.3",
     "there is no workload in this run called 'gemm'; 'help' shows them all"},
    {"component,target=deepcan:0.3",
     "there is no workload in this run called 'deepcan'; the nearest is 'deepcam'"},
    {"cosmoflow,epochs=deepcam:3",
     "there is no workload in this run called 'deepcam'; 'help' shows them all"},
    {"cosmoflow,epochs=:3", "there is no workload in this run called ''; 'help' shows them all"},
    {"component,target=deepcam:0.3,target=deepcam:0.4", "'target' of deepcam is given twice"},
    {"cosmoflow,epochs=3,epochs=3", "'epochs' of cosmoflow is given twice"},
    {"component,target=deepcam:0",
     "target=deepcam:0 is out of range; the nearest is 'target=deepcam:0.000001'"},
    {"component,epochs=deepcam:",
     "epochs=deepcam: is not a whole number; it goes from 1 to 100000"},
    {"cosmoflow,model=", "model= is not a name: use a-z, 0-9, '_', '.' and '-'"},
    {"cosmoflow,model=a/b", "model=a/b is not a name: use a-z, 0-9, '_', '.' and '-'"},
    {"cosmoflow,model=Net", "model=Net is not a name: use a-z, 0-9, '_', '.' and '-'"},
    {"cosmoflow,model="
     "abcdefghijklmnopqrstuvwxyz012345",
     "model is longer than 31 bytes"},
    {"component,data=cosmoflo:/a", "there is no workload in this run called 'cosmoflo'; the "
                                   "nearest is 'cosmoflow'"},
    {"component,data=deepcam:/a,data=deepcam:/b", "'data' of deepcam is given twice"},
    {"deepcam,dtype=bf16", "deepcam does not support dtype=bf16; the nearest is 'dtype=f32'"},
    {"all,dtype=bf16", "deepcam does not support dtype=bf16; the nearest is 'dtype=f32'"},
    {"cosmoflow,class=tiny\n", "byte 21 of the run text is an unprintable character"},
    {"\x1b[31mcosmoflow", "byte 1 of the run text is an unprintable character"},
    {"cosmoflow\x7f", "byte 10 of the run text is an unprintable character"},
    {"cosmoflow,out=\xc2\x9b", "byte 15 of the run text is an unprintable character"},
    {"cosmoflow,out=\xe2\x80\xae", "byte 15 of the run text is an unprintable character"},
    {"cosmoflow,out=\xff", "byte 15 of the run text is not UTF-8"},
    {"cosmoflow,out=\xc0\xaf", "byte 15 of the run text is not UTF-8"},
    {"cosmoflow,out=\xed\xa0\x80", "byte 15 of the run text is not UTF-8"},
    {"cosmoflow,out=\xf4\x90\x80\x80", "byte 15 of the run text is not UTF-8"},
    {"cosmoflow,out=\xe6\x95", "byte 15 of the run text is not UTF-8"},
    {"cosmoflow,out=" X512, "the run text is longer than 512 bytes"},
};

static void test_bad(void **state)
{
    struct runspec r, before;
    struct err e;

    (void)state;
    assert_int_equal(runspec_parse(&r, "cosmoflow,seed=9", NULL), 0);
    before = r;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        memset(&e, 0, sizeof e);
        assert_int_equal(runspec_parse(&r, bad[i].text, &e), -1);
        assert_string_equal(e.text, bad[i].sentence);
        assert_memory_equal(&r, &before, sizeof r); /* a failure changes nothing */
        assert_int_equal(runspec_parse(&r, bad[i].text, NULL), -1);
    }
}

static void test_length(void **state)
{
    char text[RUNSPEC_MAX_BYTES + 2], buf[RUNSPEC_MAX_BYTES + 1];
    char *huge = malloc(1 << 20);
    struct runspec r;

    (void)state;
    int head = sprintf(text, "cosmoflow,out=");
    memset(text + head, 'x', sizeof text - (size_t)head);
    text[RUNSPEC_MAX_BYTES] = '\0';
    assert_int_equal(runspec_parse(&r, text, NULL), 0);
    assert_int_equal(runspec_format(&r, buf, sizeof buf), RUNSPEC_MAX_BYTES);
    assert_string_equal(buf, text);
    assert_int_equal(runspec_format(&r, buf, sizeof buf - 1), -1);
    memset(huge, 'a', 1 << 20);
    huge[(1 << 20) - 1] = '\0';
    assert_int_equal(runspec_parse(&r, huge, NULL), -1);
    free(huge);
}

static void test_fields(void **state)
{
    struct runspec r;

    (void)state;
    assert_int_equal(runspec_parse(&r, "cosmoflow", NULL), 0);
    assert_int_equal(r.set, 0);
    assert_int_equal(r.class, CLASS_AUTO);
    assert_true(r.keep && r.workers == 0 && r.ahead == 0);
    assert_true(r.time_seconds == 600 && r.seed == 1 && r.epochs[0] == 0 && !r.gate);
    assert_int_equal(runspec_parse(&r,
                                   "component+gemm,class=standard,epochs=deepcam:12,"
                                   "target=deepcam:0.124,time=2h,seed=7,batch=gemm:32,threads=3,"
                                   "engine=ref,out=/o,gate=yes,division=private,data=/d/,"
                                   "data='deepcam:/x,y',resume=gemm:r,model=cosmoflow:m",
                                   NULL),
                     0);
    assert_string_equal(r.suite, "component");
    assert_int_equal(r.n_workloads, 3);
    assert_int_equal(r.workloads[2], runspec_find("gemm"));
    assert_true(r.class == CLASS_STANDARD && r.engine == ENGINE_REF && r.gate);
    assert_true(r.division == DIVISION_PRIVATE && r.dtype == DTYPE_F32);
    assert_true(r.threads == 3 && r.seed == 7 && r.time_seconds == 7200);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(runspec_epochs(&r, i), i == 1 ? 12 : 0);
        assert_int_equal(runspec_batch(&r, i), i == 2 ? 32 : 0);
        assert_true(runspec_target(&r, i) == (i == 1 ? 0.124 : 0)); /* to the last bit */
        assert_string_equal(runspec_resume(&r, i), i == 2 ? "r" : "");
        assert_string_equal(runspec_checkpoint(&r, i), "");
        assert_string_equal(runspec_model(&r, i), i == 0 ? "m" : "");
    }
    assert_string_equal(runspec_data(&r, 0), "/d/cosmoflow");
    assert_string_equal(runspec_data(&r, 1), "/x,y");
    assert_string_equal(runspec_data(&r, 2), "/d/gemm");
    assert_string_equal(r.out, "/o");
    assert_true(r.set & 1u << KEY_TARGET && !(r.set & 1u << KEY_DTYPE));
    assert_true(fabs(runspec_node_hours(&r, 4) - 8) < 1e-12);
}

/* A text of the most bytes whose folder has a workload's name put behind it. */
/* Each training has an entry a run, of its own seed and with the same values; a suite's
 * folders and what is said for one workload go with it. */
static void test_runs(void **state)
{
    static const int repeats[] = {0, 1, 2, 0, 1, 2};
    struct runspec r;
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(runspec_parse(&r, "component,data=/d,target=deepcam:0.9,seed=7,runs=3", &e),
                     0);
    assert_int_equal(r.n_workloads, 6);
    for (int i = 0; i < 6; i++) {
        bool deepcam = i >= 3;
        assert_string_equal(runspec_workload(r.workloads[i])->name,
                            deepcam ? "deepcam" : "cosmoflow");
        assert_int_equal(runspec_repeat(&r, i), repeats[i]);
        assert_int_equal(runspec_seed(&r, i), 7 + repeats[i]);
        assert_string_equal(runspec_data(&r, i), deepcam ? "/d/deepcam" : "/d/cosmoflow");
        assert_true(runspec_target(&r, i) == (deepcam ? 0.9 : 0));
    }
    assert_int_equal(runspec_parse(&r, "cosmoflow,seed=18446744073709551615,runs=2", &e), 0);
    assert_int_equal(runspec_seed(&r, 1), 0); /* goes round */
}

static void test_longest_folder(void **state)
{
    char text[RUNSPEC_MAX_BYTES + 1], buf[RUNSPEC_MAX_BYTES + 1];
    struct runspec r;

    (void)state;
    memset(text, 'x', RUNSPEC_MAX_BYTES);
    text[RUNSPEC_MAX_BYTES] = '\0';
    memcpy(text, "all,data=", 9);
    assert_int_equal(runspec_parse(&r, text, NULL), 0);
    assert_int_equal(strlen(r.data[0]), RUNSPEC_MAX_BYTES - 9 + strlen("/cosmoflow"));
    assert_true(runspec_format(&r, buf, sizeof buf) == RUNSPEC_MAX_BYTES && !strcmp(buf, text));
}

static void test_strip(void **state)
{
    struct runspec r;
    char buf[RUNSPEC_MAX_BYTES + 1];

    (void)state;
    assert_int_equal(runspec_parse(&r,
                                   "component,data=/d,data=deepcam:/e,checkpoint=/c,resume=/r,"
                                   "out=/o,model=deepcam:m,seed=2",
                                   NULL),
                     0);
    runspec_strip(&r);
    assert_true(runspec_format(&r, buf, sizeof buf) > 0);
    assert_string_equal(buf, "component,model=deepcam:m,seed=2");
}

static void test_suite_time(void **state)
{
    struct runspec r;

    (void)state;
    assert_string_equal(runspec_suite_time(""), "10m");
    assert_string_equal(runspec_suite_time("component"), "40m");
    assert_null(runspec_suite_time("cosmoflow"));
    assert_int_equal(runspec_parse(&r, "component", NULL), 0);
    assert_true(r.time_seconds == 2400 && r.set == 0);
    assert_int_equal(runspec_parse(&r, "component+gemm", NULL), 0);
    assert_true(r.time_seconds == 2400);
    assert_int_equal(runspec_parse(&r, "deepcam+cosmoflow", NULL), 0);
    assert_true(r.time_seconds == 600);
}

/* Every decimal of up to 15 digits comes back as the same double. */
static void test_decimals(void **state)
{
    char text[64], buf[RUNSPEC_MAX_BYTES + 1];
    uint64_t x = 88172645463325252u;
    struct runspec r, back;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        int places = (int)(x % 16);
        uint64_t m = (x >> 8) % 999999999999999u + 1;
        char number[32];
        int n = sprintf(number, "%0*" PRIu64, places + 1, m);
        if (n > 15)
            continue;
        sprintf(text, "cosmoflow,target=%.*s%s%s", n - places, number, places ? "." : "",
                number + n - places);
        double v = strtod(text + strlen("cosmoflow,target="), NULL);
        if (v < 1e-6 || v > 1e6)
            continue;
        assert_int_equal(runspec_parse(&r, text, NULL), 0);
        assert_true(r.target[0] == v);
        assert_true(runspec_format(&r, buf, sizeof buf) <= (int)strlen(text));
        assert_int_equal(runspec_parse(&back, buf, NULL), 0);
        assert_true(back.target[0] == v);
    }
}

/* Every key and word of the table is in the help, every name in the list. */
static void test_answers(void **state)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    (void)state;
    assert_int_equal(runspec_answer("help", f), 1);
    assert_int_equal(runspec_answer("list", f), 1);
    assert_int_equal(runspec_answer("cosmoflow", f), 0);
    assert_int_equal(runspec_answer("", f), 0);
    fclose(f);
    for (int k = 0; k < KEY_COUNT; k++) {
        assert_non_null(strstr(text, keys[k].name));
        for (const char *const *w = keys[k].words; w && *w; w++)
            assert_non_null(strstr(text, *w));
    }
    for (int i = 0; i < N_WORKLOADS; i++)
        assert_non_null(strstr(text, runspec_workload(i)->title));
    for (int i = 0; i < N_SUITES; i++)
        assert_non_null(strstr(text, suites[i].name));
    assert_null(runspec_workload(N_WORKLOADS));
    assert_null(runspec_workload(-1));
    free(text);
}

/* A long sentence is cut, not overrun. */
static void test_long_sentence(void **state)
{
    struct err e = ERR_INIT;
    struct runspec r;
    char text[RUNSPEC_MAX_BYTES + 1];

    (void)state;
    memset(text, 'x', sizeof text);
    text[RUNSPEC_MAX_BYTES] = '\0';
    memcpy(text, "component,model=", 16);
    assert_int_equal(runspec_parse(&r, text, &e), -1);
    assert_true(strlen(e.text) == sizeof e.text - 1);
    assert_string_equal(e.text + sizeof e.text - 4, "...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),           cmocka_unit_test(test_bad),
        cmocka_unit_test(test_length),         cmocka_unit_test(test_fields),
        cmocka_unit_test(test_decimals),       cmocka_unit_test(test_answers),
        cmocka_unit_test(test_long_sentence),  cmocka_unit_test(test_runs),
        cmocka_unit_test(test_longest_folder), cmocka_unit_test(test_strip),
        cmocka_unit_test(test_suite_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
