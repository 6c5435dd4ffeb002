#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "dictionary_format.h"
#include "front_search.h"
#include "thimble/string_dictionary.h"

namespace thimble::internal {

// Where a key stands: how many keys are not larger, and whether the last of those is the key itself.
struct Located {
  std::uint64_t not_larger;
  bool exact;
};

// The read path of a dictionary, level by level, once for each code and CPU level.
class DictionaryReader {
 public:
  static constexpr std::size_t kBatch = 64;
  // What a buffer for keys needs beyond the longest.
  static constexpr std::size_t kBufferSlack = 256;

  static Located Locate(const StringDictionaryView& view, std::string_view key);
  static void LocateMany(const StringDictionaryView& view, std::span<const std::string_view> keys, Located* out);
  // Returns the size. Requires: id < size(); the buffer has room for max_key_bytes() + kBufferSlack.
  static std::uint64_t Decode(const StringDictionaryView& view, std::uint64_t id, std::byte* buffer);
  static void Prefetch(const StringDictionaryView& view, std::span<const std::uint64_t> ids);

  // For a walk: where the tokens of key `id` end, as the code counts; and one step, which completes a key that shares `lcp`
  // bytes with the one before in a buffer that holds that, and moves the position.
  static std::uint64_t PositionAfter(const StringDictionaryView& view, std::uint64_t id);
  static std::uint64_t Step(const StringDictionaryView& view, std::uint64_t lcp, std::uint64_t& position, std::byte* buffer,
                            std::uint64_t size);
  // The lengths of the prefixes that the keys of a leaf are said to share with the ones before; the first of them says nothing.
  static void StoredLcps(const StringDictionaryView& view, std::uint64_t leaf, std::uint32_t* lcps);
  static absl::Status VerifyTokens(const StringDictionaryView& view);

 private:
  friend class thimble::StringDictionaryView;

  struct Route {
    std::uint64_t bucket;  // a node, then a leaf
    std::uint64_t matched;
    bool whole;
  };

  // Separator `low` of the root is not above the target, `high` is; how much of the target they share.
  struct RootSearch {
    std::uint64_t low, high;
    std::uint64_t low_matched, high_matched;
  };

  template <class Code>
  static Code CodeOf(const StringDictionaryView& view, const std::byte* section, std::uint64_t bytes);
  template <class Code>
  static Code LeafCode(const StringDictionaryView& view);
  template <class Code>
  static Code NodeCode(const StringDictionaryView& view);
  static std::string_view RootKey(const StringDictionaryView& view, std::uint64_t node);
  static const std::uint8_t* NodeAt(const StringDictionaryView& view, std::uint64_t node);
  static const std::uint8_t* LeafAt(const StringDictionaryView& view, std::uint64_t leaf);
  // Says of the first `strings` of them what they share with the ones before.
  static FrontBucket Leaf(const StringDictionaryView& view, std::uint64_t leaf, unsigned strings);
  static FrontBucket Node(const StringDictionaryView& view, std::uint64_t node);

  static RootSearch BeginRoot(const StringDictionaryView& view, const Target& target);
  template <CpuLevel kLevel>
  static void NarrowRoot(const StringDictionaryView& view, const Target& target, RootSearch& search);
  static Route RouteOf(const StringDictionaryView& view, const RootSearch& search);
  template <CpuLevel kLevel, class Code>
  struct Kernels;
  struct AnyKernels;
};

}  // namespace thimble::internal
