# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
check_PROGRAMS += %D%/test_clock_offset %D%/test_metric %D%/test_philox %D%/test_steps
TESTS += %D%/test_clock_offset %D%/test_metric %D%/test_philox %D%/test_steps
%C%_test_clock_offset_SOURCES = %D%/test_clock_offset.c
%C%_test_clock_offset_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_clock_offset_LDADD = workloads/libworkloads.la $(CMOCKA_LIBS)
%C%_test_metric_SOURCES = %D%/test_metric.c
%C%_test_metric_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_metric_LDADD = tests/workloads/engine/libengine_test.la workloads/engine/libengine.la \
    workloads/libworkloads.la $(CMOCKA_LIBS)
%C%_test_philox_SOURCES = %D%/test_philox.c
%C%_test_philox_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_philox_LDADD = reports/core/libcore.la $(CMOCKA_LIBS)
%C%_test_steps_SOURCES = %D%/test_steps.c
%C%_test_steps_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_steps_LDADD = workloads/libworkloads.la $(CMOCKA_LIBS)
endif
include tests/workloads/engine/local.mk
include tests/workloads/data/local.mk
include tests/workloads/generate/local.mk
include tests/workloads/component/local.mk
include tests/workloads/micro/local.mk
include tests/workloads/node/local.mk
include tests/workloads/view/local.mk
