# SPDX-License-Identifier: BSD-3-Clause
# The plugin in a fake Slurm (fake_host.c); in a real one: tests/cluster/launch.bats
if BUILD_PLUGIN
check_PROGRAMS += tests/spank/fake_host
tests_spank_fake_host_SOURCES = %D%/fake_host.c
tests_spank_fake_host_CPPFLAGS = $(AM_CPPFLAGS) $(SLURM_CFLAGS)
tests_spank_fake_host_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
tests_spank_fake_host_LDADD = -ldl
TESTS += %D%/plugin.bats
endif
dist_check_SCRIPTS += %D%/plugin.bats %D%/doctor.bats
if BUILD_TOOLS
TESTS += %D%/doctor.bats
endif
EXTRA_DIST += %D%/later/slurm/spank.h %D%/hostile_env.py

# The collector's parts that need no daemon.
if BUILD_TESTS
check_PROGRAMS += tests/spank/test_admin_comment
TESTS += tests/spank/test_admin_comment
tests_spank_test_admin_comment_SOURCES = %D%/test_admin_comment.c spank/admin_comment.c
tests_spank_test_admin_comment_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_spank_test_admin_comment_LDADD = reports/libcore.la $(CMOCKA_LIBS)
endif

if BUILD_COLLECTOR
check_PROGRAMS += tests/spank/make_bundles
tests_spank_make_bundles_SOURCES = %D%/make_bundles.c tests/reports/sample.h tests/reports/sample.c
tests_spank_make_bundles_LDADD = spank/libwitness.la reports/libreports.la reports/libcore.la
TESTS += %D%/collect.bats
endif

if BUILD_COLLECTOR
if BUILD_TESTS
check_PROGRAMS += tests/spank/test_collect
TESTS += tests/spank/test_collect
tests_spank_test_collect_SOURCES = %D%/test_collect.c tests/reports/sample.h tests/reports/sample.c \
    spank/admin_comment.c spank/collect_check.c spank/collect_quarantine.c spank/collect_text.c
tests_spank_test_collect_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
tests_spank_test_collect_LDADD = reports/libhistory.la reports/libreports.la reports/libcore.la $(CMOCKA_LIBS)
endif
endif
dist_check_SCRIPTS += %D%/collect.bats

# Who the collector is.
if BUILD_TESTS
check_PROGRAMS += tests/spank/test_user
TESTS += tests/spank/test_user
tests_spank_test_user_SOURCES = %D%/test_user.c spank/user.h spank/user.c
tests_spank_test_user_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_spank_test_user_LDADD = reports/libcore.la $(CMOCKA_LIBS)
endif

# Bundles, credentials, drop folders, the way to the collector.
if BUILD_TESTS
if BUILD_WITNESS
check_PROGRAMS += tests/spank/test_witness
TESTS += tests/spank/test_witness
tests_spank_test_witness_SOURCES = %D%/test_witness.c
tests_spank_test_witness_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MUNGE_CFLAGS)
tests_spank_test_witness_LDADD = spank/libwitness.la reports/libcore.la $(CMOCKA_LIBS) $(MUNGE_LIBS)
endif
endif
EXTRA_DIST += %D%/fuzz_admin_comment.c %D%/fuzz_bundle.c %D%/fuzz_hostlist.c %D%/corpus

# The collector's socket alone, for tests/faults.
if BUILD_WITNESS
check_PROGRAMS += tests/spank/receiver
tests_spank_receiver_SOURCES = %D%/receiver.c
tests_spank_receiver_LDADD = spank/libwitness.la reports/libcore.la
endif
