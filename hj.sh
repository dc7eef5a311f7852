#!/bin/sh
#SBATCH -N1
#SBATCH hetjob
#SBATCH -N2
date +%T.%N
timeout 60 srun -v --het-group=0,1 sh -c 'echo step $(date +%T.%N)'
echo rc $?
date +%T.%N
