#include "testing.h"

#include <optional>
#include <set>

#include "exercise/string_dictionary.h"
#include "peak_memory.h"
#include "thimble/string_dictionary.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(string_dictionary)

using Mode = StringDictionary::Mode;
using Set = std::set<std::string>;

StringDictionary Build(const Set& keys, Mode mode) {
  StringDictionary::Builder builder({.mode = mode});
  for (const std::string& key : keys) REQUIRE_OK(builder.Add(key));
  BOOST_REQUIRE_EQUAL(builder.size(), keys.size());
  absl::StatusOr<StringDictionary> dictionary = std::move(builder).Finish();
  REQUIRE_OK(dictionary);
  return *std::move(dictionary);
}

std::string Successor(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (!prefix.empty()) ++prefix.back();
  return prefix;
}

// Every answer about `probe`, against the set. Ranks are those of `sorted`.
void CheckProbe(const StringDictionaryView& dictionary, const std::vector<std::string>& sorted, const std::string& probe) {
  const auto rank = [&](const std::string& text) {
    return static_cast<std::uint64_t>(std::lower_bound(sorted.begin(), sorted.end(), text) - sorted.begin());
  };
  const std::uint64_t lower = rank(probe);
  const bool there = lower < sorted.size() && sorted[lower] == probe;
  BOOST_REQUIRE(dictionary.Find(probe) == (there ? std::optional(lower) : std::nullopt));
  BOOST_REQUIRE_EQUAL(dictionary.LowerBound(probe), lower);
  const std::uint64_t upper = lower + there;
  BOOST_REQUIRE(dictionary.Predecessor(probe) == (upper == 0 ? std::nullopt : std::optional(upper - 1)));
  const std::string behind = Successor(probe);
  BOOST_REQUIRE((dictionary.PrefixRange(probe) ==
                 StringDictionaryView::Range{lower, behind.empty() ? sorted.size() : rank(behind)}));
}

void CheckPrefixes(const StringDictionaryView& dictionary, const Set& keys, const std::string& text) {
  std::vector<StringDictionaryView::Prefix> expected, found;
  for (std::size_t size = text.size() + 1; size-- > 0;) {
    if (const auto key = keys.find(text.substr(0, size)); key != keys.end()) {
      expected.push_back({static_cast<std::uint64_t>(std::distance(keys.begin(), key)), size});
    }
  }
  dictionary.ForEachPrefix(text, [&](StringDictionaryView::Prefix prefix) { found.push_back(prefix); });
  BOOST_REQUIRE(found == expected);
  BOOST_REQUIRE(dictionary.LongestPrefix(text) == (expected.empty() ? std::nullopt : std::optional(expected.front())));
}

// The whole interface against std::set, for the keys themselves and near misses.
void CheckAll(const StringDictionaryView& dictionary, const Set& keys, int probes = 600) {
  REQUIRE_OK(dictionary.Verify());
  const std::vector<std::string> sorted(keys.begin(), keys.end());
  BOOST_REQUIRE_EQUAL(dictionary.size(), sorted.size());
  auto cursor = dictionary.From(0);
  for (const std::string& key : sorted) {
    BOOST_REQUIRE(!cursor.done());
    BOOST_REQUIRE(cursor.key() == key);
    cursor.Next();
  }
  BOOST_REQUIRE(cursor.done());
  std::mt19937_64 random(7);
  std::vector<std::string> asked = {"", std::string(1, '\0'), "\xff\xff\xff\xff"};
  std::vector<std::uint64_t> ids;
  std::string buffer;
  for (int i = 0; i < probes && !sorted.empty(); ++i) {
    const std::uint64_t id = random() % sorted.size();
    BOOST_REQUIRE(dictionary.Get(id, buffer) == sorted[id]);
    ids.push_back(id);
    std::string near = sorted[id];
    asked.push_back(near);
    asked.push_back(near + static_cast<char>(random()));
    if (!near.empty()) {
      asked.push_back(near.substr(0, random() % near.size()));
      near[random() % near.size()] ^= static_cast<char>(1u << (random() % 8));
      asked.push_back(near);
    }
    if (id % 64 < 3) {
      const auto from = dictionary.From(id);
      BOOST_REQUIRE(from.key() == sorted[id]);
    }
  }
  for (const std::string& probe : asked) CheckProbe(dictionary, sorted, probe);
  for (std::size_t i = 0; i < asked.size() && i < 80; ++i) CheckPrefixes(dictionary, keys, asked[i].substr(0, 100));

  const std::vector<std::string_view> views(asked.begin(), asked.end());
  std::vector<std::uint64_t> found(views.size());
  dictionary.FindMany(views, found);
  for (std::size_t i = 0; i < views.size(); ++i) {
    BOOST_REQUIRE_EQUAL(found[i], dictionary.Find(views[i]).value_or(StringDictionaryView::kNotFound));
  }
  std::size_t visited = 0;
  dictionary.GetMany(ids, [&](std::size_t i, std::string_view key) {
    BOOST_REQUIRE_EQUAL(i, visited++);
    BOOST_REQUIRE(key == sorted[ids[i]]);
  });
  BOOST_REQUIRE_EQUAL(visited, ids.size());
}

void CheckBothModes(const Set& keys) {
  for (const Mode mode : {Mode::kBalanced, Mode::kDense}) CheckAll(Build(keys, mode), keys);
}

Set RandomPaths(std::size_t n, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const char* const parts[] = {"usr/", "share/", "doc/", "lib", "python3", "examples", ".so.1", ".html", "-dev", "/", "locale", "x"};
  Set keys;
  while (keys.size() < n) {
    std::string key;
    for (std::size_t k = random() % 9; k > 0; --k) key += parts[random() % std::size(parts)];
    if (random() % 2 == 0) key += std::to_string(random() % 1000);
    if (random() % 16 == 0) key.push_back(static_cast<char>(random()));
    keys.insert(key);
  }
  return keys;
}

// What keys share with the ones before goes up by one from key to key, so that dense mode gives it codes; and in some it is
// much, so that it does not.
Set Chains(std::size_t n) {
  Set keys;
  for (std::size_t i = 0; i < n; ++i) {
    const std::string number = std::to_string(10'000'000 + i / 8);
    keys.insert(std::string(i % 2048 < 1024 ? 0 : 60, 'q') + number + std::string(i % 8, 'a'));
    if (i % 1000 == 0) keys.insert(number + std::string(100 + i / 1000, 'b'));
  }
  return keys;
}

// Whether an image of prefix codes has the table of those for LCPs.
bool HasLcpCodes(const StringDictionary& dictionary) {
  return ImageHeader::Read(dictionary.image(), Kind::kStringDictionary)->parameters[7] != 0;
}

BOOST_AUTO_TEST_CASE(SmallSets) {
  CheckBothModes({});
  CheckBothModes({""});
  CheckBothModes({"a"});
  CheckBothModes({"", std::string(1, '\0'), std::string(2, '\0')});
}

BOOST_AUTO_TEST_CASE(Paths) { CheckBothModes(RandomPaths(4000, 1)); }

BOOST_AUTO_TEST_CASE(SharedLengthsInCodes) {
  const Set keys = Chains(12000);
  CheckBothModes(keys);
  const StringDictionary dense = Build(keys, Mode::kDense);
  BOOST_TEST(HasLcpCodes(dense));
  BOOST_TEST(!HasLcpCodes(Build(RandomPaths(300, 10), Mode::kDense)));
  BOOST_TEST(!HasLcpCodes(Build(keys, Mode::kBalanced)));
  // A walk from every key of a bucket on.
  for (std::uint64_t id = 0; id < 96; ++id) {
    auto expected = std::next(keys.begin(), static_cast<std::ptrdiff_t>(id));
    auto cursor = dense.From(id);
    for (int step = 0; step < 70; ++step, cursor.Next(), ++expected) BOOST_REQUIRE_EQUAL(cursor.key(), *expected);
  }
}

BOOST_AUTO_TEST_CASE(NoiseOfEveryLength) {
  std::mt19937_64 random(2);
  Set keys;
  for (int i = 0; i < 3000; ++i) {
    std::string key;
    for (std::size_t k = random() % 40; k > 0; --k) key.push_back(static_cast<char>(random()));
    keys.insert(key);
  }
  CheckBothModes(keys);
}

BOOST_AUTO_TEST_CASE(SharedPrefixesOfTenThousandBytes) {
  std::mt19937_64 random(3);
  Set keys;
  std::string prefix;
  for (int i = 0; i < 10'000; ++i) prefix.push_back(static_cast<char>('a' + random() % 4));
  for (int i = 0; i < 300; ++i) keys.insert(prefix + std::to_string(random() % 100'000));
  for (int i = 0; i < 300; ++i) keys.insert(prefix.substr(0, random() % 10'000) + std::to_string(random() % 10));
  for (const Mode mode : {Mode::kBalanced, Mode::kDense}) CheckAll(Build(keys, mode), keys, 60);
}

BOOST_AUTO_TEST_CASE(AllSingleBytesAndEveryBinaryStringToLengthTwelve) {
  Set keys;
  for (int byte = 0; byte < 256; ++byte) keys.insert(std::string(1, static_cast<char>(byte)));
  CheckBothModes(keys);
  keys = {""};
  for (int length = 1; length <= 12; ++length) {
    for (unsigned bits = 0; bits < 1u << length; ++bits) {
      std::string key;
      for (int i = length; i-- > 0;) key.push_back(static_cast<char>((bits >> i) & 1));
      keys.insert(key);
    }
  }
  CheckBothModes(keys);
}

BOOST_AUTO_TEST_CASE(EqualLengthKeys) {
  Set keys;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(testing::Steps(100'000)); ++i) {
    std::uint64_t mixed = i * 0x9E3779B97F4A7C15u;
    std::string key(8, '\0');
    std::memcpy(key.data(), &mixed, 8);
    keys.insert(key);
  }
  CheckBothModes(keys);
}

BOOST_AUTO_TEST_CASE(LongKeys) {
  const Set keys = {"a", std::string(70'000, 'x') + "1", std::string(70'000, 'x') + "2", std::string(300'000, 'y')};
  const StringDictionary dictionary = Build(keys, Mode::kBalanced);
  REQUIRE_OK(dictionary.Verify());
  std::uint64_t id = 0;
  for (const std::string& key : keys) BOOST_TEST((dictionary.Find(key) == id++));
  BOOST_TEST(dictionary.image().size() < 40'000);
  StringDictionary::Builder builder;
  CHECK_CODE(builder.Add(std::string(StringDictionary::kMaxKeyBytes + 1, 'y')), absl::StatusCode::kInvalidArgument);
}

#if !THIMBLE_SANITIZED  // where they take long
BOOST_AUTO_TEST_CASE(KeysOfTheGreatestLength) {
  std::mt19937_64 random(12);
  std::string longest(StringDictionary::kMaxKeyBytes, '\0');
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < longest.size(); ++i) {
    bits = i % 32 == 0 ? random() : bits >> 2;
    longest[i] = static_cast<char>('a' + bits % 4);
  }
  std::string next = longest;
  ++next.back();
  const std::vector<std::string> keys = {"a", longest.substr(0, longest.size() - 1), longest, next};
  StringDictionary::Builder builder;
  for (const std::string& key : keys) REQUIRE_OK(builder.Add(key));
  const absl::StatusOr<StringDictionary> dictionary = std::move(builder).Finish();
  REQUIRE_OK(dictionary);
  BOOST_TEST(dictionary->max_key_bytes() == StringDictionary::kMaxKeyBytes);
  std::string buffer;
  for (std::uint64_t id = 0; id < keys.size(); ++id) {
    BOOST_TEST((dictionary->Find(keys[id]) == id));
    BOOST_TEST((dictionary->Get(id, buffer) == keys[id]));
  }
  BOOST_TEST((dictionary->PrefixRange(keys[1]) == StringDictionaryView::Range{1, 4}));
  BOOST_TEST((dictionary->LongestPrefix(longest + "b") == StringDictionaryView::Prefix{2, longest.size()}));
  BOOST_TEST((dictionary->Predecessor(next + "b") == 3u));
}
#endif

BOOST_AUTO_TEST_CASE(DenseIsSmaller) {
  const Set keys = RandomPaths(8000, 4);
  BOOST_TEST(Build(keys, Mode::kDense).image().size() < Build(keys, Mode::kBalanced).image().size());
}

BOOST_AUTO_TEST_CASE(BuilderRefusesDisorderAndCountsDuplicates) {
  StringDictionary::Builder builder;
  REQUIRE_OK(builder.Add("b"));
  REQUIRE_OK(builder.Add("b"));
  REQUIRE_OK(builder.Add("ba"));
  CHECK_CODE(builder.Add("b"), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(builder.Add("a"), absl::StatusCode::kInvalidArgument);
  BOOST_TEST(builder.size() == 2u);
  BOOST_TEST(builder.duplicates() == 1u);
}

class Keys final : public StringDictionary::Source {
 public:
  explicit Keys(std::vector<std::string> keys) : keys_(std::move(keys)) {}
  absl::Status Rewind() override {
    next_ = 0;
    return absl::OkStatus();
  }
  absl::StatusOr<bool> Next(std::string_view* key) override {
    if (next_ == keys_.size()) return false;
    *key = keys_[next_++];
    return true;
  }

 private:
  std::vector<std::string> keys_;
  std::size_t next_ = 0;
};

BOOST_AUTO_TEST_CASE(UpdatesFromASealedDictionary) {
  std::mt19937_64 random(5);
  const Set before = RandomPaths(3000, 6);
  const StringDictionary base = Build(before, Mode::kBalanced);
  Set insertions = RandomPaths(500, 8), deletions = {"", "not there", "zz"}, after = before;
  for (const std::string& key : before) {
    if (random() % 4 == 0) deletions.insert(key);
    if (random() % 8 == 0) insertions.insert(key);
  }
  for (const std::string& key : deletions) after.erase(key);
  after.insert(insertions.begin(), insertions.end());
  Keys in({insertions.begin(), insertions.end()}), out({deletions.begin(), deletions.end()});
  std::uint64_t written = 0;
  const absl::StatusOr<StringDictionary> updated = StringDictionary::Update(
      base, in, out, {.mode = Mode::kDense, .progress = [&](std::uint64_t keys) { written = keys; }}, Buffer::Heap(0));
  REQUIRE_OK(updated);
  CheckAll(*updated, after);
  BOOST_TEST(written == after.size());
  Keys disorder({"b", "a"}), none({});
  CHECK_CODE(StringDictionary::Update(base, disorder, none, {}, Buffer::Heap(0)), absl::StatusCode::kInvalidArgument);
}

// Keys that are made as they are asked for: one for each of the numbers `first`, `first` + `step`, ... below `end`.
class MadeKeys final : public StringDictionary::Source {
 public:
  MadeKeys(std::uint64_t first, std::uint64_t end, std::uint64_t step) : first_(first), end_(end), step_(step), next_(first) {}
  absl::Status Rewind() override {
    next_ = first_;
    return absl::OkStatus();
  }
  absl::StatusOr<bool> Next(std::string_view* key) override {
    if (next_ >= end_) return false;
    key_ = Key(next_);
    next_ += step_;
    *key = key_;
    return true;
  }
  static std::string Key(std::uint64_t i) {
    const std::string number = std::to_string(i);
    std::string key = "records/";
    key.append(10 - number.size(), '0');
    return key.append(number).append("/").append(std::to_string(i * 0x9E3779B97F4A7C15u >> 40));
  }

 private:
  std::uint64_t first_, end_, step_, next_;
  std::string key_;
};

BOOST_AUTO_TEST_CASE(UpdatesABigDictionaryInLittleMemory) {
  // All even numbers; then the multiples of 6 go, and those of 5 come or stay: a key in both lists is in.
  const auto n = static_cast<std::uint64_t>(testing::Trials(600'000, 20'000'000));
  MadeKeys even(0, n, 2), fives(0, n, 5), sixes(0, n, 6);
  const absl::StatusOr<StringDictionary> base = StringDictionary::FromSource(even, {});
  REQUIRE_OK(base);
  const testing::PeakMemory peak;
  const absl::StatusOr<StringDictionary> updated = StringDictionary::Update(*base, fives, sixes, {}, Buffer::Heap(0));
  const std::uint64_t risen = peak.bytes();
  REQUIRE_OK(updated);
  if (!THIMBLE_SANITIZED) BOOST_TEST(risen <= updated->image().size() + (std::uint64_t{64} << 20));
  std::uint64_t in = 0;
  std::mt19937_64 random(13);
  for (std::uint64_t i = 0; i < n; ++i) {
    const bool expected = i % 5 == 0 || (i % 2 == 0 && i % 3 != 0);
    if (n < 1'000'000 ? i % 61 == 0 : random() % 4096 == 0) {
      BOOST_REQUIRE((updated->Find(MadeKeys::Key(i)) == (expected ? std::optional(in) : std::nullopt)));
    }
    in += expected;
  }
  BOOST_TEST(updated->size() == in);
}

BOOST_AUTO_TEST_CASE(BuildsInLittleMoreMemoryThanTheKeysTake) {
  std::mt19937_64 random(14);
  std::vector<std::string> words(testing::Steps(700'000));
  std::uint64_t key_bytes = 0;
  for (std::string& word : words) {
    for (std::uint64_t syllables = 3 + random() % 4; syllables > 0; --syllables) {
      word.push_back("bcdfghjklmnprstvw"[random() % 17]);
      word.push_back("aeiou"[random() % 5]);
    }
  }
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  for (const std::string& word : words) key_bytes += word.size();
  const testing::PeakMemory peak;
  StringDictionary::Builder builder;
  for (const std::string& word : words) REQUIRE_OK(builder.Add(word));
  const absl::StatusOr<StringDictionary> dictionary = std::move(builder).Finish();
  const std::uint64_t risen = peak.bytes();
  REQUIRE_OK(dictionary);
  BOOST_TEST(dictionary->size() == words.size());
  BOOST_TEST(dictionary->stats().peak_bytes >= dictionary->image().size());
  if (!THIMBLE_SANITIZED) BOOST_TEST(risen <= key_bytes + key_bytes / 5);
}

BOOST_AUTO_TEST_CASE(OpensACopy) {
  const Set keys = RandomPaths(500, 9);
  const StringDictionary dictionary = Build(keys, Mode::kBalanced);
  const absl::StatusOr<StringDictionary> copy = StringDictionary::Open(Buffer::Copy(dictionary.image()));
  REQUIRE_OK(copy);
  CheckAll(*copy, keys);
}

BOOST_AUTO_TEST_CASE(ImagesAreGolden) {
  testing::CheckGolden("string_dictionary", Build(RandomPaths(300, 10), Mode::kBalanced).image());
  testing::CheckGolden("string_dictionary_dense", Build(RandomPaths(300, 10), Mode::kDense).image());
  testing::CheckGolden("string_dictionary_lcp_codes", Build(Chains(12000), Mode::kDense).image());
}

BOOST_AUTO_TEST_CASE(Mutations) {
  for (const Mode mode : {Mode::kBalanced, Mode::kDense}) {
    Set keys = RandomPaths(150, 11);
    for (int i = 0; i < 40; ++i) keys.insert(std::string(static_cast<std::size_t>(i * 9), 'k') + "l");
    testing::ExerciseMutations<StringDictionaryView>(Build(keys, mode).image());
  }
  testing::ExerciseMutations<StringDictionaryView>(Build(Chains(12000), Mode::kDense).image());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
