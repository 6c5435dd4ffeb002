#define BOOST_TEST_MODULE datasketches
#include "testing.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "foreign_testing.h"
#include "thimble/datasketches.h"

namespace thimble {
namespace {

using testing::ReadData;
using Row = std::map<std::string, std::string>;

template <class Sketch>
void AddItems(Sketch& sketch, std::uint64_t begin, std::uint64_t end, bool strings) {
  for (std::uint64_t i = begin; i < end; ++i) {
    if (strings) sketch.Add(std::string("key").append(std::to_string(i)));
    else sketch.Add(i);
  }
}

bool Holds(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

// The coupons that the items make, in the form that files of small sketches hold.
std::vector<std::uint32_t> CouponsOf(std::uint64_t n, bool strings) {
  std::vector<std::uint32_t> coupons;
  for (std::uint64_t i = 0; i < n; ++i) {
    const Hash128 hash = strings ? Murmur3(std::string("key").append(std::to_string(i)), kDataSketchesSeed) : Murmur3Integer(i, kDataSketchesSeed);
    const unsigned value = static_cast<unsigned>(std::min(std::countl_zero(hash.h2), 62)) + 1;
    coupons.push_back(value << 26 | static_cast<std::uint32_t>(hash.h1 & 0x3ffffff));
  }
  std::sort(coupons.begin(), coupons.end());
  coupons.erase(std::unique(coupons.begin(), coupons.end()), coupons.end());
  return coupons;
}

void CheckHllFile(Row& row) {
  const std::vector<std::byte> bytes = ReadData("datasketches/" + row["file"]);
  const absl::StatusOr<DataSketchesHll> hll = ReadDataSketchesHll(bytes);
  REQUIRE_OK(hll);
  BOOST_TEST(hll->sketch.precision() == std::stoul(row["lg_k"]));
  BOOST_TEST(hll->compact == Holds(row["type"], "compact"));

  // The same items here give the same registers, and the same coupons while there are any.
  const bool strings = row["item_kind"].starts_with("str");
  const std::uint64_t n = std::stoull(row["n"]);
  HyperLogLog ours(HyperLogLog::Options::DataSketches(hll->sketch.precision()));
  AddItems(ours, 0, n, strings);
  BOOST_TEST(hll->sketch.Registers() == ours.Registers());
  if (!hll->coupons.empty()) {
    std::vector<std::uint32_t> coupons = hll->coupons;
    std::sort(coupons.begin(), coupons.end());
    BOOST_TEST(coupons == CouponsOf(n, strings));
  }

  // The original's estimate where the file carries it, and ours within the original's bounds.
  const double estimate = std::stod(row["estimate"]);
  if (hll->hip_estimate) BOOST_TEST(std::abs(*hll->hip_estimate - estimate) <= 1e-9 * estimate);
  BOOST_TEST(hll->Estimate() >= std::stod(row["lower_bound_2sigma"]));
  BOOST_TEST(hll->Estimate() <= std::stod(row["upper_bound_2sigma"]));
  if (hll->coupons.empty()) {
    BOOST_TEST(hll->sketch.Estimate() >= std::stod(row["lower_bound_2sigma"]));
    BOOST_TEST(hll->sketch.Estimate() <= std::stod(row["upper_bound_2sigma"]));
  }

  // Written again it is the same file; the coupons of a set stand in an order that depends on its history.
  const std::vector<std::byte> written = WriteDataSketchesHll(*hll);
  BOOST_REQUIRE(written.size() == bytes.size());
  if (hll->coupons.size() < 8) {
    BOOST_TEST((written == bytes));
  } else {
    std::vector<std::uint32_t> again = ReadDataSketchesHll(written)->coupons, first = hll->coupons;
    std::sort(again.begin(), again.end());
    std::sort(first.begin(), first.end());
    BOOST_TEST(again == first);
  }
}

void CheckThetaFile(Row& row) {
  const std::vector<std::byte> bytes = ReadData("datasketches/" + row["file"]);
  const std::uint64_t seed = Holds(row["file"], "seed123") ? 123 : kDataSketchesSeed;
  const absl::StatusOr<KmvSketch> theta = ReadDataSketchesTheta(bytes, {.seed = seed});
  REQUIRE_OK(theta);
  REQUIRE_OK(theta->Verify());
  const double estimate = std::stod(row["estimate"]);
  BOOST_TEST(std::abs(theta->Estimate() - estimate) <= 1e-9 * estimate);

  // A Theta sketch holds every hash below its theta; ours of k hashes holds those below a lower one.
  const std::uint64_t n = std::stoull(row["n"]);
  const bool strings = row["item_kind"].starts_with("str");
  if (!Holds(row["file"], "p0.01")) {
    KmvSketch ours(KmvSketch::Options::DataSketches(std::max<std::uint64_t>(theta->size(), 1), seed));
    AddItems(ours, 0, n, strings);
    BOOST_TEST(std::equal(ours.hashes().begin(), ours.hashes().end(), theta->hashes().begin(), theta->hashes().end()));
  }

  const bool compressed = bytes[1] == std::byte{4};
  const absl::StatusOr<std::vector<std::byte>> written =
      WriteDataSketchesTheta(*theta, compressed ? DataSketchesThetaForm::kCompressed : DataSketchesThetaForm::kPlain);
  REQUIRE_OK(written);
  if (!Holds(row["file"], "unordered")) BOOST_TEST((*written == bytes));
  // Both forms say the same.
  const absl::StatusOr<KmvSketch> again =
      ReadDataSketchesTheta(*WriteDataSketchesTheta(*theta, DataSketchesThetaForm::kCompressed), {.seed = seed});
  REQUIRE_OK(again);
  BOOST_TEST(again->theta() == theta->theta());
  BOOST_TEST(std::equal(again->hashes().begin(), again->hashes().end(), theta->hashes().begin(), theta->hashes().end()));
}

BOOST_AUTO_TEST_CASE(EveryFileReadsEstimatesAndWritesAsTheOriginal) {
  int files = 0;
  for (Row& row : testing::ReadManifest("datasketches/manifest.csv")) {
    BOOST_TEST_CONTEXT(row["file"]) { row["family"] == "hll" ? CheckHllFile(row) : CheckThetaFile(row); }
    ++files;
  }
  BOOST_TEST(files == 168);
}

BOOST_AUTO_TEST_CASE(RegistersOfOursAreMergedSketchesThere) {
  for (auto type : {DataSketchesHllType::kHll4, DataSketchesHllType::kHll6, DataSketchesHllType::kHll8}) {
    for (unsigned lg_k : {4u, 12u, 21u}) {
      for (std::uint64_t n : {0u, 1u, 100u, 50000u}) {
        HyperLogLog sketch(HyperLogLog::Options::DataSketches(lg_k));
        AddItems(sketch, 0, n, false);
        const absl::StatusOr<std::vector<std::byte>> written = WriteDataSketchesHll(sketch, type);
        REQUIRE_OK(written);
        const absl::StatusOr<DataSketchesHll> read = ReadDataSketchesHll(*written);
        REQUIRE_OK(read);
        BOOST_TEST(read->sketch.Registers() == sketch.Registers());
        BOOST_TEST(!read->hip_estimate.has_value());
        BOOST_TEST(read->Estimate() == sketch.Estimate());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(AddingGoesOnAfterReading) {
  KmvSketch sketch(KmvSketch::Options::DataSketches(1024));
  AddItems(sketch, 0, 5000, false);
  absl::StatusOr<KmvSketch> read = ReadDataSketchesTheta(*WriteDataSketchesTheta(sketch), {.k = 1024});
  REQUIRE_OK(read);
  AddItems(sketch, 5000, 20000, false);
  AddItems(*read, 5000, 20000, false);
  BOOST_TEST(read->theta() == sketch.theta());
  BOOST_TEST(std::equal(read->hashes().begin(), read->hashes().end(), sketch.hashes().begin(), sketch.hashes().end()));
}

BOOST_AUTO_TEST_CASE(StrangersAreRefused) {
  CHECK_CODE(WriteDataSketchesHll(HyperLogLog({.precision = 12})), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(WriteDataSketchesTheta(KmvSketch({.k = 16})), absl::StatusCode::kInvalidArgument);
  const std::vector<std::byte> theta = ReadData("datasketches/theta_lgk12_n1000_u64_seed123_v3.bin");
  CHECK_CODE(ReadDataSketchesTheta(theta), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(ReadDataSketchesHll(theta), absl::StatusCode::kFailedPrecondition);
  CHECK_CODE(ReadDataSketchesTheta(ReadData("datasketches/hll_HLL_8_lgk12_n7_u64_compact.bin")), absl::StatusCode::kFailedPrecondition);
}

// Both make the original's parser read past the end.
BOOST_AUTO_TEST_CASE(KnownOverReadsAreRefused) {
  const auto bytes = [](std::initializer_list<unsigned> values) {
    std::vector<std::byte> result;
    for (unsigned value : values) result.push_back(static_cast<std::byte>(value));
    return result;
  };
  CHECK_CODE(ReadDataSketchesTheta(bytes({0x02, 0x03, 0x03, 0x00, 0x00, 0x1a, 0xcc, 0x93})), absl::StatusCode::kDataLoss);
  std::vector<std::byte> wide = ReadData("datasketches/theta_lgk12_n100_u64_v4.bin");
  wide[4] = std::byte{8};
  CHECK_CODE(ReadDataSketchesTheta(wide), absl::StatusCode::kDataLoss);
}

BOOST_AUTO_TEST_CASE(DamageIsRefused) {
  const int mutations = testing::Trials(2000, 100000);
  for (Row& row : testing::ReadManifest("datasketches/manifest.csv")) {
    const std::vector<std::byte> bytes = ReadData("datasketches/" + row["file"]);
    // The ordinary run damages the smaller half; the formats are the same.
    if (!testing::Slow() && bytes.size() > 1200) continue;
    BOOST_TEST_CONTEXT(row["file"]) {
      const auto read = [&](std::span<const std::byte> damaged) {
        if (row["family"] == "hll") {
          const absl::StatusOr<DataSketchesHll> hll = ReadDataSketchesHll(damaged);
          if (hll.ok()) BOOST_REQUIRE(std::isfinite(hll->Estimate()));
          return hll.ok();
        }
        const absl::StatusOr<KmvSketch> theta = ReadDataSketchesTheta(damaged);
        if (theta.ok()) BOOST_REQUIRE(theta->Verify().ok());
        return theta.ok();
      };
      BOOST_TEST(testing::DamageForeign(bytes, mutations, read) == 0);
    }
  }
}

}  // namespace
}  // namespace thimble
