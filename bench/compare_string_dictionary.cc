// StringDictionary beside marisa-trie, in its default and its smallest setting, and beside what holds strings unpacked.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <absl/container/flat_hash_set.h>
#if THIMBLE_HAS_MARISA
#include <marisa.h>
#endif

#include "compare.h"
#include "text.h"
#include "thimble/string_dictionary.h"

namespace thimble::bench {
namespace {

using Mode = StringDictionary::Mode;
using Strings = std::vector<std::string>;

StringDictionary Build(const Strings& keys, Mode mode) {
  StringDictionary::Builder builder({.mode = mode});
  for (const std::string& key : keys) builder.Add(key).IgnoreError();
  return std::move(builder).Finish().value();
}

// What is asked: keys, keys with one letter changed, ids.
struct Queries {
  Strings hits, misses;
  std::vector<std::string_view> hit_views;
  std::vector<std::uint64_t> ids;

  Queries(const Strings& keys, std::size_t n) {
    std::mt19937_64 random(5);
    for (std::size_t i = 0; i < n; ++i) {
      hits.push_back(keys[random() % keys.size()]);
      ids.push_back(random() % keys.size());
    }
    for (std::size_t tries = 0; misses.size() < n && tries < 20 * n; ++tries) {
      std::string miss = keys[random() % keys.size()];
      if (!miss.empty()) miss[random() % miss.size()] = static_cast<char>('a' + random() % 26);
      if (!std::binary_search(keys.begin(), keys.end(), miss)) misses.push_back(miss);
    }
    hit_views.assign(hits.begin(), hits.end());
  }
};

#if THIMBLE_HAS_MARISA
void BuildMarisa(const Strings& keys, int flags, marisa::Trie* trie) {
  marisa::Keyset keyset;
  for (const std::string& key : keys) keyset.push_back(key.data(), key.size());
  trie->build(keyset, flags);
}

// Over the settings that make it smaller.
double SmallestMarisa(const Strings& keys, bool quick) {
  std::size_t best = std::numeric_limits<std::size_t>::max();
  for (const int tries : {3, 5, 8, 20}) {
    for (const int order : {MARISA_WEIGHT_ORDER, MARISA_LABEL_ORDER}) {
      for (const int tail : {MARISA_TEXT_TAIL, MARISA_BINARY_TAIL}) {
        marisa::Trie trie;
        BuildMarisa(keys, tries | order | tail | MARISA_SMALL_CACHE, &trie);
        best = std::min(best, trie.io_size());
        if (quick) return static_cast<double>(best);
      }
    }
  }
  return static_cast<double>(best);
}
#endif

void Measure(Comparison& c, const std::string& name, Strings keys) {
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  const StringDictionary balanced = Build(keys, Mode::kBalanced), dense = Build(keys, Mode::kDense);
  const Queries queries(keys, std::min<std::size_t>(keys.size(), c.Size(100'000, 2'000)));
  const auto each = [](const auto& list, auto function) {
    return [&list, function] {
      std::uint64_t sum = 0;
      for (const auto& item : list) sum += function(item);
      Keep(sum);
    };
  };
  const auto find_in = [](const StringDictionary& dictionary) {
    return [&dictionary](const std::string& key) { return dictionary.Find(key).value_or(1); };
  };
  std::string buffer;
  const auto get_from = [&buffer](const StringDictionary& dictionary) {
    return [&dictionary, &buffer](std::uint64_t id) { return dictionary.Get(id, buffer).size(); };
  };
  std::vector<std::uint64_t> found(queries.hits.size());
  const auto find_many = [&] {
    for (std::size_t i = 0; i < found.size(); i += 64) {
      const std::size_t batch = std::min<std::size_t>(64, found.size() - i);
      balanced.FindMany(std::span(queries.hit_views).subspan(i, batch), std::span(found).subspan(i, batch));
    }
    Keep(found[0]);
  };
  const auto get_many = [&] {
    std::uint64_t sum = 0;
    balanced.GetMany(queries.ids, [&](std::size_t, std::string_view key) { sum += key.size(); });
    Keep(sum);
  };
  const auto n = static_cast<double>(keys.size());
  const std::size_t hits = queries.hits.size(), misses = std::max<std::size_t>(1, queries.misses.size());

#if THIMBLE_HAS_MARISA
  marisa::Trie trie;
  BuildMarisa(keys, 0, &trie);
  const double smallest = SmallestMarisa(keys, c.quick());
  marisa::Agent agent;
  const auto marisa_find = [&](const std::string& key) {
    agent.set_query(key.data(), key.size());
    return trie.lookup(agent) ? agent.key().id() : 1;
  };
  const auto marisa_get = [&](std::uint64_t id) {
    agent.set_query(id);
    trie.reverse_lookup(agent);
    return agent.key().length();
  };
  const auto size = [&](const StringDictionary& dictionary) { return static_cast<double>(dictionary.image().size()) / n; };
  c.Exact(name, "B/key", size(balanced), "marisa smallest", smallest / n);
  c.Exact(name, "B/key", size(balanced), "marisa default", static_cast<double>(trie.io_size()) / n);
  c.Exact(name + ", dense", "B/key", size(dense), "marisa smallest", smallest / n);
  c.Time(name, "id to string ns", hits, each(queries.ids, get_from(balanced)), {{"marisa default", each(queries.ids, marisa_get)}});
  c.Time(name, "hit ns", hits, each(queries.hits, find_in(balanced)), {{"marisa default", each(queries.hits, marisa_find)}});
  c.Time(name, "miss ns", misses, each(queries.misses, find_in(balanced)), {{"marisa default", each(queries.misses, marisa_find)}});
  c.Time(name + ", dense", "hit ns", hits, each(queries.hits, find_in(dense)), {{"marisa default", each(queries.hits, marisa_find)}});
  c.Time(name + ", dense", "id to string ns", hits, each(queries.ids, get_from(dense)),
         {{"marisa default", each(queries.ids, marisa_get)}});
  c.Time(name, "build ns", keys.size(), [&] { Keep(Build(keys, Mode::kBalanced).size()); },
         {{"marisa default", [&] {
             marisa::Trie built;
             BuildMarisa(keys, 0, &built);
           }}});
#else
  (void)n;
  (void)misses;
#endif
  c.Time(name, "hit ns, 64 at once", hits, find_many, {{"one at a time", each(queries.hits, find_in(balanced))}});
  c.Time(name, "id to string ns, 64 at once", hits, get_many, {{"one at a time", each(queries.ids, get_from(balanced))}});
  absl::flat_hash_set<std::string> set(keys.begin(), keys.end());
  c.Time(name, "hit ns", hits, each(queries.hits, find_in(balanced)),
         {{"absl::flat_hash_set", each(queries.hits, [&](const std::string& key) { return set.contains(key); })}});
}

void RunStringDictionary(Comparison& c) {
  bool given = true;
  const Strings lines = c.Lines([&] {
    given = false;
    return Strings();
  });
  if (given) return Measure(c, "lines", lines);
  const std::size_t n = c.Size(500'000, 5'000);
  TextMaker maker(1);
  Measure(c, "hosts", TextMaker::Distinct(n, [&] { return maker.Host(); }));
  Measure(c, "urls", TextMaker::Distinct(n, [&] { return maker.Url(); }));
}

const Family string_dictionary_family{"string_dictionary", "sorted sets of strings that answer by rank", RunStringDictionary};

}  // namespace
}  // namespace thimble::bench
