# SPDX-License-Identifier: BSD-3-Clause
# Samples on storage: the reader, the loader, the cache; and, without HDF5, the
# tables of the sciences and the manifest, which the generator shares. A science
# is a line here.
noinst_LTLIBRARIES += %D%/libscience.la
%C%_libscience_la_SOURCES = \
    %D%/manifest.h %D%/manifest.c \
    %D%/science.h %D%/science.c %D%/sciences.def \
    %D%/science_cosmo.h %D%/science_cosmo.c \
    %D%/science_hep.h %D%/science_hep.c \
    %D%/science_sequence.h %D%/science_sequence.c \
    %D%/science_weather.h %D%/science_weather.c \
    %D%/science_defect.h %D%/science_defect.c
if BUILD_DATA
# Files that are written: by the generator, and by who measures reading.
noinst_LTLIBRARIES += %D%/libimage.la
%C%_libimage_la_CFLAGS = $(AM_CFLAGS) $(HDF5_CFLAGS) $(ZLIB_CFLAGS)
%C%_libimage_la_SOURCES = %D%/h5_image.h %D%/h5_image.c
%C%_libimage_la_LIBADD = reports/core/libcore.la $(HDF5_LIBS) $(ZLIB_LIBS)

noinst_LTLIBRARIES += %D%/libdata.la
%C%_libdata_la_CFLAGS = $(AM_CFLAGS) $(HDF5_CFLAGS) $(ZLIB_CFLAGS) \
    $(LIBDEFLATE_CFLAGS)
%C%_libdata_la_LIBADD = %D%/libscience.la workloads/libworkloads.la $(HDF5_LIBS) $(ZLIB_LIBS) $(LIBDEFLATE_LIBS)
%C%_libdata_la_SOURCES = \
    %D%/cache.h %D%/cache.c \
    %D%/chunk.h %D%/chunk.c \
    %D%/chunk_cache.h %D%/chunk_cache.c \
    %D%/dataset.h %D%/dataset.c \
    %D%/dataset_list.h %D%/dataset_list.c \
    %D%/dataset_science.c \
    %D%/h5file.h %D%/h5file.c \
    %D%/h5read.h %D%/h5read.c \
    %D%/inflate.h %D%/inflate.c \
    %D%/loader.h %D%/loader_inner.h %D%/loader.c %D%/loader_make.c %D%/loader_order.c \
    %D%/sample.h %D%/sample.c \
    %D%/sample_check.h %D%/sample_check.c \
    %D%/sample_pool.h %D%/sample_pool.c \
    %D%/sample_read.c

noinst_LTLIBRARIES += %D%/libcheck.la
%C%_libcheck_la_CFLAGS = $(AM_CFLAGS) $(HDF5_CFLAGS) $(CJSON_CFLAGS)
%C%_libcheck_la_LIBADD = %D%/libdata.la $(CJSON_LIBS)
%C%_libcheck_la_SOURCES = \
    %D%/check.h %D%/check.c \
    %D%/check_json.c %D%/check_speed.c %D%/check_text.c %D%/check_values.c \
    %D%/h5info.h %D%/h5info.c

noinst_LTLIBRARIES += %D%/libimport.la
%C%_libimport_la_LIBADD = %D%/libimage.la reports/core/libcore.la
%C%_libimport_la_SOURCES = \
    %D%/import.h %D%/import.c %D%/import_h5.c \
    %D%/netcdf.h %D%/netcdf.c

pkglibexec_PROGRAMS += %D%/hpcai500-data
%C%_hpcai500_data_SOURCES = %D%/data_main.c
%C%_hpcai500_data_LDADD = reports/core/libmain.la %D%/libcheck.la %D%/libimport.la \
    reports/core/libcore.la \
    $(HDF5_LIBS) $(ZLIB_LIBS)
dist_man_MANS += %D%/hpcai500-data.1
endif
