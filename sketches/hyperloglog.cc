#include "thimble/hyperloglog.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "hll_estimators.h"
#include "hll_kernels.h"
#include "hll_rule.h"
#include "scheme_hash.h"
#include "status_macros.h"
#include "thimble/concurrent_hyperloglog.h"

namespace thimble {
namespace {

using internal::Fold;
using internal::Place;
using internal::RegisterHistogram;
using internal::SchemeHash;
using internal::Touch;

constexpr std::size_t kHeaderBytes = 64;

bool RuleFits(RegisterRule rule, HashScheme scheme) {
  switch (rule) {
    case RegisterRule::kThimble: return scheme == HashScheme::kThimble || scheme == HashScheme::kXxh64;
    case RegisterRule::kDataSketches: return scheme == HashScheme::kMurmur3;
    case RegisterRule::kTrailing: return scheme == HashScheme::kMurmur64A || scheme == HashScheme::kMurmur3;
  }
  return false;
}

absl::Status CheckOptions(const HyperLogLog::Options& options) {
  if (options.precision < HyperLogLogView::kMinPrecision || options.precision > HyperLogLogView::kMaxPrecision) {
    return absl::InvalidArgumentError("the precision of a HyperLogLog is 4 to 21, not " + std::to_string(options.precision));
  }
  if (!RuleFits(options.rule, options.hash_scheme)) return absl::InvalidArgumentError("the register rule is not of this hash scheme");
  return absl::OkStatus();
}

// Registers of a mapped image may be raised by another process while they are read.
std::uint8_t LoadRelaxed(const std::uint8_t* from) { return __atomic_load_n(from, __ATOMIC_RELAXED); }

RegisterHistogram HistogramOf(std::span<const std::uint8_t> registers) {
  // Four tables, so that equal neighbours do not wait for each other's increment.
  std::array<RegisterHistogram, 4> parts{};
  for (std::size_t i = 0; i < registers.size(); i += 4) {
    for (std::size_t j = 0; j < 4; ++j) ++parts[j][LoadRelaxed(&registers[i + j]) & 63];
  }
  for (std::size_t k = 0; k < parts[0].size(); ++k) parts[0][k] += parts[1][k] + parts[2][k] + parts[3][k];
  return parts[0];
}

// The 8-byte value of an integer: DataSketches takes every integer for a signed one.
std::uint64_t Widen(RegisterRule rule, std::uint64_t key, unsigned unused_bits) {
  if (rule != RegisterRule::kDataSketches) return key;
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(key << unused_bits) >> unused_bits);
}

bool Ignored(RegisterRule rule, std::string_view key) { return rule == RegisterRule::kDataSketches && key.empty(); }

absl::Status CheckMerge(const HyperLogLogView& to, const HyperLogLogView& from) {
  THIMBLE_RETURN_IF_ERROR(to.CheckCompatible(from));
  if (from.precision() < to.precision()) {
    return absl::InvalidArgumentError("a sketch of precision " + std::to_string(from.precision()) +
                                      " cannot be merged into one of precision " + std::to_string(to.precision()));
  }
  return absl::OkStatus();
}

// Makes an empty sketch of zeroed bytes.
absl::Status WriteImage(const HyperLogLog::Options& options, const Buffer& buffer) {
  THIMBLE_RETURN_IF_ERROR(CheckOptions(options));
  const std::uint64_t image_bytes = HyperLogLog::ImageBytes(options);
  if (buffer.size() < image_bytes) return absl::InvalidArgumentError("HyperLogLog: the buffer is too small");
  ImageHeader{.kind = HyperLogLogView::kKind,
              .hash_scheme = options.hash_scheme,
              .image_bytes = image_bytes,
              .used_bytes = image_bytes,
              .seed = options.seed,
              .parameters = {options.precision | static_cast<std::uint64_t>(options.rule) << 8}}
      .Write(buffer.bytes());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<HyperLogLogView> HyperLogLogView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  const std::uint64_t precision = header.parameters[0] & 0xff;
  const std::uint64_t rule = header.parameters[0] >> 8;
  if (header.header_bytes != kHeaderBytes || precision < kMinPrecision || precision > kMaxPrecision || rule > 2 ||
      !RuleFits(static_cast<RegisterRule>(rule), header.hash_scheme)) {
    return absl::DataLossError("HyperLogLog: bad parameters");
  }
  HyperLogLogView view;
  view.precision_ = static_cast<unsigned>(precision);
  view.rule_ = static_cast<RegisterRule>(rule);
  view.hash_scheme_ = header.hash_scheme;
  view.seed_ = header.seed;
  ImageLayout layout(kHeaderBytes);
  layout.Add(view.register_count(), 8);
  if (header.image_bytes != layout.image_bytes()) return absl::DataLossError("HyperLogLog: bad image length");
  view.image_ = image.first(header.image_bytes);
  return view;
}

std::span<const std::uint8_t> HyperLogLogView::payload() const {
  return {reinterpret_cast<const std::uint8_t*>(image_.data()) + kHeaderBytes, register_count()};
}

absl::Status HyperLogLogView::Verify() const {
  const unsigned highest = max_rank();
  for (const std::uint8_t& value : payload()) {
    if (LoadRelaxed(&value) > highest) return absl::DataLossError("HyperLogLog: a register above the highest rank");
  }
  return absl::OkStatus();
}

std::vector<std::uint8_t> HyperLogLogView::Registers() const {
  std::vector<std::uint8_t> registers;
  registers.reserve(register_count());
  for (const std::uint8_t& value : payload()) registers.push_back(LoadRelaxed(&value));
  return registers;
}

double HyperLogLogView::Estimate() const { return internal::HyperLogLogEstimate(HistogramOf(payload()), max_rank()); }
double HyperLogLogView::EstimateLogLog() const { return internal::LogLogEstimate(HistogramOf(payload()), max_rank()); }
double HyperLogLogView::EstimateSuperLogLog() const { return internal::SuperLogLogEstimate(HistogramOf(payload()), max_rank()); }
double HyperLogLogView::StandardError() const { return 1.04 / std::sqrt(static_cast<double>(register_count())); }
double HyperLogLogView::LowerBound(double sigmas) const { return Estimate() / (1 + sigmas * StandardError()); }

double HyperLogLogView::UpperBound(double sigmas) const {
  const double share = 1 - sigmas * StandardError();
  return share > 0 ? Estimate() / share : std::numeric_limits<double>::infinity();
}

absl::Status HyperLogLogView::CheckCompatible(const HyperLogLogView& other) const {
  if (hash_scheme_ != other.hash_scheme_) return absl::InvalidArgumentError("the sketches hash by different schemes");
  if (seed_ != other.seed_) return absl::InvalidArgumentError("the sketches hash with different seeds");
  if (rule_ != other.rule_) return absl::InvalidArgumentError("the sketches choose registers by different rules");
  return absl::OkStatus();
}

HyperLogLog::Options HyperLogLog::Options::DataSketches(unsigned lg_k, std::uint64_t seed) {
  return {.precision = lg_k, .hash_scheme = HashScheme::kMurmur3, .rule = RegisterRule::kDataSketches, .seed = seed};
}

HyperLogLog::Options HyperLogLog::Options::Redis() {
  return {.precision = 14, .hash_scheme = HashScheme::kMurmur64A, .rule = RegisterRule::kTrailing, .seed = 0xadc83b19};
}

HyperLogLog::Options HyperLogLog::Options::PostgreSql(unsigned log2m) {
  return {.precision = log2m, .hash_scheme = HashScheme::kMurmur3, .rule = RegisterRule::kTrailing, .seed = 0};
}

HyperLogLog::HyperLogLog(HyperLogLogView view, Buffer buffer) : Owner(view, std::move(buffer)) {
  if (hash_scheme() != HashScheme::kThimble) return;
  registers_ = reinterpret_cast<Register*>(mutable_registers().data());
  shift_ = 64 - precision();
  guard_ = std::uint64_t{1} << shift_;
}

HyperLogLog::HyperLogLog(const Options& options) : HyperLogLog(*Make(options)) {}

std::uint64_t HyperLogLog::ImageBytes(const Options& options) {
  ImageLayout layout(kHeaderBytes);
  layout.Add(std::uint64_t{1} << options.precision, 8);
  return layout.image_bytes();
}

absl::StatusOr<HyperLogLog> HyperLogLog::Make(const Options& options) {
  THIMBLE_RETURN_IF_ERROR(CheckOptions(options));
  return Make(options, Buffer::Heap(ImageBytes(options)));
}

absl::StatusOr<HyperLogLog> HyperLogLog::Make(const Options& options, Buffer buffer) {
  THIMBLE_RETURN_IF_ERROR(WriteImage(options, buffer));
  THIMBLE_ASSIGN_OR_RETURN(const HyperLogLogView view, ViewOf(buffer));
  return HyperLogLog(view, std::move(buffer));
}

absl::StatusOr<HyperLogLog> HyperLogLog::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const HyperLogLogView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return HyperLogLog(view, std::move(buffer));
}

absl::StatusOr<HyperLogLog> HyperLogLog::FromRegisters(const Options& options, std::span<const std::uint8_t> registers) {
  THIMBLE_ASSIGN_OR_RETURN(HyperLogLog sketch, Make(options));
  if (registers.size() != sketch.register_count()) {
    return absl::InvalidArgumentError("HyperLogLog: " + std::to_string(registers.size()) + " registers, not 2^" +
                                      std::to_string(options.precision));
  }
  if (*std::max_element(registers.begin(), registers.end()) > sketch.max_rank()) {
    return absl::InvalidArgumentError("HyperLogLog: a register above the highest rank");
  }
  std::copy(registers.begin(), registers.end(), sketch.mutable_registers().begin());
  return sketch;
}

std::span<std::uint8_t> HyperLogLog::mutable_registers() {
  return {reinterpret_cast<std::uint8_t*>(data()) + kHeaderBytes, register_count()};
}

void HyperLogLog::AddHash(Hash128 hash) {
  const Touch touch = Place(rule(), precision(), hash);
  std::uint8_t& value = mutable_registers()[touch.index];
  value = std::max(value, touch.rank);
}

void HyperLogLog::Add(std::string_view key) {
  if (registers_ != nullptr) return Raise(Hash64(key, seed()));
  if (!Ignored(rule(), key)) AddHash(SchemeHash(hash_scheme(), seed(), key));
}

void HyperLogLog::AddInteger(std::uint64_t key, unsigned unused_bits) {
  AddHash(SchemeHash(hash_scheme(), seed(), Widen(rule(), key, unused_bits)));
}

void HyperLogLog::AddMany(std::span<const std::uint64_t> keys) {
  if (registers_ == nullptr) {
    for (const std::uint64_t key : keys) AddInteger(key, 0);
    return;
  }
  // Hashes a batch, asks for its registers, then raises them: above the caches that is what a key costs.
  constexpr std::size_t kBatch = 64;
  std::uint64_t hashes[kBatch];
  const std::uint64_t hash_seed = seed();
  while (!keys.empty()) {
    const std::size_t n = std::min(kBatch, keys.size());
    for (std::size_t i = 0; i < n; ++i) {
      hashes[i] = Hash64(keys[i], hash_seed);
      __builtin_prefetch(registers_ + (hashes[i] >> shift_), 1);
    }
    for (std::size_t i = 0; i < n; ++i) Raise(hashes[i]);
    keys = keys.subspan(n);
  }
}

void HyperLogLog::AddMany(std::span<const std::string_view> keys) {
  for (const std::string_view key : keys) Add(key);
}

absl::Status HyperLogLog::Merge(const HyperLogLogView& other) {
  THIMBLE_RETURN_IF_ERROR(CheckMerge(*this, other));
  const std::span<std::uint8_t> to = mutable_registers();
  const std::span<const std::uint8_t> from = other.payload();
  if (from.size() == to.size()) {
    internal::MaxBytes(to.data(), from.data(), to.size());
    return absl::OkStatus();
  }
  for (std::uint32_t i = 0; i < from.size(); ++i) {
    const Touch touch = Fold(rule(), other.precision(), precision(), {i, from[i]});
    to[touch.index] = std::max(to[touch.index], touch.rank);
  }
  return absl::OkStatus();
}

Stats HyperLogLog::stats() const { return {.live_bytes = image().size(), .peak_bytes = image().size()}; }

ConcurrentHyperLogLog::ConcurrentHyperLogLog(const Options& options) : ConcurrentHyperLogLog(*Make(options)) {}

absl::StatusOr<ConcurrentHyperLogLog> ConcurrentHyperLogLog::Make(const Options& options) {
  THIMBLE_RETURN_IF_ERROR(CheckOptions(options));
  return Make(options, Buffer::Heap(ImageBytes(options)));
}

absl::StatusOr<ConcurrentHyperLogLog> ConcurrentHyperLogLog::Make(const Options& options, Buffer buffer) {
  THIMBLE_RETURN_IF_ERROR(WriteImage(options, buffer));
  THIMBLE_ASSIGN_OR_RETURN(const HyperLogLogView view, ViewOf(buffer));
  return ConcurrentHyperLogLog(view, std::move(buffer));
}

absl::StatusOr<ConcurrentHyperLogLog> ConcurrentHyperLogLog::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const HyperLogLogView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return ConcurrentHyperLogLog(view, std::move(buffer));
}

void ConcurrentHyperLogLog::Raise(std::uint32_t index, std::uint8_t rank) {
  auto* value = reinterpret_cast<std::uint8_t*>(data()) + kHeaderBytes + index;
  std::uint8_t seen = LoadRelaxed(value);
  while (seen < rank && !__atomic_compare_exchange_n(value, &seen, rank, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
}

void ConcurrentHyperLogLog::AddHash(Hash128 hash) {
  const Touch touch = Place(rule(), precision(), hash);
  Raise(touch.index, touch.rank);
}

void ConcurrentHyperLogLog::Add(std::string_view key) {
  if (!Ignored(rule(), key)) AddHash(SchemeHash(hash_scheme(), seed(), key));
}

void ConcurrentHyperLogLog::AddInteger(std::uint64_t key, unsigned unused_bits) {
  AddHash(SchemeHash(hash_scheme(), seed(), Widen(rule(), key, unused_bits)));
}

absl::Status ConcurrentHyperLogLog::Merge(const HyperLogLogView& other) {
  THIMBLE_RETURN_IF_ERROR(CheckMerge(*this, other));
  const std::span<const std::uint8_t> from = other.payload();
  for (std::uint32_t i = 0; i < from.size(); ++i) {
    const Touch touch = Fold(rule(), other.precision(), precision(), {i, LoadRelaxed(&from[i])});
    Raise(touch.index, touch.rank);
  }
  return absl::OkStatus();
}

Stats ConcurrentHyperLogLog::stats() const { return {.live_bytes = image().size(), .peak_bytes = image().size()}; }

}  // namespace thimble
