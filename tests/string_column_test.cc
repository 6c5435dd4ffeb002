#include "testing.h"

#include "exercise/string_column.h"
#include "thimble/string_column.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(string_column)

StringColumn ColumnOf(const std::vector<std::string>& rows) {
  StringColumn::Builder builder;
  for (const std::string& row : rows) REQUIRE_OK(builder.Add(row));
  absl::StatusOr<StringColumn> column = std::move(builder).Finish();
  REQUIRE_OK(column);
  return *std::move(column);
}

void CheckEqual(const StringColumnView& column, const std::vector<std::string>& rows) {
  REQUIRE_OK(column.Verify());
  BOOST_REQUIRE_EQUAL(column.size(), rows.size());
  std::string buffer;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    BOOST_REQUIRE(column.Get(i, buffer) == rows[i]);
    if (column.coded()) BOOST_REQUIRE((column.CodeOf(rows[i]) == column.codes()[i]));
  }
}

std::vector<std::string> Airports(std::size_t n) {
  std::mt19937_64 random(1);
  std::vector<std::string> rows(n);
  for (std::string& row : rows) {
    const std::uint64_t airport = random() % 224 * 79 % 17576;
    for (std::uint64_t k = 0, left = airport; k < 3; ++k, left /= 26) row.push_back(static_cast<char>('A' + left % 26));
  }
  return rows;
}

BOOST_AUTO_TEST_CASE(RepeatedStringsAreCodes) {
  const std::vector<std::string> rows = Airports(20'000);
  const StringColumn column = ColumnOf(rows);
  BOOST_TEST(column.coded());
  CheckEqual(column, rows);
  BOOST_TEST(column.codes().width() == 8u);
  BOOST_TEST(column.image().size() < 20'000 + 8'000);
  BOOST_TEST((column.CodeOf("not there") == std::nullopt));
  BOOST_TEST(column.strings().LowerBound("B") < column.strings().size());
}

BOOST_AUTO_TEST_CASE(NoiseIsAStore) {
  std::mt19937_64 random(2);
  std::vector<std::string> rows(3000);
  for (std::string& row : rows) {
    for (int i = 0; i < 12; ++i) row.push_back(static_cast<char>(random()));
  }
  const StringColumn column = ColumnOf(rows);
  BOOST_TEST(!column.coded());
  CheckEqual(column, rows);
}

BOOST_AUTO_TEST_CASE(SmallOnes) {
  CheckEqual(ColumnOf({}), {});
  CheckEqual(ColumnOf({""}), {""});
  CheckEqual(ColumnOf({"a", "a", "a"}), {"a", "a", "a"});
}

BOOST_AUTO_TEST_CASE(OpensACopy) {
  const std::vector<std::string> rows = Airports(500);
  const absl::StatusOr<StringColumn> copy = StringColumn::Open(Buffer::Copy(ColumnOf(rows).image()));
  REQUIRE_OK(copy);
  CheckEqual(*copy, rows);
}

BOOST_AUTO_TEST_CASE(RefusesWhatNoDictionaryHolds) {
  StringColumn::Builder builder;
  CHECK_CODE(builder.Add(std::string((16 << 20) + 1, 'x')), absl::StatusCode::kInvalidArgument);
  REQUIRE_OK(builder.Add("a"));
  BOOST_TEST(std::move(builder).Finish()->size() == 1u);
}

BOOST_AUTO_TEST_CASE(ImageIsGolden) { testing::CheckGolden("string_column", ColumnOf(Airports(200)).image()); }

BOOST_AUTO_TEST_CASE(Mutations) {
  testing::ExerciseMutations<StringColumnView>(ColumnOf(Airports(300)).image());
  std::mt19937_64 random(3);
  std::vector<std::string> rows(60);
  for (std::string& row : rows) {
    for (int i = 0; i < 9; ++i) row.push_back(static_cast<char>(random()));
  }
  testing::ExerciseMutations<StringColumnView>(ColumnOf(rows).image());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
