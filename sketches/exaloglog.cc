#include "thimble/exaloglog.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include "likelihood.h"
#include "scheme_hash.h"
#include "status_macros.h"

namespace thimble {
namespace {

using internal::Likelihood;

// The paper's t: update values per halving of their probability are 2^t.
constexpr unsigned kFine = 2;
constexpr std::size_t kHeaderBytes = 64;
constexpr unsigned kMaxValue = ((64 - ExaLogLogView::kMinPrecision - kFine) << kFine) + (1 << kFine);

// What a hash does: the top t bits and the trailing zeros of the low ones give the update value, the p bits between the
// register.
struct Touch {
  std::size_t index;
  unsigned value;
};

Touch Place(std::uint64_t hash, unsigned p) {
  const unsigned zeros = std::countr_zero(hash | std::uint64_t{1} << (64 - kFine - p));
  return {hash << kFine >> (64 - p), (zeros << kFine) + static_cast<unsigned>(hash >> (64 - kFine)) + 1};
}

// A register after one more update value.
std::uint32_t Update(std::uint32_t value, unsigned update, unsigned d) {
  const unsigned largest = value >> d;
  if (update > largest) {
    const std::uint64_t seen = (std::uint64_t{1} << d) + (value & LowBits(d));
    return update << d | static_cast<std::uint32_t>(update - largest > d ? 0 : seen >> (update - largest));
  }
  if (update < largest && largest - update <= d) return value | 1u << (d - (largest - update));
  return value;
}

// The register that saw what both saw.
std::uint32_t MergeRegisters(std::uint32_t a, std::uint32_t b, unsigned d) {
  if (a < b) std::swap(a, b);
  const unsigned apart = (a >> d) - (b >> d);
  if (apart == 0 || b == 0) return a | b;
  const std::uint64_t seen = (std::uint64_t{1} << d) + (b & LowBits(d));
  return a | static_cast<std::uint32_t>(apart > d ? 0 : seen >> apart);
}

// Register `index` of precision `from`, as it would be at precision `to`. Only values whose zeros reached the index change:
// bits of the index now continue them.
std::uint32_t Fold(std::uint32_t value, std::size_t index, unsigned from, unsigned to, unsigned d) {
  const unsigned full = (64 - kFine - from) << kFine;
  const unsigned more = static_cast<unsigned>(std::countr_zero(index | std::size_t{1} << (from - to))) << kFine;
  const unsigned largest = value >> d;
  if (largest <= full || more == 0) return value;
  std::uint32_t folded = 0;
  for (unsigned back = std::min(d, largest - 1); back > 0; --back) {
    const unsigned update = largest - back;
    if ((value >> (d - back) & 1) != 0) folded = Update(folded, update > full ? update + more : update, d);
  }
  return Update(folded, largest + more, d);
}

Likelihood LikelihoodOf(const ExaLogLogView& view) {
  const unsigned d = view.history(), last = 64 - view.precision();
  // Exponent and probability of each update value, and the probability of all above it.
  std::array<std::uint8_t, kMaxValue + 1> exponent{};
  std::array<double, kMaxValue + 1> probability{}, above{};
  const unsigned max_value = ((64 - view.precision() - kFine) << kFine) + (1 << kFine);
  for (unsigned v = max_value; v >= 1; --v) {
    exponent[v] = static_cast<std::uint8_t>(std::min(kFine + 1 + ((v - 1) >> kFine), last));
    probability[v] = std::ldexp(1, -exponent[v]);
    above[v - 1] = above[v] + probability[v];
  }
  Likelihood likelihood;
  for (std::size_t i = 0; i < view.register_count(); ++i) {
    const std::uint32_t value = view[i];
    const unsigned largest = std::min(value >> d, max_value);
    likelihood.unseen += above[largest];
    if (largest == 0) continue;
    ++likelihood.seen[exponent[largest]];
    for (unsigned back = 1; back <= d && back < largest; ++back) {
      const double bit = value >> (d - back) & 1;
      likelihood.seen[exponent[largest - back]] += bit;
      likelihood.unseen += (1 - bit) * probability[largest - back];
    }
  }
  return likelihood;
}

absl::Status CheckOptions(const ExaLogLog::Options& options) {
  if (options.precision < ExaLogLogView::kMinPrecision || options.precision > ExaLogLogView::kMaxPrecision) {
    return absl::InvalidArgumentError("the precision of an ExaLogLog is 4 to 21, not " + std::to_string(options.precision));
  }
  if (options.history != 20 && options.history != 24) return absl::InvalidArgumentError("the history of an ExaLogLog is 20 or 24 bits");
  if (options.hash_scheme == HashScheme::kNone || options.hash_scheme > HashScheme::kXxh64) {
    return absl::InvalidArgumentError("ExaLogLog: unknown hash scheme");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ExaLogLogView> ExaLogLogView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  ExaLogLogView view;
  view.precision_ = static_cast<std::uint8_t>(header.parameters[0]);
  view.history_ = static_cast<std::uint8_t>(header.parameters[0] >> 8);
  view.hash_scheme_ = header.hash_scheme;
  view.seed_ = header.seed;
  const ExaLogLog::Options options = {.precision = view.precision_, .history = view.history_, .hash_scheme = view.hash_scheme_};
  if (header.header_bytes != kHeaderBytes || header.parameters[0] >> 16 != 0 || !CheckOptions(options).ok() ||
      header.image_bytes != ExaLogLog::ImageBytes(options)) {
    return absl::DataLossError("ExaLogLog: bad parameters");
  }
  view.image_ = image.first(header.image_bytes);
  return view;
}

std::uint32_t ExaLogLogView::operator[](std::size_t i) const {
  const std::byte* const registers = image_.data() + kHeaderBytes;
  if (history_ == 24) return Load<std::uint32_t>(registers + 4 * i);
  // Two registers of 28 bits share 7 bytes.
  return Load<std::uint32_t>(registers + 7 * i / 2) >> (i % 2 * 4) & ((1u << 28) - 1);
}

absl::Status ExaLogLogView::Verify() const {
  const unsigned max_value = ((64 - precision_ - kFine) << kFine) + (1 << kFine);
  for (std::size_t i = 0; i < register_count(); ++i) {
    const std::uint32_t value = (*this)[i];
    const unsigned largest = value >> history_;
    // The history of a small value marks value 0 as seen, and nothing below.
    const bool stray = largest <= history_ &&
                       (value & LowBits(history_ - largest + (largest > 0 ? 1 : 0))) != (largest > 0 ? 1u << (history_ - largest) : 0);
    if (largest > max_value || stray) return absl::DataLossError("ExaLogLog: an impossible register");
  }
  return absl::OkStatus();
}

double ExaLogLogView::Estimate() const {
  const auto m = static_cast<double>(register_count());
  return m * internal::MaximumLikelihoodLoad(LikelihoodOf(*this)) / (1 + internal::LikelihoodTheoryOf(kFine, history_).bias / m);
}

double ExaLogLogView::StandardError() const { return internal::LikelihoodTheoryOf(kFine, history_).deviation / std::sqrt(static_cast<double>(register_count())); }
double ExaLogLogView::LowerBound(double sigmas) const { return Estimate() / (1 + sigmas * StandardError()); }

double ExaLogLogView::UpperBound(double sigmas) const {
  const double share = 1 - sigmas * StandardError();
  return share > 0 ? Estimate() / share : std::numeric_limits<double>::infinity();
}

absl::Status ExaLogLogView::CheckCompatible(const ExaLogLogView& other) const { return internal::CheckSameHash(*this, other); }

ExaLogLog::ExaLogLog(const Options& options) : ExaLogLog(*Make(options)) {}

std::uint64_t ExaLogLog::ImageBytes(const Options& options) {
  ImageLayout layout(kHeaderBytes);
  layout.Add(std::uint64_t{1} << options.precision, 6 + kFine + options.history);
  return layout.image_bytes();
}

absl::StatusOr<ExaLogLog> ExaLogLog::Make(const Options& options) {
  THIMBLE_RETURN_IF_ERROR(CheckOptions(options));
  return Make(options, Buffer::Heap(ImageBytes(options)));
}

absl::StatusOr<ExaLogLog> ExaLogLog::Make(const Options& options, Buffer buffer) {
  THIMBLE_RETURN_IF_ERROR(CheckOptions(options));
  const std::uint64_t image_bytes = ImageBytes(options);
  if (buffer.size() < image_bytes) return absl::InvalidArgumentError("ExaLogLog: the buffer is too small");
  ImageHeader{.kind = kKind,
              .hash_scheme = options.hash_scheme,
              .image_bytes = image_bytes,
              .used_bytes = image_bytes,
              .seed = options.seed,
              .parameters = {options.precision | options.history << 8}}
      .Write(buffer.bytes());
  THIMBLE_ASSIGN_OR_RETURN(const ExaLogLogView view, ViewOf(buffer));
  return ExaLogLog(view, std::move(buffer));
}

absl::StatusOr<ExaLogLog> ExaLogLog::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const ExaLogLogView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return ExaLogLog(view, std::move(buffer));
}

absl::StatusOr<ExaLogLog> ExaLogLog::Reduced(const ExaLogLogView& view, unsigned precision, unsigned history) {
  THIMBLE_ASSIGN_OR_RETURN(ExaLogLog sketch, Make({.precision = precision, .history = history, .hash_scheme = view.hash_scheme(),
                                                   .seed = view.seed()}));
  THIMBLE_RETURN_IF_ERROR(sketch.Merge(view));
  return sketch;
}

void ExaLogLog::Set(std::size_t i, std::uint32_t value) {
  std::byte* const registers = data() + kHeaderBytes;
  if (history() == 24) {
    Store(registers + 4 * i, value);
    return;
  }
  std::byte* const at = registers + 7 * i / 2;
  const unsigned shift = i % 2 * 4;
  const std::uint32_t neighbour = Load<std::uint32_t>(at) & ~(((1u << 28) - 1) << shift);
  Store(at, neighbour | value << shift);
}

void ExaLogLog::AddHash(std::uint64_t hash) {
  const Touch touch = Place(hash, precision());
  const std::uint32_t before = (*this)[touch.index];
  const std::uint32_t after = Update(before, touch.value, history());
  if (after != before) Set(touch.index, after);
}

void ExaLogLog::Add(std::string_view key) { AddHash(internal::SchemeHash(hash_scheme(), seed(), key).h1); }
void ExaLogLog::AddInteger(std::uint64_t key) { AddHash(internal::SchemeHash(hash_scheme(), seed(), key).h1); }

void ExaLogLog::AddMany(std::span<const std::uint64_t> keys) {
  for (const std::uint64_t key : keys) Add(key);
}

absl::Status ExaLogLog::Merge(const ExaLogLogView& other) {
  THIMBLE_RETURN_IF_ERROR(CheckCompatible(other));
  if (other.precision() < precision() || other.history() < history()) {
    return absl::InvalidArgumentError("ExaLogLog: a coarser sketch cannot be merged into a finer one; reduce that first");
  }
  const unsigned dropped = other.precision() - precision(), d = other.history();
  for (std::size_t i = 0; i < other.register_count(); ++i) {
    const std::uint32_t folded = Fold(other[i], i, other.precision(), precision(), d) >> (d - history());
    const std::size_t to = i >> dropped;
    Set(to, MergeRegisters((*this)[to], folded, history()));
  }
  return absl::OkStatus();
}

Stats ExaLogLog::stats() const { return {.live_bytes = image().size(), .peak_bytes = image().size()}; }

}  // namespace thimble
