# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154
# Nodes: their namespaces and their slurmd. Sourced by cluster.sh.
#
# A node is a sleeping process (the holder) that keeps its network, UTS, mount
# and IPC namespaces; whatever runs on the node enters them. When the last
# process of a node ends, its namespaces and its cable are gone by themselves:
# there is nothing to clean up after a crash but processes.

holder_file() { echo "$S/nodes/$1.holder"; }

holder() { # of node $1 or of the switch, if it lives
    local pid
    pid=$(cat "$(holder_file "$1")" 2>/dev/null) && [ -n "$pid" ] && ours "$pid" && echo "$pid"
}

# best_mode: what this machine allows
best_mode() {
    if [ "$(id -u)" != 0 ]; then echo plain
    elif unshare --net --uts --mount --ipc sh -c \
        'ip link add name b type bridge && ip link add v type veth peer name w' 2>/dev/null; then echo netns
    elif unshare --uts --mount --ipc true 2>/dev/null; then echo loop
    else echo plain; fi
}

# hold NAME FLAGS COMMAND: a holder with its namespaces, COMMAND run in them
hold() {
    local who=$1 flags=$2 ready=$S/nodes/$1.ready
    rm -f "$ready"
    # shellcheck disable=SC2086
    setsid unshare $flags bash -c "set -e; $3; touch $ready; exec sleep infinity" \
        </dev/null >>"$S/log/node-$who.log" 2>&1 9>&- &
    echo $! > "$(holder_file "$who")"
    await 5 test -e "$ready" || die "namespaces of $who: $(tail -1 "$S/log/node-$who.log")"
}

# What a node sees of its own; runs inside its namespaces. /sys is mounted
# again so that /sys/class/net is the node's; the cgroup mounts below it stay.
# No name server can be reached from its network: who asked one would wait.
node_setup() {
    cat <<E
hostname $1
if [ $mode = netns ]; then
    mount --bind $S/etc/hosts /etc/hosts && mount --bind /dev/null /etc/resolv.conf || true
fi
mount --bind $S/nodes/$1 $S/node
mount --bind $S/nodes/$1/tmp /tmp
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
if [ $mode = netns ] && mkdir -p $S/nodes/$1/cgroup && mount --rbind /sys/fs/cgroup $S/nodes/$1/cgroup; then
    mount -t sysfs sysfs /sys && mount --rbind $S/nodes/$1/cgroup /sys/fs/cgroup || true
    umount -R $S/nodes/$1/cgroup
fi
E
}

# One switch in a network of its own, and a cable from it to this machine.
switch_up() {
    hold switch --net "ip link add name hub type bridge; ip link set hub up; ip link set lo up"
    cable "h5$short" $$ up0
    ip addr add "$subnet.254/24" dev "h5$short"
    ip link set "h5$short" up
}

# cable NAME PID PORT: from interface NAME of that process to a port of the switch
cable() {
    local switch
    switch=$(holder switch)
    nsenter --net -t "$switch" ip link add "$3" type veth peer name "$1" netns "$2"
    nsenter --net -t "$switch" sh -c "ip link set $3 master hub && ip link set $3 up"
}

node_network() {
    cable eth0 "$(holder "$1")" "p$1"
    nsenter --net -t "$(holder "$1")" sh -c "
        ip addr add $(node_address "$1")/24 dev eth0 && ip link set eth0 up && ip link set lo up &&
        ip route add default via $control"
}

nodes_up() {
    local n
    { cat /etc/hosts; for n in $(node_names); do echo "$(node_address "$n") $n"; done; } > "$S/etc/hosts"
    for n in $(node_names); do
        mkdir -p "$S/nodes/$n"/{slurmd,tmp,cache}
        chmod 1777 "$S/nodes/$n"/{tmp,cache}
    done
    for n in $(node_names); do
        case $mode in
            netns) hold "$n" "--net --uts --mount --ipc" "$(node_setup "$n")"; node_network "$n" ;;
            loop) hold "$n" "--uts --mount --ipc" "$(node_setup "$n")" ;;
        esac
        node_start "$n"
    done
}

# node_exec NODE COMMAND...: as root, with the daemons' environment
node_exec() {
    local n=$1 pid; shift
    if [ "$mode" = plain ]; then "$@"; return; fi
    pid=$(holder "$n") || die "node $n is not up"
    if [ "$mode" = netns ]; then nsenter --net --uts --mount --ipc -t "$pid" -- "$@"
    else nsenter --uts --mount --ipc -t "$pid" -- "$@"; fi
}

node_start() {
    SLURM_CONF=$S/etc/slurm.conf node_exec "$1" slurmd -N "$1" </dev/null >>"$S/log/node-$1.log" 2>&1 3>&- 4>&- 9>&- ||
        die "slurmd of $1 did not start: $(tail -1 "$S/log/slurmd-$1.log")"
}

node_stop() { end "$S/nodes/$1/slurmd.pid" "$2"; }

node_idle() { SLURM_CONF=$S/etc/slurm.conf sinfo -h -n "$1" -p main -t idle -o %n | grep -qx "$1"; }
