// A service that asks what its container would cost.
#include <cstdio>
#include <string>
#include <unordered_map>

#include <thimble/compare.h>
#include <thimble/heap_scope.h>

int main() {
  const thimble::HeapScope scope;
  std::unordered_map<std::string, int> ages;
  for (int i = 0; i < 1000; ++i) ages["person number " + std::to_string(i)] = i % 90;
  const absl::StatusOr<thimble::Comparison> comparison = thimble::Compare(ages, {.structures = {"std::set", "StringStore"}});
  if (!comparison.ok() || scope.live_bytes() <= 0) return 1;
  return comparison->columns[0].structures.size() == 2 ? 0 : 1;
}
