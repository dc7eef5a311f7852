# SPDX-License-Identifier: BSD-3-Clause
# For the bats files of this folder: `ranks N PROGRAM...` starts N ranks with
# the MPI that the agent was built with.
: "${MPIEXEC:=mpirun}"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
# the same for Open MPI 5
export PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe PRTE_MCA_hwloc_default_binding_policy=none
export OMPI_MCA_btl_base_warn_component_unused=0 OMPI_MCA_mpi_yield_when_idle=1
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive

ranks() {
    local n=$1
    shift
    timeout -k 5 "${LIMIT:-600}" "$MPIEXEC" -n "$n" "$@"
}

# The same, where the others live on when one is killed: Open MPI sends SIGTERM
# first; MPICH's starter kills all at once when a child of its own is killed,
# and sends SIGUSR1 to the children that are left.
ranks_alive() {
    local n=$1
    shift
    if "$MPIEXEC" --version 2>&1 | grep -q HYDRA; then
        timeout -k 5 "${LIMIT:-600}" "$MPIEXEC" -disable-auto-cleanup -n "$n" \
            sh -c 'trap : USR1; "$@"; exit $?' sh "$@"
    else
        ranks "$n" "$@"
    fi
}
