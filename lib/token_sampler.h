#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "token_book.h"

namespace thimble::internal {

// Keeps runs of neighbours, evenly spread over a stream of strings whose end is not known: when there are too many runs,
// every other one goes, and from then on every other one is not kept.
class TokenSampler {
 public:
  void Add(std::string_view text) {
    const std::uint64_t run = strings_++ / kRun;
    bytes_ += text.size() + 1;
    if (run % stride_ != 0) return;
    if (run / stride_ == runs_.size()) {
      if (held_ > kMaxBytes) Thin();
      if (run % stride_ != 0) return;
      runs_.emplace_back();
    }
    runs_.back().Add(text);
    held_ += text.size() + 1;
  }

  // Learns from at most about `max_bytes` of what was kept.
  TokenBook Learn(TokenCoding coding, std::uint64_t max_bytes) && {
    while (held_ > max_bytes && runs_.size() > 1) Thin();
    TokenSample sample;
    for (TokenSample& run : runs_) {
      sample.Append(run);
      run.Clear();
    }
    runs_ = {};
    return TokenBook::Learn(sample, coding, held_ == 0 ? 1 : static_cast<double>(bytes_) / static_cast<double>(held_));
  }

 private:
  static constexpr std::uint64_t kRun = 32;
  static constexpr std::uint64_t kMaxBytes = std::uint64_t{8} << 20;

  void Thin() {
    std::size_t kept = 0;
    held_ = 0;
    for (std::size_t i = 0; i < runs_.size(); i += 2) {
      if (kept != i) runs_[kept] = std::move(runs_[i]);
      held_ += runs_[kept].text_bytes() + runs_[kept].strings();
      ++kept;
    }
    runs_.resize(kept);
    stride_ *= 2;
  }

  std::vector<TokenSample> runs_;
  std::uint64_t strings_ = 0, stride_ = 1;
  std::uint64_t bytes_ = 0, held_ = 0;
};

}  // namespace thimble::internal
