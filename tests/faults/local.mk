# SPDX-License-Identifier: BSD-3-Clause
# Writers that are killed at every system call and fail at every write.
if BUILD_TOOLS
check_PROGRAMS += tests/faults/once
tests_faults_once_SOURCES = %D%/once.c tests/reports/record/sample.h tests/reports/record/sample.c
tests_faults_once_CPPFLAGS = $(AM_CPPFLAGS)
tests_faults_once_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
tests_faults_once_LDADD =
if BUILD_HISTORY
tests_faults_once_CPPFLAGS += -DWITH_HISTORY
tests_faults_once_LDADD += reports/history/libhistory.la
endif
tests_faults_once_LDADD += reports/record/librecord.la reports/core/libcore.la

# Never installed; -rpath makes it a shared object.
check_LTLIBRARIES += tests/faults/shim.la
tests_faults_shim_la_SOURCES = %D%/shim.c
tests_faults_shim_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere
TESTS += %D%/faults.bats
endif
dist_check_SCRIPTS += %D%/faults.bats %D%/faults.py
