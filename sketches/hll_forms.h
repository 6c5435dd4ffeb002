#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "hll_estimators.h"
#include "load_model.h"
#include "range_coder.h"
#include "thimble/hyperloglog.h"

namespace thimble::internal {

// What parameters[1] says in the 4-bit and the compressed form: a register is `base` plus a nibble, and the nibble kEscape
// stands for a value from the list of exceptions, ascending u32 of value << 26 | index that precede the payload. The
// compressed form range-codes the nibbles with the frequencies of a LoadModel.
struct NibbleParameters {
  static constexpr unsigned kEscape = 15;

  std::uint32_t exceptions = 0;
  std::uint8_t base = 0;
  std::int8_t exponent = 0;
  std::uint16_t mantissa = 0;

  static NibbleParameters Unpack(std::uint64_t word);
  std::uint64_t Pack() const;
};

// Frequencies of nibbles, summing to 2^kScaleBits; Start(n) is the sum of those before n.
class NibbleModel {
 public:
  NibbleModel(const LoadModel& load, unsigned base);
  std::uint32_t Start(unsigned nibble) const { return starts_[nibble]; }
  std::uint32_t Frequency(unsigned nibble) const { return starts_[nibble + 1] - starts_[nibble]; }
  unsigned Find(std::uint32_t target) const;

 private:
  std::array<std::uint32_t, 17> starts_{};
};

// Reads the registers of any form in index order, a block at a time and without a copy of the whole (but of a sparse sketch,
// which is folded first).
class RegisterReader {
 public:
  static constexpr std::size_t kBlock = 64;

  explicit RegisterReader(const HyperLogLogView& view);
  // The next registers, kBlock of them, or all 2^p if those are fewer. Requires: they are not all read.
  std::span<const std::uint8_t> Next();

 private:
  void CopyBytes();
  void UnpackSixBits();
  void UnpackNibbles();
  void DecodeNibbles();
  std::uint8_t Value(unsigned nibble, std::size_t index);

  HyperLogLogForm form_;
  std::size_t block_;
  std::size_t at_ = 0;
  std::span<const std::byte> payload_;
  std::span<const std::byte> exceptions_;
  unsigned base_ = 0;
  std::optional<NibbleModel> model_;
  std::optional<RangeDecoder> decoder_;
  std::vector<std::uint8_t> folded_;
  std::array<std::uint8_t, kBlock> values_{};
};

// Reads one sketch, or the union of two of the same precision.
class UnionReader {
 public:
  explicit UnionReader(const HyperLogLogView& a, const HyperLogLogView* b = nullptr);
  std::span<const std::uint8_t> Next();

 private:
  RegisterReader a_;
  std::optional<RegisterReader> b_;
  std::array<std::uint8_t, RegisterReader::kBlock> values_{};
};

// How many of the registers hold each value.
RegisterHistogram HistogramOf(const HyperLogLogView& a, const HyperLogLogView* b = nullptr);

}  // namespace thimble::internal
