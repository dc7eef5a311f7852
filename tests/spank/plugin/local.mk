# SPDX-License-Identifier: BSD-3-Clause
# The plugin in a fake Slurm (fake_host.c); in a real one: tests/cluster/launch.bats
if BUILD_PLUGIN
check_PROGRAMS += %D%/fake_host
%C%_fake_host_SOURCES = %D%/fake_host.c
%C%_fake_host_CPPFLAGS = $(AM_CPPFLAGS) $(SLURM_CFLAGS)
%C%_fake_host_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
%C%_fake_host_LDADD = -ldl
TESTS += %D%/plugin.bats
endif
dist_check_SCRIPTS += %D%/plugin.bats
EXTRA_DIST += %D%/later/slurm/spank.h %D%/hostile_env.py %D%/fuzz_hostlist.c %D%/corpus
