#include "thimble/concurrent_hyperloglog.h"

#include "hll_forms.h"
#include "hll_image.h"
#include "hll_rule.h"
#include "scheme_hash.h"
#include "status_macros.h"

namespace thimble {

using internal::SchemeHash;
using internal::Touch;

ConcurrentHyperLogLog::ConcurrentHyperLogLog(const Options& options) : ConcurrentHyperLogLog(*Make(options)) {}

absl::StatusOr<ConcurrentHyperLogLog> ConcurrentHyperLogLog::Make(const Options& options) {
  THIMBLE_RETURN_IF_ERROR(internal::CheckHllOptions(options));
  return Make(options, Buffer::Heap(ImageBytes(options)));
}

absl::StatusOr<ConcurrentHyperLogLog> ConcurrentHyperLogLog::Make(const Options& options, Buffer buffer) {
  THIMBLE_RETURN_IF_ERROR(internal::CheckHllOptions(options));
  if (options.sparse || options.hip) return absl::InvalidArgumentError("HyperLogLog: threads share dense registers, and nothing else");
  if (buffer.size() < ImageBytes(options)) return absl::InvalidArgumentError("HyperLogLog: the buffer is too small");
  internal::WriteEmptyHll(options, buffer.bytes());
  THIMBLE_ASSIGN_OR_RETURN(const HyperLogLogView view, ViewOf(buffer));
  return ConcurrentHyperLogLog(view, std::move(buffer));
}

absl::StatusOr<ConcurrentHyperLogLog> ConcurrentHyperLogLog::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const HyperLogLogView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  if (view.form() != HyperLogLogForm::kDense || view.keeps_hip_) {
    return absl::InvalidArgumentError("HyperLogLog: threads share dense registers, and nothing else");
  }
  return ConcurrentHyperLogLog(view, std::move(buffer));
}

void ConcurrentHyperLogLog::Raise(std::uint32_t index, std::uint8_t rank) {
  auto* const value = reinterpret_cast<std::uint8_t*>(data()) + internal::kHllHeaderBytes + index;
  std::uint8_t seen = __atomic_load_n(value, __ATOMIC_RELAXED);
  while (seen < rank && !__atomic_compare_exchange_n(value, &seen, rank, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
}

void ConcurrentHyperLogLog::AddHash(Hash128 hash) {
  const Touch touch = internal::Place(rule(), precision(), hash);
  Raise(touch.index, touch.rank);
}

void ConcurrentHyperLogLog::Add(std::string_view key) {
  if (!internal::Ignored(rule(), key)) AddHash(SchemeHash(hash_scheme(), seed(), key));
}

void ConcurrentHyperLogLog::AddInteger(std::uint64_t key, unsigned unused_bits) {
  AddHash(SchemeHash(hash_scheme(), seed(), internal::Widen(rule(), key, unused_bits)));
}

absl::Status ConcurrentHyperLogLog::Merge(const HyperLogLogView& other) {
  THIMBLE_RETURN_IF_ERROR(internal::CheckHllMerge(*this, other));
  internal::RegisterReader reader(other);
  for (std::uint32_t index = 0; index < other.register_count();) {
    for (const std::uint8_t value : reader.Next()) {
      const Touch touch = internal::Fold(rule(), other.precision(), precision(), {index++, value});
      Raise(touch.index, touch.rank);
    }
  }
  return absl::OkStatus();
}

Stats ConcurrentHyperLogLog::stats() const { return {.live_bytes = image().size(), .peak_bytes = image().size()}; }

}  // namespace thimble
