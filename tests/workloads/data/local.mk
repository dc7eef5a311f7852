# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
if BUILD_DATA
noinst_LTLIBRARIES += %D%/libdata_test.la
%C%_libdata_test_la_SOURCES = %D%/fixture.h %D%/fixture.c \
    %D%/made_up.h %D%/made_up.c \
    %D%/spoil.h %D%/spoil.c
%C%_libdata_test_la_CFLAGS = $(AM_CFLAGS) $(HDF5_CFLAGS) $(ZLIB_CFLAGS)
tests_data_cflags = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(HDF5_CFLAGS)
tests_data_ldadd = %D%/libdata_test.la workloads/data/libdata.la reports/core/libcore.la \
    $(CMOCKA_LIBS) $(ZLIB_LIBS)

tests_data_programs = %D%/test_cache %D%/test_check %D%/test_chunk_cache %D%/test_dataset \
    %D%/test_h5file %D%/test_h5read %D%/test_inflate %D%/test_loader %D%/test_manifest %D%/test_sample \
    %D%/test_import %D%/test_weather_files
check_PROGRAMS += $(tests_data_programs)
TESTS += $(tests_data_programs)
%C%_test_cache_SOURCES = %D%/test_cache.c
%C%_test_cache_CFLAGS = $(tests_data_cflags)
%C%_test_cache_LDADD = $(tests_data_ldadd) $(tests_engine_ldadd) reports/core/libcore.la
%C%_test_check_SOURCES = %D%/test_check.c
%C%_test_check_CFLAGS = $(tests_data_cflags)
%C%_test_check_LDADD = workloads/data/libcheck.la reports/core/libcore.la $(CMOCKA_LIBS)
%C%_test_manifest_SOURCES = %D%/test_manifest.c
%C%_test_manifest_CFLAGS = $(tests_data_cflags)
%C%_test_manifest_LDADD = $(tests_data_ldadd)
%C%_test_chunk_cache_SOURCES = %D%/test_chunk_cache.c
%C%_test_chunk_cache_CFLAGS = $(tests_data_cflags)
%C%_test_chunk_cache_LDADD = $(tests_data_ldadd)
%C%_test_dataset_SOURCES = %D%/test_dataset.c
%C%_test_dataset_CFLAGS = $(tests_data_cflags)
%C%_test_dataset_LDADD = $(tests_data_ldadd)
%C%_test_h5read_SOURCES = %D%/test_h5read.c
%C%_test_h5read_CFLAGS = $(tests_data_cflags)
%C%_test_h5read_LDADD = $(tests_data_ldadd)
%C%_test_sample_SOURCES = %D%/test_sample.c
%C%_test_sample_CFLAGS = $(tests_data_cflags)
%C%_test_sample_LDADD = $(tests_data_ldadd)
%C%_test_h5file_SOURCES = %D%/test_h5file.c
%C%_test_h5file_CPPFLAGS = $(AM_CPPFLAGS) -DFILTER_FOLDER='"$(abs_builddir)/%D%/.libs"'
%C%_test_h5file_CFLAGS = $(tests_data_cflags)
%C%_test_h5file_LDADD = $(tests_data_ldadd)
check_LTLIBRARIES += %D%/libforeign_filter.la
%C%_libforeign_filter_la_SOURCES = %D%/foreign_filter.c
%C%_libforeign_filter_la_CFLAGS = $(AM_CFLAGS) $(HDF5_CFLAGS)
%C%_libforeign_filter_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere
%C%_test_weather_files_SOURCES = %D%/test_weather_files.c
%C%_test_weather_files_CFLAGS = $(tests_data_cflags)
%C%_test_weather_files_LDADD = workloads/data/libcheck.la $(tests_data_ldadd)
%C%_test_import_SOURCES = %D%/test_import.c
%C%_test_import_CFLAGS = $(tests_data_cflags)
%C%_test_import_LDADD = workloads/data/libimport.la $(tests_data_ldadd)
%C%_test_inflate_SOURCES = %D%/test_inflate.c
%C%_test_inflate_CFLAGS = $(tests_data_cflags) $(ZLIB_CFLAGS)
%C%_test_inflate_LDADD = $(tests_data_ldadd) $(ZLIB_LIBS)
%C%_test_loader_SOURCES = %D%/test_loader.c
%C%_test_loader_CFLAGS = $(tests_data_cflags)
%C%_test_loader_LDADD = $(tests_data_ldadd)
endif
endif
EXTRA_DIST += %D%/fuzz_import.c %D%/fuzz_sample.c %D%/fuzz_manifest.c %D%/corpus
