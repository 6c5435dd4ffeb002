// What thimble::Compare takes of a service that runs: the time, the memory of the process that calls it, and how near its figure
// for the container is to the allocator's own.
//
//   live_map                std::unordered_map<std::string, std::uint64_t> of five million entries
//   live_map --items 1e5    fewer: for a look

#include <malloc.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <unordered_map>

#include "arguments.h"
#include "thimble/compare.h"
#include "thimble/hash.h"

namespace thimble::bench {
namespace {

double AllocatedBytes() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

// The proportional set size of this process.
double PssKilobytes() {
  std::ifstream rollup("/proc/self/smaps_rollup");
  for (std::string line; std::getline(rollup, line);) {
    if (line.starts_with("Pss:")) return std::strtod(line.c_str() + 4, nullptr);
  }
  return 0;
}

int Run(std::uint64_t items) {
  const double before = AllocatedBytes();
  std::unordered_map<std::string, std::uint64_t> map;
  for (std::uint64_t i = 0; i < items; ++i) map.emplace("user-" + std::to_string(Hash64(i) % 1'000'000'007) + "@example.org", i % 1000);
  const double held = AllocatedBytes() - before, pss = PssKilobytes();
  const auto start = std::chrono::steady_clock::now();
  const absl::StatusOr<Comparison> comparison = Compare(map);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!comparison.ok()) {
    std::fprintf(stderr, "%s\n", comparison.status().ToString().c_str());
    return 1;
  }
  std::size_t rows = 0, done = 0;
  for (const ComparedColumn& column : comparison->columns) {
    for (const ComparedStructure& row : column.structures) {
      ++rows;
      done += row.failure.empty();
      if (!row.failure.empty()) std::printf("%s, %s: %s\n", column.name.c_str(), row.structure.c_str(), row.failure.c_str());
    }
  }
  std::printf("%zu entries: %.1f s, %zu of %zu rows; the container %.4f x mallinfo2's; this process %+.2f %% PSS\n", map.size(), seconds, done,
              rows, static_cast<double>(comparison->container_bytes) / held, (PssKilobytes() / pss - 1) * 100);
  return 0;
}

}  // namespace
}  // namespace thimble::bench

int main(int argc, char** argv) {
  double items = 5e6;
  const auto code = thimble::bench::ReadArguments(argc, argv, "What Compare takes of a service that runs.", {{"--items", "entries of the map", &items}});
  if (code) return *code;
  return thimble::bench::Run(static_cast<std::uint64_t>(items));
}
