// What FootprintOf works out must be what the heap scope counts.
#include "testing.h"

#include <absl/container/btree_map.h>
#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/container/node_hash_map.h>

#include "thimble/footprint.h"
#include "thimble/heap_scope.h"

struct Person {
  std::string name;
  std::vector<int> friends;
};

template <>
struct thimble::OwnedBytes<Person> {
  static std::uint64_t Of(const Person& p) { return FootprintOf(p.name) + FootprintOf(p.friends); }
};

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(footprint)

// 0 to 40 bytes: some stay inside the string, some do not.
std::string Text(std::uint64_t i) { return std::string(i * 7 % 41, 'x') + std::to_string(i); }

template <class Key>
Key Value(std::uint64_t i) {
  if constexpr (std::is_same_v<Key, std::string>) {
    return Text(i);
  } else {
    return static_cast<Key>(i * 0x9E3779B97F4A7C15u);
  }
}

template <class Container>
void Append(Container& container, std::uint64_t i) {
  using V = typename Container::value_type;
  if constexpr (requires { typename Container::mapped_type; }) {
    container.emplace(Value<typename Container::key_type>(i), Value<typename Container::mapped_type>(i));
  } else if constexpr (requires { container.push_front(Value<V>(i)); } && !requires { container.push_back(Value<V>(i)); }) {
    container.push_front(Value<V>(i));
  } else {
    container.insert(container.end(), Value<V>(i));
  }
}

// 3 %, and a page: on a heap that was used before, malloc hands out blocks that are larger than they had to be; and above
// its mmap threshold whole pages.
template <class Container>
void Check() {
#if !THIMBLE_SANITIZED  // whose malloc has other blocks
  for (const std::uint64_t size : {0, 1, 2, 3, 10, 100, 1000, 20000, 100000}) {
    const HeapScope scope;
    Container container;
    for (std::uint64_t i = 0; i < size; ++i) Append(container, i);
    const std::int64_t counted = scope.live_bytes();
    const auto worked_out = static_cast<std::int64_t>(FootprintOf(container));
    const double tolerance = 4096 + 0.03 * static_cast<double>(counted);
    BOOST_TEST(static_cast<double>(std::abs(counted - worked_out)) <= tolerance,
               boost::typeindex::type_id<Container>().pretty_name() << " of " << size << ": counted " << counted << ", worked out " << worked_out);
  }
#else
  Container container;
  for (std::uint64_t i = 0; i < 1000; ++i) Append(container, i);
  BOOST_TEST(FootprintOf(container) >= 1000u);
#endif
}

BOOST_AUTO_TEST_CASE(Sequences) {
  Check<std::vector<std::int64_t>>();
  Check<std::vector<std::string>>();
  Check<std::list<std::string>>();
  Check<std::list<char>>();
  Check<std::forward_list<double>>();
  Check<std::deque<std::int64_t>>();
  Check<std::deque<std::string>>();
}

BOOST_AUTO_TEST_CASE(Trees) {
  Check<std::set<std::int64_t>>();
  Check<std::set<std::string>>();
  Check<std::multiset<char>>();
  Check<std::map<std::string, std::string>>();
  Check<std::multimap<std::int64_t, std::string>>();
  Check<absl::btree_set<std::int64_t>>();
  Check<absl::btree_set<std::string>>();
  Check<absl::btree_map<char, std::string>>();
  Check<absl::btree_map<std::string, double>>();
}

BOOST_AUTO_TEST_CASE(Tables) {
  Check<std::unordered_set<std::int64_t>>();
  Check<std::unordered_set<std::string>>();
  Check<std::unordered_map<std::string, std::uint64_t>>();
  Check<std::unordered_multiset<std::string>>();
  Check<std::unordered_multimap<std::int64_t, std::string>>();
  Check<absl::flat_hash_set<std::int64_t>>();
  Check<absl::flat_hash_set<std::string>>();
  Check<absl::flat_hash_map<std::string, std::uint64_t>>();
  Check<absl::node_hash_map<std::string, std::string>>();
  Check<absl::node_hash_map<std::int64_t, char>>();
}

BOOST_AUTO_TEST_CASE(WhatElementsOwnIsTheirs) {
  const HeapScope scope;
  const std::map<int, std::optional<std::vector<std::unique_ptr<std::string>>>> deep = [] {
    std::map<int, std::optional<std::vector<std::unique_ptr<std::string>>>> map;
    map[1].emplace().push_back(std::make_unique<std::string>(100, 'x'));
    map[2];
    return map;
  }();
#if !THIMBLE_SANITIZED
  BOOST_TEST(static_cast<double>(FootprintOf(deep)) == static_cast<double>(scope.live_bytes()), boost::test_tools::tolerance(0.05));
#endif
  BOOST_TEST(FootprintOf(std::vector<Person>{{std::string(100, 'x'), {1, 2, 3}}}) == HeapBlockBytes(sizeof(Person)) + HeapBlockBytes(101) + HeapBlockBytes(12));
  BOOST_TEST(FootprintOf(std::array<std::string, 2>{std::string(100, 'x'), "short"}) == HeapBlockBytes(101));
  BOOST_TEST(FootprintOf(std::vector<bool>(1000)) == HeapBlockBytes(128));
  BOOST_TEST(FootprintOf(7) == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
