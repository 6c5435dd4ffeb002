// SparseSet beside CRoaring: bits an element after insertion in random order, and the time of every operation.

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#if THIMBLE_HAS_ROARING
#include <roaring/roaring.h>
#endif

#include "compare.h"
#include "thimble/sparse_set.h"

namespace thimble::bench {
namespace {

constexpr std::uint64_t kUniverse = std::uint64_t{1} << 28;

struct Case {
  const char* name;
  double density;
  bool runs;
};
constexpr Case kCases[] = {{"random 0.01 %", 0.0001, false}, {"random 0.1 %", 0.001, false}, {"random 1 %", 0.01, false},
                           {"random 10 %", 0.1, false},      {"random 50 %", 0.5, false},    {"runs of 64, 1 %", 0.01, true}};

// Distinct numbers in random order.
std::vector<std::uint32_t> Elements(const Case& of, std::uint64_t universe, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<bool> in(universe);
  const auto wanted = static_cast<std::size_t>(static_cast<double>(universe) * of.density);
  std::vector<std::uint32_t> keys;
  keys.reserve(wanted);
  std::geometric_distribution<std::uint64_t> length(1.0 / 64);
  while (keys.size() < wanted) {
    std::uint64_t key = random() % universe;
    for (std::uint64_t left = of.runs ? 1 + length(random) : 1; left > 0 && key < universe; --left, ++key) {
      if (!in[key]) {
        in[key] = true;
        keys.push_back(static_cast<std::uint32_t>(key));
      }
    }
  }
  std::shuffle(keys.begin(), keys.end(), random);
  return keys;
}

double Bits(const SparseSetView& set) { return static_cast<double>(set.image().size()) * 8 / static_cast<double>(set.size()); }

SparseSet Insert(const std::vector<std::uint32_t>& keys) {
  SparseSet set;
  for (const std::uint32_t key : keys) Keep(set.Add(key).ok());
  return set;
}

#if THIMBLE_HAS_ROARING
roaring_bitmap_t* InsertRoaring(const std::vector<std::uint32_t>& keys) {
  roaring_bitmap_t* set = roaring_bitmap_create();
  for (const std::uint32_t key : keys) roaring_bitmap_add(set, key);
  return set;
}

// Bytes of its containers and the arrays that hold them, on the heap.
double RoaringBits(const roaring_bitmap_t* set) {
  roaring_statistics_t s;
  roaring_bitmap_statistics(set, &s);
  const double bytes = 1.0 * s.n_bytes_array_containers + 1.0 * s.n_bytes_run_containers + 1.0 * s.n_bytes_bitset_containers + 32.0 * s.n_containers;
  return bytes * 8 / static_cast<double>(s.cardinality);
}
#endif

void Sizes(Comparison& c) {
  for (const Case& of : kCases) {
    // 2^28, and 2^25 where that would be 134 million insertions: the bits do not depend on it.
    const std::uint64_t universe = c.Size(of.density < 0.5 ? kUniverse : kUniverse >> 3, kUniverse >> 6);
    const std::vector<std::uint32_t> keys = Elements(of, universe, 1);
    const SparseSet set = Insert(keys);
    double peer = 0;
#if THIMBLE_HAS_ROARING
    roaring_bitmap_t* roaring = InsertRoaring(keys);
    if (of.runs) roaring_bitmap_run_optimize(roaring);
    peer = RoaringBits(roaring);
    roaring_bitmap_free(roaring);
#endif
    c.Exact(of.name, "bits, mutable", Bits(set), "croaring (at least)", peer);
    c.Exact(of.name, "bits, packed", Bits(set.Packed()), "croaring (at least)", peer);
  }
}

#if THIMBLE_HAS_ROARING
void SetQueries(Comparison& c) {
  const std::vector<std::uint32_t> keys = Elements(kCases[2], c.Size(kUniverse, kUniverse >> 6), 2);
  const SparseSet set = Insert(keys);
  const PackedSparseSet packed = set.Packed();
  roaring_bitmap_t* roaring = InsertRoaring(keys);
  std::mt19937_64 random(3);
  std::vector<std::uint32_t> some(1 << 16), ranks(1 << 12);
  const std::uint64_t universe = c.Size(kUniverse, kUniverse >> 6);
  for (std::size_t i = 0; i < some.size(); ++i) some[i] = i % 2 == 0 ? keys[random() % keys.size()] : static_cast<std::uint32_t>(random() % universe);
  for (std::uint32_t& rank : ranks) rank = static_cast<std::uint32_t>(random() % keys.size());
  for (const SparseSetView view : {set.view(), packed.view()}) {
    const std::string name = std::string("random 1 %, ") + (view.packed() ? "packed" : "mutable");
    const auto all = [&](std::size_t n, auto query) {
      return [&, n, query] {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < n; ++i) sum += query(i);
        Keep(sum);
      };
    };
    c.Time(name, "contains ns", some.size(), all(some.size(), [&](std::size_t i) { return view.Contains(some[i]); }),
           {{"croaring", all(some.size(), [&](std::size_t i) { return roaring_bitmap_contains(roaring, some[i]); })}});
    c.Time(name, "rank ns", ranks.size(), all(ranks.size(), [&](std::size_t i) { return view.Rank(some[i]); }),
           {{"croaring", all(ranks.size(), [&](std::size_t i) { return roaring_bitmap_rank(roaring, some[i]); })}});
    c.Time(name, "select ns", ranks.size(), all(ranks.size(), [&](std::size_t i) { return view.Select(ranks[i]); }),
           {{"croaring", all(ranks.size(), [&](std::size_t i) {
               std::uint32_t key = 0;
               roaring_bitmap_select(roaring, ranks[i], &key);
               return key;
             })}});
    c.Time(name, "iterate ns", keys.size(),
           [&] {
             std::uint64_t sum = 0;
             for (const std::uint64_t key : view) sum += key;
             Keep(sum);
           },
           {{"croaring", [&] {
               std::uint64_t sum = 0;
               roaring_iterate(roaring, [](std::uint32_t key, void* to) { return *static_cast<std::uint64_t*>(to) += key, true; }, &sum);
               Keep(sum);
             }}});
  }
  c.Time("random 1 %", "insert ns", keys.size(), [&] { Keep(Insert(keys).size()); },
         {{"croaring", [&] { roaring_bitmap_free(InsertRoaring(keys)); }}});
  roaring_bitmap_free(roaring);
}

struct Pair {
  SparseSet a, b;
  roaring_bitmap_t *x, *y;
};

void Operations(Comparison& c) {
  const std::uint64_t universe = c.Size(kUniverse, kUniverse >> 6) / 8;
  for (const Case& of : {kCases[4], kCases[5], kCases[2]}) {
    // The processor learns by heart in what order the runs of one pair come, and would guess every branch on it.
    const std::uint64_t seeds = of.runs ? c.Size(16, 2) : 2;
    std::vector<Pair> pairs;
    std::size_t keys = 0;
    for (std::uint64_t seed = 0; seed < seeds; seed += 2) {
      const std::vector<std::uint32_t> some = Elements(of, universe, seed + 4), other = Elements(of, universe, seed + 5);
      pairs.push_back({Insert(some), Insert(other), InsertRoaring(some), InsertRoaring(other)});
      roaring_bitmap_run_optimize(pairs.back().x);
      roaring_bitmap_run_optimize(pairs.back().y);
      keys += some.size();
    }
    using Ours = SparseSet (*)(const SparseSetView&, const SparseSetView&);
    using Theirs = roaring_bitmap_t* (*)(const roaring_bitmap_t*, const roaring_bitmap_t*);
    const auto all = [&pairs](auto combine) {
      return [&pairs, combine] {
        for (const Pair& pair : pairs) combine(pair);
      };
    };
    const auto compare = [&](const char* metric, Ours ours, Theirs theirs) {
      c.Time(of.name, metric, keys, all([=](const Pair& pair) { Keep(ours(pair.a, pair.b).size()); }),
             {{"croaring", all([=](const Pair& pair) { roaring_bitmap_free(theirs(pair.x, pair.y)); })}});
    };
    compare("and ns", And, roaring_bitmap_and);
    compare("or ns", Or, roaring_bitmap_or);
    compare("andnot ns", AndNot, roaring_bitmap_andnot);
    compare("xor ns", Xor, roaring_bitmap_xor);
    c.Time(of.name, "and size ns", keys, all([](const Pair& pair) { Keep(AndSize(pair.a, pair.b)); }),
           {{"croaring", all([](const Pair& pair) { Keep(roaring_bitmap_and_cardinality(pair.x, pair.y)); })}});
    for (const Pair& pair : pairs) roaring_bitmap_free(pair.x), roaring_bitmap_free(pair.y);
  }
}
#endif

void RunSparseSet(Comparison& c) {
  Sizes(c);
#if THIMBLE_HAS_ROARING
  SetQueries(c);
  Operations(c);
#endif
}

const Family sparse_set_family{"sparse_set", "sets of integers, universe 2^28: bits an element and time", RunSparseSet};

}  // namespace
}  // namespace thimble::bench
