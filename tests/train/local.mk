# SPDX-License-Identifier: BSD-3-Clause
# Run by the stage train of contrib/test.sh, not by make check.
EXTRA_DIST += %D%/train.bats %D%/bands.txt
