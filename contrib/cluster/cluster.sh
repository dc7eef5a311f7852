#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A private Slurm cluster on one machine: munge, MariaDB, slurmdbd, slurmctld
# and some slurmd, all under one folder and told apart by one name, so that
# several of them and the system's own Slurm never meet. `cluster.sh help`.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
me=${0##*/}

usage() {
    cat <<'U'
usage: cluster.sh [-c NAME] VERB ...

  up [-n NODES] [-m MODE]   start it; nothing happens when it is up already
  down [--wipe]             stop all of it; --wipe also removes its folder
  status                    what runs; exit 0 when all nodes are usable
  env                       shell lines that make this cluster the current one:
                            eval "$(cluster.sh env)"; sinfo
  run COMMAND...            run COMMAND on the login node (this machine)
  as USER COMMAND...        the same as that user of this machine
  exec NODE COMMAND...      run COMMAND as root inside a node's namespaces
  start|stop|kill NODE      one node's slurmd: start, end, or kill -9
  slurmdbd start|stop       accounting away, and back again
  slurmctld start           after a test has ended it
  plugin [ARGS...]          write plugstack.conf of every node again (or remove
                            the plugin from it with `plugin none`)
  site shared|node          write hpcai500.conf again: one spool for all nodes, or
                            each its own and a collector on the login node
  dir                       print its folder

  -c NAME   name of the cluster (default $HPCAI500_CLUSTER, else "light")
  -n NODES  number of nodes, n1 to nN (default 4)
  -m MODE   netns: every node has its own network, host name, /dev/shm and /tmp;
            loop: the same without a network of its own; plain: no namespaces,
            works for an ordinary user. Default: the first that this machine allows.
Its folder is /var/tmp/hpcai500-USER-NAME, or $HPCAI500_CLUSTER_DIR; what is
installed in its prefix/ is what its nodes run.
U
}

say() { echo "$me: $*" >&2; }
die() { say "$*"; exit 1; }
# await MINUTES COMMAND...: true as soon as COMMAND is; what is under way on a
# busy machine takes its time
await() { grace $(($1 * 60)) "${@:2}"; }
# grace SECONDS COMMAND...: the same, for what is ended by force thereafter
grace() {
    local end=$((SECONDS + $1)); shift
    until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || return 1; sleep 0.2; done
}

name=${HPCAI500_CLUSTER:-light}
while [ $# -gt 0 ]; do
    case $1 in
        -c) name=${2:?-c needs a name}; shift 2 ;;
        -h|--help|help) usage; exit 0 ;;
        *) break ;;
    esac
done
[[ $name =~ ^[a-z][a-z0-9-]{0,15}$ ]] || die "bad cluster name '$name': up to 16 of a-z, 0-9 and -"
S=${HPCAI500_CLUSTER_DIR:-/var/tmp/hpcai500-$(id -un)-$name}
[[ $S =~ ^/[A-Za-z0-9/._-]+$ ]] || die "bad folder '$S': an absolute path without odd characters"
# Short names of interfaces, and where the search for a free subnet begins.
id=$(printf %s "$S" | cksum | cut -d' ' -f1)
short=$(printf %06x $((id & 0xffffff)))
# What every daemon of this cluster carries in its environment.
export HPCAI500_DAEMON_OF=$S
export PATH=$PATH:/usr/sbin:/sbin

. "$here/config.sh"
. "$here/nodes.sh"
. "$here/daemons.sh"

verb=${1:-help}; [ $# -eq 0 ] || shift
case $verb in
    up) cluster_up "$@" ;;
    down) cluster_down "$@" ;;
    status) cluster_status ;;
    env) load; cat "$S/env" ;;
    dir) echo "$S" ;;
    run) load; . "$S/env"; unset HPCAI500_DAEMON_OF; exec "$@" ;;
    as) load; as_user "$@" ;;
    exec) load; node_exec "$@" ;;
    start) load; node_start "$1"; await 5 node_idle "$1" || die "$1 is not idle" ;;
    stop) load; node_stop "$1" TERM ;;
    kill) load; node_stop "$1" KILL ;;
    slurmdbd) load
        case ${1-} in start) slurmdbd_start ;; stop) slurmdbd_stop ;; *) usage >&2; exit 2 ;; esac ;;
    slurmctld) load; [ "${1-}" = start ] || { usage >&2; exit 2; }; slurmctld_start ;;
    plugin) load; write_plugstack "$@" ;;
    site) load; write_site "$@" ;;
    help) usage ;;
    *) usage >&2; exit 2 ;;
esac
