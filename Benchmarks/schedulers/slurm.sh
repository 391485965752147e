#!/usr/bin/env bash
# Quantizes a checkpoint by a Slurm job array, and merges what the tasks have written.
#
#   slurm.sh FMTBENCH SRC DST TASKS OPTION...
#
# The options are those of 'fmtbench quantize', the same for all tasks.
set -euo pipefail
[ $# -ge 5 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
fmtbench=$(realpath "$1") source=$(realpath "$2") target=$(realpath -m "$3") tasks=$4
shift 4

words=$(printf ' %q' "$fmtbench" quantize "$source" --output "$target" "$@")
array=$(sbatch --parsable --array="1-$tasks" --output=/dev/null \
  --wrap "exec$words --shard \$SLURM_ARRAY_TASK_ID/$tasks --quiet")
merge=$(sbatch --parsable --dependency="afterok:$array" --output=/dev/null \
  --kill-on-invalid-dep=yes --wrap "exec$words --merge --quiet")
echo "array $array of $tasks tasks, merge $merge"
