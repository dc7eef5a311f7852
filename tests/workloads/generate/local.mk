# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
if BUILD_GENERATOR
check_PROGRAMS += %D%/test_physics %D%/test_draw %D%/test_hep
TESTS += %D%/test_physics %D%/test_draw %D%/test_hep
%C%_test_physics_SOURCES = %D%/test_physics.c
%C%_test_physics_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(FFTW_CFLAGS) $(ZLIB_CFLAGS)
%C%_test_physics_LDADD = workloads/generate/libgenerate.la reports/core/libcore.la $(CMOCKA_LIBS) \
    $(FFTW_LIBS) $(ZLIB_LIBS)

%C%_test_draw_SOURCES = %D%/test_draw.c
%C%_test_draw_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_draw_LDADD = workloads/generate/libgenerate.la $(CMOCKA_LIBS)

%C%_test_hep_SOURCES = %D%/test_hep.c
%C%_test_hep_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_hep_LDADD = workloads/generate/libgenerate.la workloads/component/libcomponent.la \
    $(CMOCKA_LIBS)
endif
TESTS += %D%/generate.bats
endif
dist_check_SCRIPTS += %D%/generate.bats
