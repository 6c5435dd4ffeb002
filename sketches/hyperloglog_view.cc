#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "hll_forms.h"
#include "hll_image.h"
#include "hll_rule.h"
#include "scheme_hash.h"
#include "status_macros.h"
#include "thimble/hyperloglog.h"
#include "thimble/packed_hyperloglog.h"

namespace thimble {

using internal::HistogramOf;

namespace internal {

absl::Status CheckHllOptions(const HyperLogLog::Options& options) {
  if (options.precision < HyperLogLogView::kMinPrecision || options.precision > HyperLogLogView::kMaxPrecision) {
    return absl::InvalidArgumentError("the precision of a HyperLogLog is 4 to 21, not " + std::to_string(options.precision));
  }
  if (!RuleFits(options.rule, options.hash_scheme)) return absl::InvalidArgumentError("the register rule is not of this hash scheme");
  return absl::OkStatus();
}

absl::Status CheckHllMerge(const HyperLogLogView& to, const HyperLogLogView& from) {
  THIMBLE_RETURN_IF_ERROR(to.CheckCompatible(from));
  if (from.precision() < to.precision()) {
    return absl::InvalidArgumentError("a sketch of precision " + std::to_string(from.precision()) +
                                      " cannot be merged into one of precision " + std::to_string(to.precision()));
  }
  return absl::OkStatus();
}

}  // namespace internal

absl::StatusOr<HyperLogLogView> HyperLogLogView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  const std::uint64_t parameters = header.parameters[0];
  HyperLogLogView view;
  view.precision_ = static_cast<std::uint8_t>(parameters);
  view.rule_ = static_cast<RegisterRule>(parameters >> 8 & 0xff);
  view.form_ = static_cast<HyperLogLogForm>(parameters >> 16 & 0xff);
  view.keeps_hip_ = (parameters >> 24) == 1;
  view.parameter_ = header.parameters[1];
  view.hash_scheme_ = header.hash_scheme;
  view.seed_ = header.seed;
  if (header.header_bytes != internal::kHllHeaderBytes || view.precision_ < kMinPrecision || view.precision_ > kMaxPrecision ||
      view.form_ > HyperLogLogForm::kCompressed || parameters >> 25 != 0 || !internal::RuleFits(view.rule_, header.hash_scheme)) {
    return absl::DataLossError("HyperLogLog: bad parameters");
  }
  const bool sparse = view.form_ == HyperLogLogForm::kSparse;
  std::uint64_t entries = 0;
  if (view.form_ == HyperLogLogForm::kPacked4 || view.form_ == HyperLogLogForm::kCompressed) {
    entries = internal::NibbleParameters::Unpack(view.parameter_).exceptions;
    if (entries > view.register_count()) return absl::DataLossError("HyperLogLog: more exceptions than registers");
  } else if (sparse) {
    entries = header.count;
    if (entries > internal::MaxCoupons(view.rule_, view.precision_) || view.parameter_ > std::min(entries, internal::kMaxUnsorted)) {
      return absl::DataLossError("HyperLogLog: more coupons than a sparse sketch keeps");
    }
    view.coupons_ = static_cast<std::uint32_t>(entries);
  }
  const std::uint64_t expected = internal::HllImageBytes(view.form_, view.precision_, view.keeps_hip_, entries);
  const bool streamed = view.form_ == HyperLogLogForm::kCompressed;
  if (streamed ? header.image_bytes < expected : header.image_bytes != expected) {
    return absl::DataLossError("HyperLogLog: bad image length");
  }
  view.image_ = image.first(header.image_bytes);
  view.payload_ = view.image_.subspan(internal::kHllHeaderBytes + (view.keeps_hip_ ? internal::kHipBytes : 0));
  return view;
}

absl::Status HyperLogLogView::Verify() const {
  if (form_ == HyperLogLogForm::kSparse) {
    std::vector<std::uint32_t> coupons(Coupons().begin(), Coupons().end());
    const auto unsorted = coupons.end() - static_cast<std::ptrdiff_t>(parameter_);
    if (!std::is_sorted(coupons.begin(), unsorted)) return absl::DataLossError("HyperLogLog: coupons out of order");
    std::sort(coupons.begin(), coupons.end());
    const bool twice = std::adjacent_find(coupons.begin(), coupons.end()) != coupons.end();
    const bool impossible = std::any_of(coupons.begin(), coupons.end(), [&](std::uint32_t c) { return !internal::IsCoupon(rule_, c); });
    return twice || impossible ? absl::DataLossError("HyperLogLog: bad coupons") : absl::OkStatus();
  }
  if (form_ == HyperLogLogForm::kPacked4 || form_ == HyperLogLogForm::kCompressed) {
    std::uint64_t next = 0;
    for (std::size_t i = 0; i < internal::NibbleParameters::Unpack(parameter_).exceptions; ++i) {
      const std::uint64_t place = Load<std::uint32_t>(&payload_[i * 4]) & LowBits(internal::kCouponPrecision);
      if (place < next || place >= register_count()) return absl::DataLossError("HyperLogLog: exceptions out of order");
      next = place + 1;
    }
  }
  // Readers cut a byte to six bits; one that is larger would stand above every rank.
  const bool cut = form_ == HyperLogLogForm::kDense && std::any_of(payload_.begin(), payload_.begin() + register_count(), [](std::byte b) { return b > std::byte{63}; });
  if (cut) return absl::DataLossError("HyperLogLog: a register above the highest rank");
  const internal::RegisterHistogram histogram = HistogramOf(*this);
  for (unsigned rank = max_rank() + 1; rank < histogram.size(); ++rank) {
    if (histogram[rank] != 0) return absl::DataLossError("HyperLogLog: a register above the highest rank");
  }
  return absl::OkStatus();
}

std::span<const std::uint32_t> HyperLogLogView::Coupons() const {
  return {reinterpret_cast<const std::uint32_t*>(payload_.data()), coupons_};
}

std::vector<std::uint8_t> HyperLogLogView::Registers() const {
  std::vector<std::uint8_t> registers;
  registers.reserve(register_count());
  internal::RegisterReader reader(*this);
  while (registers.size() < register_count()) {
    const std::span<const std::uint8_t> block = reader.Next();
    registers.insert(registers.end(), block.begin(), block.end());
  }
  return registers;
}

std::optional<double> HyperLogLogView::Hip() const {
  if (!keeps_hip_) return std::nullopt;
  const auto hip = Load<double>(image_.data() + internal::kHllHeaderBytes);
  if (std::isnan(hip)) return std::nullopt;
  return form_ == HyperLogLogForm::kSparse ? internal::KeysOfCoupons(coupons_) : hip;
}

double HyperLogLogView::Estimate() const {
  if (form_ == HyperLogLogForm::kSparse) {
    return internal::KeysOfCoupons(coupons_);
  }
  if (const std::optional<double> hip = Hip()) return *hip;
  return internal::HyperLogLogEstimate(HistogramOf(*this), max_rank());
}

double HyperLogLogView::EstimateLogLog() const { return internal::LogLogEstimate(HistogramOf(*this), max_rank()); }
double HyperLogLogView::EstimateSuperLogLog() const { return internal::SuperLogLogEstimate(HistogramOf(*this), max_rank()); }

double HyperLogLogView::StandardError() const {
  if (form_ == HyperLogLogForm::kSparse) return 1 / std::sqrt(6 * std::ldexp(1, internal::kCouponPrecision));
  return (Hip() ? 0.8326 : 1.04) / std::sqrt(static_cast<double>(register_count()));
}

double HyperLogLogView::LowerBound(double sigmas) const { return Estimate() / (1 + sigmas * StandardError()); }

double HyperLogLogView::UpperBound(double sigmas) const {
  const double share = 1 - sigmas * StandardError();
  return share > 0 ? Estimate() / share : std::numeric_limits<double>::infinity();
}

absl::StatusOr<Interval> HyperLogLogView::Intersection(const HyperLogLogView& other, double sigmas) const {
  THIMBLE_ASSIGN_OR_RETURN(const HyperLogLog both, HyperLogLog::Union(*this, other));
  const double a = Estimate(), b = other.Estimate(), either = both.Estimate();
  const double reach = sigmas * std::hypot(a * StandardError(), b * other.StandardError(), either * both.StandardError());
  const double most = std::min(UpperBound(sigmas), other.UpperBound(sigmas));
  const double estimate = std::clamp(a + b - either, 0.0, std::max(0.0, std::min(a, b)));
  return Interval{estimate, std::max(0.0, estimate - reach), std::min(most, estimate + reach)};
}

absl::Status HyperLogLogView::CheckCompatible(const HyperLogLogView& other) const {
  THIMBLE_RETURN_IF_ERROR(internal::CheckSameHash(*this, other));
  if (rule_ != other.rule_) return absl::InvalidArgumentError("the sketches choose registers by different rules");
  return absl::OkStatus();
}

absl::StatusOr<PackedHyperLogLog> HyperLogLogView::Packed(unsigned bits) const { return PackedHyperLogLog::Pack(*this, bits); }
PackedHyperLogLog HyperLogLogView::Compressed() const { return PackedHyperLogLog::Compress(*this); }

}  // namespace thimble
