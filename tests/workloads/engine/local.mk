# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
# What the tests of engine and back ends share. A back end's own test is
# check_op() over op_cases.
noinst_LTLIBRARIES += %D%/libengine_test.la
%C%_libengine_test_la_SOURCES = \
    %D%/harness.h %D%/harness.c %D%/op_cases.c \
    %D%/ranks.h %D%/ranks.c \
    %D%/trainer.h %D%/trainer.c
%C%_libengine_test_la_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_engine_ldadd = %D%/libengine_test.la workloads/engine/libengine.la workloads/libworkloads.la reports/core/libcore.la $(CMOCKA_LIBS)

tests_engine_programs = %D%/test_buckets %D%/test_profile %D%/test_model %D%/test_ops %D%/test_losses %D%/test_norm %D%/test_optim \
    %D%/test_parallel
check_PROGRAMS += $(tests_engine_programs)
TESTS += $(tests_engine_programs)

check_PROGRAMS += %D%/engine_losses %D%/engine_ops
dist_check_SCRIPTS += %D%/torch_losses.bats %D%/torch_ops.bats
TESTS += %D%/torch_losses.bats %D%/torch_ops.bats
EXTRA_DIST += %D%/torch_losses.py %D%/torch_ops.py

%C%_engine_losses_SOURCES = %D%/engine_losses.c
%C%_engine_losses_LDADD = $(tests_engine_ldadd)
%C%_engine_ops_SOURCES = %D%/engine_ops.c
%C%_engine_ops_LDADD = $(tests_engine_ldadd)
%C%_test_buckets_SOURCES = %D%/test_buckets.c
%C%_test_buckets_LDADD = $(tests_engine_ldadd)
%C%_test_profile_SOURCES = %D%/test_profile.c
%C%_test_profile_LDADD = $(tests_engine_ldadd)
%C%_test_model_SOURCES = %D%/test_model.c
%C%_test_model_LDADD = $(tests_engine_ldadd)
%C%_test_ops_SOURCES = %D%/test_ops.c
%C%_test_ops_LDADD = $(tests_engine_ldadd)
%C%_test_losses_SOURCES = %D%/test_losses.c
%C%_test_losses_LDADD = $(tests_engine_ldadd)
%C%_test_norm_SOURCES = %D%/test_norm.c
%C%_test_norm_LDADD = $(tests_engine_ldadd)
%C%_test_optim_SOURCES = %D%/test_optim.c
%C%_test_optim_LDADD = $(tests_engine_ldadd)
%C%_test_parallel_SOURCES = %D%/test_parallel.c
%C%_test_parallel_LDADD = $(tests_engine_ldadd)

if HAVE_ONEDNN
# What the tests of own kernels share.
noinst_LTLIBRARIES += %D%/libfields_test.la
%C%_libfields_test_la_SOURCES = %D%/fields.h %D%/fields.c
%C%_libfields_test_la_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(OPENMP_CFLAGS)
tests_engine_kernels_ldadd = %D%/libfields_test.la $(tests_engine_ldadd)

tests_engine_cpu_programs = %D%/test_cpu %D%/test_cpu_depthwise %D%/test_cpu_kernels %D%/test_cpu_layouts \
    %D%/test_cpu_values %D%/test_copies %D%/test_nets
check_PROGRAMS += $(tests_engine_cpu_programs)
TESTS += $(tests_engine_cpu_programs)
%C%_test_cpu_SOURCES = %D%/test_cpu.c
%C%_test_cpu_LDADD = $(tests_engine_ldadd)
%C%_test_copies_SOURCES = %D%/test_copies.c
%C%_test_copies_LDADD = $(tests_engine_ldadd)
%C%_test_nets_SOURCES = %D%/nets.h %D%/nets.c %D%/test_nets.c
%C%_test_nets_LDADD = $(tests_engine_ldadd)
%C%_test_cpu_depthwise_SOURCES = %D%/test_cpu_depthwise.c
%C%_test_cpu_depthwise_CFLAGS = $(AM_CFLAGS) $(OPENMP_CFLAGS)
%C%_test_cpu_depthwise_LDADD = $(tests_engine_kernels_ldadd)
%C%_test_cpu_kernels_SOURCES = %D%/test_cpu_kernels.c
%C%_test_cpu_kernels_CFLAGS = $(AM_CFLAGS) $(OPENMP_CFLAGS)
%C%_test_cpu_kernels_LDADD = $(tests_engine_kernels_ldadd)
%C%_test_cpu_layouts_SOURCES = %D%/test_cpu_layouts.c
%C%_test_cpu_layouts_CFLAGS = $(AM_CFLAGS) $(OPENMP_CFLAGS)
%C%_test_cpu_layouts_LDADD = $(tests_engine_kernels_ldadd)
%C%_test_cpu_values_SOURCES = %D%/test_cpu_values.c
%C%_test_cpu_values_CFLAGS = $(AM_CFLAGS) $(OPENMP_CFLAGS)
%C%_test_cpu_values_LDADD = $(tests_engine_kernels_ldadd)
endif
endif
