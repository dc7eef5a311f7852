# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
# What the tests of engine and back ends share. A back end's own test is
# check_op() over op_cases.
noinst_LTLIBRARIES += tests/engine/libengine_test.la
tests_engine_libengine_test_la_SOURCES = \
    %D%/harness.h %D%/harness.c %D%/op_cases.c \
    %D%/ranks.h %D%/ranks.c \
    %D%/trainer.h %D%/trainer.c
tests_engine_libengine_test_la_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_engine_ldadd = tests/engine/libengine_test.la workloads/engine/libengine.la $(CMOCKA_LIBS)

tests_engine_programs = tests/engine/test_model tests/engine/test_ops tests/engine/test_parallel
check_PROGRAMS += $(tests_engine_programs)
TESTS += $(tests_engine_programs)

check_PROGRAMS += tests/engine/engine_losses
dist_check_SCRIPTS += %D%/torch_losses.bats
TESTS += %D%/torch_losses.bats
EXTRA_DIST += %D%/torch_losses.py

tests_engine_engine_losses_SOURCES = %D%/engine_losses.c
tests_engine_engine_losses_LDADD = $(tests_engine_ldadd)
tests_engine_test_model_SOURCES = %D%/test_model.c
tests_engine_test_model_LDADD = $(tests_engine_ldadd)
tests_engine_test_ops_SOURCES = %D%/test_ops.c
tests_engine_test_ops_LDADD = $(tests_engine_ldadd)
tests_engine_test_parallel_SOURCES = %D%/test_parallel.c
tests_engine_test_parallel_LDADD = $(tests_engine_ldadd)

if HAVE_ONEDNN
tests_engine_cpu_programs = tests/engine/test_cpu tests/engine/test_cpu_kernels
check_PROGRAMS += $(tests_engine_cpu_programs)
TESTS += $(tests_engine_cpu_programs)
tests_engine_test_cpu_SOURCES = %D%/test_cpu.c
tests_engine_test_cpu_LDADD = $(tests_engine_ldadd)
tests_engine_test_cpu_kernels_SOURCES = %D%/test_cpu_kernels.c
tests_engine_test_cpu_kernels_CFLAGS = $(AM_CFLAGS) $(OPENMP_CFLAGS)
tests_engine_test_cpu_kernels_LDADD = $(tests_engine_ldadd)
endif
endif
