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
EXTRA_DIST += %D%/later/slurm/spank.h

# The collector's parts that need no daemon.
if BUILD_TESTS
check_PROGRAMS += tests/spank/test_admin_comment
TESTS += tests/spank/test_admin_comment
tests_spank_test_admin_comment_SOURCES = %D%/test_admin_comment.c spank/admin_comment.c
tests_spank_test_admin_comment_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_spank_test_admin_comment_LDADD = reports/libcore.la $(CMOCKA_LIBS)
endif
