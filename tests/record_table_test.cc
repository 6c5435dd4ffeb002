#include "thimble/record_table.h"

#include "exercise/record_table.h"
#include "testing.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(record_table)

using absl::StatusCode;
using Texts = std::vector<std::string>;

FieldSpec Measured(const Texts& texts) {
  return MeasureField("field", texts.size(), [&](std::uint64_t i) { return std::string_view(texts[i]); });
}

// Every value comes back as it stood, in both layouts.
void CheckRoundTrip(const std::vector<Texts>& columns) {
  std::vector<FieldSpec> specs;
  for (const Texts& texts : columns) specs.push_back(Measured(texts));
  for (const RecordLayout layout : {RecordLayout::kRows, RecordLayout::kColumns}) {
    const std::size_t n = columns.front().size();
    RecordTable::Builder builder(specs, n, layout);
    for (std::size_t i = 0; i < n; ++i) {
      std::vector<std::string_view> row;
      for (const Texts& texts : columns) row.push_back(texts[i]);
      builder.Add(row);
    }
    const absl::StatusOr<RecordTable> table = std::move(builder).Finish();
    REQUIRE_OK(table);
    REQUIRE_OK(table->Verify());
    BOOST_REQUIRE_EQUAL(table->size(), n);
    for (std::size_t field = 0; field < columns.size(); ++field) {
      for (std::size_t i = 0; i < n; ++i) BOOST_REQUIRE_EQUAL(table->Format(field, i), columns[field][i]);
    }
  }
}

BOOST_AUTO_TEST_CASE(FieldsAreMeasured) {
  BOOST_CHECK((Measured({"7", "-7", "100"}) == FieldSpec{.name = "field", .width = 7, .base = -7}));
  BOOST_CHECK((Measured({"00501", "99950"}) == FieldSpec{.name = "field", .width = 17, .digits = 5, .base = 501}));
  BOOST_CHECK((Measured({"-90.74504", "3"}) ==
               FieldSpec{.name = "field", .type = FieldType::kDecimal, .width = 24, .digits = 5, .base = -9074504}));
  BOOST_CHECK((Measured({"1.50", "2.25"}) ==
               FieldSpec{.name = "field", .type = FieldType::kDecimal, .width = 7, .digits = 2, .padded = true, .base = 150}));
  for (const Texts& texts : {Texts{"1", "01"}, Texts{"1.50", "2.5"}, Texts{"-0"}, Texts{"1."}, Texts{".5"}, Texts{"+1"}, Texts{""},
                             Texts{"1234567890123456"}, Texts{"1e5"}, Texts{"5", "x"}, Texts{"01.5"}}) {
    BOOST_TEST((Measured(texts).type == FieldType::kText), texts.back());
  }
  BOOST_TEST(Measured({"a", "b", "a", "c", "d", "e"}).width == 3u);
  BOOST_TEST(Measured({"same", "same"}).width == 0u);
}

BOOST_AUTO_TEST_CASE(ValuesComeBackAsTheyStood) {
  CheckRoundTrip({{"7", "-7", "100"}, {"00501", "99950", "00000"}, {"-90.74504", "3", "0.00001"}, {"-1.50", "2.25", "0.00"}, {"", "a,b", "\n"}});
  CheckRoundTrip({{"1"}, {"x"}, {"0.5"}});
  CheckRoundTrip({{}, {}});
  std::mt19937_64 random(1);
  std::vector<Texts> columns(4);
  for (int i = 0; i < 3000; ++i) {
    columns[0].push_back(std::to_string(static_cast<std::int64_t>(random() % 2000) - 1000));
    columns[1].push_back("name " + std::to_string(random() % 300));
    columns[2].push_back(std::to_string(random() % 100) + "." + std::to_string(random() % 9 + 1));
    columns[3].push_back("same");
  }
  CheckRoundTrip(columns);
}

RecordTable Example() {
  RecordTable::Builder builder({{.name = "age", .width = 7}, {.name = "city", .type = FieldType::kText, .width = 2},
                                {.name = "price", .type = FieldType::kDecimal, .width = 12, .digits = 2, .base = -100}},
                               3);
  builder.Add(std::array<std::string_view, 3>{"42", "Oslo", "-0.99"});
  builder.Add(std::array<std::string_view, 3>{"17", "Bergen", "20.5"});
  builder.Add(std::array<std::string_view, 3>{"99", "Oslo", "0"});
  return std::move(builder).Finish().value();
}

BOOST_AUTO_TEST_CASE(ByType) {
  const RecordTable table = Example();
  BOOST_TEST(table.Integer(0, 1) == 17);
  BOOST_TEST(table.Text(1, 2) == "Oslo");
  BOOST_TEST(table.Number(2, 1) == 20.5);
  BOOST_TEST(table.Number(0, 2) == 99);
  BOOST_TEST(table.FieldOf("price").value() == 2u);
  BOOST_TEST(!table.FieldOf("size").has_value());
}

BOOST_AUTO_TEST_CASE(WhatDoesNotFitIsAnError) {
  const auto add = [](std::string_view age, std::uint64_t size) {
    RecordTable::Builder builder({{.name = "age", .width = 7}}, size);
    builder.Add(std::array<std::string_view, 1>{age});
    return std::move(builder).Finish();
  };
  CHECK_CODE(add("127", 1), StatusCode::kOk);
  CHECK_CODE(add("128", 1), StatusCode::kInvalidArgument);
  CHECK_CODE(add("-1", 1), StatusCode::kInvalidArgument);
  CHECK_CODE(add("07", 1), StatusCode::kInvalidArgument);
  CHECK_CODE(add("7.5", 1), StatusCode::kInvalidArgument);
  CHECK_CODE(add("x", 1), StatusCode::kInvalidArgument);
  CHECK_CODE(add("7", 2), StatusCode::kInvalidArgument);
  CHECK_CODE(add("7", 0), StatusCode::kInvalidArgument);
  CHECK_CODE(add("7", ~std::uint64_t{0}), StatusCode::kInvalidArgument);
  CHECK_CODE(RecordTable::Builder({{.name = "a", .width = 65}}, 0).Finish(), StatusCode::kInvalidArgument);
}

// Fields whose base is not negative go up to 2^64 - 1.
BOOST_AUTO_TEST_CASE(UnsignedFieldsAreShownAsSuch) {
  using Ids = Record<Field<"id", 64>>;
  PackedRecords<Ids>::Builder builder(2);
  builder.Add(~std::uint64_t{0});
  builder.Add(std::uint64_t{5});
  const PackedRecords<Ids> records = *std::move(builder).Finish();
  const RecordTableView table = *RecordTableView::Open(records.image());
  BOOST_TEST(table.Format(0, 0) == "18446744073709551615");
  BOOST_TEST(table.Number(0, 0) == 0x1p64);
  BOOST_TEST(table.Format(0, 1) == "5");
}

BOOST_AUTO_TEST_CASE(Golden) { testing::CheckGolden("record_table", Example().image()); }

BOOST_AUTO_TEST_CASE(Mutations) { testing::ExerciseMutations<RecordTableView>(Example().image()); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
