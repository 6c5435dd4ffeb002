#include "bloom_math.h"

#include <algorithm>
#include <cmath>

namespace thimble {
namespace {

// Putze, Sanders and Singler: the keys that share a block are Poisson-distributed, and each sets k of its bits. Runs here
// begin at every byte, so those that overlap a key's run in part count in part, and the wobble averages out over more than
// one run: as if blocks had 47 k + 50 bits instead of 32 k. That line was fitted to simulations of k = 3 ... 8 and rates of
// 0.05 % to 15 %, which it gives within 2 %, from above.
double BlockedRate(unsigned k, double bits_per_key) {
  const double window = 47.0 * k + 50.0;
  const double mean = window / bits_per_key;
  const double unset_by_one = 1.0 - k / window;
  // From eight standard deviations below the mean, where the terms begin to matter.
  const double first = std::max(0.0, std::floor(mean - 8.0 * std::sqrt(mean)));
  double share = std::exp(first * std::log(mean) - mean - std::lgamma(first + 1.0));
  double unset = std::pow(unset_by_one, first);
  double rate = 0;
  for (double keys = first; keys < mean + 12.0 * std::sqrt(mean) + 12.0; keys += 1.0) {
    const double set = 1.0 - unset;
    double all_set = 1.0;
    for (unsigned i = 0; i < k; ++i) all_set *= set;
    rate += share * all_set;
    share *= mean / (keys + 1.0);
    unset *= unset_by_one;
  }
  return rate;
}

double ClassicRate(unsigned k, double bits_per_key) { return std::pow(-std::expm1(-static_cast<double>(k) / bits_per_key), k); }

}  // namespace

double BloomRate(BloomLayout layout, unsigned k, double bits_per_key) {
  if (bits_per_key <= 0.01) return 1.0;
  return std::min(1.0, layout == BloomLayout::kBlocked ? BlockedRate(k, bits_per_key) : ClassicRate(k, bits_per_key));
}

BloomSize SizeForRate(BloomLayout layout, double rate) {
  const unsigned most = layout == BloomLayout::kBlocked ? kMaxBlockedProbes : kMaxClassicProbes;
  const unsigned ideal = static_cast<unsigned>(std::clamp(std::round(-std::log2(rate)), 1.0, static_cast<double>(most)));
  BloomSize best{0, 0};
  for (unsigned k = std::max(1u, ideal - 1); k <= std::min(most, ideal + 1); ++k) {
    double low = 0.1, high = 1024;
    for (int i = 0; i < 40; ++i) {
      const double middle = std::sqrt(low * high);
      (BloomRate(layout, k, middle) > rate ? low : high) = middle;
    }
    if (best.k == 0 || high < best.bits_per_key) best = {k, high};
  }
  return best;
}

}  // namespace thimble
