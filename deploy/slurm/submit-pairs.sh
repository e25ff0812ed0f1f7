#!/bin/bash
# submit-pairs.sh OUT ROWS PARTS [ARGUMENT...]: samples ROWS pairs in PARTS array tasks, then merges and verifies them in
# OUT/pairs. Further arguments go to illustrator pairs. OUT must be on a file system that all nodes share.
set -e
[ $# -ge 3 ] || { grep '^# submit' "$0" >&2; exit 2; }
export OUT=$1 ROWS=$2 DEPLOY
DEPLOY=$(cd "$(dirname "$0")" && pwd)
parts=$3
shift 3
export ARGUMENTS="$*"
sampling=$(sbatch --parsable --array=1-"$parts" "$DEPLOY/pairs.sbatch")
merging=$(sbatch --parsable --dependency=afterok:"$sampling" --kill-on-invalid-dep=yes "$DEPLOY/merge.sbatch")
echo "$sampling $merging"
