# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
if BUILD_GENERATOR
check_PROGRAMS += %D%/test_physics %D%/test_set
TESTS += %D%/test_physics %D%/test_set
%C%_test_set_SOURCES = %D%/test_set.c
%C%_test_set_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(HDF5_CFLAGS)
%C%_test_set_LDADD = workloads/generate/libgenerate.la reports/core/libcore.la $(CMOCKA_LIBS) \
    $(HDF5_LIBS)
%C%_test_physics_SOURCES = %D%/test_physics.c
%C%_test_physics_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(FFTW_CFLAGS) $(ZLIB_CFLAGS)
%C%_test_physics_LDADD = workloads/generate/libgenerate.la reports/core/libcore.la $(CMOCKA_LIBS) \
    $(FFTW_LIBS) $(ZLIB_LIBS)
endif
TESTS += %D%/generate.bats
endif
dist_check_SCRIPTS += %D%/generate.bats
