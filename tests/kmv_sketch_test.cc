#include "testing.h"

#include <cmath>
#include <set>

#include "exercise/kmv_sketch.h"
#include "sketches.h"
#include "statistics.h"
#include "thimble/kmv_sketch.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(kmv_sketch)

using testing::SameImage;
using Options = KmvSketch::Options;
constexpr auto Sketch = testing::SketchOf<KmvSketch>;

// The sketch, said with std::set.
struct Model {
  explicit Model(std::size_t most) : k(most) {}
  void Add(std::uint64_t hash) {
    hash = std::max<std::uint64_t>(hash >> 1, 1);
    if (hash < theta) held.insert(hash);
    if (held.size() > k) {
      theta = *held.rbegin();
      held.erase(theta);
    }
  }
  std::size_t k;
  std::set<std::uint64_t> held;
  std::uint64_t theta = KmvSketchView::kMaxTheta;
};

BOOST_AUTO_TEST_CASE(Sizes) {
  BOOST_TEST(KmvSketch({.k = 4096}).image().size() == 32848u);
  BOOST_TEST(KmvSketch({.k = 1}).image().size() == 88u);
  const KmvSketch empty({.k = 16});
  BOOST_TEST(empty.Estimate() == 0);
  BOOST_TEST(empty.UpperBound(2) == 0);
  const KmvSketch one = Sketch({.k = 16}, 5, 6);
  BOOST_TEST(one.Estimate() == 1);
  BOOST_TEST(one.LowerBound(2) == 1);
  BOOST_TEST(one.StandardError() == 0);
}

BOOST_AUTO_TEST_CASE(Golden) { testing::CheckGolden("kmv_sketch", Sketch({.k = 32}, 0, 1000).image()); }

BOOST_AUTO_TEST_CASE(HoldsTheMinima) {
  std::mt19937_64 random(1);
  for (std::size_t k : {1u, 2u, 7u, 64u, 1000u}) {
    Model model(k);
    KmvSketch one_by_one({.k = k}), many({.k = k}), batched({.k = k});
    std::vector<std::uint64_t> keys(6000);
    for (std::uint64_t& key : keys) key = random() % 4000;
    for (std::uint64_t key : keys) {
      model.Add(Hash64(key, 1));
      one_by_one.Add(key);
    }
    for (std::size_t at = 0; at < keys.size();) {
      const std::size_t n = std::min<std::size_t>(keys.size() - at, random() % 900);
      many.AddMany(std::span(keys).subspan(at, n));
      at += n;
    }
    {
      KmvSketch::Batch batch(batched);
      for (std::uint64_t key : keys) batch.Add(key);
    }
    BOOST_TEST(one_by_one.hashes() == model.held, boost::test_tools::per_element());
    BOOST_TEST(one_by_one.theta() == model.theta);
    BOOST_TEST(SameImage(one_by_one, many));
    BOOST_TEST(SameImage(one_by_one, batched));
    REQUIRE_OK(one_by_one.Verify());
  }
}

// A batch of more than 512.
BOOST_AUTO_TEST_CASE(LargeSketchesTakeLargeBatches) {
  const Options options = {.k = 100'000};
  std::vector<std::uint64_t> keys(300'000);
  for (std::uint64_t i = 0; i < keys.size(); ++i) keys[i] = i % 290'000;
  KmvSketch many(options), batched(options);
  many.AddMany(keys);
  {
    KmvSketch::Batch batch(batched);
    for (std::uint64_t key : keys) batch.Add(key);
  }
  REQUIRE_OK(batched.Verify());
  BOOST_TEST(SameImage(many, batched));
}

// What else is done to a sketch while a batch is open does not change what the batch means.
BOOST_AUTO_TEST_CASE(ABatchMayBeOpenBesideOtherAdditions) {
  const KmvSketch other = Sketch({.k = 64}, 1000, 100'000);
  KmvSketch sketch({.k = 4096});
  {
    KmvSketch::Batch batch(sketch);
    for (std::uint64_t key = 0; key < 500; ++key) batch.Add(key);
    for (std::uint64_t key = 2000; key < 3000; ++key) sketch.Add(key);
    REQUIRE_OK(sketch.Merge(other));
  }
  KmvSketch expected = Sketch({.k = 4096}, 0, 500);
  REQUIRE_OK(expected.Merge(other));
  for (std::uint64_t key = 2000; key < 3000; ++key) expected.Add(key);
  REQUIRE_OK(sketch.Verify());
  BOOST_TEST(Hash64(sketch.image()) == Hash64(expected.image()));
}

BOOST_AUTO_TEST_CASE(KeysOfAllTypesAgree) {
  for (const Options& options : {Options{.k = 64}, Options::DataSketches(64), Options{.k = 64, .hash_scheme = HashScheme::kMurmur64A}}) {
    KmvSketch a(options), b(options);
    std::vector<std::string> texts;
    for (int i = 0; i < 500; ++i) texts.push_back("key" + std::to_string(i));
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    a.AddMany(views);
    for (const std::string& text : texts) b.Add(std::as_bytes(std::span(text)));
    std::vector<std::uint64_t> keys(500);
    for (std::uint64_t i = 0; i < 500; ++i) b.Add(static_cast<std::int16_t>(keys[i] = i));
    a.AddMany(keys);
    BOOST_TEST(SameImage(a, b));
  }
}

BOOST_AUTO_TEST_CASE(ErrorIsAsPromised) {
  constexpr std::uint64_t kK = 1024;
  const std::vector<std::uint64_t> sizes = {1000, 1100, 3000, 10000, 100000};
  std::vector<testing::RelativeErrors> errors(sizes.size());
  testing::RunTrials(testing::Trials(400, 20000), sizes, [] { return KmvSketch({.k = kK}); },
                     [&](std::size_t s, const KmvSketch& sketch) { errors[s].Add(sketch.Estimate(), static_cast<double>(sizes[s])); });
  for (std::size_t s = 0; s < sizes.size(); ++s) errors[s].Check(1 / std::sqrt(kK - 2.0), "KMV n=" + std::to_string(sizes[s]));
  BOOST_TEST(errors[0].rms() == 0);
}

BOOST_AUTO_TEST_CASE(BoundsHold) {
  const int trials = testing::Trials(400, 20000);
  int count_outside = 0, both_outside = 0, jaccard_outside = 0;
  for (int trial = 0; trial < trials; ++trial) {
    const Options options = {.k = 256, .seed = static_cast<std::uint64_t>(trial)};
    // 3,000 keys each, 1,000 of them in both.
    const KmvSketch a = Sketch(options, 0, 3000), b = Sketch(options, 2000, 5000);
    const KmvSketch both = *KmvSketch::Intersection(a, b);
    const Interval jaccard = *a.Jaccard(b);
    count_outside += a.LowerBound(2) > 3000 || a.UpperBound(2) < 3000;
    both_outside += both.LowerBound(2) > 1000 || both.UpperBound(2) < 1000;
    jaccard_outside += jaccard.lower > 0.2 || jaccard.upper < 0.2;
  }
  for (int outside : {count_outside, both_outside, jaccard_outside}) {
    BOOST_TEST(outside <= trials * 0.055 + 4 * std::sqrt(trials * 0.055));
  }
}

BOOST_AUTO_TEST_CASE(SetAlgebraIsExactBelowTheta) {
  const KmvSketch a = Sketch({.k = 5000}, 0, 3000), b = Sketch({.k = 5000}, 2000, 5000);
  BOOST_TEST(KmvSketch::Intersection(a, b)->Estimate() == 1000);
  BOOST_TEST(KmvSketch::Difference(a, b)->Estimate() == 2000);
  BOOST_TEST(a.Jaccard(b)->estimate == 0.2);
  BOOST_TEST(a.Jaccard(a)->lower == 1);
  KmvSketch small = Sketch({.k = 64}, 0, 3000);
  REQUIRE_OK(small.Merge(b));
  BOOST_TEST(SameImage(small, Sketch({.k = 64}, 0, 5000)));
}

BOOST_AUTO_TEST_CASE(MergeOfAnyPartitionIsTheWhole) {
  for (std::uint64_t keys : {100u, 128u, 129u, 3000u}) testing::CheckAnyPartition<KmvSketch>({.k = 128}, keys);
}

BOOST_AUTO_TEST_CASE(GoesOnAfterReloading) {
  const KmvSketch half = Sketch({.k = 100}, 0, 1000);
  absl::StatusOr<KmvSketch> again = KmvSketch::Open(Buffer::Copy(half.image()));
  REQUIRE_OK(again);
  for (std::uint64_t i = 1000; i < 2000; ++i) again->Add(i);
  BOOST_TEST(SameImage(*again, Sketch({.k = 100}, 0, 2000)));
}

BOOST_AUTO_TEST_CASE(SamplesFromTheFirstKeyOn) {
  const KmvSketch sketch = Sketch({.k = 10000, .sampling_rate = 0.1}, 0, 20000);
  BOOST_TEST(!sketch.exact());
  BOOST_TEST(sketch.size() < 2300u);
  BOOST_TEST(std::abs(sketch.Estimate() / 20000 - 1) < 4 * sketch.StandardError());
}

BOOST_AUTO_TEST_CASE(HashesGoOutAndIn) {
  const Options options = {.k = 50};
  const KmvSketch sketch = Sketch(options, 0, 1000);
  const absl::StatusOr<KmvSketch> again = KmvSketch::FromHashes(options, sketch.theta(), sketch.hashes());
  REQUIRE_OK(again);
  BOOST_TEST(SameImage(sketch, *again));
  const std::uint64_t disorder[] = {5, 4};
  CHECK_CODE(KmvSketch::FromHashes(options, 10, disorder), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(KmvSketch::FromHashes(options, 4, std::span(disorder).last(1)), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(KmvSketch::FromHashes({.k = 1}, 10, disorder), absl::StatusCode::kInvalidArgument);
}

BOOST_AUTO_TEST_CASE(Errors) {
  KmvSketch sketch({.k = 8});
  CHECK_CODE(sketch.Merge(KmvSketch({.k = 8, .seed = 2})), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(sketch.Merge(KmvSketch(Options::DataSketches(8))), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(sketch.Jaccard(KmvSketch({.k = 8, .seed = 2})), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(KmvSketch::Make({.k = 0}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(KmvSketch::Make({.hash_scheme = HashScheme::kNone}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(KmvSketch::Make({.sampling_rate = 0}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(KmvSketch::Make({.k = 100}, Buffer::Heap(100)), absl::StatusCode::kInvalidArgument);
  Buffer damaged = Buffer::Copy(Sketch({.k = 8}, 0, 8).image());
  damaged.data()[79] = std::byte{0x7f};
  CHECK_CODE(KmvSketch::Open(std::move(damaged)), absl::StatusCode::kDataLoss);
}

BOOST_AUTO_TEST_CASE(Mutations) { testing::ExerciseMutations<KmvSketchView>(Sketch({.k = 32}, 0, 1000).image()); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
