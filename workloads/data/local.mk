# SPDX-License-Identifier: BSD-3-Clause
# Cubes on storage: the reader, the loader, the cache, and what they share
# with the generator. <hdf5.h> is included here and nowhere else.
if BUILD_DATA
noinst_LTLIBRARIES += workloads/data/libdata.la
workloads_data_libdata_la_CFLAGS = $(AM_CFLAGS) $(HDF5_CFLAGS) $(ZLIB_CFLAGS) \
    $(LIBDEFLATE_CFLAGS)
workloads_data_libdata_la_LIBADD = $(HDF5_LIBS) $(ZLIB_LIBS) $(LIBDEFLATE_LIBS)
workloads_data_libdata_la_SOURCES = \
    %D%/cache.h %D%/cache.c \
    %D%/convert.h %D%/convert.c \
    %D%/chunk.h %D%/chunk.c \
    %D%/cosmo_classes.h %D%/cosmo_classes.c \
    %D%/cube.h %D%/cube.c \
    %D%/dataset.h %D%/dataset.c \
    %D%/inflate.h %D%/inflate.c \
    %D%/loader.h %D%/loader.c \
    %D%/manifest.h %D%/manifest.c \
    workloads/engine/philox.h

pkglibexec_PROGRAMS += workloads/data/hpcai500-data
workloads_data_hpcai500_data_SOURCES = %D%/data_main.c
workloads_data_hpcai500_data_LDADD = workloads/data/libdata.la reports/libcore.la \
    $(HDF5_LIBS) $(ZLIB_LIBS)
dist_man_MANS += %D%/hpcai500-data.1
endif

# The generator: a program of its own, since FFTW is GPL and the agent must
# not link it. Plain arithmetic only: the same bytes on every CPU.
if BUILD_GENERATOR
noinst_LTLIBRARIES += workloads/data/libgenerate.la
workloads_data_libgenerate_la_CFLAGS = $(AM_CFLAGS) -ffp-contract=off \
    $(HDF5_CFLAGS) $(ZLIB_CFLAGS) $(FFTW_CFLAGS)
workloads_data_libgenerate_la_LIBADD = $(HDF5_LIBS) $(ZLIB_LIBS) $(FFTW_LIBS)
workloads_data_libgenerate_la_SOURCES = \
    %D%/cosmo_classes.h %D%/cosmo_classes.c \
    %D%/gen_field.h %D%/gen_field.c \
    %D%/gen_math.h %D%/gen_math.c \
    %D%/gen_power.h %D%/gen_power.c \
    %D%/gen_ridge.h %D%/gen_ridge.c \
    %D%/gen_set.h %D%/gen_set.c \
    %D%/gen_write.h %D%/gen_write.c \
    %D%/manifest.h %D%/manifest.c \
    workloads/engine/philox.h

bin_PROGRAMS += workloads/data/hpcai500-generate
workloads_data_hpcai500_generate_CFLAGS = $(AM_CFLAGS) $(HDF5_CFLAGS)
workloads_data_hpcai500_generate_SOURCES = %D%/gen_main.c
workloads_data_hpcai500_generate_LDADD = workloads/data/libgenerate.la reports/libcore.la
dist_man_MANS += %D%/hpcai500-generate.1
endif
