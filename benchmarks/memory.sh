#!/usr/bin/env bash
# Merges checkpoints of which every byte is a hole in a sparse file, ten times the size of Qwen2.5-0.5B, and prints the memory
# of the process that is no clean page of a mapped file, at its largest, beside what `tributary plan` says.
#   benchmarks/memory.sh [GIB [METHOD...]]     GIB of each model (10); methods (task_arithmetic ties dare_ties breadcrumbs sce)
# Writes one model of that size at a time into TMPDIR.
set -euo pipefail
here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
home="$(dirname "$here")"
gib="${1:-10}"
shift "$(($# < 1 ? $# : 1))"
methods=("$@")
[ ${#methods[@]} -gt 0 ] || methods=(task_arithmetic ties dare_ties breadcrumbs sce)
work="$(mktemp -d "${TMPDIR:-/tmp}/memory.XXXXXX")"
trap 'rm -rf "$work"' EXIT

checkpoint() { # DIR: layers of 4096 x 4096, bfloat16
  local layers=$((gib * 32)) each=33554432 header='{' i
  mkdir -p "$1"
  echo '{}' >"$1/config.json"
  for ((i = 0; i < layers; i++)); do
    [ "$i" -eq 0 ] || header+=','
    header+="\"model.layers.$i.weight\":{\"dtype\":\"BF16\",\"shape\":[4096,4096],\"data_offsets\":[$((i * each)),$(((i + 1) * each))]}"
  done
  header+='}'
  while ((${#header} % 8 != 0)); do header+=' '; done
  printf "\\x$(printf '%02x' $((${#header} & 255)))\\x$(printf '%02x' $((${#header} >> 8 & 255)))\\x$(printf '%02x' $((${#header} >> 16)))\\0\\0\\0\\0\\0" >"$1/model.safetensors"
  printf '%s' "$header" >>"$1/model.safetensors"
  truncate -s $((8 + ${#header} + layers * each)) "$1/model.safetensors"
}

for name in base a b; do checkpoint "$work/$name"; done
"$home/tributary" --version >/dev/null
echo "| merge of 2 experts, $gib GiB each | planned, MiB | measured with the JVM's own, MiB |"
echo "|---|---|---|"
for method in "${methods[@]}"; do
  settings='weight: 0.5'
  case "$method" in ties | dare_ties | breadcrumbs) settings+=', density: 0.5' ;; esac
  {
    echo "merge_method: $method"
    echo "base_model: $work/base"
    echo "models:"
    echo "  - {model: $work/a, parameters: {$settings}}"
    echo "  - {model: $work/b, parameters: {$settings}}"
    echo "dtype: bfloat16"
  } >"$work/recipe.yaml"
  planned="$("$home/tributary" plan "$work/recipe.yaml" -o json 2>/dev/null | sed -n 's/.*"peakBytes" : \([0-9]*\).*/\1/p')"
  "$home/tributary" merge "$work/recipe.yaml" --out "$work/out" >"$work/log" 2>&1 &
  pid=$!
  peak=0
  while kill -0 "$pid" 2>/dev/null; do
    now="$(awk '/^RssAnon/ {print $2}' "/proc/$pid/status" 2>/dev/null || true)"
    [ "${now:-0}" -le "$peak" ] || peak="$now"
    sleep 0.1
  done
  wait "$pid" || { cat "$work/log" >&2; exit 1; }
  rm -rf "$work/out"
  echo "| $method | $((${planned:-0} / 1048576)) | $((peak / 1024)) |"
done
