#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "thimble/image.h"
#include "thimble/owner.h"

namespace thimble {

// The read side of a StringPool.
class StringPoolView {
 public:
  static constexpr Kind kKind = Kind::kStringPool;

  // Holds nothing: to be assigned to.
  StringPoolView() = default;
  static absl::StatusOr<StringPoolView> Open(std::span<const std::byte> image);
  // Returns kDataLoss if a string lies outside, comes twice or is not found.
  absl::Status Verify() const;
  std::span<const std::byte> image() const { return image_; }

  std::uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // The id of a string, if it is in.
  std::optional<std::uint64_t> Find(std::string_view string) const;
  bool Contains(std::string_view string) const { return Find(string).has_value(); }
  // The string with this id; it ends when the pool grows. Empty if there is none.
  std::string_view operator[](std::uint64_t id) const;

 private:
  friend class StringPool;

  std::optional<std::uint64_t> FindHashed(std::string_view string, std::uint64_t hash) const;

  // The index, lines of 64 bytes: 12 fingerprints (0: free), 4 unused bytes, 12 u32 ids. A string stands in the line of its
  // hash, or in the next one that was not full.
  // The ends, 16 bytes for 8 strings: u64 where the first begins, 8 u8 sizes. 255: the size is a u64 before the string.
  // The text.
  std::span<const std::byte> image_;
  const std::byte* lines_ = nullptr;
  const std::byte* blocks_ = nullptr;
  const std::byte* text_ = nullptr;
  std::uint64_t line_count_ = 0, block_count_ = 0, text_bytes_ = 0;
  std::uint64_t size_ = 0, seed_ = 0;
};

// Gives each different string a number, 0, 1, 2, ..., that it keeps: names in a program that sees them over and over.
//
//   StringPool pool({});
//   const std::uint64_t id = *pool.Add("usr/share/doc");      // the same id for the same string
//   pool[id];                                                 // a string_view
//
// Space    the strings + 2 B for where each begins + about 6 B for the index; grows by a twelfth at most, never doubles
// Time     Find and Add three cache misses; Add moves what it holds 12 times over, on average, while it grows
// Threads  const methods are safe together; Add needs exclusion
class StringPool : public Owner<StringPoolView> {
 public:
  struct Options {
    std::uint64_t capacity = 0;  // strings to make room for at first
    std::uint64_t seed = 0;      // a secret one keeps out strings that were chosen to collide
  };

  explicit StringPool(const Options& options);
  static absl::StatusOr<StringPool> Make(const Options& options);
  // In place; the pool grows the buffer. Requires: `buffer` is zero.
  static absl::StatusOr<StringPool> Make(const Options& options, Buffer buffer);
  static std::uint64_t ImageBytes(const Options& options);
  static absl::StatusOr<StringPool> Open(Buffer buffer);

  // The string's id, old or new. Views and string_views of the pool end here. Returns kResourceExhausted from 2^32 strings
  // on, and what the buffer answers if it cannot grow; then nothing changed.
  absl::StatusOr<std::uint64_t> Add(std::string_view string);

  Stats stats() const;

 private:
  StringPool(StringPoolView view, Buffer buffer) : Owner(view, std::move(buffer)) {}
  absl::Status GrowIndex();
  absl::Status ReserveText(std::uint64_t bytes);
  void PutInLine(std::uint64_t id, std::uint64_t hash);
  void Rebase();
  void WriteHeader();

  std::uint64_t peak_bytes_ = 0;
};

}  // namespace thimble
