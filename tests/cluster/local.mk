# SPDX-License-Identifier: BSD-3-Clause
# Run by contrib/test.sh cluster: they need a cluster, `make check` has none.
EXTRA_DIST += tests/README.md %D%/helper.bash %D%/accounting.bats %D%/doctor.bats %D%/faults.bats %D%/fifty.bats %D%/forms.bats \
    %D%/hooks.bats %D%/inject.bash %D%/late.c %D%/launch.bats %D%/micro.bats %D%/race.c %D%/reader.bats %D%/replay.bash \
    %D%/replay.bats %D%/slurmctl.bats %D%/validate.bats %D%/why.bash %D%/why.bats %D%/witness.bats
