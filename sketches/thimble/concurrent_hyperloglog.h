#pragma once

#include "thimble/hyperloglog.h"

namespace thimble {

// A HyperLogLog that any number of threads and processes add to at once: each register is raised by an atomic maximum.
//
//   ConcurrentHyperLogLog users({.precision = 14});
//   ... users.Add(name) in every thread, users.Estimate() in any of them ...
//
// Space    as HyperLogLog, whose image it shares: a HyperLogLogView reads it at any time
// Error    as HyperLogLog; an estimate beside writers counts some of the keys that they are adding
// Time     Add O(1): one relaxed load, and seldom a compare-and-swap
// Merge    lossless, beside writers too
// Threads  every method is safe beside every other
// Errors   as HyperLogLog
// Paper    as HyperLogLog
class ConcurrentHyperLogLog : public Owner<HyperLogLogView> {
 public:
  using Options = HyperLogLog::Options;

  explicit ConcurrentHyperLogLog(const Options& options);
  static absl::StatusOr<ConcurrentHyperLogLog> Make(const Options& options);
  // In bytes that are zero.
  static absl::StatusOr<ConcurrentHyperLogLog> Make(const Options& options, Buffer buffer);
  static std::uint64_t ImageBytes(const Options& options) { return HyperLogLog::ImageBytes(options); }
  static absl::StatusOr<ConcurrentHyperLogLog> Open(Buffer buffer);

  template <std::integral T>
  void Add(T key) {
    AddInteger(static_cast<std::uint64_t>(key), 64 - 8 * sizeof(T));
  }
  void Add(std::string_view key);
  void Add(std::span<const std::byte> key) { Add(std::string_view(reinterpret_cast<const char*>(key.data()), key.size())); }
  void AddHash(Hash128 hash);
  void AddHash(std::uint64_t hash) { AddHash(Hash128{hash, 0}); }
  absl::Status Merge(const HyperLogLogView& other);
  Stats stats() const;

 private:
  ConcurrentHyperLogLog(HyperLogLogView view, Buffer buffer) : Owner(view, std::move(buffer)) {}
  void AddInteger(std::uint64_t key, unsigned unused_bits);
  void Raise(std::uint32_t index, std::uint8_t rank);
};

}  // namespace thimble
