#include "testing.h"

#include <cmath>

#include "exercise/hyperloglog.h"
#include "sketches.h"
#include "statistics.h"
#include "thimble/packed_hyperloglog.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(packed_hyperloglog)

using testing::SameImage;
using Options = HyperLogLog::Options;
constexpr auto Sketch = testing::SketchOf<HyperLogLog>;

// Registers as unlike a real stream's as they can be.
std::vector<HyperLogLog> Odd(unsigned p) {
  std::vector<HyperLogLog> odd;
  std::mt19937_64 random(p);
  std::vector<std::uint8_t> registers(std::size_t{1} << p);
  for (std::uint8_t& value : registers) value = static_cast<std::uint8_t>(random() % (66 - p));
  odd.push_back(*HyperLogLog::FromRegisters({.precision = p}, registers));
  std::ranges::fill(registers, static_cast<std::uint8_t>(65 - p));
  odd.push_back(*HyperLogLog::FromRegisters({.precision = p}, registers));
  return odd;
}

std::vector<PackedHyperLogLog> AllForms(const HyperLogLogView& view) {
  std::vector<PackedHyperLogLog> forms;
  forms.push_back(*view.Packed(6));
  forms.push_back(*view.Packed(4));
  forms.push_back(view.Compressed());
  return forms;
}

void CheckForms(const HyperLogLog& sketch) {
  for (const PackedHyperLogLog& packed : AllForms(sketch)) {
    REQUIRE_OK(packed.Verify());
    REQUIRE_OK(PackedHyperLogLog::Open(Buffer::Copy(packed.image())));
    BOOST_REQUIRE((packed.Registers() == sketch.Registers()));
    BOOST_REQUIRE(packed.Estimate() == sketch.Estimate());
    BOOST_REQUIRE(SameImage(*HyperLogLog::Folded(packed, sketch.precision()), sketch));
    // Packing what is packed gives the same bytes.
    BOOST_REQUIRE(SameImage(packed.Compressed(), sketch.Compressed()));
    BOOST_REQUIRE(SameImage(*packed.Packed(4), *sketch.Packed(4)));
  }
}

BOOST_AUTO_TEST_CASE(FormsHoldTheSameRegisters) {
  for (unsigned p : {4u, 5u, 6u, 7u, 12u}) {
    for (std::uint64_t n : {0u, 1u, 10u, 1000u, 100000u}) CheckForms(Sketch({.precision = p}, 0, n));
    for (const HyperLogLog& sketch : Odd(p)) CheckForms(sketch);
  }
  CheckForms(Sketch({.precision = 11, .hash_scheme = HashScheme::kMurmur3, .rule = RegisterRule::kDataSketches, .seed = 9001}, 0, 50000));
  CheckForms(Sketch(Options::Redis(), 0, 50000));
  const HyperLogLog sparse = Sketch({.precision = 10, .sparse = true}, 0, 100);
  BOOST_TEST((sparse.Compressed().Registers() == sparse.Registers()));
}

BOOST_AUTO_TEST_CASE(Golden) {
  const HyperLogLog sketch = Sketch({.precision = 6}, 0, 1000);
  testing::CheckGolden("hyperloglog_packed6", sketch.Packed(6)->image());
  testing::CheckGolden("hyperloglog_packed4", sketch.Packed(4)->image());
  testing::CheckGolden("hyperloglog_compressed", sketch.Compressed().image());
}

BOOST_AUTO_TEST_CASE(MergesAsAStream) {
  const HyperLogLog a = Sketch({.precision = 11}, 0, 30000), b = Sketch({.precision = 11}, 20000, 60000);
  const HyperLogLog whole = Sketch({.precision = 11}, 0, 60000);
  for (const PackedHyperLogLog& packed : AllForms(b)) {
    absl::StatusOr<HyperLogLog> merged = HyperLogLog::Open(Buffer::Copy(a.image()));
    REQUIRE_OK(merged);
    REQUIRE_OK(merged->Merge(packed));
    BOOST_TEST(SameImage(*merged, whole));
    BOOST_TEST(SameImage(*PackedHyperLogLog::CompressedUnion(a.Compressed(), packed), whole.Compressed()));
  }
  CHECK_CODE(PackedHyperLogLog::CompressedUnion(a, HyperLogLog({.precision = 10})), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(PackedHyperLogLog::CompressedUnion(a, HyperLogLog({.precision = 11, .seed = 3})), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(a.Packed(5), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(HyperLogLog::Open(Buffer::Copy(a.Compressed().image())), absl::StatusCode::kInvalidArgument);
}

// Bits, header included, times the relative variance.
BOOST_AUTO_TEST_CASE(MemoryVarianceProduct) {
  constexpr double kVariance = 1.0389617 * 1.0389617 / 4096;  // 3 ln 2 - 1, as checked in hyperloglog_test
  for (std::uint64_t n : {5000u, 10000u, 30000u, 100000u, 1000000u}) {
    const HyperLogLog sketch = Sketch({.precision = 12}, 0, n);
    const auto product = [](const HyperLogLogView& view) { return 8 * static_cast<double>(view.image().size()) * kVariance; };
    BOOST_TEST_MESSAGE("n=" << n << ": 6 bits " << product(*sketch.Packed(6)) << ", 4 bits " << product(*sketch.Packed(4)) << ", compressed "
                            << product(sketch.Compressed()) << " (" << sketch.Compressed().image().size() << " bytes)");
    BOOST_TEST(product(*sketch.Packed(6)) <= 6.7);
    BOOST_TEST(product(*sketch.Packed(4)) <= 4.75);
    BOOST_TEST(product(sketch.Compressed()) <= 3.3);
  }
  BOOST_TEST(Sketch({.precision = 12}, 0, 100).Packed(6)->image().size() == 3144u);
}

BOOST_AUTO_TEST_CASE(Mutations) {
  for (const PackedHyperLogLog& packed : AllForms(Odd(6)[0])) testing::ExerciseMutations<HyperLogLogView>(packed.image());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
