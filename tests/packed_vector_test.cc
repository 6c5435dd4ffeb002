#include "thimble/packed_vector.h"

#include "exercise/packed_vector.h"
#include "testing.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(packed_vector)

using absl::StatusCode;

PackedVector Example() {
  PackedVector packed({.width = 11});
  for (std::uint64_t i = 0; i < 100; ++i) REQUIRE_OK(packed.Append(i * 37 % 2048));
  packed.ShrinkToFit();
  return packed;
}

BOOST_AUTO_TEST_CASE(AgreesWithAVector) {
  for (const unsigned width : {1u, 2u, 7u, 8u, 13u, 31u, 32u, 33u, 56u, 57u, 58u, 63u, 64u}) {
    std::mt19937_64 random(width);
    PackedVector packed({.width = width});
    std::vector<std::uint64_t> model;
    for (int step = 0; step < 20000; ++step) {
      const std::uint64_t value = random() & LowBits(width);
      if (model.empty() || random() % 3 != 0) {
        REQUIRE_OK(packed.Append(value));
        model.push_back(value);
      } else {
        const std::size_t i = random() % model.size();
        packed.Set(i, value);
        model[i] = value;
      }
    }
    BOOST_REQUIRE_EQUAL(packed.size(), model.size());
    BOOST_TEST(std::equal(packed.begin(), packed.end(), model.begin(), model.end()));
    REQUIRE_OK(packed.Verify());
    std::vector<std::uint64_t> decoded(model.size());
    packed.Decode(0, std::span(decoded));
    BOOST_TEST((decoded == model));
    std::vector<std::uint64_t> visited;
    packed.ForEach([&](std::uint64_t value) { visited.push_back(value); });
    BOOST_TEST((visited == model));
    std::vector<std::uint32_t> cut(model.size() - 5);
    packed.Decode(5, std::span(cut));
    for (std::size_t i = 0; i < cut.size(); ++i) BOOST_REQUIRE_EQUAL(cut[i], static_cast<std::uint32_t>(model[i + 5]));
  }
}

BOOST_AUTO_TEST_CASE(SizesAreExact) {
  BOOST_TEST(PackedVector::ImageBytes({.width = 10, .size = 8'000}) == 64u + 10'000u + 8u);
  BOOST_TEST(PackedVector::ImageBytes({.width = 1, .size = 1}) == 80u);
  BOOST_TEST(PackedVector::ImageBytes({.width = 7}) == 72u);
  PackedVector packed({.width = 10, .capacity = 8'000});
  const std::size_t bytes = packed.image().size();
  for (std::uint64_t i = 0; i < 8'000; ++i) REQUIRE_OK(packed.Append(i % 1000));
  BOOST_TEST(packed.image().size() == bytes);
  BOOST_TEST(packed.stats().slack_bytes == 0u);
  REQUIRE_OK(packed.Append(1));
  BOOST_TEST(packed.stats().slack_bytes < bytes / 7);
  packed.ShrinkToFit();
  BOOST_TEST(packed.image().size() == PackedVector::ImageBytes({.width = 10, .size = 8'001}));
}

BOOST_AUTO_TEST_CASE(FromPicksTheWidth) {
  const std::vector<std::uint64_t> wide = {1, 2, std::uint64_t{1} << 40};
  const std::vector<std::uint32_t> narrow = {0, 0, 0};
  BOOST_TEST(PackedVector::From(wide).width() == 41u);
  BOOST_TEST(PackedVector::From(narrow).width() == 1u);
  BOOST_TEST(PackedVector::From(std::span<const std::uint32_t>()).size() == 0u);
  const PackedVector packed = PackedVector::From(wide);
  BOOST_TEST(std::equal(packed.begin(), packed.end(), wide.begin(), wide.end()));
}

BOOST_AUTO_TEST_CASE(Golden) { testing::CheckGolden("packed_vector", Example().image()); }

BOOST_AUTO_TEST_CASE(NoneAndOne) {
  PackedVector none({.width = 64});
  BOOST_TEST(none.empty());
  BOOST_TEST((none.begin() == none.end()));
  REQUIRE_OK(none.Verify());
  REQUIRE_OK(none.Append(~std::uint64_t{0}));
  BOOST_TEST(none[0] == ~std::uint64_t{0});
}

BOOST_AUTO_TEST_CASE(OptionsFromOutside) {
  CHECK_CODE(PackedVector::Make({.width = 0}), StatusCode::kInvalidArgument);
  CHECK_CODE(PackedVector::Make({.width = 65}), StatusCode::kInvalidArgument);
  CHECK_CODE(PackedVector::Make({.width = ~0u, .size = 1u << 30}), StatusCode::kInvalidArgument);
  CHECK_CODE(PackedVector::Make({.width = 64, .size = ~std::uint64_t{0}}), StatusCode::kInvalidArgument);
  CHECK_CODE(PackedVector::Make({.width = 8, .size = 100}, Buffer::Heap(100)), StatusCode::kInvalidArgument);
  CHECK_CODE(PackedVector::Make({.width = 8, .size = 100}, Buffer::Heap(172 + 4)), StatusCode::kOk);
}

BOOST_AUTO_TEST_CASE(ABorrowedBufferDoesNotGrow) {
  const Buffer memory = Buffer::Heap(80);
  absl::StatusOr<PackedVector> packed = PackedVector::Make({.width = 64, .capacity = 1}, Buffer::Borrow(memory.bytes()));
  REQUIRE_OK(packed);
  REQUIRE_OK(packed->Append(5));
  CHECK_CODE(packed->Append(6), StatusCode::kFailedPrecondition);
  BOOST_TEST(packed->size() == 1u);
  BOOST_TEST((*packed)[0] == 5u);
}

BOOST_AUTO_TEST_CASE(AValueThatDoesNotFitIsRefused) {
  PackedVector packed({.width = 7});
  REQUIRE_OK(packed.Append(127));
  CHECK_CODE(packed.Append(128), StatusCode::kOutOfRange);
  BOOST_TEST(packed.size() == 1u);
  BOOST_TEST(packed[0] == 127u);
}

BOOST_AUTO_TEST_CASE(DamageHasItsCode) {
  const PackedVector example = Example();
  const auto open_after = [&](std::size_t at, std::uint64_t word) {
    Buffer copy = Buffer::Copy(example.image());
    Store(copy.data() + at, word);
    return PackedVector::Open(std::move(copy)).status().code();
  };
  BOOST_CHECK_EQUAL(open_after(16, 100), StatusCode::kOk);
  BOOST_CHECK_EQUAL(open_after(16, 107), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(open_after(16, ~std::uint64_t{0}), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(open_after(48, 0), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(open_after(48, 65), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(open_after(56, 1), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(open_after(example.image().size() - 8, 1), StatusCode::kDataLoss);
}

BOOST_AUTO_TEST_CASE(Mutations) { testing::ExerciseMutations<PackedVectorView>(Example().image()); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
