// BloomFilter beside a classic Bloom filter with seven probes, itself, and the Bloom filters that are installed.

#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "compare.h"
#include "thimble/bloom_filter.h"

namespace thimble::bench {
namespace {

// What is in textbooks and in most libraries: k = 7 independent probes of one bit array, 9.585 bits a key, with the same hash.
class ClassicBloom {
 public:
  explicit ClassicBloom(std::uint64_t n) : words_(static_cast<std::size_t>(std::ceil(9.585 * static_cast<double>(n) / 64))) {}
  void Add(std::uint64_t key) {
    std::uint64_t hash = Hash64(key);
    const std::uint64_t step = hash >> 32 | 1;
    for (int i = 0; i < 7; ++i, hash = hash * 0x9E3779B97F4A7C15u + step) {
      const std::uint64_t bit = Position(hash);
      words_[bit / 64] |= std::uint64_t{1} << bit % 64;
    }
  }
  bool Contains(std::uint64_t key) const {
    std::uint64_t hash = Hash64(key);
    const std::uint64_t step = hash >> 32 | 1;
    for (int i = 0; i < 7; ++i, hash = hash * 0x9E3779B97F4A7C15u + step) {
      const std::uint64_t bit = Position(hash);
      if ((words_[bit / 64] >> bit % 64 & 1) == 0) return false;
    }
    return true;
  }
  double bits() const { return 64.0 * static_cast<double>(words_.size()); }

 private:
  std::uint64_t Position(std::uint64_t hash) const {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>(Wide{hash} * (words_.size() * 64) >> 64);
  }
  std::vector<std::uint64_t> words_;
};

template <class Filter, class Key>
void CountHits(const Filter& filter, const std::vector<Key>& keys) {
  std::size_t hits = 0;
  for (const Key& key : keys) hits += filter.Contains(key);
  Keep(hits);
}

template <class Filter>
double MeasuredRate(const Filter& filter, const std::vector<std::uint64_t>& absent) {
  std::size_t hits = 0;
  for (std::uint64_t key : absent) hits += filter.Contains(key);
  return static_cast<double>(hits) / static_cast<double>(absent.size());
}

std::vector<std::uint64_t> RandomKeys(std::size_t n, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::uint64_t> keys(n);
  for (std::uint64_t& key : keys) key = random();
  return keys;
}

void Run(Comparison& c) {
  const std::size_t n = c.Size(10'000'000, 100'000);
  const std::vector<std::uint64_t> keys = RandomKeys(n, 1), absent = RandomKeys(n, 2);
  const std::string size = c.quick() ? "100 k u64, 1 %" : "10 M u64, 1 %";
  BloomFilter filter({.capacity = n});
  BloomFilter textbook({.capacity = n, .layout = BloomLayout::kClassic});
  ClassicBloom classic(n);
  filter.AddMany(keys);
  textbook.AddMany(keys);
  for (std::uint64_t key : keys) classic.Add(key);

  c.Exact(size, "bits/key", filter.bits_per_key(), "classic k=7", classic.bits() / static_cast<double>(n));
  c.Exact(size, "rate", MeasuredRate(filter, absent), "classic k=7", MeasuredRate(classic, absent));
  c.Exact(size, "bits/key", filter.bits_per_key(), "thimble classic", textbook.bits_per_key());
  c.Exact(size, "rate", MeasuredRate(filter, absent), "thimble classic", MeasuredRate(textbook, absent));
  c.Time(size, "add ns", n, [&] { for (std::uint64_t key : keys) filter.Add(key); },
         {{"classic k=7", [&] { for (std::uint64_t key : keys) classic.Add(key); }},
          {"thimble classic", [&] { for (std::uint64_t key : keys) textbook.Add(key); }},
          {"thimble AddMany", [&] { filter.AddMany(keys); }}});
  const auto found = std::make_unique<bool[]>(n);
  c.Time(size, "hit ns", n, [&] { CountHits(filter, keys); },
         {{"classic k=7", [&] { CountHits(classic, keys); }},
          {"thimble classic", [&] { CountHits(textbook, keys); }},
          {"thimble ContainsMany", [&] { Keep(filter.ContainsMany(keys, {found.get(), n})); }}});
  c.Time(size, "miss ns", n, [&] { CountHits(filter, absent); },
         {{"classic k=7", [&] { CountHits(classic, absent); }},
          {"thimble classic", [&] { CountHits(textbook, absent); }},
          {"thimble ContainsMany", [&] { Keep(filter.ContainsMany(absent, {found.get(), n})); }}});

  // Strings of 20 bytes against integers, with the same number of keys so that the cache misses agree.
  const std::size_t strings = c.Size(1'000'000, 10'000);
  std::vector<std::string> words(strings);
  for (std::size_t i = 0; i < strings; ++i) {
    words[i] = std::to_string(keys[i]);
    words[i].resize(20, '.');
  }
  const std::vector<std::uint64_t> integers(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(strings));
  BloomFilter of_words({.capacity = strings}), of_integers({.capacity = strings});
  of_words.AddMany(words);
  of_integers.AddMany(integers);
  c.Time("1 M strings of 20 bytes", "hit ns", strings, [&] { CountHits(of_words, words); },
         {{"thimble, u64 keys", [&] { CountHits(of_integers, integers); }}});

  // Far larger than the caches.
  const std::size_t large = c.Size(100'000'000, 200'000);
  BloomFilter big({.capacity = large});
  std::vector<std::uint64_t> some(1 << 16);
  for (std::uint64_t first = 0; first < large; first += some.size()) {
    for (std::size_t i = 0; i < some.size(); ++i) some[i] = first + i;
    big.AddMany(some);
  }
  std::vector<std::uint64_t> probes = RandomKeys(c.Size(4'000'000, 10'000), 3);
  for (std::uint64_t& key : probes) key %= large;
  c.Time(c.quick() ? "200 k u64" : "100 M u64", "batch hit ns", probes.size(), [&] { Keep(big.ContainsMany(probes, {found.get(), probes.size()})); },
         {{"thimble, one at a time", [&] { CountHits(big, probes); }}});
}

const Family family{"bloom_filter", "Bloom filters", Run};

}  // namespace
}  // namespace thimble::bench
