# SPDX-License-Identifier: BSD-3-Clause
# One folder of tests per folder of the house; cluster tests run from
# contrib/test.sh, not from `make check`.
# What their bats files share.
EXTRA_DIST += tests/no.bash tests/await.bash tests/unit.h
dist_check_SCRIPTS += tests/fuzz.bats tests/fuzz.sh tests/timed.sh tests/packages/deb.bats tests/packages/recipes.bats tests/packages/recipe.py
# The longest first: with -j nothing long is left alone at the end.
include tests/agent/local.mk
TESTS += tests/fuzz.bats
include tests/spank/local.mk
include tests/workloads/local.mk
include tests/reports/local.mk
include tests/papi/local.mk
include tests/faults/local.mk
include tests/lint/local.mk
include tests/cluster/local.mk
include tests/train/local.mk
