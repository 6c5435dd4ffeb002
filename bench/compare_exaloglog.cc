// ExaLogLog beside a HyperLogLog loop with MurmurHash3.

#include <cstdint>
#include <numeric>
#include <vector>

#include "compare.h"
#include "thimble/exaloglog.h"
#include "thimble/foreign_hash.h"
#include "thimble/hyperloglog.h"

namespace thimble::bench {
namespace {

void RunExaloglog(Comparison& c) {
  const std::size_t n = c.Size(1'000'000, 10'000);
  std::vector<std::uint64_t> keys(n);
  std::iota(keys.begin(), keys.end(), 0);
  for (unsigned d : {20u, 24u}) {
    const std::string name = "p=10 d=" + std::to_string(d);
    ExaLogLog ours({.precision = 10, .history = d});
    HyperLogLog theirs({.precision = 12});
    c.Time(name, "add u64 ns", n, [&] { for (const std::uint64_t key : keys) ours.Add(key); },
           {{"HyperLogLog p=12, Murmur3", [&] { for (const std::uint64_t key : keys) theirs.AddHash(Murmur3Integer(key, 1).h1); }}});
    ExaLogLog other({.precision = 10, .history = d});
    for (std::size_t i = 0; i < n / 2; ++i) other.Add(n + i);
    const HyperLogLog hll({.precision = 12});
    const std::size_t repeats = c.Size(1000, 10);
    c.Time(name, "merge ns", repeats, [&] { for (std::size_t i = 0; i < repeats; ++i) Keep(ours.Merge(other)); },
           {{"HyperLogLog p=12", [&] { for (std::size_t i = 0; i < repeats; ++i) Keep(theirs.Merge(hll)); }}});
    c.Time(name, "estimate ns", repeats, [&] { for (std::size_t i = 0; i < repeats; ++i) Keep(ours.Estimate()); },
           {{"HyperLogLog p=12", [&] { for (std::size_t i = 0; i < repeats; ++i) Keep(theirs.Estimate()); }}});
    const auto product = [](double bytes, double error) { return 8 * bytes * error * error; };
    c.Exact(name, "bits x variance", product(static_cast<double>(ours.image().size()), ours.StandardError()), "HyperLogLog p=12",
            product(static_cast<double>(theirs.image().size()), theirs.StandardError()));
  }
}

const Family exaloglog_family{"exaloglog", "ExaLogLog updates, merges and estimates", RunExaloglog};

}  // namespace
}  // namespace thimble::bench
