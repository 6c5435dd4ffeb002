#pragma once

#include <array>
#include <cstdint>

namespace thimble::internal {

// The probabilities of a sketch whose registers each saw `load` keys (Poisson): what the compressed forms code with. The load
// is kept in an image as 16 bits times a power of two, and everything follows from them in integers, so that a decoder on any
// machine computes what the encoder did.
class LoadModel {
 public:
  explicit LoadModel(double load);
  LoadModel(std::uint16_t mantissa, std::int8_t exponent);

  std::uint16_t mantissa() const { return mantissa_; }
  std::int8_t exponent() const { return exponent_; }

  // 2^63 times the probability that a register saw a rank above k, 1 - exp(-load / 2^k). Requires: k <= 64.
  std::uint64_t Above(unsigned k) const { return above_[k]; }

 private:
  std::uint16_t mantissa_ = 0;
  std::int8_t exponent_ = 0;
  std::array<std::uint64_t, 65> above_{};
};

}  // namespace thimble::internal
