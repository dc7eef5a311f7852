# SPDX-License-Identifier: BSD-3-Clause
# The probes and the summary of configure. A dependency is found once, here;
# a part (plugin, agent, ...) is built when all it needs was found.

# HPCAI500_WITH(NAME, WHAT, DEBIAN-PACKAGE, PROBE)
# PROBE sets hpcai500_found=yes|no. Defines --with-NAME[=PREFIX|no],
# have_NAME, the conditional HAVE_NAME and the macro HAVE_NAME in config.h.
AC_DEFUN([HPCAI500_WITH], [
m4_pushdef([UP], m4_toupper([$1]))
AC_ARG_WITH([$1], [AS_HELP_STRING([--with-$1@<:@=PREFIX@:>@], [$2 (default: if found)])],
    [], [with_$1=check])
have_$1=no
hpcai500_prefix=
AS_CASE(["$with_$1"], [yes|no|check], [], [hpcai500_prefix="$with_$1"])
AS_IF([test "x$with_$1" != xno], [
    hpcai500_found=no
    hpcai500_save_CPPFLAGS="$CPPFLAGS"; hpcai500_save_LIBS="$LIBS"; hpcai500_save_LDFLAGS="$LDFLAGS"
    $4
    CPPFLAGS="$hpcai500_save_CPPFLAGS"; LIBS="$hpcai500_save_LIBS"; LDFLAGS="$hpcai500_save_LDFLAGS"
    have_$1=$hpcai500_found
    AS_IF([test "x$have_$1" = xno && test "x$with_$1" != xcheck],
        [AC_MSG_ERROR([--with-$1 was asked for, but $2 was not found (Debian: $3)])])
])
AS_IF([test "x$have_$1" = xyes], [AC_DEFINE(m4_join([], [HAVE_], UP), [1], [Define to 1 when $2 was found.])])
AM_CONDITIONAL(m4_join([], [HAVE_], UP), [test "x$have_$1" = xyes])
hpcai500_how_$1="$3"
m4_popdef([UP])
])

# HPCAI500_PROBE_PKG(VAR, MODULE): pkg-config, honouring PREFIX/lib/pkgconfig
AC_DEFUN([HPCAI500_PROBE_PKG], [
hpcai500_save_PCP="$PKG_CONFIG_PATH"
AS_IF([test -n "$hpcai500_prefix"],
    [PKG_CONFIG_PATH="$hpcai500_prefix/lib/pkgconfig:$hpcai500_prefix/lib64/pkgconfig:$PKG_CONFIG_PATH"; export PKG_CONFIG_PATH])
PKG_CHECK_MODULES([$1], [$2], [hpcai500_found=yes], [hpcai500_found=no])
PKG_CONFIG_PATH="$hpcai500_save_PCP"
])

# HPCAI500_PROBE_LIB(VAR, HEADER, LIB, FUNCTION): a library without .pc file
AC_DEFUN([HPCAI500_PROBE_LIB], [
AS_IF([test -n "$hpcai500_prefix"], [
    $1_CFLAGS="-I$hpcai500_prefix/include"
    $1_LIBS="-L$hpcai500_prefix/lib -Wl,-rpath,$hpcai500_prefix/lib"
    CPPFLAGS="$CPPFLAGS $$1_CFLAGS"; LDFLAGS="$LDFLAGS $$1_LIBS"])
AC_CHECK_HEADER([$2], [AC_CHECK_LIB([$3], [$4],
    [hpcai500_found=yes; $1_LIBS="$$1_LIBS -l$3"], [hpcai500_found=no])])
AC_SUBST([$1_CFLAGS])
AC_SUBST([$1_LIBS])
])

# Slurm: the header, and the folder in which this Slurm looks for plugins.
# Where no program of the installed Slurm says it, it is where auth_munge is.
AC_DEFUN([HPCAI500_PROBE_SLURM], [
AS_IF([test -n "$hpcai500_prefix"], [SLURM_CFLAGS="-I$hpcai500_prefix/include"; CPPFLAGS="$CPPFLAGS $SLURM_CFLAGS"])
AC_CHECK_HEADER([slurm/spank.h], [hpcai500_found=yes], [], [#include <stdint.h>])
# What later releases added; nothing is assumed from a version number.
AS_IF([test "x$hpcai500_found" = xyes],
    [AC_CHECK_DECLS([spank_prepend_task_argv, ESPANK_JOB_FAILURE], [], [], [
#include <stdint.h>
#include <slurm/spank.h>])
    AC_MSG_CHECKING([whether slurm_complete_job takes a step id])
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <slurm/slurm.h>
int slurm_complete_job(slurm_step_id_t *, uint32_t);]])],
        [AC_DEFINE([SLURM_COMPLETE_JOB_TAKES_STEP_ID], [1], [Slurm 26.05 or so: not a job's number])
            AC_MSG_RESULT([yes])],
        [AC_MSG_RESULT([no])])])
AC_SUBST([SLURM_CFLAGS])
AC_ARG_WITH([slurm-plugindir], [AS_HELP_STRING([--with-slurm-plugindir=DIR],
    [where Slurm looks for plugins (default: asked of the installed Slurm)])])
AC_MSG_CHECKING([for Slurm's plugin folder])
slurmplugindir="$with_slurm_plugindir"
AS_IF([test -z "$slurmplugindir"], [
    slurmplugindir=$($PKG_CONFIG --variable=plugindir slurm 2>/dev/null)])
AS_IF([test -z "$slurmplugindir"], [
    slurmplugindir=$(timeout 5 scontrol show config 2>/dev/null | sed -n 's/^PluginDir *= *//p')])
AS_IF([test -z "$slurmplugindir"], [
    for d in ${hpcai500_prefix:+"$hpcai500_prefix/lib/slurm" "$hpcai500_prefix/lib64/slurm"} \
        /usr/lib/*/slurm-wlm /usr/lib/*/slurm /usr/lib64/slurm /usr/lib/slurm /usr/local/lib/slurm; do
        AS_IF([test -e "$d/auth_munge.so"], [slurmplugindir="$d"; break])
    done])
AS_IF([test -z "$slurmplugindir"], [slurmplugindir='${libdir}/slurm'])
AC_MSG_RESULT([$slurmplugindir])
AC_SUBST([slurmplugindir])
])

# libslurm, for slurmdbd. What differs between releases is probed.
AC_DEFUN([HPCAI500_PROBE_LIBSLURM], [
LIBSLURM_LIBS=
AS_IF([test -z "$hpcai500_prefix" && test "x$with_slurm" != xcheck && test "x$with_slurm" != xyes],
    [hpcai500_prefix="$with_slurm"])
AS_IF([test "x$have_slurm" = xyes], [
    CPPFLAGS="$CPPFLAGS $SLURM_CFLAGS"
    AS_IF([test -n "$hpcai500_prefix"], [
        for d in lib lib64; do
            AS_IF([test -d "$hpcai500_prefix/$d"],
                [LIBSLURM_LIBS="$LIBSLURM_LIBS -L$hpcai500_prefix/$d -Wl,-rpath,$hpcai500_prefix/$d"])
        done])
    LDFLAGS="$LDFLAGS $LIBSLURM_LIBS"
    AC_CHECK_HEADER([slurm/slurmdb.h], [AC_CHECK_LIB([slurm], [slurmdb_job_modify],
        [hpcai500_found=yes; LIBSLURM_LIBS="$LIBSLURM_LIBS -lslurm"])], [], [#include <slurm/slurm.h>])])
AS_IF([test "x$hpcai500_found" = xyes], [
    AC_CHECK_DECLS([slurm_get_errno, slurm_init], [], [], [
#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>])
    AC_CHECK_MEMBERS([slurm_selected_step_t.step_id.job_id, slurm_job_info_t.job_id], [], [],
        [#include <slurm/slurm.h>])])
AC_SUBST([LIBSLURM_LIBS])
])

# MPI flags are asked of mpicc and used for the agent alone; CC stays plain.
AC_DEFUN([HPCAI500_PROBE_MPI], [
AC_ARG_VAR([MPICC], [MPI C compiler wrapper, asked for its flags])
AS_IF([test -n "$hpcai500_prefix"], [MPICC="$hpcai500_prefix/bin/mpicc"])
# MPICC may be a path or a bare name (MPICC=mpicc.mpich).
AS_CASE(["$MPICC"],
    [''], [AC_PATH_PROG([MPICC], [mpicc])],
    [*/*], [],
    [AC_PATH_PROG([hpcai500_mpicc], [$MPICC])
     MPICC="$hpcai500_mpicc"])
AS_IF([test -n "$MPICC"], [
    MPI_CFLAGS=$("$MPICC" --showme:compile 2>/dev/null) || MPI_CFLAGS=
    MPI_LIBS=$("$MPICC" --showme:link 2>/dev/null) || MPI_LIBS=
    AS_IF([test -z "$MPI_LIBS"], [ # MPICH and its kin
        hpcai500_show=$("$MPICC" -show 2>/dev/null)
        for w in $hpcai500_show; do
            AS_CASE([$w], [-I*|-D*], [MPI_CFLAGS="$MPI_CFLAGS $w"], [-L*|-l*|-Wl,*], [MPI_LIBS="$MPI_LIBS $w"])
        done])
    CPPFLAGS="$CPPFLAGS $MPI_CFLAGS"; LIBS="$MPI_LIBS $LIBS"
    AC_CHECK_HEADER([mpi.h], [AC_MSG_CHECKING([for MPI-3 functions])
        AC_LINK_IFELSE([AC_LANG_PROGRAM([@%:@include <mpi.h>], [MPI_Request r; MPI_Ibarrier(MPI_COMM_WORLD, &r);])],
            [hpcai500_found=yes])
        AC_MSG_RESULT([$hpcai500_found])])
])
AC_SUBST([MPI_CFLAGS])
AC_SUBST([MPI_LIBS])
# The starter of the same MPI, for tests: mpicc.mpich -> mpiexec.mpich.
AC_ARG_VAR([MPIEXEC], [starts MPI programs in tests (default: beside MPICC)])
AS_IF([test -z "$MPIEXEC" && test -n "$MPICC"],
    [MPIEXEC=$(printf '%s\n' "$MPICC" | sed 's,mpicc\([[^/]]*\)$,mpiexec\1,')])
])

# HPCAI500_PART(TITLE, CONDITIONAL, NEEDS...)
AC_DEFUN([HPCAI500_PART], [
hpcai500_part=yes; hpcai500_why=
m4_foreach_w([dep], [$3], [
AS_IF([test "x$have_[]dep" != xyes], [hpcai500_part=no
    hpcai500_why="$hpcai500_why dep (Debian: $hpcai500_how_[]dep)"])])
AM_CONDITIONAL([BUILD_$2], [test "x$hpcai500_part" = xyes])
AS_IF([test "x$hpcai500_part" = xyes],
    [hpcai500_parts="$hpcai500_parts
    $1: yes"],
    [hpcai500_parts="$hpcai500_parts
    $1: no, missing:$hpcai500_why"])
])

AC_DEFUN([HPCAI500_SUMMARY], [
hpcai500_opts=
m4_foreach_w([dep], [onednn papi hwloc zlib libdeflate], [
AS_IF([test "x$have_[]dep" = xyes], [hpcai500_opts="$hpcai500_opts
    dep: yes"], [hpcai500_opts="$hpcai500_opts
    dep: no, get it with Debian's $hpcai500_how_[]dep"])])
AS_IF([test "x$have_onednn" != xyes], [hpcai500_opts="$hpcai500_opts
    (without oneDNN the agent has only the slow reference engine)"])
AC_MSG_NOTICE([
hpcai500 $PACKAGE_VERSION ($BUILD_ID)
  will be built:$hpcai500_parts
  makes the parts better:$hpcai500_opts
  plugin folder: ${slurmplugindir:-none}
  compiler: $CC, OpenMP ${ac_cv_prog_c_openmp:-unknown}
])])
