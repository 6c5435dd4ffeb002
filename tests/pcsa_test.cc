#include "testing.h"

#include <cmath>

#include "exercise/pcsa.h"
#include "sketches.h"
#include "statistics.h"
#include "thimble/pcsa.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(pcsa)

using testing::SameImage;
using Options = Pcsa::Options;
constexpr auto Sketch = testing::SketchOf<Pcsa>;

// Compressing loses nothing.
void CheckCompressed(const Pcsa& sketch) {
  const CompressedPcsa compressed = sketch.Compressed();
  REQUIRE_OK(compressed.Verify());
  REQUIRE_OK(CompressedPcsa::Open(Buffer::Copy(compressed.image())));
  BOOST_REQUIRE(compressed.Estimate() == sketch.Estimate());
  Pcsa again({.precision = sketch.precision()});
  REQUIRE_OK(again.Merge(compressed));
  BOOST_REQUIRE(SameImage(again, sketch));
  BOOST_REQUIRE(SameImage(compressed.Compressed(), compressed));
}

BOOST_AUTO_TEST_CASE(SizesAndEmpty) {
  BOOST_TEST(Pcsa({.precision = 12}).image().size() == 32840u);
  BOOST_TEST(Pcsa({.precision = 4}).Estimate() == 0);
  Pcsa one({});
  one.Add("key");
  one.Add(std::string_view("key"));
  BOOST_TEST(one.Estimate() == 1, boost::test_tools::tolerance(0.01));
  BOOST_TEST(one.StandardError() == 0.6491 / 64, boost::test_tools::tolerance(1e-3));
}

BOOST_AUTO_TEST_CASE(Golden) {
  testing::CheckGolden("pcsa", Sketch({.precision = 4}, 0, 1000).image());
  testing::CheckGolden("pcsa_compressed", Sketch({.precision = 6}, 0, 10000).Compressed().image());
}

BOOST_AUTO_TEST_CASE(CompressesWhateverItHolds) {
  for (unsigned p : {4u, 8u, 12u}) {
    for (std::uint64_t n : {0u, 1u, 10u, 1000u, 30000u, 1000000u}) CheckCompressed(Sketch({.precision = p}, 0, n));
    // Bits as unlike a real stream's as they can be.
    Pcsa odd({.precision = p}), full({.precision = p});
    std::mt19937_64 random(p);
    for (std::uint64_t row = 0; row < odd.row_count(); ++row) {
      for (unsigned column = 0; column < 65 - p; ++column) {
        const std::uint64_t hash = row << (64 - p) | (column < 64 - p ? std::uint64_t{1} << column : 0);
        full.AddHash(hash);
        if (random() % 2 == 0) odd.AddHash(hash);
      }
    }
    CheckCompressed(odd);
    CheckCompressed(full);
  }
}

BOOST_AUTO_TEST_CASE(ErrorIsAsPromised) {
  const std::vector<std::uint64_t> sizes = {100, 1000, 10000, 100000, 300000};
  std::vector<testing::RelativeErrors> errors(sizes.size());
  testing::RunTrials(testing::Trials(400, 20000), sizes, [] { return Pcsa({.precision = 9}); },
                     [&](std::size_t s, const Pcsa& sketch) { errors[s].Add(sketch.Estimate(), static_cast<double>(sizes[s])); });
  for (std::size_t s = 0; s < sizes.size(); ++s) errors[s].Check(0.6491 / std::sqrt(512), "PCSA n=" + std::to_string(sizes[s]));
}

BOOST_AUTO_TEST_CASE(MemoryVarianceProduct) {
  for (std::uint64_t n : {10000u, 100000u, 1000000u, 1500000u}) {
    const CompressedPcsa compressed = Sketch({.precision = 12}, 0, n).Compressed();
    const auto bytes = static_cast<double>(compressed.image().size());
    const double product = 8 * bytes * compressed.StandardError() * compressed.StandardError();
    BOOST_TEST_MESSAGE("n=" << n << ": " << bytes << " bytes, memory-variance product " << product);
    BOOST_TEST(product <= 2.5);
  }
}

BOOST_AUTO_TEST_CASE(MergeOfAnyPartitionIsTheWhole) {
  testing::CheckAnyPartition<Pcsa>({.precision = 5}, 2000);
  const Pcsa a = Sketch({.precision = 10}, 0, 30000), b = Sketch({.precision = 10}, 20000, 90000);
  BOOST_TEST(SameImage(*CompressedPcsa::Union(a.Compressed(), b.Compressed()), Sketch({.precision = 10}, 0, 90000).Compressed()));
  BOOST_TEST(SameImage(*CompressedPcsa::Union(a, b.Compressed()), Sketch({.precision = 10}, 0, 90000).Compressed()));
}

BOOST_AUTO_TEST_CASE(ErrorsAndKeys) {
  Pcsa sketch = Sketch({.precision = 6}, 0, 500);
  CHECK_CODE(sketch.Merge(Pcsa({.precision = 6, .seed = 2})), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(sketch.Merge(Pcsa({.precision = 7})), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(sketch.Merge(Pcsa({.precision = 6, .hash_scheme = HashScheme::kXxh64})), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(Pcsa::Make({.precision = 3}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(Pcsa::Make({.hash_scheme = HashScheme::kNone}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(Pcsa::Make({}, Buffer::Heap(100)), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(Pcsa::Open(Buffer::Copy(sketch.Compressed().image())), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(CompressedPcsa::Open(Buffer::Copy(sketch.image())), absl::StatusCode::kInvalidArgument);
  absl::StatusOr<Pcsa> again = Pcsa::Open(Buffer::Copy(sketch.image()));
  REQUIRE_OK(again);
  for (std::uint64_t i = 500; i < 900; ++i) again->Add(static_cast<std::int16_t>(i));
  BOOST_TEST(SameImage(*again, Sketch({.precision = 6}, 0, 900)));
  Pcsa murmur({.precision = 8, .hash_scheme = HashScheme::kMurmur3});
  for (int i = 0; i < 1000; ++i) murmur.Add(i);
  BOOST_TEST(std::abs(murmur.Estimate() - 1000) < 4000 * murmur.StandardError());
}

BOOST_AUTO_TEST_CASE(Mutations) {
  const Pcsa sketch = Sketch({.precision = 5}, 0, 1000);
  testing::ExerciseMutations<PcsaView>(sketch.image());
  testing::ExerciseMutations<PcsaView>(sketch.Compressed().image());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
