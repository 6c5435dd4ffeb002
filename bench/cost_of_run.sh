#!/usr/bin/env bash
# cost_of_run.sh THIMBLE ROUNDS COMMAND [ARGUMENT...]: seconds of a command by itself and under `thimble run`, interleaved, and
# what the latter costs: by the minimum and the median of the rounds.
set -euo pipefail
thimble=$1 rounds=$2
shift 2

seconds() {  # of the command, with its output thrown away
  local start=$EPOCHREALTIME
  "$@" >/dev/null 2>&1
  echo "$start $EPOCHREALTIME" | awk '{printf "%.6f\n", $2 - $1}'
}

alone=() under=()
for ((i = 0; i < rounds; ++i)); do
  alone+=("$(seconds "$@")")
  under+=("$(seconds "$thimble" run -- "$@")")
done
figures() { printf '%s\n' "$@" | sort -n | awk '{a[NR] = $1} END {print a[1], a[int((NR + 1) / 2)]}'; }
echo "$(figures "${alone[@]}") $(figures "${under[@]}")" |
  awk '{printf "alone %.3f s, under thimble run %.3f s: %+.2f %% by the minimum, %+.2f %% by the median\n", $1, $3, ($3 / $1 - 1) * 100, ($4 / $2 - 1) * 100}'
