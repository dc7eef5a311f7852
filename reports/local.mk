# SPDX-License-Identifier: BSD-3-Clause
# The vocabulary of all others; README.md says which room holds what.
EXTRA_DIST += %D%/README.md
include reports/core/local.mk
include reports/record/local.mk
include reports/judge/local.mk
include reports/diagnose/local.mk
include reports/predict/local.mk
include reports/draw/local.mk
include reports/history/local.mk
include reports/validate/local.mk
include reports/export/local.mk
include reports/report/local.mk
include reports/tools/local.mk
