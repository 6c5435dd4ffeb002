#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "thimble/image.h"
#include "thimble/owner.h"

namespace thimble {

namespace internal {
class DictionaryReader;
}

// The read side of a StringDictionary. Keys are numbered in the order of their bytes: the id of a key is its rank.
class StringDictionaryView {
 public:
  static constexpr Kind kKind = Kind::kStringDictionary;
  static constexpr std::uint64_t kNotFound = ~std::uint64_t{0};
  class Cursor;

  // Ids from `begin` to `end` - 1.
  struct Range {
    std::uint64_t begin, end;
    bool operator==(const Range&) const = default;
  };
  // A key that begins a text, and how long it is.
  struct Prefix {
    std::uint64_t id;
    std::size_t size;
    bool operator==(const Prefix&) const = default;
  };

  // Holds nothing: to be assigned to.
  StringDictionaryView() = default;
  static absl::StatusOr<StringDictionaryView> Open(std::span<const std::byte> image);
  // Returns kDataLoss if the keys are not in order, or a search does not find them.
  absl::Status Verify() const;
  std::span<const std::byte> image() const { return image_; }

  std::uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::uint64_t max_key_bytes() const { return max_key_bytes_; }

  // The id of a key.
  std::optional<std::uint64_t> Find(std::string_view key) const;
  bool Contains(std::string_view key) const { return Find(key).has_value(); }
  // Find for many keys at once, which hides most of the memory's latency: out[i] is the id of keys[i], or kNotFound.
  // Requires: out.size() >= keys.size().
  void FindMany(std::span<const std::string_view> keys, std::span<std::uint64_t> out) const;

  // The key with this id, in a buffer that may be reused from call to call; the result ends when the buffer changes.
  // Requires: id < size().
  std::string_view Get(std::uint64_t id, std::string& buffer) const;
  std::string operator[](std::uint64_t id) const;
  // Get for many ids at once: calls visit(i, key of ids[i]) in order. Requires: every id < size().
  void GetMany(std::span<const std::uint64_t> ids, const std::function<void(std::size_t, std::string_view)>& visit) const;

  // How many keys are smaller: the id of the first key that is not, or size().
  std::uint64_t LowerBound(std::string_view key) const;
  // The id of the last key that is not larger.
  std::optional<std::uint64_t> Predecessor(std::string_view key) const;
  // The keys that begin with `prefix`.
  Range PrefixRange(std::string_view prefix) const;
  // The longest key that begins `text`.
  std::optional<Prefix> LongestPrefix(std::string_view text) const;
  // Every key that begins `text`, longest first.
  void ForEachPrefix(std::string_view text, const std::function<void(Prefix)>& visit) const;

  // The keys in order, from `id` on. Requires: id <= size().
  Cursor From(std::uint64_t id) const;

 private:
  friend class internal::DictionaryReader;

  // Where the parts of the image lie: see lib/dictionary_format.h.
  std::span<const std::byte> image_;
  std::uint64_t size_ = 0;
  std::uint64_t max_key_bytes_ = 0;
  std::uint64_t leaves_ = 0, nodes_ = 0;
  const std::byte* entries_ = nullptr;
  const std::byte* arena_ = nullptr;
  const std::byte* firsts_ = nullptr;
  const std::byte* lengths_ = nullptr;
  const std::byte* lcps_ = nullptr;
  const std::byte* leaf_ = nullptr;
  const std::byte* node_ = nullptr;
  const std::byte* root_ = nullptr;
  const std::byte* root_heads_ = nullptr;
  const std::byte* root_table_ = nullptr;
  const std::byte* offsets_ = nullptr;
  std::uint64_t leaf_bytes_ = 0, node_bytes_ = 0, root_bytes_ = 0;
  std::uint32_t token_count_ = 0, arena_bytes_ = 0;
  std::uint8_t coding_ = 0, lead_ = 0, stop_ = 0, offset_bits_ = 0;
};

// Walks keys in order; each costs what distinguishes it from the one before.
//
//   for (auto cursor = dictionary.From(dictionary.LowerBound("b")); !cursor.done(); cursor.Next()) Use(cursor.key());
class StringDictionaryView::Cursor {
 public:
  bool done() const { return id_ >= view_.size(); }
  // Requires: !done(). The key ends with Next().
  std::uint64_t id() const { return id_; }
  std::string_view key() const { return {buffer_.data(), size_}; }
  void Next();

 private:
  friend class StringDictionaryView;
  Cursor(const StringDictionaryView& view, std::uint64_t id);
  void Load();

  StringDictionaryView view_;
  std::uint64_t id_;
  std::uint64_t position_ = 0;  // of the next key's tokens
  std::size_t size_ = 0;
  std::string buffer_;
  std::uint32_t lcps_[32] = {};  // of the keys of a bucket
};

// A sorted set of strings, a fraction of their bytes, that answers by rank: the smallest exact form of a set of keys that
// can still be searched, and no slower than a trie.
//
//   StringDictionary::Builder builder;
//   for (std::string_view key : sorted_keys) {
//     if (absl::Status added = builder.Add(key); !added.ok()) return added;   // not above the key before
//   }
//   const StringDictionary dictionary = *std::move(builder).Finish();
//   dictionary.Find("usr/bin/env");                     // optional id
//   dictionary.PrefixRange("usr/share/");               // ids: begin, end
//
// Keys stand in buckets of 32: of each key the length of the prefix shared with the key before, and the rest in pieces of
// text learned from a sample. One bucket in the level above separates 32 of them, a sorted array 32 of those, which is
// searched by first bytes. A search decodes only the keys whose shared prefix is as long as what it has matched so far.
//
// Space    words of 9.4 B: 2.2 B a key; paths of 64 B: 5.6; symbols of 51 B: 8.0; dense: 8 to 19 % less
// Time     Find and Get three cache misses + about 100 ns of decoding; FindMany and GetMany overlap the misses
// Threads  const methods are safe together
// Errors   Builder::Add returns kInvalidArgument if the key is out of order or above 16 MiB
// Paper    front coding: Brisaboa et al. 2011; Martinez-Prieto et al. 2016; tokens: Gargiulo and Venturini 2025, arXiv:2508.02280
class StringDictionary : public Owner<StringDictionaryView> {
 public:
  static constexpr std::uint64_t kMaxKeyBytes = std::uint64_t{16} << 20;

  enum class Mode { kBalanced, kDense };
  struct Options {
    Mode mode = Mode::kBalanced;  // dense: prefix codes, 8 to 19 % smaller, up to 3.1 times slower
    // Called now and then while building, with how many keys were written.
    std::function<void(std::uint64_t)> progress = nullptr;
  };
  // Keys in ascending order, which can be read more than once.
  class Source {
   public:
    virtual ~Source() = default;
    virtual absl::Status Rewind() = 0;
    // False at the end. The key ends with the next call.
    virtual absl::StatusOr<bool> Next(std::string_view* key) = 0;
  };
  class Builder;

  // In two readings, without a copy of the keys: at most 48 MiB beside the image, + 4 bytes for 32 keys. Equal neighbours
  // count once. The image is built in `buffer`, which is grown if it can and must.
  static absl::StatusOr<StringDictionary> FromSource(Source& source, const Options& options, Buffer buffer);
  static absl::StatusOr<StringDictionary> FromSource(Source& source, const Options& options);
  // `base` without `deletions` and with `insertions`, both ascending; a key in both is in. Scratch as above.
  static absl::StatusOr<StringDictionary> Update(StringDictionaryView base, Source& insertions, Source& deletions,
                                                 const Options& options, Buffer buffer);
  static absl::StatusOr<StringDictionary> Open(Buffer buffer);

  Stats stats() const { return {.live_bytes = image().size(), .peak_bytes = peak_bytes_}; }

 private:
  StringDictionary(StringDictionaryView view, Buffer buffer) : Owner(view, std::move(buffer)) {}
  std::uint64_t peak_bytes_ = 0;
};

// Takes keys in ascending order, one stream; it holds what distinguishes each from the one before until Finish.
class StringDictionary::Builder {
 public:
  Builder();
  explicit Builder(Options options);
  Builder(Builder&&) noexcept;
  ~Builder();

  // Adding the last key again does nothing, and is counted. Returns kInvalidArgument if the key is smaller than the last, or
  // longer than kMaxKeyBytes.
  absl::Status Add(std::string_view key);
  std::uint64_t size() const;
  std::uint64_t duplicates() const;

  absl::StatusOr<StringDictionary> Finish() &&;
  absl::StatusOr<StringDictionary> Finish(Buffer buffer) &&;

 private:
  class Spool;
  std::unique_ptr<Spool> spool_;
  Options options_;
};

}  // namespace thimble
