# SPDX-License-Identifier: BSD-3-Clause
# All that talks to Slurm; README.md says which room holds what.
EXTRA_DIST += %D%/README.md
dist_man_MANS += %D%/hpcai500-site.7
include spank/plugin/local.mk
include spank/relay/local.mk
include spank/witness/local.mk
include spank/account/local.mk
include spank/collect/local.mk
include spank/doctor/local.mk
include spank/validate/local.mk
