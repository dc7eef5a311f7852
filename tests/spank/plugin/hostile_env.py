# SPDX-License-Identifier: BSD-3-Clause
"""hostile_env.py SEED COMMAND...: becomes COMMAND, with rows in its environment
that steer loaders, shells, libraries and Slurm, that are huge, that have no '='
or no name, or say again what stands there already. What stands there is found
first by getenv(). None of them harms COMMAND itself."""
import ctypes
import os
import random
import sys

STEER = """
LD_PRELOAD= LD_LIBRARY_PATH=/nowhere LD_AUDIT= LD_DEBUG_OUTPUT=/nowhere/x LD_BIND_NOT=1
GLIBC_TUNABLES=glibc.malloc.perturb=1 MALLOC_TRACE=/nowhere/trace GCONV_PATH=/nowhere
LOCPATH=/nowhere NLSPATH=/nowhere/%N RES_OPTIONS=debug HOSTALIASES=/nowhere LOCALDOMAIN=evil
HDF5_PLUGIN_PATH=/nowhere HDF5_VOL_CONNECTOR= SQLITE_TMPDIR=/nowhere SQLITE_HISTORY=/nowhere
MUNGE_SOCKET=/nowhere/socket MUNGED_OPTIONS=--benchmark MUNGE_KEY=/nowhere
SLURM_CONF=/evil/slurm.conf SLURM_CONF_SERVER=evil SLURM_JWT=evil SLURM_DEBUG_FLAGS=all
SLURM_JOB_ID=666 SLURM_JOB_UID=0 SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_SPANK_EVIL=1 SPANK_EVIL=1
HPCAI500_SLURMDBD_LOCK=/evil HPCAI500_RUN=evil HPCAI500_STOP=1 HPCAI500_PLUGIN=evil
HPCAI500_CONF=/evil/conf HPCAI500_SPOOL=/evil HPCAI500_CACHE=/evil HPCAI500_SALT=/evil
IFS=/ BASH_ENV=/nowhere/env ENV=/nowhere/env CDPATH=/ PS4=$(id) SHELLOPTS=xtrace BASHOPTS=extglob
PYTHONPATH=/nowhere PERL5LIB=/nowhere TMPDIR=/nowhere HOME=/nowhere TZ=:/nowhere LANG=xx_XX LC_ALL=C
PATH=/nowhere PATHX=1 OMP_NUM_THREADS=x PMIX_RANK=0 OMPI_MCA_mca_component_path=/nowhere
""".split()


def hostile(r):
    rows = [row.encode() for row in STEER]
    rows += [b"", b"=", b"=x", b"SLURM_JOB_ID", b"SLURM_CONF", b"LD_PRELOAD", b"noequals"]
    rows += [b"BASH_FUNC_cat%%=() { :; }", b"\xff\xfe=\x80", b"NEW\nLINE=a\nSLURM_JOB_UID=0"]
    rows += [b"H%d=" % i + b"h" * 100000 for i in range(3)]
    rows += [bytes(r.choices(range(1, 256), k=r.randrange(1, 80))) for _ in range(200)]
    r.shuffle(rows)
    return rows


def main():
    ours = [k + b"=" + v for k, v in os.environb.items()]
    rows = hostile(random.Random(int(sys.argv[1])))
    first = [row for row in rows[::2] if row.split(b"=")[0] not in os.environb]
    env = first + ours + [row for row in rows if row not in first]
    argv = [word.encode() for word in sys.argv[2:]]

    def vector(words):
        return (ctypes.c_char_p * (len(words) + 1))(*words, None)

    libc = ctypes.CDLL(None, use_errno=True)
    libc.execve(argv[0], vector(argv), vector(env))
    sys.exit(f"{sys.argv[2]}: {os.strerror(ctypes.get_errno())}")


main()
