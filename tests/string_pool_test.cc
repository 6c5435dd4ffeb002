#include "testing.h"

#include <unordered_map>

#include "exercise/string_pool.h"
#include "test_image.h"
#include "thimble/live_file.h"
#include "thimble/store.h"
#include "thimble/string_pool.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(string_pool)

StringPool PoolOf(const std::vector<std::string>& strings, StringPool::Options options = {}) {
  StringPool pool(options);
  for (const std::string& string : strings) REQUIRE_OK(pool.Add(string));
  return pool;
}

std::vector<std::string> Names(std::size_t n) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < n; ++i) names.push_back("name" + std::to_string(i));
  return names;
}

BOOST_AUTO_TEST_CASE(AgreesWithAMap) {
  std::mt19937_64 random(1);
  StringPool pool({});
  std::unordered_map<std::string, std::uint64_t> model;
  std::vector<std::string> order;
  for (int i = 0; i < 30'000; ++i) {
    std::string string(random() % 20, static_cast<char>(random() % 3));
    if (random() % 2 == 0) string += std::to_string(random() % 20'000);
    if (random() % 500 == 0) string += std::string(random() % 1000, '\xff');
    const auto [entry, is_new] = model.emplace(string, order.size());
    BOOST_REQUIRE((pool.Find(string) == (is_new ? std::nullopt : std::optional(entry->second))));
    if (is_new) order.push_back(string);
    const absl::StatusOr<std::uint64_t> id = pool.Add(string);
    REQUIRE_OK(id);
    BOOST_REQUIRE_EQUAL(*id, entry->second);
  }
  BOOST_REQUIRE_EQUAL(pool.size(), order.size());
  for (std::size_t id = 0; id < order.size(); ++id) BOOST_REQUIRE(pool[id] == order[id]);
  REQUIRE_OK(pool.Verify());
  BOOST_TEST((pool.Find("not there") == std::nullopt));
  BOOST_TEST(pool[order.size()].empty());
}

BOOST_AUTO_TEST_CASE(CostsNineBytesAStringAtMost) {
  StringPool pool({});
  std::size_t text = 0;
  for (std::uint64_t i = 0; i < 200'000; ++i) {
    std::string string = std::to_string(i * 0x9E3779B97F4A7C15u);
    string.resize(24, '-');
    REQUIRE_OK(pool.Add(string));
    text += string.size();
    if (i % 1000 == 999 && i > 20'000) BOOST_REQUIRE(pool.image().size() <= text + 9 * pool.size());
  }
  BOOST_TEST(pool.stats().live_bytes + pool.stats().slack_bytes <= text + 9 * pool.size());
  BOOST_TEST(pool.stats().peak_bytes == pool.image().size());
}

BOOST_AUTO_TEST_CASE(EmptyAndOne) {
  StringPool pool({});
  REQUIRE_OK(pool.Verify());
  BOOST_TEST(!pool.Contains(""));
  BOOST_TEST(*pool.Add("") == 0u);
  BOOST_TEST(*pool.Add("") == 0u);
  BOOST_TEST(pool.Contains(""));
  BOOST_TEST(pool.image().size() % 8 == 0u);
}

BOOST_AUTO_TEST_CASE(GoesOnFromItsBytes) {
  const StringPool first = PoolOf(Names(500), {.seed = 9});
  absl::StatusOr<StringPool> pool = StringPool::Open(Buffer::Copy(first.image()));
  REQUIRE_OK(pool);
  for (const std::string& name : Names(1500)) REQUIRE_OK(pool->Add(name));
  BOOST_TEST(pool->size() == 1500u);
  REQUIRE_OK(pool->Verify());
}

BOOST_AUTO_TEST_CASE(AFullBufferChangesNothing) {
  const std::uint64_t bytes = StringPool::ImageBytes({.capacity = 20});
  std::vector<std::uint64_t> place(bytes / 8 + 10);
  absl::StatusOr<StringPool> pool =
      StringPool::Make({.capacity = 20}, Buffer::Borrow(std::as_writable_bytes(std::span(place))));
  REQUIRE_OK(pool);
  REQUIRE_OK(pool->Add("short"));
  CHECK_CODE(pool->Add(std::string(200, 'x')), absl::StatusCode::kFailedPrecondition);
  BOOST_TEST(pool->size() == 1u);
  REQUIRE_OK(pool->Verify());
  CHECK_CODE(StringPool::Make({.capacity = std::uint64_t{1} << 33}), absl::StatusCode::kInvalidArgument);
}

BOOST_AUTO_TEST_CASE(LivesInAFile) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.File("names.live");
  const StringPool::Options options{.capacity = 100};
  {
    absl::StatusOr<JournaledFile> file = JournaledFile::Create(path, {LiveSection::For<StringPool>("names", options, true)});
    REQUIRE_OK(file);
    absl::StatusOr<StringPool> pool = StringPool::Make(options, *file->Take("names"));
    REQUIRE_OK(pool);
    for (const std::string& name : Names(2000)) REQUIRE_OK(pool->Add(name));
    REQUIRE_OK(file->Commit());
    // Never committed: gone with the process.
    REQUIRE_OK(pool->Add("afterwards"));
  }
  {
    absl::StatusOr<JournaledFile> file = JournaledFile::Open(path);
    REQUIRE_OK(file);
    absl::StatusOr<StringPool> pool = StringPool::Open(*file->Take("names"));
    REQUIRE_OK(pool);
    BOOST_TEST(pool->size() == 2000u);
    for (const std::string& name : Names(5000)) REQUIRE_OK(pool->Add(name));
    REQUIRE_OK(file->Commit());
    REQUIRE_OK(file->Close());
  }
  const absl::StatusOr<StoreReader> store = StoreReader::Open(path, {.strict = true});
  REQUIRE_OK(store);
  const absl::StatusOr<StringPoolView> pool = store->View<StringPoolView>("names");
  REQUIRE_OK(pool);
  REQUIRE_OK(pool->Verify());
  const std::vector<std::string> names = Names(5000);
  for (std::size_t i = 0; i < names.size(); ++i) BOOST_REQUIRE(pool->Find(names[i]) == i);
  BOOST_TEST(!pool->Contains("afterwards"));
}

BOOST_AUTO_TEST_CASE(ImageIsGolden) { testing::CheckGolden("string_pool", PoolOf(Names(60)).image()); }

// As many blocks as there may be strings, no more and no fewer: the pool would grow by what is missing.
BOOST_AUTO_TEST_CASE(BlocksThatDoNotFitTheLinesAreRefused) {
  for (const std::uint64_t wrong : {std::uint64_t{1000}, std::uint64_t{1}}) {
    const StringPool pool = PoolOf(Names(60));
    Buffer copy = Buffer::Copy(pool.image());
    ImageHeader header = *ImageHeader::Read(copy.bytes(), StringPool::kKind);
    header.parameters[1] = wrong;
    header.Write(copy.bytes());
    CHECK_CODE(StringPoolView::Open(copy.bytes()), absl::StatusCode::kDataLoss);
  }
}

// A string may be a part of one that is there, which moves when room is made.
BOOST_AUTO_TEST_CASE(StringsMayLieInThePoolItself) {
  StringPool pool({});
  REQUIRE_OK(pool.Add(std::string(300, 'k') + "0"));
  for (std::uint64_t i = 1; i < 200; ++i) REQUIRE_OK(pool.Add(pool[i - 1].substr(1)));
  BOOST_TEST(pool.size() == 200u);
  BOOST_TEST(pool[199] == std::string(101, 'k') + "0");
  REQUIRE_OK(pool.Verify());
}

BOOST_AUTO_TEST_CASE(Mutations) {
  std::vector<std::string> names = Names(60);
  names.insert(names.begin() + 3, std::string(300, 'l'));
  testing::ExerciseMutations<StringPoolView>(PoolOf(names).image());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
