# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
if HAVE_HDF5
check_PROGRAMS += %D%/test_metric %D%/test_hep_net %D%/test_train %D%/test_cosmoflow
TESTS += %D%/test_metric %D%/test_hep_net %D%/test_train %D%/test_cosmoflow

%C%_test_metric_SOURCES = %D%/test_metric.c
%C%_test_metric_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_metric_LDADD = tests/workloads/engine/libengine_test.la workloads/component/libcomponent.la $(CMOCKA_LIBS)

%C%_test_hep_net_SOURCES = %D%/test_hep_net.c
%C%_test_hep_net_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_hep_net_LDADD = workloads/component/libcomponent.la $(CMOCKA_LIBS)

%C%_test_train_SOURCES = %D%/test_train.c
%C%_test_train_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_train_LDADD = workloads/component/libcomponent.la $(CMOCKA_LIBS)

%C%_test_cosmoflow_SOURCES = %D%/test_cosmoflow.c
%C%_test_cosmoflow_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_cosmoflow_LDADD = workloads/component/libcomponent.la $(CMOCKA_LIBS)
endif
endif
