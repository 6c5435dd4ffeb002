// Hash64 beside the hashes that a C++ program has at hand.

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <absl/hash/hash.h>

#include "compare.h"
#include "thimble/hash.h"

namespace thimble::bench {
namespace {

template <class Key, class HashOf>
std::function<void()> HashAll(const std::vector<Key>& keys, HashOf hash_of) {
  return [&keys, hash_of] {
    std::uint64_t sum = 0;
    for (const Key& key : keys) sum += hash_of(key);
    Keep(sum);
  };
}

void RunHash(Comparison& c) {
  const std::size_t n = c.Size(1 << 16, 1 << 10);
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> integers(n);
  for (std::uint64_t& key : integers) key = random();
  c.Time("u64", "ns", n, HashAll(integers, [](std::uint64_t key) { return Hash64(key, 1); }),
         {{"absl::Hash", HashAll(integers, absl::Hash<std::uint64_t>())}});
  for (std::size_t length : {8u, 20u, 100u}) {
    std::vector<std::string> strings(n);
    for (std::string& key : strings) {
      for (std::size_t i = 0; i < length; ++i) key.push_back(static_cast<char>('a' + random() % 26));
    }
    c.Time("strings of " + std::to_string(length), "ns", n, HashAll(strings, [](const std::string& key) { return Hash64(key); }),
           {{"absl::Hash", HashAll(strings, absl::Hash<std::string>())}, {"std::hash", HashAll(strings, std::hash<std::string>())}});
  }
}

const Family hash_family{"hash", "64-bit hashes of integers and strings", RunHash};

}  // namespace
}  // namespace thimble::bench
