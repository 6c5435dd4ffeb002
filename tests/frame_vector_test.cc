#include "thimble/frame_vector.h"

#include "exercise/frame_vector.h"
#include "testing.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(frame_vector)

using absl::StatusCode;

// A random walk: blocks that differ.
std::vector<std::int64_t> Walk(std::size_t n, std::int64_t from, std::uint64_t step, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::int64_t> values(n);
  for (std::int64_t& value : values) value = from += static_cast<std::int64_t>(random() % (2 * step + 1)) - static_cast<std::int64_t>(step);
  return values;
}

FrameVector Example() { return FrameVector::From(Walk(300, -1000, 9, 1)); }

template <class T>
void CheckAgainstModel(const std::vector<T>& model) {
  const FrameVector packed = FrameVector::From(model);
  REQUIRE_OK(packed.Verify());
  BOOST_REQUIRE_EQUAL(packed.size(), model.size());
  BOOST_TEST(packed.image().size() == FrameVector::ImageBytes(model));
  for (std::size_t i = 0; i < model.size(); ++i) BOOST_REQUIRE_EQUAL(static_cast<T>(packed[i]), model[i]);
  for (const std::size_t first : {std::size_t{0}, model.size() / 3, model.size()}) {
    std::vector<std::uint64_t> decoded(model.size() - first);
    packed.Decode(first, decoded);
    for (std::size_t i = 0; i < decoded.size(); ++i) BOOST_REQUIRE_EQUAL(static_cast<T>(decoded[i]), model[first + i]);
  }
}

BOOST_AUTO_TEST_CASE(AgreesWithAVector) {
  for (const std::size_t n : {0u, 1u, 2u, 31u, 32u, 33u, 1000u, 50'000u}) {
    CheckAgainstModel(Walk(n, -5, 2, n));
    CheckAgainstModel(Walk(n, std::int64_t{1} << 50, std::uint64_t{1} << 40, n));
    std::vector<std::uint64_t> wild(n);
    std::mt19937_64 random(n);
    for (std::uint64_t& value : wild) value = random() >> (random() % 64);
    CheckAgainstModel(wild);
    CheckAgainstModel(std::vector<std::uint64_t>(n, ~std::uint64_t{0}));
  }
  CheckAgainstModel(std::vector<std::int64_t>{INT64_MIN, INT64_MAX, 0, -1});
}

BOOST_AUTO_TEST_CASE(BlocksFollowTheValues) {
  // The same range everywhere: one block, at the range's width.
  std::vector<std::uint64_t> level(100'000);
  std::mt19937_64 random(1);
  for (std::uint64_t& value : level) value = 1'000'000'000 + random() % 1000;
  const FrameVector one = FrameVector::From(level);
  BOOST_TEST(one.block_size() >= level.size());
  BOOST_TEST(static_cast<double>(one.image().size()) * 8 / 1e5 <= 10.02);
  // A slow climb: many blocks, each far narrower than the whole.
  std::vector<std::uint64_t> climb(100'000);
  for (std::size_t i = 0; i < climb.size(); ++i) climb[i] = i * 100 + random() % 100;
  const FrameVector many = FrameVector::From(climb);
  BOOST_TEST(many.block_size() < 256u);
  BOOST_TEST(static_cast<double>(many.image().size()) * 8 / 1e5 <= 13.5);
}

BOOST_AUTO_TEST_CASE(Golden) { testing::CheckGolden("frame_vector", Example().image()); }

BOOST_AUTO_TEST_CASE(DamageHasItsCode) {
  const FrameVector example = Example();
  const auto open_after = [&](std::size_t at, int xor_with) {
    Buffer copy = Buffer::Copy(example.image());
    copy.data()[at] ^= static_cast<std::byte>(xor_with);
    return FrameVector::Open(std::move(copy)).status().code();
  };
  BOOST_CHECK_EQUAL(open_after(0, 0), StatusCode::kOk);
  BOOST_CHECK_EQUAL(open_after(48, 64), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(open_after(57, 1), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(open_after(82, 1), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(open_after(16 + 2, 1), StatusCode::kDataLoss);
  const std::vector<std::uint64_t> values = {1, 2, 3};
  CHECK_CODE(FrameVector::Make(values, Buffer::Heap(100)), StatusCode::kInvalidArgument);
}

BOOST_AUTO_TEST_CASE(Mutations) { testing::ExerciseMutations<FrameVectorView>(Example().image()); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
