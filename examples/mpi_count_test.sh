#!/usr/bin/env bash
# mpi_count_test.sh MPI_COUNT THIMBLE: any number of ranks gives one file, that of `thimble count`; a dead rank gives none.
set -euo pipefail
mpi_count=$1 thimble=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"  # Open MPI does not free all of its own
export OMPI_MCA_btl=self,vader OMPI_MCA_btl_vader_single_copy_mechanism=none TMPDIR=$dir
run() { mpirun -n "$1" "$mpi_count" --sketch "$2" "$dir/lines" "$3" >/dev/null; }

# Lines of many lengths, the last without its end, so that ranges begin within lines, at their ends, and behind short ones.
awk 'BEGIN { for (i = 0; i < 60000; ++i) printf "%s%0*d\n", i % 7 == 0 ? "\r" : "line ", i % 40, i % 20000; printf "the end" }' >"$dir/lines"
"$thimble" count --kind hll "$dir/lines" --sketch "$dir/hll" >/dev/null
"$thimble" count --kind kmv "$dir/lines" --sketch "$dir/kmv" >/dev/null
run 1 bloom "$dir/bloom"
kinds="hll kmv bloom"
if "$thimble" count --kind ell "$dir/lines" --sketch "$dir/ell" >/dev/null 2>&1; then kinds+=" ell"; fi  # unless it was left out of the build
for kind in $kinds; do
  for ranks in 1 2 4; do
    run "$ranks" "$kind" "$dir/out"
    cmp "$dir/$kind" "$dir/out"
  done
done

rm "$dir/out"
if mpirun -n 2 bash -c '[ "$OMPI_COMM_WORLD_RANK" != 1 ] || kill -9 $$; exec "$@"' _ "$mpi_count" --sketch hll "$dir/lines" "$dir/out" 2>/dev/null; then
  echo "a killed rank was not noticed"
  exit 1
fi
[ ! -e "$dir/out" ] || { echo "a killed rank left a file"; exit 1; }
