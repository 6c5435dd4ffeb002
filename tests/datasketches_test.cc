#include "testing.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "foreign_testing.h"
#include "thimble/datasketches.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(datasketches)

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

std::vector<std::uint32_t> Sorted(std::span<const std::uint32_t> coupons) {
  std::vector<std::uint32_t> sorted(coupons.begin(), coupons.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

// Equal bytes, but for what depends on the history of the original's hash tables, which is compared as a set, and for the last
// bits of three sums.
void CheckSameHll(std::span<const std::byte> a, std::span<const std::byte> b, const HyperLogLogView& sketch, DataSketchesHllType type) {
  BOOST_REQUIRE(a.size() == b.size());
  const std::size_t m = sketch.register_count();
  const bool sparse = sketch.form() == HyperLogLogForm::kSparse;
  const std::size_t table = !sparse ? 40 + m * static_cast<std::size_t>(type) / 8 + (type == DataSketchesHllType::kHll6 ? 1 : 0)
                            : sketch.Coupons().size() < 8 ? a.size() : 12;
  std::vector<std::uint32_t> in_a, in_b;
  for (std::size_t i = table; i + 4 <= a.size(); i += 4) {
    in_a.push_back(Load<std::uint32_t>(&a[i]));
    in_b.push_back(Load<std::uint32_t>(&b[i]));
  }
  BOOST_TEST((Sorted(in_a) == Sorted(in_b)));
  for (std::size_t i = 0; i < std::min(table, a.size()); ++i) {
    if (!sparse && i >= 8 && i < 32) continue;
    BOOST_REQUIRE_MESSAGE(a[i] == b[i], "differs at byte " << i);
  }
  for (std::size_t i = 8; i < 32 && !sparse; i += 8) BOOST_TEST(Load<double>(&a[i]) == Load<double>(&b[i]), boost::test_tools::tolerance(1e-6));
}

void CheckHllFile(Row& row) {
  const std::vector<std::byte> bytes = ReadData("datasketches/" + row["file"]);
  const absl::StatusOr<DataSketchesHll> hll = ReadDataSketchesHll(bytes);
  REQUIRE_OK(hll);
  REQUIRE_OK(hll->sketch.Verify());
  BOOST_TEST(hll->sketch.precision() == std::stoul(row["lg_k"]));
  BOOST_TEST(hll->form.compact == Holds(row["type"], "compact"));

  // The same items here give the same registers, the same coupons while there are any, and the same file.
  const bool strings = row["item_kind"].starts_with("str");
  HyperLogLog ours(HyperLogLog::Options::DataSketches(hll->sketch.precision()));
  AddItems(ours, 0, std::stoull(row["n"]), strings);
  BOOST_TEST((hll->sketch.Registers() == ours.Registers()));
  BOOST_TEST((Sorted(hll->sketch.Coupons()) == Sorted(ours.Coupons())));
  if (Holds(row["type"], "ooo")) REQUIRE_OK(ours.Merge(hll->sketch));
  CheckSameHll(*WriteDataSketchesHll(ours, hll->form), bytes, ours, hll->form.type);

  // The original's estimate where the file carries it, and ours within the original's bounds.
  const double estimate = std::stod(row["estimate"]);
  if (hll->sketch.Hip()) BOOST_TEST(std::abs(*hll->sketch.Hip() - estimate) <= 1e-9 * estimate);
  const auto within = [&](const HyperLogLogView& sketch) {
    BOOST_TEST(sketch.Estimate() >= std::stod(row["lower_bound_2sigma"]));
    BOOST_TEST(sketch.Estimate() <= std::stod(row["upper_bound_2sigma"]));
  };
  within(ours);
  within(hll->sketch);
  if (hll->sketch.form() == HyperLogLogForm::kDense) within(*HyperLogLog::Folded(hll->sketch, hll->sketch.precision()));

  const std::vector<std::byte> written = *WriteDataSketchesHll(hll->sketch, hll->form);
  CheckSameHll(written, bytes, hll->sketch, hll->form.type);
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

BOOST_AUTO_TEST_CASE(EverySketchOfOursComesBack) {
  for (auto type : {DataSketchesHllType::kHll4, DataSketchesHllType::kHll6, DataSketchesHllType::kHll8}) {
    for (unsigned lg_k : {4u, 8u, 12u, 21u}) {
      for (std::uint64_t n : {0u, 1u, 7u, 8u, 24u, 25u, 384u, 385u, 50000u}) {
        if (lg_k == 21 && (n != 50000 || THIMBLE_SANITIZED)) continue;  // large
        const HyperLogLog::Options like_theirs = HyperLogLog::Options::DataSketches(lg_k);
        HyperLogLog::Options merged = like_theirs;
        merged.sparse = merged.hip = false;
        for (const HyperLogLog::Options& options : {like_theirs, merged}) {
          HyperLogLog sketch(options);
          AddItems(sketch, 0, n, false);
          const DataSketchesHllForm form = {.type = type, .compact = n % 2 == 0, .full_size = n == 0 && !options.sparse};
          const absl::StatusOr<std::vector<std::byte>> written = WriteDataSketchesHll(sketch, form);
          REQUIRE_OK(written);
          const absl::StatusOr<DataSketchesHll> read = ReadDataSketchesHll(*written);
          REQUIRE_OK(read);
          BOOST_TEST((read->sketch.Registers() == sketch.Registers()));
          BOOST_TEST((Sorted(read->sketch.Coupons()) == Sorted(sketch.Coupons())));
          BOOST_TEST(read->sketch.Estimate() == sketch.Estimate());
          if (n > 0) BOOST_TEST((read->sketch.Hip() == sketch.Hip()));
          CheckSameHll(*WriteDataSketchesHll(read->sketch, read->form), *written, read->sketch, type);
        }
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
  const int mutations = testing::Mutations() / 100;
  for (Row& row : testing::ReadManifest("datasketches/manifest.csv")) {
    const std::vector<std::byte> bytes = ReadData("datasketches/" + row["file"]);
    BOOST_TEST_CONTEXT(row["file"]) {
      const auto read = [&](std::span<const std::byte> damaged) {
        if (row["family"] == "hll") {
          const absl::StatusOr<DataSketchesHll> hll = ReadDataSketchesHll(damaged);
          if (hll.ok()) BOOST_REQUIRE(std::isfinite(hll->sketch.Estimate()));
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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
