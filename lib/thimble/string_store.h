#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "thimble/elias_fano.h"
#include "thimble/image.h"
#include "thimble/owner.h"

namespace thimble {

// The read side of a StringStore.
class StringStoreView {
 public:
  static constexpr Kind kKind = Kind::kStringStore;

  // Holds nothing: to be assigned to.
  StringStoreView() = default;
  static absl::StatusOr<StringStoreView> Open(std::span<const std::byte> image);
  // Returns kDataLoss if a string does not decode, or the sizes that are stored are wrong.
  absl::Status Verify() const;
  std::span<const std::byte> image() const { return image_; }

  std::uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // What the strings hold together, and the longest of them.
  std::uint64_t payload_bytes() const { return payload_bytes_; }
  std::uint64_t max_string_bytes() const { return max_string_bytes_; }

  // String i, in a buffer that may be reused from call to call; the result ends when the buffer changes.
  // Requires: i < size().
  std::string_view Get(std::uint64_t i, std::string& buffer) const;
  std::string operator[](std::uint64_t i) const;

  // Calls visit(string) for strings first to first + count - 1, in order. Requires: first + count <= size().
  template <class Visit>
  void Scan(std::uint64_t first, std::uint64_t count, Visit visit) const {
    CodeRun runs[kScanBatch];
    std::string buffer;
    while (count > 0) {
      const std::uint64_t batch = count < kScanBatch ? count : kScanBatch;
      DecodeRuns(first, std::span(runs, batch));
      for (std::uint64_t i = 0; i < batch; ++i) visit(Decode(runs[i], buffer));
      first += batch;
      count -= batch;
    }
  }

 private:
  friend class StringStore;
  static constexpr std::uint64_t kScanBatch = 64;

  // The codes of a string: the first, and the one behind the last.
  using CodeRun = std::pair<std::uint64_t, std::uint64_t>;

  CodeRun RunOf(std::uint64_t i) const;
  // RunOf for strings `first` to first + out.size() - 1.
  void DecodeRuns(std::uint64_t first, std::span<CodeRun> out) const;
  absl::Status VerifyCounts() const;
  // Clamped to what there is.
  std::string_view Decode(CodeRun run, std::string& buffer) const;

  std::span<const std::byte> image_;
  std::uint64_t size_ = 0;
  std::uint64_t payload_bytes_ = 0;
  std::uint64_t max_string_bytes_ = 0;
  const std::byte* codes_ = nullptr;
  std::uint64_t code_count_ = 0;
  const std::byte* entries_ = nullptr;  // of the token table; null if the codes are the strings' own bytes
  const std::byte* arena_ = nullptr;
  std::uint32_t token_count_ = 0;
  std::uint32_t arena_bytes_ = 0;
  EliasFanoView ends_;                 // 0, then where each string's codes end
  const std::byte* counts_ = nullptr;  // instead of them, where few strings have many codes: see lib/count_groups.h
};

// Strings by number, in the order in which they were added, duplicates kept: text that is read far more than it is written.
//
//   StringStore::Builder builder;
//   for (std::string_view line : lines) {
//     if (absl::Status added = builder.Add(line); !added.ok()) return added;
//   }
//   const StringStore store = *std::move(builder).Finish();
//   std::string buffer;
//   store.Get(7, buffer);
//
// Each string is a run of 16-bit codes for pieces of text that were learned from a sample of all of them; where that would
// not be smaller, it is its own bytes.
//
// Space    2 B a code, + at most 0.8 MiB of pieces; for where each string ends 5.25 bits if few have more than 14 codes, else
//          2 + log2(codes a string); never more than 1 B a byte + 2 + log2(mean length) bits a string + header
//          paths of 64 B: 14.5 B; words of 9.4 B: 5.6 B
// Time     Get one or two cache misses + about 2 ns a code; Scan the codes alone
// Threads  const methods are safe together
// Paper    tokens: Gargiulo and Venturini 2025 (OnPair), arXiv:2508.02280; ends: EliasFano
class StringStore : public Owner<StringStoreView> {
 public:
  class Builder;

  static absl::StatusOr<StringStore> Open(Buffer buffer);

  Stats stats() const { return {.live_bytes = image().size(), .peak_bytes = peak_bytes_}; }

 private:
  StringStore(StringStoreView view, Buffer buffer) : Owner(view, std::move(buffer)) {}
  std::uint64_t peak_bytes_ = 0;
};

// Keeps the strings until it knows what they have in common: it holds their bytes + 8 each.
class StringStore::Builder {
 public:
  Builder();
  // Goes on from the strings of a store.
  explicit Builder(StringStoreView from);

  // Returns kInvalidArgument if the string is longer than 1 GiB.
  absl::Status Add(std::string_view string);
  std::uint64_t size() const { return size_; }

  // On the heap, or in `buffer`, which is grown if it can and must.
  absl::StatusOr<StringStore> Finish() &&;
  absl::StatusOr<StringStore> Finish(Buffer buffer) &&;

 private:
  std::string_view At(std::uint64_t i) const;

  Buffer text_ = Buffer::Heap(0), ends_ = Buffer::Heap(0);
  std::uint64_t text_bytes_ = 0, size_ = 0, max_string_bytes_ = 0;
};

}  // namespace thimble
