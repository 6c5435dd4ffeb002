#include "front_bucket.h"

namespace thimble::internal {

const std::uint8_t* FrontBucket::ReadLongMask(const std::uint8_t* at, const std::uint8_t* limit, unsigned mask_bytes) {
  long_form_ = true;
  mask_limit_ = limit;
  mask_bytes_ = static_cast<std::uint8_t>(mask_bytes);
  if (mask_bytes != kListForm) {
    mask_ = at;
    if (static_cast<std::size_t>(limit - at) < mask_bytes) mask_bytes_ = static_cast<std::uint8_t>(limit - at);
    return at + mask_bytes_;
  }
  // The list: how many, then the numbers.
  mask_ = at;
  unsigned entries = at < limit ? *at++ : 0;
  if (entries > kStrings) entries = kStrings;
  for (unsigned i = 0; i < entries; ++i) Varint(at, limit);
  return at;
}

template <class Visit>
void FrontBucket::EachLongLcp(Visit visit) const {
  if (mask_bytes_ != kListForm) {
    for (unsigned i = 0; i < mask_bytes_; ++i) {
      for (unsigned byte = mask_[i]; byte != 0; byte &= byte - 1) {
        if (!visit(base_ + 1 + 8 * i + static_cast<unsigned>(std::countr_zero(byte)))) return;
      }
    }
    return;
  }
  const std::uint8_t* at = mask_;
  unsigned entries = at < mask_limit_ ? *at++ : 0;
  if (entries > kStrings) entries = kStrings;
  std::uint64_t lcp = base_;
  for (unsigned i = 0; i < entries; ++i) {
    lcp += Varint(at, mask_limit_);
    if (!visit(lcp)) return;
  }
}

unsigned FrontBucket::LongRankOf(std::uint64_t lcp, bool& present) const {
  present = lcp == base_;
  if (lcp <= base_) return 0;
  unsigned rank = 1;
  EachLongLcp([&](std::uint64_t value) {
    present = value == lcp;
    rank += value < lcp;
    return value < lcp;
  });
  return rank;
}

std::uint64_t FrontBucket::LongLcpOf(unsigned rank) const {
  std::uint64_t found = base_;
  EachLongLcp([&](std::uint64_t value) {
    found = value;
    return --rank > 0;
  });
  return found;
}

}  // namespace thimble::internal
