# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
check_PROGRAMS += %D%/test_sample %D%/test_machine %D%/test_machine_flip
TESTS += %D%/test_sample %D%/test_machine %D%/test_machine_flip
%C%_test_sample_SOURCES = %D%/test_sample.c
%C%_test_sample_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_sample_LDADD = workloads/micro/libmicro.la $(CMOCKA_LIBS)

%C%_test_machine_SOURCES = %D%/host.h %D%/test_machine.c
%C%_test_machine_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_machine_LDADD = workloads/micro/libmicro.la $(CMOCKA_LIBS)

# The same with kernels in which a bit flips.
%C%_test_machine_flip_SOURCES = %D%/test_machine.c $(micro_kernels)
%C%_test_machine_flip_CPPFLAGS = $(AM_CPPFLAGS) -DMICRO_FLIP_A_BIT
%C%_test_machine_flip_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(OPENMP_CFLAGS)
%C%_test_machine_flip_LDADD = workloads/micro/libmicro.la $(CMOCKA_LIBS)

check_PROGRAMS += %D%/test_operators
TESTS += %D%/test_operators
%C%_test_operators_SOURCES = %D%/host.h %D%/test_operators.c
%C%_test_operators_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_operators_LDADD = workloads/micro/libmicro.la $(CMOCKA_LIBS)
if HAVE_HDF5
check_PROGRAMS += %D%/test_storage
TESTS += %D%/test_storage
%C%_test_storage_SOURCES = %D%/test_storage.c
%C%_test_storage_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_storage_LDADD = workloads/micro/libstorage.la workloads/micro/libmicro.la $(CMOCKA_LIBS)
endif
endif
