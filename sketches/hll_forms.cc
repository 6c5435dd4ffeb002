#include "hll_forms.h"

#include <algorithm>

#include "hll_kernels.h"
#include "hll_rule.h"
#include "thimble/bytes.h"

namespace thimble::internal {
namespace {


// Registers of a mapped image may be raised by another process while they are read.
std::uint8_t LoadRelaxed(const std::byte* from) {
  return __atomic_load_n(reinterpret_cast<const std::uint8_t*>(from), __ATOMIC_RELAXED);
}

std::vector<std::uint8_t> FoldCoupons(const HyperLogLogView& view) {
  std::vector<std::uint8_t> registers(view.register_count());
  for (const std::uint32_t coupon : view.Coupons()) {
    const Touch touch = FoldCoupon(view.rule(), view.precision(), coupon);
    registers[touch.index] = std::max(registers[touch.index], touch.rank);
  }
  return registers;
}

}  // namespace

NibbleParameters NibbleParameters::Unpack(std::uint64_t word) {
  return {.exceptions = static_cast<std::uint32_t>(word),
          .base = static_cast<std::uint8_t>(word >> 32),
          .exponent = static_cast<std::int8_t>(word >> 40),
          .mantissa = static_cast<std::uint16_t>(word >> 48)};
}

std::uint64_t NibbleParameters::Pack() const {
  return exceptions | std::uint64_t{base} << 32 | std::uint64_t{static_cast<std::uint8_t>(exponent)} << 40 |
         std::uint64_t{mantissa} << 48;
}

NibbleModel::NibbleModel(const LoadModel& load, unsigned base) {
  constexpr std::uint64_t kScale = (std::uint64_t{1} << kScaleBits) - 16;  // one for each nibble, the rest by probability
  __extension__ using Wide = unsigned __int128;
  for (unsigned nibble = 0; nibble < NibbleParameters::kEscape; ++nibble) {
    const unsigned value = base + nibble;
    const std::uint64_t not_below = value == 0 ? std::uint64_t{1} << 63 : value <= 65 ? load.Above(value - 1) : 0;
    const std::uint64_t probability = value <= 64 ? not_below - load.Above(value) : 0;
    starts_[nibble + 1] = starts_[nibble] + 1 + static_cast<std::uint32_t>((Wide{probability} * kScale) >> 63);
  }
  starts_[16] = 1u << kScaleBits;
}

unsigned NibbleModel::Find(std::uint32_t target) const {
  unsigned nibble = 0;
  for (unsigned step = 8; step > 0; step /= 2) nibble += target >= starts_[nibble + step] ? step : 0;
  return nibble;
}

RegisterReader::RegisterReader(const HyperLogLogView& view)
    : form_(view.form()), block_(std::min(kBlock, view.register_count())), payload_(view.payload_) {
  if (form_ == HyperLogLogForm::kSparse) {
    folded_ = FoldCoupons(view);
    return;
  }
  if (form_ != HyperLogLogForm::kPacked4 && form_ != HyperLogLogForm::kCompressed) return;
  const NibbleParameters parameters = NibbleParameters::Unpack(view.parameter_);
  base_ = parameters.base;
  exceptions_ = payload_.first(std::size_t{parameters.exceptions} * 4);
  payload_ = payload_.subspan(exceptions_.size());
  if (form_ == HyperLogLogForm::kCompressed) {
    model_.emplace(LoadModel(parameters.mantissa, parameters.exponent), base_);
    decoder_.emplace(payload_);
  }
}

std::span<const std::uint8_t> RegisterReader::Next() {
  switch (form_) {
    case HyperLogLogForm::kSparse: std::copy_n(folded_.data() + at_, block_, values_.data()); break;
    case HyperLogLogForm::kDense: CopyBytes(); break;
    case HyperLogLogForm::kPacked6: UnpackSixBits(); break;
    case HyperLogLogForm::kPacked4: UnpackNibbles(); break;
    case HyperLogLogForm::kCompressed: DecodeNibbles(); break;
  }
  at_ += block_;
  return {values_.data(), block_};
}

void RegisterReader::CopyBytes() {
  const std::byte* const from = payload_.data() + at_;
  std::uint8_t* const to = values_.data();
  for (std::size_t i = 0; i < block_; ++i) to[i] = LoadRelaxed(from + i) & 63;
}

void RegisterReader::UnpackSixBits() {
  for (std::size_t i = 0; i < block_; i += 4) {
    const std::byte* from = &payload_[(at_ + i) / 4 * 3];
    const std::uint32_t four = Load<std::uint16_t>(from) | Load<std::uint8_t>(from + 2) << 16;
    for (std::size_t j = 0; j < 4; ++j) values_[i + j] = static_cast<std::uint8_t>(four >> (6 * j) & 63);
  }
}

void RegisterReader::UnpackNibbles() {
  for (std::size_t i = 0; i < block_; i += 2) {
    const auto two = static_cast<unsigned>(payload_[(at_ + i) / 2]);
    values_[i] = Value(two & 15, at_ + i);
    values_[i + 1] = Value(two >> 4, at_ + i + 1);
  }
}

void RegisterReader::DecodeNibbles() {
  for (std::size_t i = 0; i < block_; ++i) {
    const unsigned nibble = model_->Find(decoder_->Target());
    decoder_->Advance(model_->Start(nibble), model_->Frequency(nibble));
    values_[i] = Value(nibble, at_ + i);
  }
}

// Exceptions are read in step with the registers.
std::uint8_t RegisterReader::Value(unsigned nibble, std::size_t index) {
  if (nibble != NibbleParameters::kEscape) return static_cast<std::uint8_t>((base_ + nibble) & 63);
  while (!exceptions_.empty()) {
    const auto exception = Load<std::uint32_t>(exceptions_.data());
    const std::size_t place = exception & LowBits(kCouponPrecision);
    if (place > index) break;
    exceptions_ = exceptions_.subspan(4);
    if (place == index) return static_cast<std::uint8_t>(exception >> kCouponPrecision);
  }
  return 0;
}

UnionReader::UnionReader(const HyperLogLogView& a, const HyperLogLogView* b) : a_(a) {
  if (b != nullptr) b_.emplace(*b);
}

std::span<const std::uint8_t> UnionReader::Next() {
  const std::span<const std::uint8_t> a = a_.Next();
  if (!b_) return a;
  std::copy(a.begin(), a.end(), values_.begin());
  MaxBytes(values_.data(), b_->Next().data(), a.size());
  return {values_.data(), a.size()};
}

RegisterHistogram HistogramOf(const HyperLogLogView& a, const HyperLogLogView* b) {
  // Four tables, so that equal neighbours do not wait for each other's increment.
  RegisterHistogram histogram{};
  std::uint32_t parts[4][histogram.size()] = {};
  UnionReader reader(a, b);
  for (std::size_t read = 0; read < a.register_count();) {
    const std::span<const std::uint8_t> block = reader.Next();
    const std::uint8_t* const values = block.data();
    for (std::size_t i = 0, n = block.size(); i < n; i += 4) {
      for (std::size_t j = 0; j < 4; ++j) ++parts[j][values[i + j]];
    }
    read += block.size();
  }
  for (std::size_t k = 0; k < histogram.size(); ++k) histogram[k] = parts[0][k] + parts[1][k] + parts[2][k] + parts[3][k];
  return histogram;
}

}  // namespace thimble::internal
