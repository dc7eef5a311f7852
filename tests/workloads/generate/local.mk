# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
if BUILD_GENERATOR
check_PROGRAMS += %D%/test_physics %D%/test_draw %D%/test_hep %D%/test_set
TESTS += %D%/test_physics %D%/test_draw %D%/test_hep %D%/test_set
%C%_test_set_SOURCES = %D%/test_set.c
%C%_test_set_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(HDF5_CFLAGS)
%C%_test_set_LDADD = workloads/generate/libgenerate.la reports/core/libcore.la $(CMOCKA_LIBS) \
    $(HDF5_LIBS)
%C%_test_physics_SOURCES = %D%/test_physics.c
%C%_test_physics_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(FFTW_CFLAGS) $(ZLIB_CFLAGS)
%C%_test_physics_LDADD = workloads/generate/libgenerate.la reports/core/libcore.la $(CMOCKA_LIBS) \
    $(FFTW_LIBS) $(ZLIB_LIBS)

%C%_test_draw_SOURCES = %D%/test_draw.c
%C%_test_draw_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_draw_LDADD = workloads/generate/libgenerate.la $(CMOCKA_LIBS)

check_PROGRAMS += %D%/test_defect
TESTS += %D%/test_defect
%C%_test_defect_SOURCES = %D%/test_defect.c
%C%_test_defect_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(FFTW_CFLAGS)
%C%_test_defect_LDADD = workloads/generate/libgenerate.la reports/core/libcore.la $(CMOCKA_LIBS) \
    $(FFTW_LIBS)

check_PROGRAMS += %D%/test_sequence %D%/test_weather %D%/test_weather_flow
TESTS += %D%/test_sequence %D%/test_weather %D%/test_weather_flow
%C%_test_sequence_SOURCES = %D%/test_sequence.c
%C%_test_sequence_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(FFTW_CFLAGS)
%C%_test_sequence_LDADD = workloads/generate/libgenerate.la reports/core/libcore.la $(CMOCKA_LIBS) \
    $(FFTW_LIBS)
%C%_test_weather_flow_SOURCES = %D%/test_weather_flow.c
%C%_test_weather_flow_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(FFTW_CFLAGS)
%C%_test_weather_flow_LDADD = workloads/generate/libgenerate.la reports/core/libcore.la $(CMOCKA_LIBS) \
    $(FFTW_LIBS)
%C%_test_weather_SOURCES = %D%/test_weather.c
%C%_test_weather_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(FFTW_CFLAGS)
%C%_test_weather_LDADD = workloads/generate/libgenerate.la reports/core/libcore.la $(CMOCKA_LIBS) \
    $(FFTW_LIBS)
%C%_test_hep_SOURCES = %D%/test_hep.c
%C%_test_hep_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_hep_LDADD = workloads/generate/libgenerate.la workloads/component/libcomponent.la \
    $(CMOCKA_LIBS)
endif
TESTS += %D%/generate.bats
endif
dist_check_SCRIPTS += %D%/generate.bats
