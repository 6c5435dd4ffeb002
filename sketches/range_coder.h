#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "thimble/bytes.h"

namespace thimble::internal {

// A range coder for symbols whose frequencies add up to 2^kScaleBits, after Martin 1979 with the carry handling of LZMA: the
// output has the size that the frequencies say, and some two bytes more. The decoder never reads outside of its input, and
// decodes some symbol from any bytes.
//
//   RangeEncoder out;  for (...) out.Encode(cumulative, frequency);  std::vector<std::byte> bytes = out.Finish();
//   RangeDecoder in(bytes);  for (...) { find the symbol of in.Target(); in.Advance(cumulative, frequency); }
inline constexpr unsigned kScaleBits = 15;

class RangeEncoder {
 public:
  void Encode(std::uint32_t cumulative, std::uint32_t frequency) {
    range_ >>= kScaleBits;
    low_ += std::uint64_t{cumulative} * range_;
    range_ *= frequency;
    while (range_ < kLeast) {
      range_ <<= 8;
      ShiftLow();
    }
  }

  // Ends with the shortest bytes that decode as if zeros followed.
  std::vector<std::byte> Finish() {
    low_ = (low_ + kLeast - 1) & ~std::uint64_t{kLeast - 1};
    for (int i = 0; i < 5; ++i) ShiftLow();
    while (!bytes_.empty() && bytes_.back() == std::byte{0}) bytes_.pop_back();
    return std::move(bytes_);
  }

 private:
  static constexpr std::uint32_t kLeast = 1u << 24;

  // Emits the top byte, once it is known that no carry reaches it: a run of 0xff waits for that.
  void ShiftLow() {
    if (low_ < 0xff000000u || low_ > 0xffffffffu) {
      const auto carry = static_cast<unsigned>(low_ >> 32);
      if (started_) bytes_.push_back(static_cast<std::byte>(cache_ + carry));
      for (; pending_ > 0; --pending_) bytes_.push_back(static_cast<std::byte>(0xff + carry));
      cache_ = static_cast<std::uint8_t>(low_ >> 24);
      started_ = true;
    } else {
      ++pending_;
    }
    low_ = (low_ & (kLeast - 1)) << 8;
  }

  std::vector<std::byte> bytes_;
  std::uint64_t low_ = 0;
  std::uint32_t range_ = 0xffffffff;
  std::uint64_t pending_ = 0;
  std::uint8_t cache_ = 0;
  bool started_ = false;
};

class RangeDecoder {
 public:
  explicit RangeDecoder(std::span<const std::byte> bytes) : bytes_(bytes) {
    for (int i = 0; i < 4; ++i) code_ = code_ << 8 | NextByte();
  }

  // The symbol's place among the frequencies.
  std::uint32_t Target() {
    range_ >>= kScaleBits;
    const std::uint32_t target = code_ / range_;
    return target < (1u << kScaleBits) ? target : (1u << kScaleBits) - 1;
  }

  // Requires: Target() was called, and lies in [cumulative, cumulative + frequency).
  void Advance(std::uint32_t cumulative, std::uint32_t frequency) {
    code_ -= cumulative * range_;
    range_ *= frequency;
    while (range_ < (1u << 24)) {
      code_ = code_ << 8 | NextByte();
      range_ <<= 8;
    }
  }

 private:
  std::uint32_t NextByte() { return at_ < bytes_.size() ? static_cast<std::uint32_t>(bytes_[at_++]) : 0; }

  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  std::uint32_t code_ = 0;
  std::uint32_t range_ = 0xffffffff;
};

}  // namespace thimble::internal
