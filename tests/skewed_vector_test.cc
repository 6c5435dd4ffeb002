#include "thimble/skewed_vector.h"

#include "exercise/skewed_vector.h"
#include "testing.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(skewed_vector)

using absl::StatusCode;

// A value has six bits more half as often.
std::vector<std::uint64_t> Skewed(std::size_t n, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::uint64_t> values(n);
  for (std::uint64_t& value : values) value = random() >> std::max(0, 63 - 6 * std::countr_zero(random() | std::uint64_t{1} << 63));
  return values;
}

SkewedVector Example() { return SkewedVector::From(Skewed(1000, 1)); }

void CheckAgainstModel(const std::vector<std::uint64_t>& model) {
  const SkewedVector packed = SkewedVector::From(model);
  REQUIRE_OK(packed.Verify());
  BOOST_REQUIRE_EQUAL(packed.size(), model.size());
  BOOST_TEST(packed.image().size() == SkewedVector::ImageBytes(model));
  for (std::size_t i = 0; i < model.size(); ++i) BOOST_REQUIRE_EQUAL(packed[i], model[i]);
  for (const std::size_t first : {std::size_t{0}, model.size() / 3, model.size()}) {
    std::vector<std::uint64_t> decoded(model.size() - first);
    packed.Decode(first, decoded);
    for (std::size_t i = 0; i < decoded.size(); ++i) BOOST_REQUIRE_EQUAL(decoded[i], model[first + i]);
  }
}

BOOST_AUTO_TEST_CASE(AgreesWithAVector) {
  for (const std::size_t n : {0u, 1u, 2u, 63u, 64u, 65u, 1000u, 50'000u}) {
    CheckAgainstModel(Skewed(n, n));
    CheckAgainstModel(std::vector<std::uint64_t>(n, 0));
    CheckAgainstModel(std::vector<std::uint64_t>(n, ~std::uint64_t{0}));
  }
}

BOOST_AUTO_TEST_CASE(ClassesFollowTheValues) {
  std::vector<std::uint64_t> equal(100'000, 1023);
  const SkewedVector one = SkewedVector::From(equal);
  BOOST_TEST(one.classes() == 1u);
  // Header, 25 bases, 1563 offsets, 10 bits each, slack.
  BOOST_TEST(one.image().size() == 64u + 25 * 8 + 3128 + 125'000 + 8);
  equal[5] = std::uint64_t{1} << 60;
  const SkewedVector two = SkewedVector::From(equal);
  BOOST_TEST(two.classes() == 2u);
  BOOST_TEST(two.width(0) == 10u);
  BOOST_TEST(two.width(1) == 61u);
  BOOST_TEST(static_cast<double>(two.image().size()) * 8 / 1e5 <= 11.3);
  BOOST_TEST(Example().classes() == 4u);
}

BOOST_AUTO_TEST_CASE(Golden) { testing::CheckGolden("skewed_vector", Example().image()); }

BOOST_AUTO_TEST_CASE(DamageHasItsCode) {
  const SkewedVector example = Example();
  const auto open_after = [&](std::size_t at, int xor_with) {
    Buffer copy = Buffer::Copy(example.image());
    copy.data()[at] ^= static_cast<std::byte>(xor_with);
    return SkewedVector::Open(std::move(copy)).status().code();
  };
  BOOST_CHECK_EQUAL(open_after(0, 0), StatusCode::kOk);
  BOOST_CHECK_EQUAL(open_after(17, 1), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(open_after(48, 128), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(open_after(53, 1), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(open_after(56, 1), StatusCode::kDataLoss);
  const std::vector<std::uint64_t> values = {1, 2, 3};
  CHECK_CODE(SkewedVector::Make(values, Buffer::Heap(72)), StatusCode::kInvalidArgument);
}

// One block, too short for its own plane.
BOOST_AUTO_TEST_CASE(BlocksHaveRoomForTheirPlanes) {
  Buffer buffer = Buffer::Heap(64 + 8 + 8 + 8 + 8);
  for (std::uint64_t data_bytes = 0; data_bytes < 8; ++data_bytes) {
    ImageHeader header{.kind = Kind::kSkewedVector, .image_bytes = data_bytes == 0 ? 88u : 96u, .count = 1};
    header.parameters[0] = 1 << 8 | std::uint64_t{1} << 32;  // widths 0 and 1, one plane
    header.parameters[1] = data_bytes;
    header.Write(buffer.bytes());
    CHECK_CODE(SkewedVectorView::Open(buffer.bytes()), StatusCode::kDataLoss);
  }
}

BOOST_AUTO_TEST_CASE(Mutations) { testing::ExerciseMutations<SkewedVectorView>(Example().image()); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
