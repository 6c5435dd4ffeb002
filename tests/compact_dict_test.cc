#include "testing.h"

#include <algorithm>
#include <list>
#include <unordered_map>

#include "thimble/compact_dict.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(compact_dict)

// The model: a list in the order of insertion, and a way to find its nodes.
template <class Key>
struct Model {
  std::list<std::pair<Key, std::uint64_t>> order;
  std::unordered_map<Key, typename std::list<std::pair<Key, std::uint64_t>>::iterator> at;

  void Set(const Key& key, std::uint64_t value) {
    auto [found, added] = at.try_emplace(key);
    if (added) found->second = order.insert(order.end(), {key, value});
    found->second->second = value;
  }
  bool Erase(const Key& key) {
    const auto found = at.find(key);
    if (found == at.end()) return false;
    order.erase(found->second);
    at.erase(found);
    return true;
  }
};

template <class Key, class MakeKey>
void CompareWithModel(int steps, MakeKey make_key) {
  CompactDict<Key, std::uint64_t> dict({.seed = 3});
  Model<Key> model;
  std::mt19937_64 random(7);
  const auto check = [&] {
    REQUIRE_OK(dict.Verify());
    BOOST_REQUIRE_EQUAL(dict.size(), model.order.size());
    auto expected = model.order.begin();
    for (auto [key, value] : dict) {
      BOOST_REQUIRE(key == expected->first);
      BOOST_REQUIRE_EQUAL(value, expected->second);
      ++expected;
    }
    BOOST_REQUIRE(expected == model.order.end());
    const Stats stats = dict.stats();
    BOOST_REQUIRE_LE(stats.garbage_bytes, (stats.live_bytes + stats.slack_bytes) / 8 + 64);
  };
  for (int step = 0; step < steps; ++step) {
    // Waves: mostly insertions, then mostly erasures.
    const bool growing = step / (steps / 4) % 2 == 0;
    const Key key = make_key(random() % static_cast<std::uint64_t>(steps / 4));
    const std::uint64_t value = random();
    switch (random() % 4) {
      case 0:
        BOOST_REQUIRE_EQUAL(dict.erase(key), model.Erase(key));
        break;
      case 1: {
        const auto found = model.at.find(key);
        const std::optional<std::uint64_t> got = dict.Find(key);
        BOOST_REQUIRE_EQUAL(got.has_value(), found != model.at.end());
        if (got) BOOST_REQUIRE_EQUAL(*got, found->second->second);
        break;
      }
      default:
        if (growing) {
          REQUIRE_OK(dict.Set(key, value));
          model.Set(key, value);
        } else {
          BOOST_REQUIRE_EQUAL(dict.erase(key), model.Erase(key));
        }
    }
    if (step % (steps / 8) == 0) check();
  }
  check();
}

BOOST_AUTO_TEST_CASE(IntegersAgreeWithAModel) {
  CompareWithModel<std::uint64_t>(testing::Steps(200000), [](std::uint64_t i) { return i * 0x9E3779B97F4A7C15u; });
  CompareWithModel<std::int16_t>(20000, [](std::uint64_t i) { return static_cast<std::int16_t>(i - 1000); });
}

BOOST_AUTO_TEST_CASE(StringsAgreeWithAModel) {
  CompareWithModel<std::string>(testing::Steps(100000), [](std::uint64_t i) { return std::string(i % 100, '\0') + std::to_string(i); });
}

BOOST_AUTO_TEST_CASE(TryEmplaceKeepsWhatIsThere) {
  CompactDict<std::string, int> dict;
  const auto first = dict.try_emplace("one", 1);
  REQUIRE_OK(first);
  BOOST_TEST(first->inserted());
  const auto second = dict.try_emplace("one", 2);
  REQUIRE_OK(second);
  BOOST_TEST(!second->inserted());
  BOOST_TEST(second->value() == 1);
  second->Set(3);
  BOOST_TEST(dict.Find("one").value() == 3);
  BOOST_TEST(dict.contains(std::string_view("one")));
  BOOST_TEST(!dict.contains(""));
  dict.Clear();
  BOOST_TEST(dict.empty());
  BOOST_TEST((dict.begin() == dict.end()));
}

BOOST_AUTO_TEST_CASE(SetsKeepTheOrder) {
  CompactDictSet<std::uint32_t> set;
  for (std::uint32_t key : {5u, 3u, 9u, 3u, 0u}) REQUIRE_OK(set.Add(key));
  BOOST_TEST(set.erase(9));
  BOOST_TEST(!set.erase(9));
  const std::vector<std::uint32_t> keys(set.begin(), set.end());
  BOOST_TEST((keys == std::vector<std::uint32_t>{5, 3, 0}));
}

BOOST_AUTO_TEST_CASE(BatchesAnswerAsSingleLookups) {
  struct Point {
    float x, y;
  };
  CompactDict<std::uint64_t, Point> dict;
  for (std::uint64_t i = 0; i < 5000; ++i) REQUIRE_OK(dict.Set(i * 3, Point{static_cast<float>(i), 1}));
  std::vector<std::uint64_t> keys;
  for (std::uint64_t i = 0; i < 15001; ++i) keys.push_back(i);
  std::size_t next = 0;
  dict.FindMany(keys, [&](std::size_t i, std::optional<Point> point) {
    BOOST_REQUIRE_EQUAL(i, next++);
    BOOST_REQUIRE_EQUAL(point.has_value(), i % 3 == 0 && i < 15000);
    if (point) BOOST_REQUIRE_EQUAL(point->x, static_cast<float>(i / 3));
  });
  BOOST_TEST(next == keys.size());
  std::size_t there = 0;
  dict.view().ContainsMany(keys, [&](std::size_t, bool found) { there += found; });
  BOOST_TEST(there == 5000u);
}

BOOST_AUTO_TEST_CASE(OpensOnlyWithItsOwnTypes) {
  CompactDict<std::uint32_t, std::uint16_t> dict;
  REQUIRE_OK(dict.Set(1, std::uint16_t{2}));
  REQUIRE_OK((CompactDictView<std::int32_t, std::int16_t>::Open(dict.image())));
  CHECK_CODE((CompactDictView<std::uint64_t, std::uint16_t>::Open(dict.image())), absl::StatusCode::kFailedPrecondition);
  CHECK_CODE((CompactDictView<std::string, std::uint16_t>::Open(dict.image())), absl::StatusCode::kFailedPrecondition);
  const auto again = CompactDict<std::uint32_t, std::uint16_t>::Open(Buffer::Copy(dict.image()));
  REQUIRE_OK(again);
  BOOST_TEST(again->Find(1).value() == 2);
}

// Between any two growths; a new image needs no bytes for erased entries.
BOOST_AUTO_TEST_CASE(BytesPerEntryStayBelowTheBound) {
  CompactDict<std::uint64_t, std::uint64_t> dict;
  const std::uint64_t n = testing::Steps(1000000);
  double most = 0;
  for (std::uint64_t i = 0; i < n; ++i) {
    REQUIRE_OK(dict.Set(i * 0x9E3779B97F4A7C15u, i));
    if (i >= n / 4) most = std::max(most, static_cast<double>(dict.image().size()) / static_cast<double>(i + 1));
  }
  BOOST_TEST(most < 20.8);
  BOOST_TEST(static_cast<double>(dict.stats().peak_bytes) < 1.15 * static_cast<double>(dict.image().size()));
}

template <class Key, class MakeKey>
void EraseAllAndRefill(std::uint64_t n, MakeKey make_key) {
  CompactDict<Key, std::uint64_t> dict;
  std::uint64_t bytes = 0;
  for (int round = 0; round < 4; ++round) {
    for (std::uint64_t i = 0; i < n; ++i) REQUIRE_OK(dict.Set(make_key(i), i + static_cast<std::uint64_t>(round)));
    BOOST_REQUIRE_EQUAL(dict.size(), n);
    REQUIRE_OK(dict.Verify());
    for (std::uint64_t i = 0; i < n; ++i) BOOST_REQUIRE_EQUAL(dict.Find(make_key(i)).value_or(0), i + static_cast<std::uint64_t>(round));
    for (std::uint64_t i = 0; i < n; ++i) {
      const std::uint64_t which = round % 2 == 0 ? i : n - 1 - i;
      BOOST_REQUIRE(dict.erase(make_key(which)));
      BOOST_REQUIRE(!dict.contains(make_key(which)));
    }
    BOOST_TEST(dict.empty());
    BOOST_TEST((dict.begin() == dict.end()));
    REQUIRE_OK(dict.Verify());
    // Refilling what was emptied takes no more.
    if (round > 0) BOOST_TEST(dict.image().size() <= bytes + bytes / 8 + 64);
    bytes = dict.image().size();
  }
}

// A single line of the index fills with erased slots while the records need room too.
BOOST_AUTO_TEST_CASE(SmallOnesComeAndGo) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    std::mt19937_64 random(seed);
    CompactDict<std::uint64_t, std::uint64_t> numbers;
    CompactDict<std::string, std::uint32_t> words;
    std::unordered_map<std::uint64_t, std::uint32_t> model;
    for (std::uint32_t i = 0; i < 300; ++i) {
      const std::uint64_t key = random() % 24;
      if (random() % 2 == 0 && model.size() < 16) {
        REQUIRE_OK(numbers.Set(key, i));
        REQUIRE_OK(words.Set(std::to_string(key), i));
        model[key] = i;
      } else {
        BOOST_REQUIRE_EQUAL(numbers.erase(key), model.count(key));
        BOOST_REQUIRE_EQUAL(words.erase(std::to_string(key)), model.erase(key));
      }
    }
    BOOST_TEST(numbers.size() == model.size());
    for (const auto& [key, value] : model) {
      BOOST_TEST(*numbers.Find(key) == value);
      BOOST_TEST(*words.Find(std::to_string(key)) == value);
    }
  }
}

// A key may be a part of one that is there, which moves when room is made.
BOOST_AUTO_TEST_CASE(KeysMayLieInTheDictItself) {
  CompactDict<std::string, std::uint32_t> dict;
  REQUIRE_OK(dict.Set(std::string(200, 'k') + "0", 0));
  for (std::uint32_t i = 1; i < 150; ++i) {
    std::string_view last;
    for (const auto& [key, value] : dict) last = key;
    REQUIRE_OK(dict.Set(last.substr(1), i));
  }
  BOOST_TEST(dict.size() == 150u);
  BOOST_TEST(*dict.Find(std::string(100, 'k') + "0") == 100u);
  REQUIRE_OK(dict.Verify());
}

std::size_t Entries(const CompactDictView<std::uint64_t, std::uint32_t>& dict) {
  return static_cast<std::size_t>(std::ranges::count_if(dict, [](const auto& entry) { return entry.second > 0; }));
}

// Iterators are equal where they stand at one entry; an owner goes where its view is asked for.
BOOST_AUTO_TEST_CASE(IteratorsAreIterators) {
  CompactDict<std::uint64_t, std::uint32_t> dict;
  for (std::uint32_t i = 1; i <= 3; ++i) REQUIRE_OK(dict.Set(i, i));
  auto at = dict.begin();
  BOOST_TEST((at == dict.begin()));
  BOOST_TEST((*at++).first == 1u);
  BOOST_TEST((at != dict.begin()));
  BOOST_TEST((*at).first == 2u);
  BOOST_TEST(Entries(dict) == 3u);
}

BOOST_AUTO_TEST_CASE(EmptiedOnesAreRefilled) {
  for (std::uint64_t n : {1u, 2u, 15u, 16u, 17u, 32u, 3000u}) {
    EraseAllAndRefill<std::uint64_t>(n, [n](std::uint64_t i) { return i == n - 1 ? ~std::uint64_t{0} : i; });
    EraseAllAndRefill<std::uint16_t>(n, [](std::uint64_t i) { return static_cast<std::uint16_t>(65535 - i); });
    EraseAllAndRefill<std::string>(n, [](std::uint64_t i) { return i == 0 ? std::string() : std::string(i % 7, '\0') + std::to_string(i); });
  }
}

// Every key that there is, with no value: the smallest records.
BOOST_AUTO_TEST_CASE(AllKeysOfAByteAreThere) {
  CompactDictSet<std::uint8_t> set;
  for (int key = 255; key >= 0; --key) REQUIRE_OK(set.Add(static_cast<std::uint8_t>(key)));
  BOOST_TEST(set.size() == 256u);
  REQUIRE_OK(set.Verify());
  BOOST_TEST(set.erase(0));
  BOOST_TEST(!set.contains(0));
  REQUIRE_OK(set.Add(0));
  std::vector<std::uint8_t> keys(set.begin(), set.end());
  BOOST_TEST((keys.size() == 256u && keys.front() == 255 && keys.back() == 0));
}

// Records so long that their numbers take more than 24 bits: fewer slots in a line.
BOOST_AUTO_TEST_CASE(LongRecordsAreFound) {
  CompactDict<std::string, std::uint64_t> dict;
  const auto key = [](std::uint64_t i) { return std::to_string(i).append(100000, 'x'); };
  for (std::uint64_t i = 0; i < 300; ++i) REQUIRE_OK(dict.Set(key(i), i));
  for (std::uint64_t i = 0; i < 30; ++i) BOOST_TEST(dict.erase(key(10 * i)));
  REQUIRE_OK(dict.Verify());
  for (std::uint64_t i = 0; i < 300; ++i) BOOST_TEST(dict.Find(key(i)).value_or(0) == (i % 10 == 0 ? 0 : i));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
