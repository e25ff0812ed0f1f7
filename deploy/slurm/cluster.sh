#!/bin/bash
# cluster.sh start|stop FOLDER: a Slurm cluster of one node on this machine, for tests. All its files are in FOLDER and its
# ports are its own, so that it stands beside any other. Needs root and the packages slurm-wlm and munge.
# `SLURM_CONF=FOLDER/slurm.conf sbatch …` submits to it.
set -e
[ $# = 2 ] || { grep '^# cluster' "$0" >&2; exit 2; }
mkdir -p "$2"
folder=$(cd "$2" && pwd)
host=$(hostname -s)

start() {
	mkdir -p "$folder"/{munge,spool,state,log}
	chmod 700 "$folder/munge"
	[ -f "$folder/munge/key" ] || (umask 077; head -c 1024 /dev/urandom >"$folder/munge/key")
	munged --force --key-file="$folder/munge/key" --socket="$folder/munge/socket" --pid-file="$folder/munge/pid" \
		--log-file="$folder/log/munged" --seed-file="$folder/munge/seed"
	cat >"$folder/slurm.conf" <<-CONF
		ClusterName=test
		SlurmctldHost=$host(127.0.0.1)
		SlurmctldPort=${SLURMCTLD_PORT:-17817}
		SlurmdPort=${SLURMD_PORT:-17818}
		AuthType=auth/munge
		AuthInfo=socket=$folder/munge/socket
		SlurmUser=root
		StateSaveLocation=$folder/state
		SlurmdSpoolDir=$folder/spool
		SlurmctldPidFile=$folder/slurmctld.pid
		SlurmdPidFile=$folder/slurmd.pid
		SlurmctldLogFile=$folder/log/slurmctld
		SlurmdLogFile=$folder/log/slurmd
		ProctrackType=proctrack/linuxproc
		TaskPlugin=task/none
		JobAcctGatherType=jobacct_gather/none
		AccountingStorageType=accounting_storage/none
		SelectType=select/cons_tres
		SelectTypeParameters=CR_CPU
		MpiDefault=none
		ReturnToService=0
		KillWait=10
		SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0
		SlurmdParameters=config_overrides
		NodeName=$host NodeAddr=127.0.0.1 CPUs=${NODE_CPUS:-4} State=UNKNOWN
		PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
	CONF
	export SLURM_CONF=$folder/slurm.conf
	slurmctld -c
	slurmd -c
	for _ in $(seq 60); do
		[ "$(sinfo --noheader --format=%T 2>/dev/null)" = idle ] && return
		sleep 0.5
	done
	tail -n 20 "$folder"/log/* >&2
	return 1
}

stop() {
	for file in slurmd.pid slurmctld.pid munge/pid; do
		[ -f "$folder/$file" ] || continue
		pid=$(cat "$folder/$file")
		kill "$pid" 2>/dev/null || continue
		for _ in $(seq 40); do
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.5
		done
	done
}

case $1 in
start) start ;;
stop) stop ;;
*) grep '^# cluster' "$0" >&2; exit 2 ;;
esac
