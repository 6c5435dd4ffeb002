// BloomFilter beside a classic Bloom filter with seven probes, itself, and the Bloom filters that are installed.

#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
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

std::vector<std::uint64_t> FilterKeys(std::size_t n, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::uint64_t> keys(n);
  for (std::uint64_t& key : keys) key = random();
  return keys;
}

std::vector<std::uint64_t> Part(const std::vector<std::uint64_t>& keys, std::size_t n) {
  return {keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(n)};
}

void RunBloomFilter(Comparison& c) {
  const std::size_t n = c.Size(10'000'000, 100'000);
  const std::vector<std::uint64_t> keys = FilterKeys(n, 1), absent = FilterKeys(n, 2);
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
  // A part of the keys, again and again, so that it is the filters that miss the caches and not the keys.
  const std::size_t asked = c.Size(std::size_t{1} << 18, 10'000);
  const std::vector<std::uint64_t> some = Part(keys, asked), others = Part(absent, asked);
  c.Time(size, "add ns", asked, [&] { for (std::uint64_t key : some) filter.Add(key); },
         {{"classic k=7", [&] { for (std::uint64_t key : some) classic.Add(key); }},
          {"thimble classic", [&] { for (std::uint64_t key : some) textbook.Add(key); }},
          {"thimble AddMany", [&] { filter.AddMany(some); }}});
  const auto found = std::make_unique<bool[]>(c.Size(4'000'000, 10'000));
  c.Time(size, "hit ns", asked, [&] { CountHits(filter, some); },
         {{"classic k=7", [&] { CountHits(classic, some); }},
          {"thimble classic", [&] { CountHits(textbook, some); }},
          {"thimble ContainsMany", [&] { Keep(filter.ContainsMany(some, {found.get(), asked})); }}});
  c.Time(size, "miss ns", asked, [&] { CountHits(filter, others); },
         {{"classic k=7", [&] { CountHits(classic, others); }},
          {"thimble classic", [&] { CountHits(textbook, others); }},
          {"thimble ContainsMany", [&] { Keep(filter.ContainsMany(others, {found.get(), asked})); }}});
  // All of them once, which measures the reading of the keys too.
  const std::string all = size + ", all keys";
  c.Time(all, "add ns", n, [&] { for (std::uint64_t key : keys) filter.Add(key); },
         {{"classic k=7", [&] { for (std::uint64_t key : keys) classic.Add(key); }}});
  c.Time(all, "hit ns", n, [&] { CountHits(filter, keys); }, {{"classic k=7", [&] { CountHits(classic, keys); }}});
  c.Time(all, "miss ns", n, [&] { CountHits(filter, absent); }, {{"classic k=7", [&] { CountHits(classic, absent); }}});
  c.Time(size + ", batches", "add ns", asked, [&] { filter.AddMany(some); },
         {{"classic k=7", [&] { for (std::uint64_t key : some) classic.Add(key); }}});
  c.Time(size + ", batches", "hit ns", asked, [&] { Keep(filter.ContainsMany(some, {found.get(), asked})); },
         {{"classic k=7", [&] { CountHits(classic, some); }}});
  c.Time(size + ", batches", "miss ns", asked, [&] { Keep(filter.ContainsMany(others, {found.get(), asked})); },
         {{"classic k=7", [&] { CountHits(classic, others); }}});

  // Strings of 20 bytes against integers, in the same filter: as many, and as many found. They lie one behind the other, so
  // that to read them costs no more misses than to read the integers.
  std::string text;
  for (std::size_t i = 0; i < asked; ++i) text += (std::to_string(keys[i]) + std::string(20, '.')).substr(0, 20);
  std::vector<std::string_view> words(asked);
  for (std::size_t i = 0; i < asked; ++i) words[i] = std::string_view(text).substr(20 * i, 20);
  c.Time(size + ", 20-byte strings", "miss ns", asked, [&] { CountHits(filter, words); }, {{"thimble, u64 keys", [&] { CountHits(filter, others); }}});
  filter.AddMany(words);
  c.Time(size + ", 20-byte strings", "hit ns", asked, [&] { CountHits(filter, words); }, {{"thimble, u64 keys", [&] { CountHits(filter, some); }}});
  c.Time(size + ", 20-byte strings", "batch hit ns", asked, [&] { Keep(filter.ContainsMany(words, {found.get(), asked})); },
         {{"thimble, u64 keys", [&] { Keep(filter.ContainsMany(some, {found.get(), asked})); }}});

  // Far larger than the caches.
  const std::size_t large = c.Size(100'000'000, 200'000);
  BloomFilter big({.capacity = large});
  std::vector<std::uint64_t> run(1 << 16);
  for (std::uint64_t first = 0; first < large; first += run.size()) {
    for (std::size_t i = 0; i < run.size(); ++i) run[i] = first + i;
    big.AddMany(run);
  }
  std::vector<std::uint64_t> probes = FilterKeys(c.Size(4'000'000, 10'000), 3);
  for (std::uint64_t& key : probes) key %= large;
  c.Time(c.quick() ? "200 k u64" : "100 M u64", "batch hit ns", probes.size(), [&] { Keep(big.ContainsMany(probes, {found.get(), probes.size()})); },
         {{"thimble, one at a time", [&] { CountHits(big, probes); }}});
}

const Family bloom_filter_family{"bloom_filter", "Bloom filters", RunBloomFilter};

}  // namespace
}  // namespace thimble::bench
