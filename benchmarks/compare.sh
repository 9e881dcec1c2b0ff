#!/usr/bin/env bash
# Merges the same checkpoints with ./tributary and with floor.c, one after the other, and prints CPU seconds (user + sys of
# the whole process, JVM start included), resident memory and the ratio between the two.
#   benchmarks/compare.sh DATA [ROUNDS [METHOD...]]     DATA has base/ and expert1/ .. expertN/, each with one model.safetensors
# The best of ROUNDS (3) counts. Files are read once before, so that all are measured with the page cache warm.
set -euo pipefail
here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
home="$(dirname "$here")"
data="$(cd -- "${1:?DATA is missing: a folder with base/ and expert1/ ..}" && pwd)"
rounds="${2:-3}"
shift "$(($# < 2 ? $# : 2))"
methods=("$@")
[ ${#methods[@]} -gt 0 ] || methods=(linear-3 task_arithmetic-3 ties-3 ties_global-3 dare_ties-3 breadcrumbs-3 della-3 model_stock-3 \
  slerp-2 nuslerp-2 linear-7 task_arithmetic-7 ties-7 ties_global-7 dare_ties-7)
work="$(mktemp -d "${TMPDIR:-/tmp}/compare.XXXXXX")"
trap 'rm -rf "$work"' EXIT
gcc -O3 -march=native -o "$work/floor" "$here/floor.c" -lpthread
"$home/tributary" --version >/dev/null
cat "$data"/*/model.safetensors >/dev/null

recipe() { # METHOD EXPERTS
  local method="$1" settings='weight: 0.3' all='' i
  case "$method" in
    linear) settings='weight: 1.0' ;;
    task_arithmetic) all='lambda: 0.4' ;;
    ties) settings='weight: 0.3, density: 0.2' ;;
    ties_global) method=ties all='trim: global, density: 0.2' ;;
    dare_ties) all='density: 0.5, seed: 1' ;;
    breadcrumbs) all='density: 0.9, gamma: 0.01' ;;
    della) all='density: 0.5, epsilon: 0.1' ;;
    slerp) all='t: 0.4' ;;
    model_stock) settings='' ;;
    nuslerp) settings='weight: 0.5' ;;
  esac
  echo "merge_method: $method"
  case "$method" in
    linear) ;;
    slerp) echo "base_model: $data/expert1" ;;
    *) echo "base_model: $data/base" ;;
  esac
  [ "$method" != slerp ] || settings=''
  echo "models:"
  for ((i = 1; i <= $2; i++)); do
    echo "  - model: $data/expert$i"
    [ -z "$settings" ] || echo "    parameters: {$settings}"
  done
  [ -z "$all" ] || echo "parameters: {$all}"
  echo "dtype: bfloat16"
}

measured() { # COMMAND...: "cpu-seconds peak-KiB" on the last line of $work/measured
  /usr/bin/time -f '%U %S %M' -o "$work/time" "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }
  tail -n 1 "$work/time" | awk '{printf "%.2f %d\n", $1 + $2, $3}'
}

anonymous() { # peak KiB that is no clean file page, of one merge
  "$@" >/dev/null 2>&1 &
  local pid=$! peak=0 now
  while kill -0 "$pid" 2>/dev/null; do
    now="$(awk '/^RssAnon/ {print $2}' "/proc/$pid/status" 2>/dev/null || true)"
    [ "${now:-0}" -le "$peak" ] || peak="$now"
    sleep 0.1
  done
  wait "$pid"
  echo "$peak"
}

echo "| merge | floor CPU s | tributary CPU s | ratio | memory beyond mapped files, MiB |"
echo "|---|---|---|---|---|"
for entry in "${methods[@]}"; do
  method="${entry%-*}" experts="${entry##*-}"
  recipe "$method" "$experts" >"$work/recipe.yaml"
  inputs=()
  for ((i = 1; i <= experts; i++)); do inputs+=("$data/expert$i/model.safetensors"); done
  mode=linear
  case "$method" in linear | slerp) ;; *) mode=ta inputs=("$data/base/model.safetensors" "${inputs[@]}") ;; esac
  floor=999999 own=999999
  for ((round = 0; round < rounds; round++)); do
    read -r cpu _ < <(measured "$work/floor" "$mode" 2 "$work/floor.safetensors" "${inputs[@]}")
    floor="$(awk -v a="$floor" -v b="$cpu" 'BEGIN {print (b < a ? b : a)}')"
    rm -f "$work/floor.safetensors"
    read -r cpu _ < <(measured "$home/tributary" merge "$work/recipe.yaml" --out "$work/out")
    own="$(awk -v a="$own" -v b="$cpu" 'BEGIN {print (b < a ? b : a)}')"
    rm -rf "$work/out"
  done
  kib="$(anonymous "$home/tributary" merge "$work/recipe.yaml" --out "$work/out")"
  rm -rf "$work/out"
  awk -v m="$method, $experts experts" -v f="$floor" -v o="$own" -v k="$kib" \
    'BEGIN {printf "| %s | %.2f | %.2f | %.1f | %d |\n", m, f, o, o / f, k / 1024}'
done
