#pragma once

#include "thimble/hyperloglog.h"

namespace thimble {

// A HyperLogLog to keep or to send: 6 or 4 bits a register, or the registers entropy-coded. It is not added to; it is read,
// estimated and merged as any HyperLogLogView, without a decoded copy.
//
//   PackedHyperLogLog stored = sketch.Compressed();
//   stored.Estimate();  other.Merge(stored);  PackedHyperLogLog::CompressedUnion(stored, more);
//
// Space    p = 12: Packed(6) 3,144 bytes; Packed(4) 2,120 + 4 for each register out of the 15 best values (about 8 bytes);
//          Compressed about 1,530
// Error    as the HyperLogLog it is made of
// Time     Estimate and Merge O(2^p): 4 bits about 1 ns a register, compressed about 10 ns
// Merge    into a HyperLogLog, or as a stream into another compressed one
// Threads  const methods are safe together
// Errors   Pack: kInvalidArgument for a width other than 4 and 6
// Paper    offset and exceptions: Heule, Nunkesser, Hall 2013 and DataSketches; entropy: Ertl, arXiv:2402.13726 and its sources
class PackedHyperLogLog : public Owner<HyperLogLogView> {
 public:
  static absl::StatusOr<PackedHyperLogLog> Open(Buffer buffer);

  static absl::StatusOr<PackedHyperLogLog> Pack(const HyperLogLogView& view, unsigned bits);
  static PackedHyperLogLog Compress(const HyperLogLogView& view);
  // Returns kInvalidArgument unless both hash alike and are of the same precision.
  static absl::StatusOr<PackedHyperLogLog> CompressedUnion(const HyperLogLogView& a, const HyperLogLogView& b);

  Stats stats() const { return {.live_bytes = image().size(), .peak_bytes = image().size()}; }

 private:
  friend class HyperLogLogView;
  PackedHyperLogLog(HyperLogLogView view, Buffer buffer) : Owner(view, std::move(buffer)) {}
  static PackedHyperLogLog Write(const HyperLogLogView& a, const HyperLogLogView* b, HyperLogLogForm form);
};

}  // namespace thimble
