#!/bin/bash
# requeue.sh COMMAND...: runs the command as a Slurm job's work. Passes signals on to it, and requeues the job
#  - if Slurm warned of the time limit (--signal=B:USR1@SECONDS) and the command saved its state (exit code 75),
#  - if a signal killed the command, as the kernel does without memory, at most three times.
# In both cases the same command resumes. A job that a user cancels stays cancelled.
warned=
trap 'warned=1; kill -USR1 $child' USR1
trap 'kill -TERM $child' TERM INT
"$@" &
child=$!
code=127
while :; do
	wait $child
	code=$?
	kill -0 $child 2>/dev/null || break # a trap ends wait before the command ends
done
if [ -n "$warned" ] && [ $code = 75 ] || [ $code = 137 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 3 ]; then
	echo "exit code $code: job $SLURM_JOB_ID is requeued"
	scontrol requeue "$SLURM_JOB_ID"
fi
exit $code
