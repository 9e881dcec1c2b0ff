#!/usr/bin/env bash
# Times one step of DivMerge, forwards and backwards through all tasks, in ./tributary and beside it in plain PyTorch
# (peer_divmerge.py), on random models of the same shapes, and prints seconds a step, their ratio, and memory.
#   benchmarks/divmerge.sh PYTHON [CASE...]       PYTHON has torch; a CASE is PRESET:EXPERTS[:alone], such as qwen-mini:4
# 25 inputs a task of 64 tokens go into a step; a decoder is compared at the last 63 of them (at all 64 in the peer). The time
# of a step is the difference between whole processes of few and of many steps, divided by the steps between them: a process
# compiles itself in its first seconds, as the peer warms up for two steps.
# Memory is what the process holds beyond clean pages of mapped files, at its largest: of the whole process, so that it counts
# the JVM or Python with torch. `alone` leaves the peer out and asks 8 tokens of 64: what a label's words take.
set -euo pipefail
here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
home="$(dirname "$here")"
python="${1:?PYTHON is missing: a python3 that has torch}"
shift
cases=("$@")
[ ${#cases[@]} -gt 0 ] || cases=(bert-mini:2 bert-mini:4 bert-mini:7 bert-base:2 qwen-mini:2 qwen-mini:4 qwen-mini:7 qwen2.5-0.5b:7:alone)
work="$(mktemp -d "${TMPDIR:-/tmp}/divmerge.XXXXXX")"
trap 'rm -rf "$work"' EXIT
"$home/tributary" --version >/dev/null
java="$("$home/tributary" java-home)/bin/java"

watched() { # COMMAND...: runs it, then "wall-seconds peak-anonymous-MiB peak-mapped-MiB" in $work/watched
  local from to peak=0 mapped=0 now
  from="$(date +%s.%N)"
  "$@" >"$work/log" 2>&1 &
  local pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    read -r now file < <(awk '/^RssAnon/ {a=$2} /^RssFile/ {f=$2} END {print a + 0, f + 0}' "/proc/$pid/status" 2>/dev/null || echo 0 0)
    [ "${now:-0}" -le "$peak" ] || peak="$now"
    [ "${file:-0}" -le "$mapped" ] || mapped="$file"
    sleep 0.05
  done
  wait "$pid" || { cat "$work/log" >&2; return 1; }
  to="$(date +%s.%N)"
  awk -v a="$from" -v b="$to" -v p="$peak" -v m="$mapped" 'BEGIN {printf "%.2f %d %d\n", b - a, p / 1024, m / 1024}' >"$work/watched"
}

own() { # STEPS
  sed "s/max_steps: 0/max_steps: $1/" "$work/pool/recipe.yaml" >"$work/pool/steps.yaml"
  rm -rf "$work/out"
  watched "$home/tributary" merge "$work/pool/steps.yaml" --out "$work/out" --cache "$work/cache"
  rm -rf "$work/out"
}

echo "| model, experts | tributary s a step | memory, MiB (mapped files) | peer s a step, best | memory, MiB, of that and least | time, own to peer's | memory, own to peer's best |"
echo "|---|---|---|---|---|---|---|"
for case in "${cases[@]}"; do
  IFS=: read -r preset experts alone <<<"$case"
  answer=63 few=4 many=12
  [ "$preset" != bert-mini ] || few=10 many=40
  [ -z "$alone" ] || answer=8 few=1 many=3
  rm -rf "$work/pool" "$work/cache"
  "$java" --add-modules jdk.incubator.vector -Xmx4g -cp "$here/target/benchmarks-0.1.0.jar:$home/cli/target/lib/*" \
    dev.tributary.benchmarks.RandomPool "$preset" "$experts" 25 64 "$answer" "$work/pool" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
  own 0 # the experts' answers are kept, and files in the page cache
  own "$few"
  read -r first _ _ <"$work/watched"
  own "$many"
  read -r second memory mapped <"$work/watched"
  step="$(awk -v a="$first" -v b="$second" -v n="$((many - few))" 'BEGIN {printf "%.3f", (b - a) / n}')"
  if [ -n "$alone" ]; then
    echo "| $preset, $experts | $step | $memory ($mapped) | | | | |"
    continue
  fi
  best=999999 at=0 least=999999
  for impl in naive pertask dot; do
    watched "$python" "$here/peer_divmerge.py" --preset "$preset" --experts "$experts" --impl "$impl" --group block --steps 6 --warmup 2
    read -r _ peer _ <"$work/watched"
    seconds="$(sed -n 's/.*"step_wall_med": \([0-9.]*\).*/\1/p' "$work/log")"
    [ "$peer" -ge "$least" ] || least="$peer"
    if awk -v a="$seconds" -v b="$best" 'BEGIN {exit !(a < b)}'; then best="$seconds" at="$peer"; fi
  done
  awk -v c="$preset, $experts" -v s="$step" -v m="$memory" -v f="$mapped" -v b="$best" -v a="$at" -v l="$least" \
    'BEGIN {printf "| %s | %.3f | %d (%d) | %.3f | %d, %d | %.2f | %.2f |\n", c, s, m, f, b, a, l, s / b, m / a}'
done
