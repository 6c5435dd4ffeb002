// CompactDict and CompactMap beside the hash maps of C++: bytes held and at most held while growing from empty, time of hits,
// misses and insertions.

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "compare.h"
#include "counted.h"
#include "thimble/bytes.h"
#include "thimble/compact_dict.h"
#include "thimble/compact_map.h"

#if THIMBLE_HAS_SPARSEHASH
#include <google/sparse_hash_map>
#endif
#if THIMBLE_HAS_JUDY
#include <Judy.h>
#endif

namespace thimble::bench {
namespace {

template <class Key, class Hash>
using Absl = absl::flat_hash_map<Key, std::uint64_t, Hash, std::equal_to<>, Counted<std::pair<const Key, std::uint64_t>>>;
template <class Key>
using Std = std::unordered_map<Key, std::uint64_t, std::hash<Key>, std::equal_to<>, Counted<std::pair<const Key, std::uint64_t>>>;
#if THIMBLE_HAS_SPARSEHASH
struct MixedHash {  // std::hash is the identity, which sparse_hash_map's power-of-two tables do not bear
  std::size_t operator()(std::uint64_t key) const { return Hash64(key); }
};
using Sparse = google::sparse_hash_map<std::uint64_t, std::uint64_t, MixedHash, std::equal_to<std::uint64_t>,
                                       Counted<std::pair<const std::uint64_t, std::uint64_t>>>;
#endif

std::vector<std::uint64_t> RandomKeys(std::size_t n, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::uint64_t> keys(n);
  for (std::uint64_t& key : keys) key = random();
  return keys;
}

// Fills a peer and says what it took.
template <class Map, class Keys>
Map Filled(const Keys& keys, double* live, double* peak) {
  HeapCount::Reset();
  Map map;
  std::uint64_t i = 0;
  for (const auto& key : keys) map[typename Map::key_type(key)] = i++;
  *live = static_cast<double>(HeapCount::live) / static_cast<double>(keys.size());
  *peak = static_cast<double>(HeapCount::peak) / static_cast<double>(keys.size());
  return map;
}

template <class Map>
std::function<void()> Lookups(const Map& map, const std::vector<std::uint64_t>& keys) {
  return [&map, &keys] {
    std::uint64_t sum = 0;
    for (const std::uint64_t key : keys) {
      const auto found = map.find(key);
      if (found != map.end()) sum += found->second;
    }
    Keep(sum);
  };
}

template <class Ours>
void MeasureIntegers(Comparison& c) {
  const std::size_t n = c.Size(10'000'000, 50'000);
  const std::string name = std::to_string(n) + " random u64 -> u64";
  const std::vector<std::uint64_t> keys = RandomKeys(n, 1);
  Ours ours;
  for (std::size_t i = 0; i < n; ++i) (void)ours.Set(keys[i], i);
  const double live = static_cast<double>(ours.image().size()) / static_cast<double>(n);
  const double peak = static_cast<double>(ours.stats().peak_bytes) / static_cast<double>(n);
  c.Exact(name, "peak / live", peak / live, "1", 1);
  double peer_live = 0, peer_peak = 0;
  const auto bytes = [&](const char* peer) {
    c.Exact(name, "bytes live", live, peer, peer_live);
    c.Exact(name, "bytes peak", peak, peer, peer_peak);
  };

  std::vector<std::uint64_t> hits = RandomKeys(c.Size(2'000'000, 10'000), 2), misses = RandomKeys(hits.size(), 3);
  for (std::uint64_t& key : hits) key = keys[key % n];
  const auto absl_map = Filled<Absl<std::uint64_t, absl::container_internal::hash_default_hash<std::uint64_t>>>(keys, &peer_live, &peer_peak);
  bytes("absl::flat_hash_map");
  Comparison::Peers hit_peers = {{"absl::flat_hash_map", Lookups(absl_map, hits)}};
  const Comparison::Peers miss_peers = {{"absl::flat_hash_map", Lookups(absl_map, misses)}};
  const auto std_map = Filled<Std<std::uint64_t>>(keys, &peer_live, &peer_peak);
  bytes("std::unordered_map");
  hit_peers.emplace_back("std::unordered_map", Lookups(std_map, hits));
#if THIMBLE_HAS_SPARSEHASH
  const auto sparse_map = Filled<Sparse>(keys, &peer_live, &peer_peak);
  bytes("google::sparse_hash_map");
  hit_peers.emplace_back("google::sparse_hash_map", Lookups(sparse_map, hits));
#endif
#if THIMBLE_HAS_JUDY
  Pvoid_t judy = nullptr;
  for (std::size_t i = 0; i < n; ++i) *reinterpret_cast<Word_t*>(JudyLIns(&judy, keys[i], nullptr)) = i;
  peer_live = peer_peak = static_cast<double>(JudyLMemUsed(judy)) / static_cast<double>(n);
  bytes("JudyL");
  hit_peers.emplace_back("JudyL", [&judy, &hits] {
    std::uint64_t sum = 0;
    for (const std::uint64_t key : hits) sum += *reinterpret_cast<const Word_t*>(JudyLGet(judy, key, nullptr));
    Keep(sum);
  });
#endif
  c.Time(name, "hit ns", hits.size(), [&] {
    std::uint64_t sum = 0;
    for (const std::uint64_t key : hits) sum += *ours.Find(key);
    Keep(sum);
  }, hit_peers);
  c.Time(name, "FindMany hit ns", hits.size(), [&] {
    std::uint64_t sum = 0;
    ours.FindMany(hits, [&](std::size_t, std::optional<std::uint64_t> value) { sum += *value; });
    Keep(sum);
  }, {hit_peers.front()});
  c.Time(name, "miss ns", misses.size(), [&] {
    std::uint64_t sum = 0;
    for (const std::uint64_t key : misses) sum += ours.contains(key);
    Keep(sum);
  }, miss_peers);
#if THIMBLE_HAS_JUDY
  JudyLFreeArray(&judy, nullptr);
#endif

  const std::size_t few = c.Size(1'000'000, 10'000);
  c.Time(std::to_string(few) + " random u64 -> u64", "insert ns", few, [&] {
    Ours map;
    for (std::size_t i = 0; i < few; ++i) (void)map.Set(keys[i], i);
    Keep(map.size());
  }, {{"absl::flat_hash_map", [&] {
    absl::flat_hash_map<std::uint64_t, std::uint64_t> map;
    for (std::size_t i = 0; i < few; ++i) map[keys[i]] = i;
    Keep(map.size());
  }}});
}

void MeasureStrings(Comparison& c) {
  const std::size_t n = c.Size(1'000'000, 20'000);
  const std::string name = std::to_string(n) + " strings of 24 -> u64";
  std::mt19937_64 random(4);
  std::vector<std::string> keys(n, std::string(24, ' '));
  for (std::string& key : keys) {
    for (char& letter : key) letter = static_cast<char>('a' + random() % 26);
  }
  CompactDict<std::string, std::uint64_t> ours;
  for (std::size_t i = 0; i < n; ++i) (void)ours.Set(keys[i], i);
  const double live = static_cast<double>(ours.image().size()) / static_cast<double>(n);
  using String = std::basic_string<char, std::char_traits<char>, Counted<char>>;
  struct HashOfString {
    std::size_t operator()(std::string_view text) const { return Hash64(text); }
  };
  double peer_live = 0, peer_peak = 0;
  const auto absl_map = Filled<Absl<String, HashOfString>>(keys, &peer_live, &peer_peak);
  c.Exact(name, "bytes live", live, "absl::flat_hash_map", peer_live);
  c.Exact(name, "bytes peak", static_cast<double>(ours.stats().peak_bytes) / static_cast<double>(n), "absl::flat_hash_map", peer_peak);
  absl::flat_hash_map<std::string, std::uint64_t> plain;
  for (std::size_t i = 0; i < n; ++i) plain[keys[i]] = i;
  std::vector<std::string> hits;
  for (std::size_t i = c.Size(500'000, 5'000); i > 0; --i) hits.push_back(keys[random() % n]);
  c.Time(name, "hit ns", hits.size(), [&] {
    std::uint64_t sum = 0;
    for (const std::string& key : hits) sum += *ours.Find(key);
    Keep(sum);
  }, {{"absl::flat_hash_map", [&] {
    std::uint64_t sum = 0;
    for (const std::string& key : hits) sum += plain.find(key)->second;
    Keep(sum);
  }}});
}

void MeasureSmall(Comparison& c) {
  CompactDict<std::uint64_t, std::uint64_t> ours;
  for (std::uint64_t i = 0; i < 8; ++i) (void)ours.Set(i, i);
  double live = 0, peak = 0;
  const std::vector<std::uint64_t> keys = {0, 1, 2, 3, 4, 5, 6, 7};
  (void)Filled<Std<std::uint64_t>>(keys, &live, &peak);
  c.Exact("8 u64 -> u64", "bytes in all", static_cast<double>(ours.image().size() + sizeof ours), "std::unordered_map", live * 8 + sizeof(Std<std::uint64_t>));
}

void RunDict(Comparison& c) {
  MeasureIntegers<CompactDict<std::uint64_t, std::uint64_t>>(c);
  MeasureStrings(c);
  MeasureSmall(c);
}
void RunMap(Comparison& c) { MeasureIntegers<CompactMap<std::uint64_t, std::uint64_t>>(c); }

const Family dict_family{"compact_dict", "maps that keep the order of insertion", RunDict};
const Family map_family{"compact_map", "maps with integer keys, in no order", RunMap};

}  // namespace
}  // namespace thimble::bench
