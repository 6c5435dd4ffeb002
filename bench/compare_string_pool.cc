// StringPool beside the hash sets that programs intern strings with.

#include <cstdint>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include "compare.h"
#include "thimble/string_pool.h"

namespace thimble::bench {
namespace {

void RunStringPool(Comparison& c) {
  const std::size_t n = c.Size(1'000'000, 10'000);
  std::mt19937_64 random(1);
  std::vector<std::string> strings(n);
  std::size_t text = 0;
  for (std::string& string : strings) {
    string = std::to_string(random());
    string.resize(24, 'x');
    text += string.size();
  }
  StringPool pool({});
  for (const std::string& string : strings) pool.Add(string).value();
  absl::flat_hash_set<std::string> set(strings.begin(), strings.end());
  const auto per_string = [&](double bytes) { return bytes / static_cast<double>(n); };
  const double set_bytes = static_cast<double>(set.capacity() * (sizeof(std::string) + 1) + n * (24 + 1 + 15));
  c.Exact("24-byte strings", "B/string + text", per_string(static_cast<double>(pool.image().size() - text)), "absl::flat_hash_set",
          per_string(set_bytes - static_cast<double>(text)));

  std::vector<std::string> asked;
  for (std::size_t i = 0; i < c.Size(200'000, 5'000); ++i) asked.push_back(strings[random() % n]);
  const auto find = [&] {
    std::uint64_t sum = 0;
    for (const std::string& string : asked) sum += pool.Find(string).value_or(0);
    Keep(sum);
  };
  const auto find_in_set = [&] {
    std::uint64_t sum = 0;
    for (const std::string& string : asked) sum += set.find(string)->size();
    Keep(sum);
  };
  c.Time("24-byte strings", "find ns", asked.size(), find, {{"absl::flat_hash_set", find_in_set}});
  c.Time("24-byte strings", "insert ns", n,
         [&] {
           StringPool built({});
           for (const std::string& string : strings) Keep(*built.Add(string));
         },
         {{"absl::flat_hash_set", [&] {
             absl::flat_hash_set<std::string> built;
             for (const std::string& string : strings) built.insert(string);
             Keep(built.size());
           }}});
}

const Family string_pool_family{"string_pool", "interned strings", RunStringPool};

}  // namespace
}  // namespace thimble::bench
