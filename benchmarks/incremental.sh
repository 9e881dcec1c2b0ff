#!/usr/bin/env bash
# What DivMerge costs from scratch by other schedules, and what one more expert, or the next checkpoint of one, costs a pool
# as it grows to COUNT experts: passes of inputs through the merged model, seconds, and the loss that is reached.
#   benchmarks/incremental.sh BASE WORK [COUNT [TASK...]]    BASE such as .tributary/models/minilm; COUNT (16); tasks (all of
#                                                            examples/tasks)
# Fine-tunes COUNT experts of BASE into WORK, each task in turn with another seed each time round, and for the
# second an earlier checkpoint; a second run finds them there.
set -euo pipefail
here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
home="$(dirname "$here")"
base="${1:?BASE is missing: the directory of a base model}"
work="${2:?WORK is missing: a folder for experts and answers}"
count="${3:-16}"
shift "$(($# < 3 ? $# : 3))"
tasks=("$@")
[ ${#tasks[@]} -gt 0 ] || for task in "$home"/examples/tasks/*/task.yaml; do tasks+=("$(dirname "$task")"); done
mkdir -p "$work"
"$home/tributary" --version >/dev/null
java="$("$home/tributary" java-home)/bin/java"
run() { # MODE ARGUMENTS...
  local mode="$1"
  shift
  "$java" @"$home/cli/src/main/jvm/tributary.args" -Dtributary.home="$home" \
    -cp "$here/target/benchmarks-0.1.0.jar:$home/cli/target/lib/*" \
    dev.tributary.benchmarks.IncrementalCost "$mode" "$base" "$work/merges" "$@" 2>>"$work/log"
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
some=$((count < 7 ? count : 7))
echo "$some experts from scratch"
echo
run schedules "${experts[@]:0:$some}" -- \
  "the paper's: Adam, 0.01, 4 epochs of 400 inputs" learning_rate=0.01,decay=none,max_steps=400,evaluate_every=400,patience=1000 \
  "default" "" \
  "lbfgs" solver=lbfgs
echo
echo "Growing pools, by the defaults"
echo
run pools "${experts[@]}" -- "" 2,3,4,6,8,12,16
