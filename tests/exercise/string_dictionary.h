#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "thimble/string_dictionary.h"

namespace thimble {

inline void Exercise(const StringDictionaryView& view) {
  std::uint64_t sum = view.max_key_bytes() + (view.empty() ? 1 : 0) + view.image().size();
  const std::string long_text(300, 'a');
  const std::vector<std::string_view> keys = {"", "a", "lib/share", std::string_view("\0\xff", 2), "\xff\xff", "zzzzzzzzzzzz", long_text};
  std::vector<std::uint64_t> ids(keys.size());
  view.FindMany(keys, ids);
  for (const std::string_view key : keys) {
    const auto [begin, end] = view.PrefixRange(key);
    sum += view.Find(key).value_or(3) + view.LowerBound(key) + view.Predecessor(key).value_or(5) + begin + end + view.Contains(key);
  }
  // A hostile image may say that a key is huge: only so large are decoded here.
  if (view.max_key_bytes() <= 4096 && !view.empty()) {
    std::string buffer;
    const std::uint64_t n = view.size();
    for (const std::uint64_t id : {std::uint64_t{0}, n / 3, n / 2, n - 1, n, ~std::uint64_t{0}}) {
      const std::string key(view.Get(id, buffer));
      sum += key.size() + view.Find(key).value_or(0) + (view[id] == key);
      if (const auto prefix = view.LongestPrefix(key)) sum += prefix->id;
    }
    view.GetMany(std::vector<std::uint64_t>{0, n - 1, n}, [&](std::size_t i, std::string_view key) { sum += i + key.size(); });
    int budget = 8;
    view.ForEachPrefix("lib/share/doc", [&](StringDictionaryView::Prefix prefix) { sum += prefix.id; });
    for (auto cursor = view.From(n / 2); !cursor.done() && budget > 0; cursor.Next(), --budget) sum += cursor.key().size() + cursor.id();
    if (n < 2048) view.Verify().IgnoreError();
  }
  asm volatile("" : : "r"(sum));
}

}  // namespace thimble
