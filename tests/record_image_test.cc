#include "thimble/record_image.h"

#include <array>
#include <utility>

#include "testing.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(record_image)

using absl::StatusCode;

std::vector<FieldSpec> Fields() {
  return {{.name = "wide", .width = 64}, {.name = "city", .type = FieldType::kText, .width = 2}, {.name = "odd", .width = 13}, {.name = "none", .width = 0}};
}

// Record i has the value i in its numbers, cut to their widths, and one of three texts.
Buffer Filled(RecordLayout layout, std::uint64_t size) {
  constexpr std::array<std::string_view, 3> kCities = {"a", "bc", "d"};
  RecordImageBuilder builder(Fields(), layout, size, {});
  for (std::uint64_t i = 0; i < size; ++i) {
    builder.Set(0, i, ~i);
    builder.SetText(1, i, kCities[i % 3]);
    builder.Set(2, i, i % (1 << 13));
    builder.Set(3, i, 0);
  }
  const std::uint64_t bytes = builder.ImageBytes();
  absl::StatusOr<Buffer> image = std::move(builder).Finish();
  REQUIRE_OK(image);
  BOOST_REQUIRE_EQUAL(image->size(), bytes);
  return *std::move(image);
}

BOOST_AUTO_TEST_CASE(OpensWhatItWrote) {
  for (const RecordLayout layout : {RecordLayout::kRows, RecordLayout::kColumns}) {
    const Buffer image = Filled(layout, 1000);
    const absl::StatusOr<RecordImage> opened = RecordImage::Open(image.bytes());
    REQUIRE_OK(opened);
    REQUIRE_OK(opened->Verify());
    BOOST_TEST((opened->layout == layout));
    BOOST_TEST(opened->size == 1000u);
    BOOST_TEST((opened->specs == Fields()));
    for (std::uint64_t i = 0; i < 1000; ++i) {
      BOOST_REQUIRE_EQUAL(opened->runs[0][i], ~i);
      BOOST_REQUIRE_EQUAL(opened->pools[1][opened->runs[1][i]], (i % 3 == 0 ? "a" : i % 3 == 1 ? "bc" : "d"));
      BOOST_REQUIRE_EQUAL(opened->runs[2][i], i);
      BOOST_REQUIRE_EQUAL(opened->runs[3][i], 0u);
    }
    // Beyond the last record stands the first, and beyond the last string none.
    BOOST_TEST(opened->runs[2][1000] == 0u);
    BOOST_TEST(opened->pools[1][3] == "");
    BOOST_TEST(opened->pools[0].size == 0u);
  }
}

BOOST_AUTO_TEST_CASE(DecodesUpToTheLastRecord) {
  for (const RecordLayout layout : {RecordLayout::kRows, RecordLayout::kColumns}) {
    const Buffer image = Filled(layout, 1000);
    const absl::StatusOr<RecordImage> opened = RecordImage::Open(image.bytes());
    REQUIRE_OK(opened);
    for (const FieldRun& run : opened->runs) {
      for (const std::uint64_t from : {0u, 1u, 7u, 990u, 999u, 1000u, 5000u}) {
        std::array<std::uint64_t, 20> values;
        values.fill(77);
        run.Decode(from, values);
        for (std::uint64_t i = 0; i < values.size(); ++i) BOOST_REQUIRE_EQUAL(values[i], from + i < 1000 ? run[from + i] : 77);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(FinishTellsWhatWasWrong) {
  const auto finish = [](auto build) {
    RecordImageBuilder builder({{.name = "age", .width = 7}}, RecordLayout::kRows, 2, {});
    build(builder);
    return std::move(builder).Finish().status();
  };
  REQUIRE_OK(finish([](RecordImageBuilder& builder) { builder.Set(0, 1, 127); }));
  const absl::Status too_wide = finish([](RecordImageBuilder& builder) { builder.Set(0, 1, 128); });
  CHECK_CODE(too_wide, StatusCode::kInvalidArgument);
  BOOST_TEST(too_wide.message().find("record 1: age does not fit in 7 bits") != std::string::npos);
  CHECK_CODE(finish([](RecordImageBuilder& builder) { builder.Set(0, 2, 1); }), StatusCode::kInvalidArgument);
  const absl::Status first = finish([](RecordImageBuilder& builder) {
    builder.Fail(0, 0, "is not a number");
    builder.Fail(0, 1, "is no better");
  });
  BOOST_TEST(first.message().find("record 0: age is not a number") != std::string::npos);

  const auto finish_fields = [](std::vector<FieldSpec> fields) {
    return RecordImageBuilder(std::move(fields), RecordLayout::kColumns, 1, {}).Finish();
  };
  CHECK_CODE(finish_fields({}), StatusCode::kOk);
  CHECK_CODE(finish_fields({{.name = std::string(255, 'n')}}), StatusCode::kOk);
  CHECK_CODE(finish_fields({{.name = std::string(256, 'n')}}), StatusCode::kInvalidArgument);
  CHECK_CODE(finish_fields({{.name = "a", .digits = 23}}), StatusCode::kInvalidArgument);
  CHECK_CODE(finish_fields(std::vector<FieldSpec>(4097, {.name = "a", .width = 1})), StatusCode::kInvalidArgument);
  CHECK_CODE(RecordImageBuilder(Fields(), RecordLayout::kRows, 1000, Buffer::Heap(1000)).Finish(), StatusCode::kInvalidArgument);
}

BOOST_AUTO_TEST_CASE(VerifyFindsWrongStrings) {
  // The ends 1, 3 and 4, of 3 bits each.
  const auto damaged = [](std::uint64_t end, std::uint64_t value) {
    Buffer image = Filled(RecordLayout::kRows, 3);
    const TextPool pool = RecordImage::Open(image.bytes())->pools[1];
    BOOST_REQUIRE_EQUAL(pool.end_width, 3u);
    WriteBits(image.data() + (pool.ends - image.data()), end * 3, 3, value);
    return std::string(RecordImage::Open(image.bytes())->Verify().message());
  };
  BOOST_TEST(damaged(0, 1) == "");
  BOOST_TEST(damaged(0, 4) == "PackedRecords: strings overlap");
  BOOST_TEST(damaged(2, 5) == "PackedRecords: strings overlap");
  BOOST_TEST(damaged(2, 3) == "PackedRecords: bytes behind the last string");

  Buffer image = Filled(RecordLayout::kColumns, 3);
  const FieldRun run = RecordImage::Open(image.bytes())->runs[1];
  WriteBits(image.data() + (run.bytes.data() - image.data()), run.first + run.stride, 2, 3);
  BOOST_TEST(RecordImage::Open(image.bytes())->Verify().message() == "PackedRecords: a string is missing");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
