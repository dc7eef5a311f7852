# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
check_PROGRAMS += tests/data/test_philox
TESTS += tests/data/test_philox
tests_data_test_philox_SOURCES = %D%/test_philox.c
tests_data_test_philox_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_data_test_philox_LDADD = reports/libcore.la $(CMOCKA_LIBS)

if BUILD_DATA
noinst_LTLIBRARIES += tests/data/libdata_test.la
tests_data_libdata_test_la_SOURCES = %D%/fixture.h %D%/fixture.c
tests_data_libdata_test_la_CFLAGS = $(AM_CFLAGS) $(HDF5_CFLAGS)
tests_data_cflags = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(HDF5_CFLAGS)
tests_data_ldadd = tests/data/libdata_test.la workloads/data/libdata.la reports/libcore.la \
    $(CMOCKA_LIBS)

tests_data_programs = tests/data/test_cache tests/data/test_convert tests/data/test_dataset \
    tests/data/test_inflate tests/data/test_loader tests/data/test_manifest
check_PROGRAMS += $(tests_data_programs)
TESTS += $(tests_data_programs)
tests_data_test_cache_SOURCES = %D%/test_cache.c
tests_data_test_cache_CFLAGS = $(tests_data_cflags)
tests_data_test_cache_LDADD = $(tests_data_ldadd) $(tests_engine_ldadd) reports/libcore.la
tests_data_test_manifest_SOURCES = %D%/test_manifest.c
tests_data_test_manifest_CFLAGS = $(tests_data_cflags)
tests_data_test_manifest_LDADD = $(tests_data_ldadd)
tests_data_test_dataset_SOURCES = %D%/test_dataset.c
tests_data_test_dataset_CPPFLAGS = $(AM_CPPFLAGS) -DFILTER_FOLDER='"$(abs_builddir)/tests/data/.libs"'
tests_data_test_dataset_CFLAGS = $(tests_data_cflags) $(ZLIB_CFLAGS)
check_LTLIBRARIES += tests/data/libforeign_filter.la
tests_data_libforeign_filter_la_SOURCES = %D%/foreign_filter.c
tests_data_libforeign_filter_la_CFLAGS = $(AM_CFLAGS) $(HDF5_CFLAGS)
tests_data_libforeign_filter_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere
tests_data_test_dataset_LDADD = $(tests_data_ldadd) $(ZLIB_LIBS)
tests_data_test_convert_SOURCES = %D%/test_convert.c
tests_data_test_convert_CFLAGS = $(tests_data_cflags)
tests_data_test_convert_LDADD = $(tests_data_ldadd)
tests_data_test_inflate_SOURCES = %D%/test_inflate.c
tests_data_test_inflate_CFLAGS = $(tests_data_cflags) $(ZLIB_CFLAGS)
tests_data_test_inflate_LDADD = $(tests_data_ldadd) $(ZLIB_LIBS)
tests_data_test_loader_SOURCES = %D%/test_loader.c
tests_data_test_loader_CFLAGS = $(tests_data_cflags)
tests_data_test_loader_LDADD = $(tests_data_ldadd)
endif

if BUILD_GENERATOR
check_PROGRAMS += tests/data/test_physics
TESTS += tests/data/test_physics
tests_data_test_physics_SOURCES = %D%/test_physics.c
tests_data_test_physics_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(FFTW_CFLAGS) $(ZLIB_CFLAGS)
tests_data_test_physics_LDADD = workloads/data/libgenerate.la reports/libcore.la $(CMOCKA_LIBS) \
    $(FFTW_LIBS) $(ZLIB_LIBS)
endif

dist_check_SCRIPTS += %D%/generate.bats
EXTRA_DIST += %D%/fuzz_cube.c %D%/fuzz_manifest.c %D%/corpus
TESTS += %D%/generate.bats
endif
