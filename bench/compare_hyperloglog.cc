// HyperLogLog beside the same loop with another hash, and beside a register loop that compilers do not vectorize.

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "compare.h"
#include "thimble/hyperloglog.h"

namespace thimble::bench {
namespace {

// The update that thimble's is held against: identical registers and rule, but MurmurHash3.
struct MurmurHyperLogLog {
  explicit MurmurHyperLogLog(unsigned p) : shift(64 - p), registers(std::size_t{1} << p) {}
  void Add(std::uint64_t key) {
    const std::uint64_t hash = Murmur3Integer(key, 1).h1;
    const auto rank = static_cast<Register>(std::countr_zero(hash | (std::uint64_t{1} << shift)) + 1);
    Register& value = registers[hash >> shift];
    if (value < rank) value = rank;
  }
  enum class Register : std::uint8_t {};
  unsigned shift;
  std::vector<Register> registers;
};

__attribute__((noinline, optimize("no-tree-vectorize"))) void ScalarMax(std::uint8_t* to, const std::uint8_t* from, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    if (to[i] < from[i]) to[i] = from[i];
#if defined(__clang__)
    asm volatile("" : : : "memory");
#endif
  }
}

void RunHyperloglog(Comparison& c) {
  const std::size_t n = c.Size(1'000'000, 10'000);
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> keys(n);
  for (std::uint64_t& key : keys) key = random();
  for (unsigned p : {12u, 18u}) {
    const std::string name = "p=" + std::to_string(p);
    HyperLogLog ours({.precision = p});
    MurmurHyperLogLog theirs(p);
    c.Time(name, "add u64 ns", n, [&] { for (const std::uint64_t key : keys) ours.Add(key); },
           {{"same loop, Murmur3", [&] { for (const std::uint64_t key : keys) theirs.Add(key); }}});
    c.Time(name, "AddMany u64 ns", n, [&] { ours.AddMany(keys); },
           {{"same loop, Murmur3", [&] { for (const std::uint64_t key : keys) theirs.Add(key); }}});
  }

  HyperLogLog a({.precision = 12}), b({.precision = 12});
  for (std::size_t i = 0; i < n; ++i) (i % 2 == 0 ? a : b).Add(keys[i]);
  std::vector<std::uint8_t> to = a.Registers();
  const std::vector<std::uint8_t> from = b.Registers();
  const std::size_t merges = c.Size(10000, 100);
  c.Time("p=12", "merge ns", merges, [&] { for (std::size_t i = 0; i < merges; ++i) Keep(a.Merge(b)); },
         {{"scalar loop", [&] { for (std::size_t i = 0; i < merges; ++i) ScalarMax(to.data(), from.data(), to.size()); }}});
  const std::size_t estimates = c.Size(1000, 10);
  c.Time("p=12", "estimate ns", estimates, [&] { for (std::size_t i = 0; i < estimates; ++i) Keep(a.Estimate()); },
         {{"scalar merge", [&] { for (std::size_t i = 0; i < estimates; ++i) ScalarMax(to.data(), from.data(), to.size()); }}});
}

const Family hyperloglog_family{"hyperloglog", "HyperLogLog updates and merges", RunHyperloglog};

}  // namespace
}  // namespace thimble::bench
