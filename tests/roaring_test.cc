#include "testing.h"

#include <set>

#include <roaring/roaring.h>

#include "thimble/roaring.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(roaring)

using Model = std::set<std::uint64_t>;

SparseSet Make(const Model& model) {
  SparseSet::Builder builder;
  for (const std::uint64_t element : model) (void)builder.Add(element);
  return *std::move(builder).Finish();
}

// Sets whose containers are arrays, bitmaps, runs and all three.
std::vector<Model> Models(std::uint64_t offset) {
  std::mt19937_64 random(offset + 3);
  std::vector<Model> models(5);
  models[1] = {offset, offset + 65535, offset + 65536};
  for (int i = 0; i < 3000; ++i) models[2].insert(offset + random() % 1000000);
  for (int i = 0; i < 60000; ++i) models[3].insert(offset + random() % 150000);
  for (std::uint64_t run = 0; run < 200; ++run) {
    for (std::uint64_t i = 0; i < 1 + run * 5; ++i) models[4].insert(offset + run * 3000 + i);
  }
  models.push_back(models[2]);
  models.back().insert(models[3].begin(), models[3].end());
  for (const std::uint64_t element : models[4]) models.back().insert(element + 2000000);
  return models;
}

void CheckSame(const SparseSet& set, const Model& model) {
  REQUIRE_OK(set.Verify());
  BOOST_REQUIRE_EQUAL(set.size(), model.size());
  BOOST_REQUIRE(std::equal(set.begin(), set.end(), model.begin(), model.end()));
}

BOOST_AUTO_TEST_CASE(RoundTrips) {
  for (const Model& model : Models(0)) {
    const SparseSet set = Make(model);
    CheckSame(*ParseRoaring(*FormatRoaring(set)), model);
    CheckSame(*ParseRoaring(*FormatRoaring(set.Packed())), model);
  }
  for (const std::uint64_t offset : {std::uint64_t{0}, (std::uint64_t{1} << 32) - 70000, (std::uint64_t{7} << 40) + 5, ~std::uint64_t{0} - 3000000}) {
    for (const Model& model : Models(offset)) CheckSame(*ParseRoaring64(FormatRoaring64(Make(model))), model);
  }
  CHECK_CODE(FormatRoaring(Make({std::uint64_t{1} << 32})), absl::StatusCode::kOutOfRange);
}

BOOST_AUTO_TEST_CASE(DamageIsReportedOrHarmless) {
  std::mt19937_64 random(2);
  for (const Model& model : Models(0)) {
    const std::vector<std::byte> bytes = *FormatRoaring(Make(model)), wide = FormatRoaring64(Make(model));
    const std::size_t step = 1 + bytes.size() / 60;
    for (std::size_t size = 0; size < bytes.size(); size += step) {
      CHECK_CODE(ParseRoaring(std::vector<std::byte>(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size))), absl::StatusCode::kDataLoss);
    }
    for (int i = 0; i < testing::Trials(60, 20000); ++i) {
      for (const auto& [from, parse] : {std::pair{&bytes, &ParseRoaring}, std::pair{&wide, &ParseRoaring64}}) {
        std::vector<std::byte> damaged = *from;
        for (int hits = 0; hits < 3; ++hits) damaged[random() % 2 == 0 ? random() % damaged.size() : random() % std::min<std::size_t>(damaged.size(), 40)] = static_cast<std::byte>(random());
        if (const auto set = parse(damaged); set.ok()) REQUIRE_OK(set->Verify());
      }
    }
  }
  std::vector<std::byte> longer = *FormatRoaring(Make({1, 2, 9}));
  longer.push_back(std::byte{0});
  CHECK_CODE(ParseRoaring(longer), absl::StatusCode::kDataLoss);
}

BOOST_AUTO_TEST_CASE(AgreesWithLibroaring) {
  for (const Model& model : Models(0)) {
    for (const bool optimize : {false, true}) {
      roaring_bitmap_t* theirs = roaring_bitmap_create();
      for (const std::uint64_t element : model) roaring_bitmap_add(theirs, static_cast<std::uint32_t>(element));
      if (optimize) roaring_bitmap_run_optimize(theirs);
      std::vector<std::byte> bytes(roaring_bitmap_portable_size_in_bytes(theirs));
      roaring_bitmap_portable_serialize(theirs, reinterpret_cast<char*>(bytes.data()));
      CheckSame(*ParseRoaring(bytes), model);
      const std::vector<std::byte> ours = *FormatRoaring(Make(model));
      roaring_bitmap_t* back = roaring_bitmap_portable_deserialize_safe(reinterpret_cast<const char*>(ours.data()), ours.size());
      BOOST_REQUIRE(back != nullptr);
      BOOST_TEST(roaring_bitmap_equals(back, theirs));
      // The 64-bit form is a count, and for each high half it and a 32-bit bitmap.
      std::vector<std::byte> wide(12);
      wide[0] = std::byte{1};
      wide[8] = std::byte{5};
      wide.insert(wide.end(), bytes.begin(), bytes.end());
      Model moved;
      for (const std::uint64_t element : model) moved.insert(element | std::uint64_t{5} << 32);
      CheckSame(*ParseRoaring64(wide), moved);
      roaring_bitmap_free(back);
      roaring_bitmap_free(theirs);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
