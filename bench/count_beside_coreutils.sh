#!/usr/bin/env bash
# count_beside_coreutils.sh THIMBLE FILE: seconds of `thimble count`, `wc -l` and `sort -u | wc -l` over the lines of a warm file,
# and of the same lines shuffled; the minimum of five interleaved rounds, and ratios.
set -euo pipefail
thimble=$1 file=$2
shuffled=$(mktemp)
trap 'rm -f "$shuffled"' EXIT
shuf --random-source="$file" "$file" >"$shuffled"

seconds() {  # of the command, with its output thrown away
  local start=$EPOCHREALTIME
  "$@" >/dev/null
  echo "$start $EPOCHREALTIME" | awk '{print $2 - $1}'
}
sorted() { LC_ALL=C sort -u "$1" | wc -l; }

for name in file shuffled; do
  count=999 wc=999 sort=999
  for _ in 1 2 3 4 5; do
    count=$(echo "$count $(seconds "$thimble" count "${!name}")" | awk '{print $1 < $2 ? $1 : $2}')
    wc=$(echo "$wc $(seconds wc -l "${!name}")" | awk '{print $1 < $2 ? $1 : $2}')
    sort=$(echo "$sort $(seconds sorted "${!name}")" | awk '{print $1 < $2 ? $1 : $2}')
  done
  echo "$name $count $wc $sort" | awk '{printf "%-9s count %.3f s, wc -l %.3f s (%.2f x), sort -u %.3f s (%.1f x as fast)\n", $1, $2, $3, $2 / $3, $4, $4 / $2}'
done
