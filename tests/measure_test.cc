#include "testing.h"

#include <signal.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <new>
#include <set>
#include <stdexcept>
#include <string_view>

#include "measure.h"
#include "predict.h"

namespace thimble::footprint {
namespace {

BOOST_AUTO_TEST_SUITE(measure)

constexpr std::uint64_t kValues = 100000;

std::vector<std::int64_t> Numbers() {
  std::vector<std::int64_t> numbers(kValues);
  for (std::uint64_t i = 0; i < kValues; ++i) numbers[i] = static_cast<std::int64_t>(i * 3);
  return numbers;
}

Column NumbersColumn(std::uint64_t values) {
  static const std::vector<std::int64_t> numbers = Numbers();
  Column column(kInteger, values, values);
  column.set_integers(numbers.data());
  return column;
}

Measurement MeasureStructure(const Structure& structure, std::uint64_t limit = 0, std::uint64_t values = kValues) {
  Measurement result;
  const MeasureTask task{&structure, [=] { return NumbersColumn(values); }, &result};
  MeasureAll({&task, 1}, {.memory_bytes = limit}, [](std::size_t) {});
  return result;
}

const Structure& Named(std::string_view name) {
  const auto& all = Structures();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Structure& structure) { return structure.name == name; });
  BOOST_REQUIRE_MESSAGE(found != all.end(), "no structure " << name);
  return *found;
}

// Does to its process whatever the test wants.
template <absl::Status (*kBuild)()>
class Hostile final : public Candidate {
 public:
  absl::Status Build(const Column&) override { return kBuild(); }
  std::uint64_t stored() const override { return 0; }
};

template <absl::Status (*kBuild)()>
std::string FailureOf(std::uint64_t limit = 0) {
  return MeasureStructure({.name = "hostile", .fits = kInteger, .make = Make<Hostile<kBuild>>}, limit).failure_text;
}

absl::Status Dies() {
  raise(SIGKILL);
  return absl::OkStatus();
}
absl::Status Leaves() { _exit(7); }
absl::Status Throws() { throw std::runtime_error("no more"); }
absl::Status Refuses() { return absl::InvalidArgumentError("not such values"); }
BOOST_AUTO_TEST_CASE(AVectorCostsItsCapacity) {
  const Measurement m = MeasureStructure(Named("std::vector<int64_t>, shrunk"));
  BOOST_TEST(m.failure() == "");
  BOOST_TEST(m.stored == kValues);
  BOOST_TEST(m.heap_bytes >= static_cast<std::int64_t>(kValues * 8));
  BOOST_TEST(m.heap_bytes <= static_cast<std::int64_t>(kValues * 8 + 8192));
  BOOST_TEST(m.peak_bytes >= static_cast<std::int64_t>((kValues + 131072) * 8));  // the last of the growing ones was there too
  BOOST_TEST(m.lookup_ns.has_value());
  BOOST_TEST(!m.error.has_value());
}

BOOST_AUTO_TEST_CASE(ASetCostsItsNodes) {
  const Measurement m = MeasureStructure(Named("std::set<int64_t>"));
  BOOST_TEST(m.failure() == "");
#if !THIMBLE_SANITIZED
  BOOST_TEST(m.bytes_per_element() == 48, boost::test_tools::tolerance(0.001));
  BOOST_TEST(static_cast<double>(m.heap_bytes) == static_cast<double>(m.mallinfo_bytes), boost::test_tools::tolerance(0.01));
#endif
}

#if !THIMBLE_SANITIZED
// Blocks of plain malloc may still be 16 bytes larger where they fill a hole, so this is of those that hold aligned buffers.
BOOST_AUTO_TEST_CASE(WhereTheHeapEndsDoesNotCount) {
  std::vector<std::unique_ptr<char[]>> blocks;
  for (const Structure& structure : Structures()) {
    if (!(structure.fits & kInteger) || structure.family == Family::kNaive) continue;
    std::set<std::int64_t> counts{MeasureStructure(structure, 0, 1000).heap_bytes};  // 0 for what does not take these values
    for (int i = 0; i < 3; ++i) {
      blocks.push_back(std::make_unique<char[]>(4008));  // 4016 with its header, so the end moves by 16 modulo 64
      counts.insert(MeasureStructure(structure, 0, 1000).heap_bytes);
    }
    BOOST_TEST(counts.size() == 1u, structure.name << ": from " << *counts.begin() << " to " << *counts.rbegin());
  }
}
#endif

BOOST_AUTO_TEST_CASE(AFilterShowsItsErrorBesideThePromise) {
  const Measurement m = MeasureStructure(Named("BloomFilter 1 %"));
  BOOST_REQUIRE(m.error.has_value());
  BOOST_TEST(m.error->promised == 0.01);
  BOOST_TEST(m.error->measured > 0.005);
  BOOST_TEST(m.error->measured < 0.011);
}

BOOST_AUTO_TEST_CASE(WhoeverDiesBecomesARow) {
  BOOST_TEST(FailureOf<Dies>() == "died of signal 9 (Killed)");
  BOOST_TEST(FailureOf<Leaves>() == "died with exit status 7");
  BOOST_TEST(FailureOf<Throws>() == "no more");
  BOOST_TEST(FailureOf<Refuses>() == "not such values");
}

#if !THIMBLE_SANITIZED
absl::Status Outgrows() {
  std::vector<std::vector<char>> blocks;
  while (true) blocks.emplace_back(std::size_t{1} << 20, 'x');
}

BOOST_AUTO_TEST_CASE(TheMemoryLimitHolds) {
  BOOST_TEST(FailureOf<Outgrows>(std::uint64_t{64} << 20) == "outgrew the memory limit");
  BOOST_TEST(MeasureStructure(Named("std::set<int64_t>"), std::uint64_t{1} << 20).failure() == "outgrew the memory limit");
  BOOST_TEST(MeasureStructure(Named("std::set<int64_t>"), std::uint64_t{16} << 20).failure() == "");
}
#endif

struct Predicted {
  double bytes;
  Interval interval;  // bytes too
};

// From a sample of 2^16 values whose three parts cost what `bytes_of` says.
template <class BytesOf>
Predicted PredictFrom(Growth growth, std::uint64_t total, BytesOf bytes_of) {
  std::array<Measurement, 3> parts;
  for (std::size_t i = 0; i < 3; ++i) {
    parts[i].stored = std::uint64_t{1 << 16} >> kSampleParts[i];
    parts[i].heap_bytes = std::llround(bytes_of(static_cast<double>(parts[i].stored)));
  }
  Measurement predicted = parts[2];
  const std::optional<Interval> interval = Predict(growth, {&parts[0], &parts[1], &parts[2]}, parts[2].stored, total, predicted);
  BOOST_REQUIRE(interval.has_value());
  BOOST_TEST(predicted.stored == total);
  const auto n = static_cast<double>(total);
  return {static_cast<double>(predicted.heap_bytes), {interval->low * n, interval->high * n}};
}

BOOST_AUTO_TEST_CASE(ACurveIsPredicted) {
  const auto narrowing = [](double n) { return 1000 + n * (40 - std::log2(n)) / 8; };
  for (const std::uint64_t total : {1u << 17, 1u << 18, 1u << 20}) {
    const Predicted predicted = PredictFrom(Growth::kSmooth, total, narrowing);
    BOOST_TEST(predicted.bytes == narrowing(static_cast<double>(total)), boost::test_tools::tolerance(0.001));
    BOOST_TEST(predicted.interval.low < predicted.bytes);
    BOOST_TEST(predicted.interval.high > predicted.bytes);
  }
}

// The smallest sample cost much more each: the next ones go on almost as the last did.
BOOST_AUTO_TEST_CASE(ABendThatNoLawHasIsCut) {
  const auto settles = [](double n) { return std::min(20 * n, 10 * n + 10 * (1 << 13)); };
  const Predicted predicted = PredictFrom(Growth::kSmooth, 1 << 20, settles);
  BOOST_TEST(predicted.bytes == settles(1 << 20), boost::test_tools::tolerance(0.15));  // and not half of it
  BOOST_TEST(predicted.interval.high > settles(1 << 20));
}

BOOST_AUTO_TEST_CASE(LearningIsALineUntilItIsOutgrown) {
  const auto last = [](double step) { return [=](double n) { return 10000 + 8 * n + (n < (1 << 16) ? 0 : step); }; };
  const auto line = [&](double step) { return last(step)(1 << 16) + (last(step)(1 << 16) - last(step)(1 << 14)) / 3 * 4; };  // twice as many
  for (const double step : {-20000, 0, 20000}) {
    BOOST_TEST(PredictFrom(Growth::kLearned, 1 << 17, last(step)).bytes == line(step), boost::test_tools::tolerance(0.001));
  }
  const Predicted outgrown = PredictFrom(Growth::kLearned, 1 << 17, last(60000));
  BOOST_TEST(outgrown.bytes > 1.03 * line(60000));
  BOOST_TEST(outgrown.interval.low < line(60000));
}

BOOST_AUTO_TEST_CASE(NamesAreUniqueAndShort) {
  const auto& all = Structures();
  for (std::size_t i = 0; i < all.size(); ++i) {
    BOOST_TEST(all[i].name.size() <= 42u);
    for (std::size_t j = 0; j < i; ++j) BOOST_TEST(all[i].name != all[j].name);
    BOOST_TEST(all[i].fits != 0u);
    BOOST_TEST((all[i].exact || all[i].family != Family::kNaive));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble::footprint
