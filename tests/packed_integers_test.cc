#include "thimble/packed_integers.h"

#include "testing.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(packed_integers)

using absl::StatusCode;

template <class T>
void CheckPack(const std::vector<T>& values, Kind kind) {
  const PackedIntegers packed = PackedIntegers::Pack(values);
  BOOST_TEST((packed.kind() == kind), packed.plan().why);
  BOOST_TEST(packed.image().size() == packed.plan().image_bytes);
  BOOST_TEST(packed.plan().why.rfind(KindName(kind), 0) == 0u, packed.plan().why);
  BOOST_REQUIRE_EQUAL(packed.size(), values.size());
  std::vector<std::uint64_t> decoded(values.size());
  packed.Decode(0, decoded);
  for (std::size_t i = 0; i < values.size(); ++i) {
    BOOST_REQUIRE_EQUAL(static_cast<T>(packed[i]), values[i]);
    BOOST_REQUIRE_EQUAL(static_cast<T>(decoded[i]), values[i]);
  }
  REQUIRE_OK(PackedIntegers::Open(Buffer::Copy(packed.image())));
  CHECK_CODE(PackedIntegers::Make(values, packed.plan(), Buffer::Heap(packed.image().size() - 8)), StatusCode::kInvalidArgument);
}

BOOST_AUTO_TEST_CASE(EachShapeFindsItsVector) {
  constexpr std::size_t kValues = 20'000;
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> values(kValues);
  for (std::uint64_t& value : values) value = random() % 1001;
  CheckPack(values, Kind::kPackedVector);
  std::sort(values.begin(), values.end());
  CheckPack(values, Kind::kEliasFano);
  for (std::uint64_t& value : values) value = (std::uint64_t{1} << 40) + random() % 1001;
  CheckPack(values, Kind::kFrameVector);
  for (std::uint64_t& value : values) value = random() % 100 == 0 ? random() >> 10 : random() % 8;
  CheckPack(values, Kind::kSkewedVector);
  std::vector<std::int64_t> signed_values(kValues);
  for (std::int64_t& value : signed_values) value = static_cast<std::int64_t>(random() % 1001);
  CheckPack(signed_values, Kind::kPackedVector);
  for (std::int64_t& value : signed_values) value -= 500;
  CheckPack(signed_values, Kind::kFrameVector);
  CheckPack(std::vector<std::uint64_t>(kValues, 12345), Kind::kFrameVector);
}

BOOST_AUTO_TEST_CASE(NoneAndOne) {
  CheckPack(std::vector<std::uint64_t>{}, Kind::kPackedVector);
  CheckPack(std::vector<std::uint64_t>{7}, Kind::kPackedVector);
  CheckPack(std::vector<std::int64_t>{-7}, Kind::kFrameVector);
}

// What a buffer held before does not matter.
BOOST_AUTO_TEST_CASE(AnyBytesWillDo) {
  for (const std::uint64_t gap : {1, 1000, 0}) {  // ascending, far apart, and equal
    std::vector<std::int64_t> values;
    for (std::uint64_t i = 0; i < 3000; ++i) values.push_back(static_cast<std::int64_t>(gap == 0 ? i * i % 251 : i * gap * (1 + i % 3)));
    PackPlan plan = PackedIntegers::Plan(values);
    Buffer used = Buffer::Heap(plan.image_bytes);
    std::fill(used.data(), used.data() + used.size(), std::byte{0xEE});
    const absl::StatusOr<PackedIntegers> packed = PackedIntegers::Make(values, std::move(plan), std::move(used));
    REQUIRE_OK(packed);
    REQUIRE_OK(packed->Verify());
    for (std::size_t i = 0; i < values.size(); ++i) BOOST_REQUIRE_EQUAL((*packed)[i], values[i]);
  }
}

BOOST_AUTO_TEST_CASE(OtherKindsAreRefused) {
  const BitVector bits = std::move(BitVector::Builder(100)).Finish().value();
  CHECK_CODE(PackedIntegersView::Open(bits.image()), StatusCode::kFailedPrecondition);
  CHECK_CODE(PackedIntegersView::Open({}), StatusCode::kDataLoss);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
