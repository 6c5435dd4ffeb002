#include "lcp_code.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "prefix_lengths.h"

namespace thimble::internal {

template <class Visit>
bool LcpWriter::Each(std::span<const std::uint64_t> lcps, Visit visit) {
  if (lcps.empty()) return false;
  const auto [least, most] = std::minmax_element(lcps.begin(), lcps.end());
  if (*most - *least >= LcpCode::kValues) return false;
  visit(LcpCode::kLeast, static_cast<unsigned>(std::min<std::uint64_t>(*least, LcpCode::kValues - 1)));
  unsigned context = 0;
  for (const std::uint64_t lcp : lcps) {
    const auto value = static_cast<unsigned>(lcp - *least);
    visit(context, value);
    context = std::min(value, LcpCode::kContexts - 1);
  }
  return true;
}

void LcpWriter::Add(std::uint64_t lcp) {
  bucket_[in_bucket_++] = lcp;
  if (in_bucket_ == bucket_.size()) EndBucket();
}

void LcpWriter::EndBucket() {
  std::uint32_t present = 0;
  const std::span<const std::uint64_t> lcps(bucket_.data() + 1, std::exchange(in_bucket_, 0) - 1);
  if (!Each(lcps, [&](unsigned context, unsigned value) {
        if (context != LcpCode::kLeast) present |= 1u << value;
        uses_[context][value] += 1;
      })) {
    return;
  }
  ++buckets_;
  // The smallest, their mask and their bit planes.
  plane_bytes_ += 1 + (static_cast<unsigned>(std::bit_width(present)) + 6) / 8 + 4 * static_cast<unsigned>(std::bit_width(std::popcount(present) - 1u));
}

void LcpWriter::Learn() {
  if (in_bucket_ > 1) EndBucket();
  double bits = 0;
  for (unsigned context = 0; context <= LcpCode::kContexts; ++context) {
    AssignCodes(context);
    for (unsigned value = 0; value < LcpCode::kValues; ++value) bits += uses_[context][value] * codes_[context][value].bits;
  }
  // Half a byte of each bucket's last one remains.
  const double bytes = bits / 8 + 0.5 * static_cast<double>(buckets_) + sizeof table_;
  learned_ = bytes < static_cast<double>(plane_bytes_);
}

void LcpWriter::AssignCodes(unsigned context) {
  const auto& uses = uses_[context];
  std::vector<unsigned> values(LcpCode::kValues);
  std::iota(values.begin(), values.end(), 0u);
  std::stable_sort(values.begin(), values.end(), [&](unsigned a, unsigned b) { return uses[a] > uses[b]; });
  std::vector<double> used;
  for (const unsigned value : values) {
    if (uses[value] > 0) used.push_back(uses[value]);
  }
  const std::vector<unsigned> lengths = PrefixLengths(used, LcpCode::kMaxBits);
  unsigned at = 0;  // left-aligned in kMaxBits
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const unsigned value = values[i], bits = lengths[i], share = 1u << (LcpCode::kMaxBits - bits);
    codes_[context][value] = {static_cast<std::uint8_t>(at >> (LcpCode::kMaxBits - bits)), static_cast<std::uint8_t>(bits)};
    std::fill_n(table_.begin() + (context << LcpCode::kMaxBits | at), share, static_cast<std::uint8_t>(value | (bits - 1) << LcpCode::kValueBits));
    at += share;
  }
}

std::size_t LcpWriter::BytesOf(std::span<const std::uint64_t> lcps) const {
  std::size_t bits = 0;
  bool all = learned_;
  const bool small = Each(lcps, [&](unsigned context, unsigned value) {
    all &= codes_[context][value].bits != 0;
    bits += codes_[context][value].bits;
  });
  return all && small ? (bits + 7) / 8 : ~std::size_t{0};
}

void LcpWriter::Write(std::span<const std::uint64_t> lcps, std::string* out) const {
  unsigned pending = 0, pending_bits = 0;
  Each(lcps, [&](unsigned context, unsigned value) {
    const Code code = codes_[context][value];
    pending = pending << code.bits | code.code;
    pending_bits += code.bits;
    if (pending_bits < 8) return;
    pending_bits -= 8;
    out->push_back(static_cast<char>(pending >> pending_bits));
  });
  if (pending_bits > 0) out->push_back(static_cast<char>(pending << (8 - pending_bits)));
}

}  // namespace thimble::internal
