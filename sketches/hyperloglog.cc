#include "thimble/hyperloglog.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "hll_estimators.h"
#include "hll_forms.h"
#include "hll_image.h"
#include "hll_kernels.h"
#include "hll_rule.h"
#include "scheme_hash.h"
#include "status_macros.h"

namespace thimble {
namespace {

using internal::Fold;
using internal::FoldCoupon;
using internal::HllImageBytes;
using internal::Place;
using internal::SchemeHash;
using internal::Touch;

HyperLogLogForm FirstForm(const HyperLogLog::Options& options) {
  return options.sparse ? HyperLogLogForm::kSparse : HyperLogLogForm::kDense;
}

HyperLogLog::Options OptionsOf(const HyperLogLogView& view, unsigned precision) {
  return {.precision = precision, .hash_scheme = view.hash_scheme(), .rule = view.rule(), .seed = view.seed()};
}

}  // namespace

HyperLogLog::Options HyperLogLog::Options::DataSketches(unsigned lg_k, std::uint64_t seed) {
  return {.precision = lg_k, .hash_scheme = HashScheme::kMurmur3, .rule = RegisterRule::kDataSketches, .seed = seed, .sparse = true, .hip = true};
}

HyperLogLog::Options HyperLogLog::Options::Redis() {
  return {.precision = 14, .hash_scheme = HashScheme::kMurmur64A, .rule = RegisterRule::kTrailing, .seed = 0xadc83b19};
}

HyperLogLog::Options HyperLogLog::Options::PostgreSql(unsigned log2m) {
  return {.precision = log2m, .hash_scheme = HashScheme::kMurmur3, .rule = RegisterRule::kTrailing, .seed = 0};
}

HyperLogLog::HyperLogLog(HyperLogLogView view, Buffer buffer) : Owner(view, std::move(buffer)) {
  if (form() != HyperLogLogForm::kDense || hash_scheme() != HashScheme::kThimble || keeps_hip_) return;
  registers_ = reinterpret_cast<Register*>(mutable_registers());
  shift_ = 64 - precision();
  guard_ = std::uint64_t{1} << shift_;
}

HyperLogLog::HyperLogLog(const Options& options) : HyperLogLog(*Make(options)) {}

std::uint64_t HyperLogLog::ImageBytes(const Options& options) {
  return HllImageBytes(FirstForm(options), options.precision, options.hip, 0);
}

absl::StatusOr<HyperLogLog> HyperLogLog::Make(const Options& options) {
  THIMBLE_RETURN_IF_ERROR(internal::CheckHllOptions(options));
  Buffer buffer = Buffer::Heap(ImageBytes(options));
  internal::WriteEmptyHll(options, buffer.bytes());
  THIMBLE_ASSIGN_OR_RETURN(const HyperLogLogView view, ViewOf(buffer));
  return HyperLogLog(view, std::move(buffer));
}

absl::StatusOr<HyperLogLog> HyperLogLog::Make(const Options& options, Buffer buffer) {
  THIMBLE_RETURN_IF_ERROR(internal::CheckHllOptions(options));
  if (options.sparse) return absl::InvalidArgumentError("HyperLogLog: a sparse start grows, and a given buffer may not");
  if (buffer.size() < ImageBytes(options)) return absl::InvalidArgumentError("HyperLogLog: the buffer is too small");
  internal::WriteEmptyHll(options, buffer.bytes());
  THIMBLE_ASSIGN_OR_RETURN(const HyperLogLogView view, ViewOf(buffer));
  return HyperLogLog(view, std::move(buffer));
}

absl::StatusOr<HyperLogLog> HyperLogLog::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(HyperLogLogView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  if (view.form() != HyperLogLogForm::kDense && view.form() != HyperLogLogForm::kSparse) {
    return absl::InvalidArgumentError("HyperLogLog: packed registers are not added to; HyperLogLog::Folded makes them dense");
  }
  if (view.form() == HyperLogLogForm::kSparse) {
    buffer = Buffer::Copy(view.image());  // it will grow
    view = *ViewOf(buffer);
  }
  return HyperLogLog(view, std::move(buffer));
}

absl::StatusOr<HyperLogLog> HyperLogLog::FromRegisters(const Options& options, std::span<const std::uint8_t> registers,
                                                       std::optional<double> hip) {
  Options dense = options;
  dense.sparse = false;
  THIMBLE_ASSIGN_OR_RETURN(HyperLogLog sketch, Make(dense));
  if (registers.size() != sketch.register_count()) {
    return absl::InvalidArgumentError("HyperLogLog: " + std::to_string(registers.size()) + " registers, not 2^" +
                                      std::to_string(options.precision));
  }
  if (*std::max_element(registers.begin(), registers.end()) > sketch.max_rank()) {
    return absl::InvalidArgumentError("HyperLogLog: a register above the highest rank");
  }
  std::copy(registers.begin(), registers.end(), sketch.mutable_registers());
  if (dense.hip) sketch.StoreHip(hip.value_or(std::numeric_limits<double>::quiet_NaN()));
  return sketch;
}

absl::StatusOr<HyperLogLog> HyperLogLog::FromCoupons(const Options& options, std::span<const std::uint32_t> coupons) {
  Options sparse = options;
  sparse.sparse = true;
  THIMBLE_ASSIGN_OR_RETURN(HyperLogLog sketch, Make(sparse));
  for (const std::uint32_t coupon : coupons) {
    if (!internal::IsCoupon(options.rule, coupon)) return absl::InvalidArgumentError("HyperLogLog: a coupon of an impossible rank");
  }
  std::vector<std::uint32_t> held(coupons.begin(), coupons.end());
  std::sort(held.begin(), held.end());
  held.erase(std::unique(held.begin(), held.end()), held.end());
  if (held.size() > internal::MaxCoupons(options.rule, options.precision)) {
    for (const std::uint32_t coupon : held) sketch.AddCoupon(coupon, 1);
    return sketch;
  }
  // In the order that they came in, where that may stand.
  const bool unsorted = options.hip && held.size() == coupons.size() && held.size() < internal::kMaxUnsorted;
  if (unsorted) std::copy(coupons.begin(), coupons.end(), held.begin());
  sketch.SetCoupons(held.size(), unsorted ? held.size() : 0);
  std::copy(held.begin(), held.end(), sketch.mutable_coupons());
  return sketch;
}

absl::StatusOr<HyperLogLog> HyperLogLog::Folded(const HyperLogLogView& view, unsigned precision) {
  THIMBLE_ASSIGN_OR_RETURN(HyperLogLog sketch, Make(OptionsOf(view, precision)));
  THIMBLE_RETURN_IF_ERROR(sketch.Merge(view));
  return sketch;
}

absl::StatusOr<HyperLogLog> HyperLogLog::Union(const HyperLogLogView& a, const HyperLogLogView& b) {
  Options options = OptionsOf(a, std::min(a.precision(), b.precision()));
  options.sparse = a.form() == HyperLogLogForm::kSparse && b.form() == HyperLogLogForm::kSparse;
  THIMBLE_ASSIGN_OR_RETURN(HyperLogLog sketch, Make(options));
  THIMBLE_RETURN_IF_ERROR(sketch.Merge(a));
  THIMBLE_RETURN_IF_ERROR(sketch.Merge(b));
  return sketch;
}

std::uint8_t* HyperLogLog::mutable_registers() {
  return reinterpret_cast<std::uint8_t*>(data()) + internal::kHllHeaderBytes + (keeps_hip_ ? internal::kHipBytes : 0);
}

std::uint32_t* HyperLogLog::mutable_coupons() { return reinterpret_cast<std::uint32_t*>(mutable_registers()); }

// The sum of 2^-register, from the smallest terms on.
double HyperLogLog::SumOfRegisters() const {
  const internal::RegisterHistogram histogram = internal::HistogramOf(*this);
  double sum = 0;
  for (unsigned k = static_cast<unsigned>(histogram.size()); k-- > 0;) sum += std::ldexp(histogram[k], -static_cast<int>(k));
  return sum;
}

// Sets the HIP estimate, and the sum that it is continued with.
void HyperLogLog::StoreHip(double hip) {
  Store(data() + internal::kHllHeaderBytes, hip);
  Store(data() + internal::kHllHeaderBytes + 8, form() == HyperLogLogForm::kDense ? SumOfRegisters() : 0.0);
}

void HyperLogLog::RaiseTo(std::uint32_t index, std::uint8_t rank) {
  std::uint8_t& value = mutable_registers()[index];
  if (rank <= value) return;
  if (keeps_hip_) {
    // A key that changes a register stands for all that had the same chance to and did not (Cohen 2014, Ting 2014).
    std::byte* const hip = data() + internal::kHllHeaderBytes;
    const auto sum = Load<double>(hip + 8);
    Store(hip, Load<double>(hip) + static_cast<double>(register_count()) / sum);
    const double lowered = sum - std::ldexp(1, -value) + std::ldexp(1, -rank);
    // Where hardly anything is left, what differences were rounded by would be.
    value = rank;
    Store(hip + 8, lowered < std::ldexp(1, -30) * static_cast<double>(register_count()) ? SumOfRegisters() : lowered);
    return;
  }
  value = rank;
}

// A new coupon waits among the unsorted ones at the end, until there are so many.
void HyperLogLog::AddCoupon(std::uint32_t coupon, std::uint64_t most_unsorted) {
  const Touch touch = FoldCoupon(rule(), precision(), coupon);
  if (form() != HyperLogLogForm::kSparse) return RaiseTo(touch.index, touch.rank);
  if (parameter_ == internal::kMaxUnsorted) SortCoupons();  // an image from outside may be as full as that
  const std::span<const std::uint32_t> held = Coupons(), unsorted = held.last(parameter_);
  if (std::binary_search(held.begin(), unsorted.begin(), coupon)) return;
  if (std::find(unsorted.begin(), unsorted.end(), coupon) != unsorted.end()) return;
  if (held.size() == internal::MaxCoupons(rule(), precision())) {
    // HIP goes on from what all coupons say.
    const double hip = Hip() ? internal::KeysOfCoupons(static_cast<double>(held.size() + 1)) : std::numeric_limits<double>::quiet_NaN();
    Densify();
    RaiseTo(touch.index, touch.rank);
    if (keeps_hip_) StoreHip(hip);
    return;
  }
  SetCoupons(held.size() + 1, parameter_ + 1);
  mutable_coupons()[coupons_ - 1] = coupon;
  if (parameter_ >= most_unsorted) SortCoupons();
}

// Brings the unsorted coupons to their places among the others, the highest first.
void HyperLogLog::SortCoupons() {
  std::uint32_t* const begin = mutable_coupons();
  std::uint32_t* end = begin + coupons_;
  std::uint32_t* sorted = end - parameter_;
  std::array<std::uint32_t, internal::kMaxUnsorted> late;
  std::uint32_t* const last = std::copy(sorted, end, late.data());
  std::sort(late.data(), last);
  for (std::uint32_t* next = last; next != late.data();) {
    std::uint32_t* const place = std::lower_bound(begin, sorted, *--next);
    end = std::copy_backward(place, sorted, end);
    *--end = *next;
    sorted = place;
  }
  SetCoupons(coupons_, 0);
}

void HyperLogLog::SetCoupons(std::uint64_t count, std::uint64_t unsorted) {
  const std::uint64_t bytes = HllImageBytes(HyperLogLogForm::kSparse, precision(), keeps_hip_, count);
  if (!buffer().Grow(bytes).ok()) throw std::bad_alloc();  // the buffer is ours, on the heap
  internal::StoreHllSize(data(), count, unsorted, bytes);
  static_cast<HyperLogLogView&>(*this) = *ViewOf(buffer());
}

void HyperLogLog::Densify() {
  Options options = OptionsOf(*this, precision());
  options.hip = keeps_hip_;
  HyperLogLog dense(options);
  for (const std::uint32_t coupon : Coupons()) dense.AddCoupon(coupon, 1);
  if (keeps_hip_) dense.StoreHip(std::numeric_limits<double>::quiet_NaN());
  *this = std::move(dense);
}

void HyperLogLog::AddHash(Hash128 hash) {
  if (form() == HyperLogLogForm::kSparse) return AddCoupon(internal::CouponOf(rule(), hash), keeps_hip_ ? internal::kMaxUnsorted : 1);
  const Touch touch = Place(rule(), precision(), hash);
  RaiseTo(touch.index, touch.rank);
}

void HyperLogLog::Add(std::string_view key) {
  if (registers_ != nullptr) return Raise(Hash64(key, seed()));
  if (!internal::Ignored(rule(), key)) AddHash(SchemeHash(hash_scheme(), seed(), key));
}

void HyperLogLog::AddInteger(std::uint64_t key, unsigned unused_bits) {
  AddHash(SchemeHash(hash_scheme(), seed(), internal::Widen(rule(), key, unused_bits)));
}

void HyperLogLog::AddMany(std::span<const std::uint64_t> keys) {
  while (registers_ == nullptr && !keys.empty()) {
    AddInteger(keys[0], 0);
    keys = keys.subspan(1);
  }
  RaiseMany(keys);
}

void HyperLogLog::AddMany(std::span<const std::string_view> keys) {
  while (registers_ == nullptr && !keys.empty()) {
    Add(keys[0]);
    keys = keys.subspan(1);
  }
  RaiseMany(keys);
}

// Hashes a batch, asks for its registers, then raises them: above the caches that is what a key costs.
template <class Key>
void HyperLogLog::RaiseMany(std::span<const Key> keys) {
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

absl::Status HyperLogLog::Merge(const HyperLogLogView& other) {
  THIMBLE_RETURN_IF_ERROR(internal::CheckHllMerge(*this, other));
  if (keeps_hip_) StoreHip(std::numeric_limits<double>::quiet_NaN());
  if (other.form() == HyperLogLogForm::kSparse) {
    for (const std::uint32_t coupon : other.Coupons()) AddCoupon(coupon, internal::kMaxUnsorted);
    if (form() == HyperLogLogForm::kSparse) SortCoupons();
    return absl::OkStatus();
  }
  if (form() == HyperLogLogForm::kSparse) Densify();
  std::uint8_t* const to = mutable_registers();
  const bool same = other.precision() == precision();
  if (same && other.form() == HyperLogLogForm::kDense) {
    internal::MaxBytes(to, reinterpret_cast<const std::uint8_t*>(other.payload_.data()), register_count());
    return absl::OkStatus();
  }
  internal::RegisterReader reader(other);
  for (std::uint32_t read = 0; read < other.register_count();) {
    const std::span<const std::uint8_t> block = reader.Next();
    if (same) internal::MaxBytes(to + read, block.data(), block.size());
    for (std::uint32_t i = 0; i < block.size() && !same; ++i) {
      const Touch touch = Fold(rule(), other.precision(), precision(), {read + i, block[i]});
      to[touch.index] = std::max(to[touch.index], touch.rank);
    }
    read += static_cast<std::uint32_t>(block.size());
  }
  return absl::OkStatus();
}

Stats HyperLogLog::stats() const { return {.live_bytes = image().size(), .peak_bytes = image().size()}; }

}  // namespace thimble
