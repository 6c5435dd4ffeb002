#include "thimble/packed_hyperloglog.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>

#include "hll_forms.h"
#include "hll_image.h"
#include "hll_rule.h"
#include "status_macros.h"

namespace thimble {
namespace {

using internal::NibbleModel;
using internal::NibbleParameters;
using internal::RangeEncoder;
using internal::RegisterHistogram;
using internal::UnionReader;

// Calls visit(index, value) for every register of one sketch or of a union.
template <class Visit>
void ForEachRegister(const HyperLogLogView& a, const HyperLogLogView* b, Visit visit) {
  UnionReader reader(a, b);
  for (std::uint32_t index = 0; index < a.register_count();) {
    for (const std::uint8_t value : reader.Next()) visit(index++, value);
  }
}

// The base from which the 15 nibbles reach the most registers.
unsigned BestBase(const RegisterHistogram& histogram) {
  unsigned best = 0;
  std::uint32_t most = 0;
  for (unsigned base = 0; base + NibbleParameters::kEscape <= histogram.size(); ++base) {
    const auto from = histogram.begin() + base;
    const std::uint32_t reached = std::accumulate(from, from + NibbleParameters::kEscape, 0u);
    if (reached > most) {
      most = reached;
      best = base;
    }
  }
  return best;
}

// Registers are read more than once, and those of a live sketch may rise in between: dense ones are copied first.
class Snapshot {
 public:
  explicit Snapshot(const HyperLogLogView& view)
      : copy_(view.form() == HyperLogLogForm::kDense ? Buffer::Copy(view.image()) : Buffer()),
        view_(view.form() == HyperLogLogForm::kDense ? *HyperLogLogView::Open(copy_.bytes()) : view) {}
  const HyperLogLogView& view() const { return view_; }

 private:
  Buffer copy_;
  HyperLogLogView view_;
};

std::vector<std::byte> EncodeNibbles(const HyperLogLogView& a, const HyperLogLogView* b, const NibbleModel& model, unsigned base) {
  RangeEncoder encoder;
  ForEachRegister(a, b, [&](std::uint32_t, std::uint8_t value) {
    const unsigned nibble = value - base < NibbleParameters::kEscape ? value - base : NibbleParameters::kEscape;
    encoder.Encode(model.Start(nibble), model.Frequency(nibble));
  });
  return encoder.Finish();
}

}  // namespace

absl::StatusOr<PackedHyperLogLog> PackedHyperLogLog::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const HyperLogLogView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return PackedHyperLogLog(view, std::move(buffer));
}

PackedHyperLogLog PackedHyperLogLog::Write(const HyperLogLogView& a, const HyperLogLogView* b, HyperLogLogForm form) {
  // A union's history is unknown, so it has no HIP estimate.
  const std::optional<double> hip = b == nullptr ? a.Hip() : std::nullopt;
  const std::size_t payload_at = internal::kHllHeaderBytes + (hip ? internal::kHipBytes : 0);
  const bool compressed = form == HyperLogLogForm::kCompressed;
  const bool nibbles = form == HyperLogLogForm::kPacked4 || compressed;
  NibbleParameters parameters;
  std::vector<std::byte> stream;
  if (nibbles) {
    const RegisterHistogram histogram = internal::HistogramOf(a, b);
    parameters.base = static_cast<std::uint8_t>(BestBase(histogram));
    const auto from = histogram.begin() + parameters.base;
    parameters.exceptions = static_cast<std::uint32_t>(a.register_count()) - std::accumulate(from, from + NibbleParameters::kEscape, 0u);
    if (compressed) {
      const internal::LoadModel load(internal::HyperLogLogEstimate(histogram, a.max_rank()) / static_cast<double>(a.register_count()));
      parameters.mantissa = load.mantissa();
      parameters.exponent = load.exponent();
      stream = EncodeNibbles(a, b, NibbleModel(load, parameters.base), parameters.base);
    }
  }
  const std::uint64_t bytes = compressed
                                  ? RoundUp(payload_at + parameters.exceptions * std::uint64_t{4} + stream.size() + kImageSlack, 8)
                                  : internal::HllImageBytes(form, a.precision(), hip.has_value(), parameters.exceptions);
  Buffer buffer = Buffer::Heap(bytes);
  internal::WriteHllHeader(buffer.bytes(), a.hash_scheme(), a.rule(), a.seed(), a.precision(), hip.has_value(), form, bytes,
                           nibbles ? parameters.Pack() : 0);
  if (hip) Store(buffer.data() + internal::kHllHeaderBytes, *hip);
  std::byte* exception = buffer.data() + payload_at;
  std::byte* const payload = exception + parameters.exceptions * std::size_t{4};
  std::copy(stream.begin(), stream.end(), payload);
  ForEachRegister(a, b, [&](std::uint32_t index, unsigned value) {
    if (form == HyperLogLogForm::kPacked6) {
      std::byte* const to = payload + index / 4 * 3 + index % 4 * 6 / 8;
      const unsigned bits = value << (index % 4 * 6 % 8);
      *to |= static_cast<std::byte>(bits);
      if (bits > 0xff) to[1] |= static_cast<std::byte>(bits >> 8);
      return;
    }
    const bool escapes = value - parameters.base >= NibbleParameters::kEscape;
    const unsigned nibble = escapes ? NibbleParameters::kEscape : value - parameters.base;
    if (!compressed) payload[index / 2] |= static_cast<std::byte>(nibble << (index % 2 * 4));
    if (escapes && exception < payload) {
      Store(exception, static_cast<std::uint32_t>(value) << internal::kCouponPrecision | index);
      exception += 4;
    }
  });
  const HyperLogLogView view = *ViewOf(buffer);
  return PackedHyperLogLog(view, std::move(buffer));
}

absl::StatusOr<PackedHyperLogLog> PackedHyperLogLog::Pack(const HyperLogLogView& view, unsigned bits) {
  const Snapshot still(view);
  if (bits == 6) return Write(still.view(), nullptr, HyperLogLogForm::kPacked6);
  if (bits == 4) return Write(still.view(), nullptr, HyperLogLogForm::kPacked4);
  return absl::InvalidArgumentError("HyperLogLog: registers pack in 6 or 4 bits, not in " + std::to_string(bits));
}

PackedHyperLogLog PackedHyperLogLog::Compress(const HyperLogLogView& view) {
  return Write(Snapshot(view).view(), nullptr, HyperLogLogForm::kCompressed);
}

absl::StatusOr<PackedHyperLogLog> PackedHyperLogLog::CompressedUnion(const HyperLogLogView& a, const HyperLogLogView& b) {
  THIMBLE_RETURN_IF_ERROR(a.CheckCompatible(b));
  if (a.precision() != b.precision()) {
    return absl::InvalidArgumentError("HyperLogLog: a union is compressed of sketches of one precision; fold the finer one first");
  }
  const Snapshot still_a(a), still_b(b);
  return Write(still_a.view(), &still_b.view(), HyperLogLogForm::kCompressed);
}

}  // namespace thimble
