# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
if HAVE_HDF5
tests_component_programs = %D%/test_cosmo_convert %D%/test_cosmoflow %D%/test_metric %D%/test_train
check_PROGRAMS += $(tests_component_programs)
TESTS += $(tests_component_programs)

%C%_test_cosmo_convert_SOURCES = %D%/test_cosmo_convert.c
%C%_test_cosmo_convert_CFLAGS = $(tests_data_cflags)
%C%_test_cosmo_convert_LDADD = workloads/component/libcomponent.la $(tests_data_ldadd)

%C%_test_metric_SOURCES = %D%/test_metric.c
%C%_test_metric_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_metric_LDADD = tests/workloads/engine/libengine_test.la workloads/component/libcomponent.la $(CMOCKA_LIBS)

%C%_test_train_SOURCES = %D%/test_train.c
%C%_test_train_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_train_LDADD = workloads/component/libcomponent.la $(CMOCKA_LIBS)

%C%_test_cosmoflow_SOURCES = %D%/test_cosmoflow.c
%C%_test_cosmoflow_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_cosmoflow_LDADD = workloads/component/libcomponent.la $(CMOCKA_LIBS)
endif
endif
