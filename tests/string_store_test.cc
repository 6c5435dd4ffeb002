#include "testing.h"

#include "exercise/string_store.h"
#include "thimble/string_store.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(string_store)

StringStore StoreOf(const std::vector<std::string>& strings) {
  StringStore::Builder builder;
  for (const std::string& string : strings) REQUIRE_OK(builder.Add(string));
  absl::StatusOr<StringStore> store = std::move(builder).Finish();
  REQUIRE_OK(store);
  return *std::move(store);
}

void CheckEqual(const StringStoreView& store, const std::vector<std::string>& strings) {
  BOOST_REQUIRE_EQUAL(store.size(), strings.size());
  REQUIRE_OK(store.Verify());
  std::string buffer;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < strings.size(); ++i) {
    BOOST_REQUIRE(store.Get(i, buffer) == strings[i]);
    bytes += strings[i].size();
  }
  BOOST_TEST(store.payload_bytes() == bytes);
  std::size_t next = 0;
  store.Scan(0, store.size(), [&](std::string_view string) { BOOST_REQUIRE(string == strings[next++]); });
  BOOST_TEST(next == strings.size());
}

// Lines of text with much in common, and now and then none.
std::vector<std::string> Lines(std::size_t n, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const char* const parts[] = {"usr/", "share/", "doc/", "lib", "python3", "examples", ".so.1", ".html", "-dev", "/", "", "locale"};
  std::vector<std::string> lines(n);
  for (std::string& line : lines) {
    for (std::size_t k = random() % 9; k > 0; --k) line += parts[random() % std::size(parts)];
    if (random() % 4 == 0) line.push_back(static_cast<char>(random()));
  }
  return lines;
}

BOOST_AUTO_TEST_CASE(KeepsOrderDuplicatesAndEveryByte) {
  std::vector<std::string> strings = Lines(5000, 1);
  strings.insert(strings.begin() + 17, strings[3]);
  for (int byte = 0; byte < 256; ++byte) strings.push_back(std::string(2, static_cast<char>(byte)) + "x");
  strings.emplace_back(100'000, '\0');
  strings.emplace_back();
  CheckEqual(StoreOf(strings), strings);
}

BOOST_AUTO_TEST_CASE(SmallOnes) {
  CheckEqual(StoreOf({}), {});
  CheckEqual(StoreOf({""}), {""});
  CheckEqual(StoreOf({"a"}), {"a"});
}

BOOST_AUTO_TEST_CASE(TextIsHalvedAndNoiseIsNotInflated) {
  const std::vector<std::string> lines = Lines(40'000, 2);
  const StringStore text = StoreOf(lines);
  BOOST_TEST(text.image().size() < text.payload_bytes() * 45 / 100);

  std::mt19937_64 random(3);
  std::vector<std::string> noise(4000);
  for (std::string& string : noise) {
    for (int i = 0; i < 40; ++i) string.push_back(static_cast<char>(random()));
  }
  const StringStore raw = StoreOf(noise);
  CheckEqual(raw, noise);
  BOOST_TEST(raw.image().size() < raw.payload_bytes() + 2 * noise.size() + 1024);
}

// Short strings, every `period`-th of them long. Where few strings have many codes, the counts are kept; else the ends.
std::vector<std::string> Items(std::size_t n, std::size_t period) {
  std::mt19937_64 random(8);
  std::vector<std::string> items;
  for (std::size_t i = 0; i < n; ++i) {
    items.push_back("item " + std::to_string(i % (n / 5)));
    if (i % period != 0) continue;
    for (std::size_t k = random() % 60; k > 0; --k) items[i].push_back(static_cast<char>(random()));
    items[i] += "0123456789 some more";
  }
  return items;
}

bool KeepsCounts(const StringStore& store) { return Load<std::uint64_t>(store.image().data() + 48 + 6 * 8) == 0; }

BOOST_AUTO_TEST_CASE(FewCodesAndMany) {
  for (const std::size_t period : {10'000, 500, 2}) {
    const std::vector<std::string> strings = Items(3000, period);
    const StringStore store = StoreOf(strings);
    CheckEqual(store, strings);
    BOOST_TEST(KeepsCounts(store) == (period > 2));
  }
}

BOOST_AUTO_TEST_CASE(ABuilderGoesOnFromAStore) {
  std::vector<std::string> strings = Lines(1000, 4);
  const StringStore first = StoreOf(strings);
  StringStore::Builder builder(first.view());
  REQUIRE_OK(builder.Add("one more"));
  strings.emplace_back("one more");
  const absl::StatusOr<StringStore> longer = std::move(builder).Finish();
  REQUIRE_OK(longer);
  CheckEqual(*longer, strings);
}

BOOST_AUTO_TEST_CASE(BuildsInABufferAndOpensItsBytes) {
  const std::vector<std::string> strings = Lines(300, 5);
  StringStore::Builder builder;
  for (const std::string& string : strings) REQUIRE_OK(builder.Add(string));
  std::vector<std::uint64_t> place(1 << 13);
  const absl::StatusOr<StringStore> store =
      std::move(builder).Finish(Buffer::Borrow(std::as_writable_bytes(std::span(place))));
  REQUIRE_OK(store);
  BOOST_TEST((store->image().data() == reinterpret_cast<const std::byte*>(place.data())));
  CheckEqual(*store, strings);
  const absl::StatusOr<StringStore> copy = StringStore::Open(Buffer::Copy(store->image()));
  REQUIRE_OK(copy);
  CheckEqual(*copy, strings);

  StringStore::Builder too_many;
  for (const std::string& string : strings) REQUIRE_OK(too_many.Add(string));
  CHECK_CODE(std::move(too_many).Finish(Buffer::Borrow(std::as_writable_bytes(std::span(place).first(8)))),
             absl::StatusCode::kFailedPrecondition);
}

BOOST_AUTO_TEST_CASE(AnyBytesWillDo) {
  StringStore::Builder builder, other;
  for (int i = 0; i < 100; ++i) {
    const std::string text(static_cast<std::size_t>(i) * 7 % 50, static_cast<char>(i));
    REQUIRE_OK(builder.Add(text));
    REQUIRE_OK(other.Add(text));
  }
  Buffer used = Buffer::Heap(1 << 16);
  std::fill(used.data(), used.data() + used.size(), std::byte{0xEE});
  const StringStore store = *std::move(builder).Finish(std::move(used)), fresh = *std::move(other).Finish();
  BOOST_TEST(Hash64(store.image()) == Hash64(fresh.image()));
}

BOOST_AUTO_TEST_CASE(ImageIsGolden) { testing::CheckGolden("string_store", StoreOf(Lines(120, 6)).image()); }

BOOST_AUTO_TEST_CASE(Mutations) {
  const StringStore counts = StoreOf(Items(1000, 500)), ends = StoreOf(Items(100, 2));
  BOOST_TEST(KeepsCounts(counts));
  BOOST_TEST(!KeepsCounts(ends));
  testing::ExerciseMutations<StringStoreView>(counts.image());
  testing::ExerciseMutations<StringStoreView>(ends.image());
  testing::ExerciseMutations<StringStoreView>(StoreOf({"a", "bc", "", "def"}).image());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
