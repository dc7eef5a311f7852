# SPDX-License-Identifier: BSD-3-Clause
include tests/reports/core/local.mk
include tests/reports/record/local.mk
include tests/reports/judge/local.mk
include tests/reports/diagnose/local.mk
include tests/reports/predict/local.mk
include tests/reports/history/local.mk
include tests/reports/validate/local.mk
include tests/reports/draw/local.mk
include tests/reports/export/local.mk
include tests/reports/report/local.mk
include tests/reports/tools/local.mk
