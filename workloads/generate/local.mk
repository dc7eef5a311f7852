# SPDX-License-Identifier: BSD-3-Clause
# The generator: a program of its own, since FFTW is GPL and the agent must
# not link it. Plain arithmetic only: the same bytes on every CPU.
if BUILD_GENERATOR
noinst_LTLIBRARIES += %D%/libgenerate.la
%C%_libgenerate_la_CFLAGS = $(AM_CFLAGS) -ffp-contract=off \
    $(HDF5_CFLAGS) $(ZLIB_CFLAGS) $(FFTW_CFLAGS)
%C%_libgenerate_la_LIBADD = workloads/data/libimage.la workloads/data/libscience.la workloads/libworkloads.la $(HDF5_LIBS) $(ZLIB_LIBS) $(FFTW_LIBS)
%C%_libgenerate_la_SOURCES = \
    %D%/cosmo/cosmo.c \
    %D%/cosmo/gen_field.h %D%/cosmo/gen_field.c \
    %D%/cosmo/gen_power.h %D%/cosmo/gen_power.c \
    %D%/cosmo/gen_ridge.h %D%/cosmo/gen_ridge.c \
    %D%/defect/flaw.h %D%/defect/flaw.c \
    %D%/defect/surface.h %D%/defect/surface.c \
    %D%/defect/threshold.h %D%/defect/threshold.c \
    %D%/defect/defect.c \
    %D%/hep/hep.h %D%/hep/hep.c %D%/hep/hep_hard.c %D%/hep/hep_shower.c \
    %D%/hep/hep_detector.c %D%/hep/hep_jets.c \
    %D%/hep/hep_baseline.h %D%/hep/hep_baseline.c \
    %D%/weather/flow.h %D%/weather/flow.c \
    %D%/weather/generate_sequence.c %D%/weather/generate_weather.c \
    %D%/weather/objects.h %D%/weather/objects.c \
    %D%/weather/plane.h %D%/weather/plane.c \
    %D%/weather/regression.h %D%/weather/regression.c \
    %D%/weather/streams.h \
    %D%/weather/weather.h %D%/weather/weather.c \
    %D%/gen_draw.h %D%/gen_draw.c \
    %D%/gen_file.h %D%/gen_file.c \
    %D%/gen_fftw.h \
    %D%/gen_math.h %D%/gen_math.c \
    %D%/gen_part.h %D%/gen_part.c \
    %D%/gen_set.h %D%/gen_set.c \
    %D%/generator.h %D%/generators.c

bin_PROGRAMS += %D%/hpcai500-generate
%C%_hpcai500_generate_CFLAGS = $(AM_CFLAGS) $(HDF5_CFLAGS)
%C%_hpcai500_generate_SOURCES = %D%/gen_main.c
%C%_hpcai500_generate_LDADD = reports/core/libmain.la %D%/libgenerate.la reports/core/libcore.la
dist_man_MANS += %D%/hpcai500-generate.1
endif
