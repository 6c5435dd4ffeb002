#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "byte_log.h"
#include "dictionary_format.h"
#include "lcp_code.h"
#include "thimble/string_dictionary.h"
#include "token_book.h"

namespace thimble::internal {

// Writes buckets of 32 strings: FrontBucket says how.
class BucketWriter {
 public:
  // `lcps`: codes for the LCPs, or null.
  BucketWriter(const TokenBook& book, bool with_firsts, const LcpWriter* lcps) : writer_(book), with_firsts_(with_firsts), lcp_writer_(lcps) {}

  unsigned count() const { return count_; }
  bool full() const { return count_ == FrontBucket::kStrings; }
  // A string: how much of it is that of the one before (of the first: of its separator), and the rest.
  void Add(std::uint64_t lcp, std::string_view rest);
  // Appends the bucket to `out`, and begins the next.
  void Finish(std::string* out);

 private:
  void WriteLcps(std::string* out) const;

  TokenWriter writer_;
  bool with_firsts_;
  const LcpWriter* lcp_writer_;
  unsigned count_ = 0;
  std::uint64_t lcps_[FrontBucket::kStrings];
  std::string firsts_, tokens_;
};

// Writes the image of a dictionary from keys in ascending order, once the tokens are known. Leaves go where they will stay;
// the rest, about 2 % of them, follows at the end.
class DictionaryWriter {
 public:
  // Both stay, until it is finished.
  DictionaryWriter(const TokenBook& book, const LcpWriter& lcps, Buffer buffer);

  absl::Status Begin();
  // Requires: `key` is larger than the one before, `lcp` the length of the prefix that they share.
  absl::Status Add(std::string_view key, std::uint64_t lcp);
  // The finished image, in the buffer.
  absl::StatusOr<Buffer> Finish();

 private:
  void AddSeparator(std::string_view separator);
  absl::Status FinishLeaf();

  const TokenBook& book_;
  const LcpWriter& lcps_;
  DictionaryLayout layout_;
  ByteLog image_;
  BucketWriter leaf_, node_;
  std::string bucket_;
  std::uint64_t count_ = 0, max_key_bytes_ = 0;
  std::string separator_;                  // the last one
  std::vector<std::uint32_t> leaf_sizes_;
  std::string nodes_, root_;
  std::vector<std::uint64_t> root_ends_, node_starts_;
};

}  // namespace thimble::internal
