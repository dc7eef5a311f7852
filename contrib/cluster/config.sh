# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154
# The files of the cluster. Sourced by cluster.sh.
#
# $S/state.sh is what `up` decided (mode, nodes, addresses, ports); everything
# else is written from it. $S/node/ is a node's own folder: inside a node's
# mount namespace it is $S/nodes/NAME.

# load: what `up` decided, or a sentence
load() {
    [ -f "$S/state.sh" ] || die "cluster '$name' has not been started: $me -c $name up"
    . "$S/state.sh"
}

# node_names: n1 .. nN
node_names() { seq -f 'n%g' 1 "$nodes"; }

slurm_user() { if [ "$(id -u)" = 0 ]; then echo slurm; else id -un; fi; }

port_free() { ! ss -Hltn "sport = :$1" 2>/dev/null | grep -q .; }

# pick_ports: a free run of ports below the ephemeral range: slurmdbd,
# slurmctld, one for each slurmd, then the collector
pick_ports() {
    local try k
    for try in $(seq 0 59); do
        port=$((12000 + (id + try * 97) % 180 * 100))
        for k in $(seq 0 $((nodes + 2))); do port_free $((port + k)) || continue 2; done
        return 0
    done
    die "no free ports found"
}

# pick_subnet: 10.A.B.0/24 that no route of this machine leads to
pick_subnet() {
    local try n
    for try in $(seq 0 199); do
        n=$(((id / 7 + try * 13) % 16384))
        subnet=10.$((128 + n / 256)).$((n % 256))
        [ -n "$(ip -4 route show root "$subnet.0/24")$(ip -4 addr show to "$subnet.0/24")" ] || return 0
    done
    die "no free subnet found"
}

save_state() {
    cat > "$S/state.sh" <<E
mode=$mode nodes=$nodes port=$port subnet=$subnet control=$control
E
}

node_address() { if [ "$mode" = netns ]; then echo "$subnet.${1#n}"; else echo 127.0.0.1; fi; }

write_slurm_conf() {
    local n host memory
    host=$(hostname -s)
    memory=$(awk -v n="$nodes" '/^MemTotal/ {print int($2 / 1024 / n)}' /proc/meminfo)
    cat > "$S/etc/slurm.conf" <<E
ClusterName=${name//-/}
SlurmctldHost=$host($control)
SlurmctldPort=$((port + 1))
AuthType=auth/munge
# So long a requeued job waits, and a step may be launched; 120 s by default.
AuthInfo=socket=$S/munge/socket,cred_expire=40
SlurmUser=$(slurm_user)
SlurmdUser=$(id -un)
StateSaveLocation=$S/ctld
SlurmdSpoolDir=$S/nodes/%n/slurmd
TmpFS=$S/nodes/%n/tmp
SlurmctldPidFile=$S/ctld/slurmctld.pid
SlurmdPidFile=$S/nodes/%n/slurmd.pid
SlurmctldLogFile=$S/log/slurmctld.log
SlurmdLogFile=$S/log/slurmd-%n.log
SlurmctldDebug=verbose
SlurmdDebug=verbose
PlugStackConfig=$S/node/plugstack.conf
# Task 0 of every node would be pinned to CPU 0 by task/affinity, and there is
# one cgroup tree for all nodes here.
TaskPlugin=task/none
# Heterogeneous jobs start in the backfill pass only, every 30 s by default.
SchedulerParameters=bf_interval=2
ProctrackType=proctrack/linuxproc
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=5
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
MpiDefault=pmix
ReturnToService=2
SlurmdTimeout=120
MessageTimeout=60
UnkillableStepTimeout=120
BatchStartTimeout=60
TCPTimeout=10
MailProg=/bin/true
RebootProgram="$S/etc/reboot"
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=$control
AccountingStoragePort=$port
AccountingStoragePass=$S/munge/socket
AccountingStoreFlags=job_comment,job_env,job_script
E
    for n in $(node_names); do
        host=$n; [ "$mode" != plain ] || host=localhost
        echo "NodeName=$n NodeHostname=$host NodeAddr=$(node_address "$n")" \
            "Port=$((port + 1 + ${n#n})) CPUs=2 RealMemory=$memory State=UNKNOWN"
    done >> "$S/etc/slurm.conf"
    cat >> "$S/etc/slurm.conf" <<E
PartitionName=main Nodes=ALL Default=YES MaxTime=2:00:00 State=UP
PartitionName=other Nodes=ALL MaxTime=2:00:00 State=UP
E
    case $(slurmctld -V) in
        *' 22.'*) echo CgroupAutomount=no ;;
        *) echo CgroupPlugin=disabled ;; # else slurmd wants a file system of them
    esac > "$S/etc/cgroup.conf"
    (umask 077; cat > "$S/etc/slurmdbd.conf" <<E
AuthType=auth/munge
AuthInfo=socket=$S/munge/socket
DbdHost=localhost
DbdAddr=$control
DbdPort=$port
SlurmUser=$(slurm_user)
LogFile=$S/log/slurmdbd.log
PidFile=$S/ctld/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=slurm
StoragePass=private
StorageLoc=slurm_acct_db
E
    )
}

# write_reboot: what RebootProgram is here: the node's slurmd ends, and starts as after a
# boot (-b). It runs inside the node, whose host name is the node's. A file
# no-reboot in the node's folder is a node that does not come back.
write_reboot() {
    cat > "$S/etc/reboot" <<'E'
#!/bin/bash
if [ -n "${HPCAI500_REBOOTED-}" ]; then
    n=$(hostname) S=$HPCAI500_DAEMON_OF
    [ ! -e "$S/nodes/$n/no-reboot" ] || exit 0
    pid=$(cat "$S/nodes/$n/slurmd.pid")
    kill "$pid"
    while [ -d "/proc/$pid" ] && ! grep -q '^State:.Z' "/proc/$pid/status"; do sleep 0.1; done
    unset HPCAI500_REBOOTED # the next one is another
    exec slurmd -N "$n" -b
fi
HPCAI500_REBOOTED=yes setsid "$0" < /dev/null > /dev/null 2>&1 &
E
    chmod 755 "$S/etc/reboot"
}

# write_plugstack [none | ARGUMENTS...]: every node and the login node
write_plugstack() {
    local so=$S/prefix/lib/slurm/hpcai500.so line f
    line="optional $so agent=$S/prefix/bin/hpcai500-agent conf=$S/etc/hpcai500.conf ${*-}"
    if [ "${1-}" = none ] || [ ! -e "$so" ]; then line="# no plugin"; fi
    for f in "$S"/node "$S"/nodes/*/; do
        f=${f%/}/plugstack.conf
        # slurmstepd may be reading it: replace, never truncate
        echo "$line" > "$f.new"
        mv "$f.new" "$f"
    done
}

# write_site shared|node: the site's own file: a spool that all nodes share, or
# one of each node's own, whose bundles go to a collector on the login node.
write_site() {
    local spool=$S/spool
    [ "${1:-shared}" = shared ] || spool=$S/node/spool
    cat > "$S/etc/hpcai500.conf.new" <<E
spool = $spool
history = $S/site/history.sqlite
archive = $S/site/archive
quarantine = $S/site/quarantine
service_user = $(slurm_user)
munge_socket = $S/munge/socket
E
    [ "${1:-shared}" = shared ] ||
        echo "collector = $control:$((port + nodes + 2))" >> "$S/etc/hpcai500.conf.new"
    mv "$S/etc/hpcai500.conf.new" "$S/etc/hpcai500.conf"
}

write_env() {
    cat > "$S/env" <<E
export HPCAI500_CLUSTER=$name
export HPCAI500_CONF=$S/etc/hpcai500.conf
export SLURM_CONF=$S/etc/slurm.conf
export PATH=$S/prefix/bin:\$PATH MANPATH=$S/prefix/share/man:\${MANPATH-}
export HPCAI500_CACHE=$S/node/cache
# More ranks than cores that poll: yield. mpirun as root is meant here.
export OMPI_MCA_mpi_yield_when_idle=1
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
E
    case $mode in
        netns) echo "export OMPI_MCA_btl_tcp_if_include=$subnet.0/24 OMPI_MCA_oob_tcp_if_include=$subnet.0/24" ;;
        loop) echo "export OMPI_MCA_btl_tcp_if_include=lo OMPI_MCA_oob_tcp_if_include=lo" ;;
        # Nodes share one host name here, so shared memory would mix them up.
        plain) echo "export OMPI_MCA_btl=self,tcp OMPI_MCA_btl_tcp_if_include=lo OMPI_MCA_oob_tcp_if_include=lo" ;;
    esac >> "$S/env"
}
