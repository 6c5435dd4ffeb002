#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "token_book.h"

namespace thimble::internal {

// Keeps strings, evenly spread over a stream whose end is not known: when there are too many, one in eight goes, and from then
// on so many fewer are kept. What is kept grows with the stream, so that small data is not learned with more memory than it
// takes itself; except for prefix codes, which are there for size alone.
class TokenSampler {
 public:
  explicit TokenSampler(TokenCoding coding) : coding_(coding) {}

  // `text` is what `whole_bytes` of the data come down to.
  void Add(std::string_view text, std::uint64_t whole_bytes) {
    bytes_ += text.size() + 1;
    whole_bytes_ += whole_bytes;
    credit_ += rate_;
    if (credit_ < 1) return;
    credit_ -= 1;
    sample_.Add(text.substr(0, kMaxText));
    if (held_bytes() <= std::min(kMaxBytes, kMinBytes + whole_bytes_ / (coding_ == TokenCoding::kBits ? 1 : kShare))) return;
    sample_.DropOneIn(kDrop);
    rate_ *= 1.0 - 1.0 / kDrop;
  }

  TokenBook Learn() const {
    const auto held = static_cast<double>(std::max<std::uint64_t>(held_bytes(), 1));
    return TokenBook::Learn(sample_, coding_, static_cast<double>(bytes_) / held);
  }

 private:
  static constexpr std::uint64_t kShare = 12;
  static constexpr std::size_t kDrop = 8;
  static constexpr std::size_t kMaxText = 4096;
  static constexpr std::uint64_t kMinBytes = 1 << 16;
  static constexpr std::uint64_t kMaxBytes = std::uint64_t{8} << 20;

  std::uint64_t held_bytes() const { return sample_.text_bytes() + sample_.strings(); }

  TokenCoding coding_;
  TokenSample sample_;
  double rate_ = 1, credit_ = 0;
  std::uint64_t whole_bytes_ = 0, bytes_ = 0;
};

}  // namespace thimble::internal
