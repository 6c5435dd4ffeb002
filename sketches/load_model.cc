#include "load_model.h"

#include <algorithm>
#include <cmath>

namespace thimble::internal {
namespace {

__extension__ using Wide = unsigned __int128;

struct Split {
  std::uint16_t mantissa;
  std::int8_t exponent;
};

Split SplitLoad(double load) {
  if (!(load > 0)) return {0, 0};
  int exponent = 0;
  const double part = std::frexp(load, &exponent);  // in [0.5, 1)
  return {static_cast<std::uint16_t>(std::min(part * 65536, 65535.0)), static_cast<std::int8_t>(std::clamp(exponent - 16, -100, 60))};
}

}  // namespace

LoadModel::LoadModel(double load) : LoadModel(SplitLoad(load).mantissa, SplitLoad(load).exponent) {}

LoadModel::LoadModel(std::uint16_t mantissa, std::int8_t exponent) : mantissa_(mantissa), exponent_(exponent) {
  // At the level where load / 2^k is below 2^-20, 1 - exp(-x) is x, to a millionth. From there on down the exponential
  // squares: 1 - (1 - y)^2 = 2 y - y^2.
  const int start = exponent + 36;
  std::uint64_t y = static_cast<std::uint64_t>(mantissa) << 27;
  for (int k = start; k <= 64; ++k) {
    if (k >= 0) above_[static_cast<unsigned>(k)] = k - start < 64 ? y >> (k - start) : 0;
  }
  for (int k = start - 1; k >= 0; --k) {
    y = 2 * y - static_cast<std::uint64_t>((Wide{y} * y) >> 63);
    if (k <= 64) above_[static_cast<unsigned>(k)] = y;
  }
}

}  // namespace thimble::internal
