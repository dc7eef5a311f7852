# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
if HAVE_HDF5
check_PROGRAMS += tests/component/test_train tests/component/test_cosmoflow
TESTS += tests/component/test_train tests/component/test_cosmoflow

tests_component_test_train_SOURCES = %D%/test_train.c
tests_component_test_train_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_component_test_train_LDADD = workloads/component/libcomponent.la $(CMOCKA_LIBS)

tests_component_test_cosmoflow_SOURCES = %D%/test_cosmoflow.c
tests_component_test_cosmoflow_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_component_test_cosmoflow_LDADD = workloads/component/libcomponent.la $(CMOCKA_LIBS)
endif
endif
