#include "testing.h"

#include <set>

#include "peak_memory.h"
#include "thimble/string_sorter.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(string_sorter)

std::vector<std::string> Shuffled(std::size_t n) {
  std::mt19937_64 random(1);
  std::vector<std::string> strings(n);
  for (std::string& string : strings) {
    string = std::to_string(random() % (n / 2));
    string.append(random() % 40, static_cast<char>(random() % 3));
  }
  return strings;
}

// The same dictionary, whether the strings fit or come from many runs.
BOOST_AUTO_TEST_CASE(SortsInMemoryAndBeyond) {
  const std::vector<std::string> strings = Shuffled(testing::Steps(40'000));
  const std::set<std::string> expected(strings.begin(), strings.end());
  for (const std::uint64_t memory : {std::uint64_t{1} << 16, std::uint64_t{1} << 18, std::uint64_t{1} << 24}) {
    StringSorter sorter({.memory_bytes = memory});
    for (const std::string& string : strings) REQUIRE_OK(sorter.Add(string));
    auto sorted = std::move(sorter).Finish();
    REQUIRE_OK(sorted);
    for (int reading = 0; reading < 2; ++reading) {
      REQUIRE_OK((*sorted)->Rewind());
      std::string_view key;
      for (const std::string& string : expected) {
        BOOST_REQUIRE(*(*sorted)->Next(&key));
        BOOST_REQUIRE(key == string);
      }
      BOOST_REQUIRE(!*(*sorted)->Next(&key));
      BOOST_TEST((*sorted)->duplicates() == strings.size() - expected.size());
    }
    const absl::StatusOr<StringDictionary> dictionary = StringDictionary::FromSource(**sorted, {});
    REQUIRE_OK(dictionary);
    BOOST_TEST(dictionary->size() == expected.size());
    REQUIRE_OK(dictionary->Verify());
  }
}

BOOST_AUTO_TEST_CASE(NothingAndErrors) {
  auto none = StringSorter({.memory_bytes = 1 << 16}).Add("");
  REQUIRE_OK(none);
  auto empty = StringSorter({.memory_bytes = 1 << 16});
  auto sorted = std::move(empty).Finish();
  REQUIRE_OK(sorted);
  std::string_view key;
  BOOST_TEST(!*(*sorted)->Next(&key));

  StringSorter sorter({.memory_bytes = 1 << 16, .directory = "/nowhere/at/all"});
  CHECK_CODE(sorter.Add(std::string(1 << 17, 'x')), absl::StatusCode::kInvalidArgument);
  absl::Status status;
  for (int i = 0; i < 10 && status.ok(); ++i) status = sorter.Add(std::string(20'000, 'x'));
  BOOST_TEST(!status.ok());
  BOOST_TEST(status.message().find("/nowhere/at/all") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(BuildsWithinItsBudget) {
  constexpr std::uint64_t kBudget = std::uint64_t{4} << 20;
  const auto n = static_cast<std::uint64_t>(testing::Trials(1'000'000, 20'000'000));
  const testing::PeakMemory peak;
  StringSorter sorter({.memory_bytes = kBudget});
  for (std::uint64_t i = 0; i < n; ++i) {
    std::string string = "items/";
    REQUIRE_OK(sorter.Add(string.append(std::to_string(i * 0x9E3779B97F4A7C15u >> 20)).append("/name")));
  }
  auto sorted = std::move(sorter).Finish();
  REQUIRE_OK(sorted);
  const absl::StatusOr<StringDictionary> dictionary = StringDictionary::FromSource(**sorted, {});
  const std::uint64_t risen = peak.bytes();
  REQUIRE_OK(dictionary);
  BOOST_TEST(dictionary->size() + (*sorted)->duplicates() == n);
  if (!THIMBLE_SANITIZED) BOOST_TEST(risen <= kBudget + dictionary->image().size() + (std::uint64_t{64} << 20));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
