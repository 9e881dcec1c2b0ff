#!/usr/bin/env bash
# What DivMerge costs: passes of inputs through the merged model, seconds, and the loss that is reached.
#   benchmarks/incremental.sh schedules BASE WORK [COUNT [TASK...]]   from scratch, by its defaults and by other schedules
#   benchmarks/incremental.sh pools BASE WORK [COUNT [TASK...]]       one more expert, and the next checkpoint of one, as a
#                                                                     pool grows to COUNT
# BASE such as .tributary/models/minilm; COUNT 7 for schedules and 16 for pools; tasks: all of examples/tasks.
# Fine-tunes COUNT experts of BASE into WORK, each task in turn with another seed each time round, and for the
# second an earlier checkpoint; a second run finds them there.
set -euo pipefail
here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
home="$(dirname "$here")"
mode="${1:?MODE is missing: schedules or pools}"
base="${2:?BASE is missing: the directory of a base model}"
work="${3:?WORK is missing: a folder for experts and answers}"
case "$mode" in
  schedules) count=7 ;;
  pools) count=16 ;;
  *)
    echo "incremental.sh: [MODE] $mode, expected schedules or pools" >&2
    exit 64
    ;;
esac
count="${4:-$count}"
shift "$(($# < 4 ? $# : 4))"
tasks=("$@")
[ ${#tasks[@]} -gt 0 ] || for task in "$home"/examples/tasks/*/task.yaml; do tasks+=("$(dirname "$task")"); done
mkdir -p "$work"
"$home/tributary" --version >/dev/null
java="$("$home/tributary" java-home)/bin/java"
run() { # ARGUMENTS...
  "$java" @"$home/cli/src/main/jvm/tributary.args" -Dtributary.home="$home" \
    -cp "$here/target/benchmarks-0.1.0.jar:$home/cli/target/lib/*" \
    dev.tributary.benchmarks.IncrementalCost "$mode" "$base" "$work/merges" "$@" 2>"$work/log" || {
    tail "$work/log" >&2
    exit 1
  }
}
finetune() { # TASK OUT EXAMPLES SEED
  [ -d "$2" ] || "$home/tributary" finetune --base "$base" --task "$1" --out "$2" --epochs 1 --max-examples "$3" --seed "$4" >&2
}
experts=()
for ((i = 0; i < count; i++)); do
  task="${tasks[$((i % ${#tasks[@]}))]}"
  seed=$((i / ${#tasks[@]} + 1))
  name="$(basename "$task")-$seed"
  finetune "$task" "$work/$name" 2000 "$seed"
  older=""
  if [ "$i" -eq 1 ]; then
    finetune "$task" "$work/$name-earlier" 1000 "$seed"
    older=":$work/$name-earlier"
  fi
  experts+=("$task:$work/$name$older")
done
rm -rf "$work/merges"
if [ "$mode" = schedules ]; then
  run "${experts[@]}" -- \
    "the paper's: 0.01, 400 steps" learning_rate=0.01,decay=none,max_steps=400,evaluate_every=400,patience=1000 \
    "default" "" \
    "60 steps" max_steps=60,evaluate_every=60 \
    "\`solver: lbfgs\`" solver=lbfgs
else
  for warm in 0 26; do
    echo "warm_steps: $warm"
    echo
    run "${experts[@]}" -- "warm_steps=$warm" 2,3,4,6,8,12,16
    echo
  done
fi
