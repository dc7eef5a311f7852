# SPDX-License-Identifier: BSD-3-Clause
# The house rules over the tree, and over trees that break them.
dist_check_SCRIPTS += %D%/evidence.bats %D%/lint.bats %D%/arrows.sh %D%/circles.sh
EXTRA_DIST += %D%/text.awk %D%/rules.txt
TESTS += tests/lint/evidence.bats tests/lint/lint.bats

# How headers are compiled here.
check_DATA = tests/lint/flags
CLEANFILES += tests/lint/flags
tests/lint/flags: Makefile
	@$(MKDIR_P) tests/lint
	@{ echo "CC='$(CC)'"; \
	echo "CPPFLAGS='$(CPPFLAGS) $(MPI_CFLAGS) $(HDF5_CFLAGS) $(CJSON_CFLAGS) $(ZLIB_CFLAGS) $(ONEDNN_CFLAGS) $(PAPI_CFLAGS) $(HWLOC_CFLAGS) $(FFTW_CFLAGS) $(PNG_CFLAGS) $(SLURM_CFLAGS) $(MUNGE_CFLAGS) $(CMOCKA_CFLAGS)'"; \
	} > $@
