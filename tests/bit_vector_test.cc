#include "thimble/bit_vector.h"

#include "exercise/bit_vector.h"
#include "testing.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(bit_vector)

using absl::StatusCode;

BitVector Make(const std::vector<bool>& bits) {
  BitVector::Builder builder(bits.size());
  for (std::size_t i = 0; i < bits.size(); ++i) {
    if (bits[i]) builder.Set(i);
  }
  return std::move(builder).Finish().value();
}

// Density in 1 / 1000; where `clustered`, runs of 3000 equal bits.
std::vector<bool> Random(std::size_t n, unsigned density, bool clustered, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<bool> bits(n);
  bool bit = false;
  for (std::size_t i = 0; i < n; ++i) {
    if (!clustered || i % 3000 == 0) bit = random() % 1000 < density;
    bits[i] = bit;
  }
  return bits;
}

BitVector Example() { return Make(Random(5000, 300, false, 5)); }

void CheckAgainstModel(const std::vector<bool>& model) {
  const BitVector bits = Make(model);
  REQUIRE_OK(bits.Verify());
  std::vector<std::size_t> places[2];
  for (std::size_t i = 0; i < model.size(); ++i) {
    if (bits[i] != model[i] || bits.Rank1(i) != places[1].size() || bits.Rank0(i) != places[0].size()) BOOST_FAIL("bit " << i);
    places[model[i]].push_back(i);
  }
  BOOST_REQUIRE_EQUAL(bits.ones(), places[1].size());
  BOOST_REQUIRE_EQUAL(bits.Rank1(model.size()), places[1].size());
  for (std::size_t k = 0; k < places[1].size(); ++k) BOOST_REQUIRE_EQUAL(bits.Select1(k), places[1][k]);
  for (std::size_t k = 0; k < places[0].size(); ++k) BOOST_REQUIRE_EQUAL(bits.Select0(k), places[0][k]);
  std::size_t next = 0;
  for (const std::size_t place : places[1]) {
    BOOST_REQUIRE_EQUAL(bits.NextOne(next), place);
    next = place + 1;
  }
  BOOST_TEST(bits.NextOne(next) == model.size());
}

BOOST_AUTO_TEST_CASE(AgreesWithAModel) {
  for (const std::size_t n : {0u, 1u, 63u, 64u, 65u, 511u, 512u, 513u, 4095u, 4096u, 4097u, 8192u}) {
    for (const unsigned density : {0u, 500u, 1000u}) CheckAgainstModel(Random(n, density, false, n));
  }
  for (const unsigned density : {1u, 20u, 500u, 990u, 1000u}) {
    CheckAgainstModel(Random(testing::Steps(200'000), density, false, density));
    CheckAgainstModel(Random(testing::Steps(200'000), density, true, density));
  }
}

// Few ones in many blocks: select must search the counts.
BOOST_AUTO_TEST_CASE(FarApart) {
  std::vector<bool> model(testing::Steps(1'000'000));
  for (const std::size_t i : {std::size_t{5}, model.size() - 1000, model.size() - 1}) model[i] = true;
  CheckAgainstModel(model);
  model.flip();
  CheckAgainstModel(model);
}

BOOST_AUTO_TEST_CASE(SizesAreExactAndTheIndexIsSmall) {
  constexpr std::uint64_t kBits = 1 << 30;
  BOOST_TEST(BitVector::ImageBytes(0) == 64u + 64 + 16 + 8 + 8);
  BOOST_TEST(BitVector::ImageBytes(kBits) == 64 + (kBits / 8 + 64) + (kBits / 4096 + 1) * 16 + (kBits / 8192 + 2) * 4 + 8);
  BOOST_TEST(static_cast<double>(BitVector::ImageBytes(kBits)) <= 1.036 * kBits / 8);
  BOOST_TEST(BitVector::ImageBytes((std::uint64_t{1} << 44) + 1) == ImageLayout::kTooLarge);
  BOOST_TEST(Example().image().size() == BitVector::ImageBytes(5000));
}

BOOST_AUTO_TEST_CASE(Golden) { testing::CheckGolden("bit_vector", Example().image()); }

BOOST_AUTO_TEST_CASE(InPlace) {
  Buffer memory = Buffer::Heap(BitVector::ImageBytes(1000));
  BitVector::Builder builder(1000, Buffer::Borrow(memory.bytes()));
  builder.Set(999);
  const absl::StatusOr<BitVector> bits = std::move(builder).Finish();
  REQUIRE_OK(bits);
  BOOST_TEST(bits->image().data() == memory.data());
  BOOST_TEST(bits->Select1(0) == 999u);
  CHECK_CODE(BitVector::Builder(100'000, Buffer::Borrow(memory.bytes())).Finish(), StatusCode::kInvalidArgument);
  CHECK_CODE(BitVector::Builder(~std::uint64_t{0}).Finish(), StatusCode::kInvalidArgument);
}

BOOST_AUTO_TEST_CASE(DamageHasItsCode) {
  const BitVector example = Example();
  const auto open_after = [&](std::size_t at, int xor_with) {
    Buffer copy = Buffer::Copy(example.image());
    copy.data()[at] ^= static_cast<std::byte>(xor_with);
    return BitVector::Open(std::move(copy)).status().code();
  };
  BOOST_CHECK_EQUAL(open_after(0, 0), StatusCode::kOk);
  BOOST_CHECK_EQUAL(open_after(17, 16), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(open_after(17, 128), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(open_after(48, 1), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(open_after(64, 1), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(open_after(64 + 630, 1), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(open_after(example.image().size() - 20, 1), StatusCode::kDataLoss);
}

BOOST_AUTO_TEST_CASE(Mutations) { testing::ExerciseMutations<BitVectorView>(Example().image()); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
