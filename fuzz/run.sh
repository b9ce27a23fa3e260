#!/usr/bin/env bash
# run.sh PROGRAM SECONDS [TARGET...]: fuzzes the targets (all) one after the
# other, SECONDS in total. New inputs are kept beside the program; findings too.
# Totals go to totals.txt there. Exits 1 if there was a finding.
set -euo pipefail
program=$(realpath "$1") seconds=$2
shift 2
cd "$(dirname "${BASH_SOURCE[0]}")"
work=$(dirname "$program")
targets=("$@")
((${#targets[@]})) || mapfile -t targets < <(ls corpora)
# Deep JSON recurses: the stack must not hide behind large frames.
export ASAN_OPTIONS=detect_stack_use_after_return=0:allocator_may_return_null=0

found=0
for target in "${targets[@]}"; do
  mkdir -p "$work/grown/$target" "$work/findings/$target"
  folders=("$work/grown/$target" "corpora/$target")
  [[ -d findings/$target ]] && folders+=("findings/$target")
  log=$work/$target.log
  "$program" --target="$target" -max_total_time=$((seconds / ${#targets[@]})) \
    -timeout="${FUZZ_TIMEOUT:-30}" -rss_limit_mb=1500 -malloc_limit_mb=300 \
    -max_len="${FUZZ_MAX_LEN:-4096}" -print_final_stats=1 \
    -artifact_prefix="$work/findings/$target/" "${folders[@]}" >"$log" 2>&1 ||
    { found=1 && grep -aE 'ERROR|SUMMARY|Finding|what\(\)|Test unit' "$log"; }
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  coverage=$(grep -aoE 'cov: [0-9]+ ft: [0-9]+' "$log" | tail -1 || true)
  elapsed=$(grep -aoE 'runs in [0-9]+ second' "$log" | tail -1 || true)
  printf '%s %-12s %12s executions, %s, %s\n' "$(date -u +%FT%TZ)" "$target" \
    "${executions:-?}" "${elapsed:-stopped by a finding}" "$coverage" |
    tee -a "$work/totals.txt"
done
exit "$found"
