# SPDX-License-Identifier: BSD-3-Clause
# What the machine did. Without PAPI the other back ends remain.
noinst_LTLIBRARIES += papi/libcounters.la
papi_libcounters_la_SOURCES = %D%/counters.h %D%/counters.def
