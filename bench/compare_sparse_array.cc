// SparseArray beside hash maps: bytes an element after insertion in random order, and get.

#include <cstdint>
#include <random>
#include <unordered_map>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "compare.h"
#include "thimble/sparse_array.h"

namespace thimble::bench {
namespace {

void RunSparseArray(Comparison& c) {
  const std::uint64_t universe = c.Size(std::uint64_t{1} << 28, 1 << 22);
  const std::size_t n = static_cast<std::size_t>(universe / 100);
  std::mt19937_64 random(1);
  SparseArray<std::uint32_t> array;
  absl::flat_hash_map<std::uint32_t, std::uint32_t> map;
  std::vector<std::uint32_t> keys;
  while (map.size() < n) {
    const auto key = static_cast<std::uint32_t>(random() % universe), value = static_cast<std::uint32_t>(random() | 1);
    if (!map.emplace(key, value).second) continue;
    Keep(array.Set(key, value).ok());
    keys.push_back(key);
  }
  const auto count = static_cast<double>(n);
  // A slot of the table is a pair and a byte of control.
  const double peer = static_cast<double>(map.capacity()) * 9 / count;
  const PackedSparseArray<std::uint32_t> packed = array.Packed();
  c.Exact("u32, random 1 %", "bytes, mutable", static_cast<double>(array.image().size()) / count, "absl flat_hash_map", peer);
  c.Exact("u32, random 1 %", "bytes, packed", static_cast<double>(packed.image().size()) / count, "absl flat_hash_map", peer);

  std::vector<std::uint32_t> some(c.Size(1 << 19, 1 << 12));
  for (std::size_t i = 0; i < some.size(); ++i) some[i] = i % 2 == 0 ? keys[random() % n] : static_cast<std::uint32_t>(random() % universe);
  const Comparison::Peers peers = {{"absl flat_hash_map", [&] {
                                      std::uint64_t sum = 0;
                                      for (const std::uint32_t key : some) {
                                        const auto at = map.find(key);
                                        sum += at == map.end() ? 0 : at->second;
                                      }
                                      Keep(sum);
                                    }}};
  const auto all = [&some](const SparseArrayView<std::uint32_t> view) {
    return [view, &some] {
      std::uint64_t sum = 0;
      for (const std::uint32_t key : some) sum += view[key];
      Keep(sum);
    };
  };
  const std::vector<std::uint64_t> indices(some.begin(), some.end());
  std::vector<std::uint32_t> values(some.size());
  const auto many = [&indices, &values](const SparseArrayView<std::uint32_t> view) {
    return [view, &indices, &values] {
      view.GetMany(indices, values);
      Keep(values[0]);
    };
  };
  c.Time("u32, random 1 %, mutable", "get ns", some.size(), all(array), peers);
  c.Time("u32, random 1 %, packed", "get ns", some.size(), all(packed), peers);
  c.Time("u32, random 1 %, mutable", "GetMany ns", some.size(), many(array), peers);
  c.Time("u32, random 1 %, packed", "GetMany ns", some.size(), many(packed), peers);
}

const Family sparse_array_family{"sparse_array", "arrays of u32 over a huge universe", RunSparseArray};

}  // namespace
}  // namespace thimble::bench
