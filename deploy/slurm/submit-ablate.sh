#!/bin/bash
# submit-ablate.sh OUT STUDY TASKS [ARGUMENT...]: shares the cells of STUDY, a name or a YAML file, among TASKS array tasks, then
# completes the study and writes OUT/report.html. Further arguments go to illustrator ablate. OUT must be on a file
# system that all nodes share.
set -e
[ $# -ge 3 ] || { grep '^# submit' "$0" >&2; exit 2; }
export OUT=$1 STUDY=$2 DEPLOY
DEPLOY=$(cd "$(dirname "$0")" && pwd)
tasks=$3
shift 3
export ARGUMENTS="$*"
cells=$(sbatch --parsable --array=1-"$tasks" "$DEPLOY/ablate.sbatch")
report=$(sbatch --parsable --dependency=afterany:"$cells" "$DEPLOY/report.sbatch")
echo "$cells $report"
