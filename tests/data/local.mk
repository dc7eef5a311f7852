# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
check_PROGRAMS += tests/data/test_philox
TESTS += tests/data/test_philox
tests_data_test_philox_SOURCES = %D%/test_philox.c
tests_data_test_philox_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_data_test_philox_LDADD = reports/libcore.la $(CMOCKA_LIBS)

if BUILD_GENERATOR
check_PROGRAMS += tests/data/test_physics
TESTS += tests/data/test_physics
tests_data_test_physics_SOURCES = %D%/test_physics.c
tests_data_test_physics_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(FFTW_CFLAGS) $(ZLIB_CFLAGS)
tests_data_test_physics_LDADD = workloads/data/libgenerate.la reports/libcore.la $(CMOCKA_LIBS) \
    $(FFTW_LIBS) $(ZLIB_LIBS)
endif
endif
