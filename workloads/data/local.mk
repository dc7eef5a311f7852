# SPDX-License-Identifier: BSD-3-Clause
# Cubes on storage: the reader, the loader, the cache, and what they share
# with the generator. <hdf5.h> is included here and nowhere else.
if BUILD_DATA
noinst_LTLIBRARIES += workloads/data/libdata.la
workloads_data_libdata_la_CFLAGS = $(AM_CFLAGS) $(HDF5_CFLAGS) $(ZLIB_CFLAGS)
workloads_data_libdata_la_LIBADD = $(HDF5_LIBS) $(ZLIB_LIBS) reports/libcore.la
workloads_data_libdata_la_SOURCES = \
    %D%/cache.h \
    %D%/cosmo_classes.h %D%/cosmo_classes.c \
    %D%/dataset.h \
    %D%/loader.h \
    %D%/manifest.h \
    workloads/engine/philox.h
endif
