/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the OpenMP threads of this process run.
 *
 * Threads that wander between cores cost up to a factor of five in
 * convolutions. When the environment says nothing (OMP_PROC_BIND,
 * OMP_PLACES, GOMP_CPU_AFFINITY), each thread but the first is kept on a core
 * of its own among those that the process may use; the first keeps the choice,
 * because threads that are made later (a loader) inherit it. Where the process may use other than
 * `threads` cores, other ranks may use them too, and who takes which is not
 * known here: then threads are left alone.
 *
 * Life, Failure: none: a placement that the system refuses is left as it was.
 * Threads: called by the one thread that runs models.
 */
#ifndef CPU_CPU_THREADS_H
#define CPU_CPU_THREADS_H

/* Places the OpenMP threads that are set (omp_set_num_threads()). */
void cpu_threads_place(void);

#endif
