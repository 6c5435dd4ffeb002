#include "dictionary_reader.h"

#include <algorithm>
#include <cstring>

#include "inline.h"
#include "thimble/bits.h"
#include "token_book.h"

namespace thimble::internal {
namespace {

const std::uint8_t* Octets(const std::byte* at) { return reinterpret_cast<const std::uint8_t*>(at); }

void PrefetchLines(const std::uint8_t* at, unsigned lines) {
  for (unsigned i = 0; i < lines; ++i) __builtin_prefetch(at + 64 * i);
}

// How many of 32 strings the bucket holds, of `strings` on its level.
unsigned CountIn(std::uint64_t strings, std::uint64_t bucket) {
  return static_cast<unsigned>(std::min<std::uint64_t>(kFanOut, strings - bucket * kFanOut));
}

}  // namespace

template <class Code>
THIMBLE_INLINE Code DictionaryReader::CodeOf(const StringDictionaryView& view, const std::byte* section, std::uint64_t bytes) {
  const TokenTable table{view.entries_, view.arena_, view.token_count_, view.arena_bytes_};
  if constexpr (std::is_same_v<Code, ByteCode>) {
    return {table, Octets(view.firsts_), view.lead_, view.stop_, Octets(section) + bytes};
  } else {
    return {table, view.lengths_, view.lengths_ + sizeof(BitCode::Lengths), section, bytes * 8};
  }
}

template <class Code>
THIMBLE_INLINE Code DictionaryReader::LeafCode(const StringDictionaryView& view) {
  return CodeOf<Code>(view, view.leaf_, view.leaf_bytes_);
}

template <class Code>
THIMBLE_INLINE Code DictionaryReader::NodeCode(const StringDictionaryView& view) {
  return CodeOf<Code>(view, view.node_, view.node_bytes_);
}

THIMBLE_INLINE std::string_view DictionaryReader::RootKey(const StringDictionaryView& view, std::uint64_t node) {
  const std::byte* entry = view.root_table_ + kRootEntry * node;
  const std::uint64_t end = std::min(Load<std::uint64_t>(entry), view.root_bytes_);
  const std::uint64_t begin = node == 0 ? 0 : std::min(Load<std::uint64_t>(entry - kRootEntry), end);
  return {reinterpret_cast<const char*>(view.root_) + begin, end - begin};
}

THIMBLE_INLINE const std::uint8_t* DictionaryReader::NodeAt(const StringDictionaryView& view, std::uint64_t node) {
  return Octets(view.node_) + std::min(Load<std::uint64_t>(view.root_table_ + kRootEntry * node + 8), view.node_bytes_);
}

THIMBLE_INLINE const std::uint8_t* DictionaryReader::LeafAt(const StringDictionaryView& view, std::uint64_t leaf) {
  const std::byte* block = view.offsets_ + OffsetBlock(view.offset_bits_) * (leaf / kFanOut);
  const std::uint64_t base = Load<std::uint64_t>(block);
  const std::uint64_t distance = ReadBits(block + 8, leaf % kFanOut * view.offset_bits_, view.offset_bits_);
  return Octets(view.leaf_) + std::min(base + distance, view.leaf_bytes_);
}

THIMBLE_INLINE FrontBucket DictionaryReader::Leaf(const StringDictionaryView& view, std::uint64_t leaf, unsigned strings) {
  return {LeafAt(view, leaf), Octets(view.leaf_) + view.leaf_bytes_, strings, 0, view.lcps_};
}

THIMBLE_INLINE FrontBucket DictionaryReader::Node(const StringDictionaryView& view, std::uint64_t node) {
  const unsigned count = CountIn(view.leaves_, node);
  return {NodeAt(view, node), Octets(view.node_) + view.node_bytes_, count, count, nullptr};
}

// Where the target stands by its first eight bytes alone, without a branch that depends on it. The first separator is empty.
THIMBLE_INLINE DictionaryReader::RootSearch DictionaryReader::BeginRoot(const StringDictionaryView& view, const Target& target) {
  const std::uint64_t head = __builtin_bswap64(Load<std::uint64_t>(target.From(0)));
  std::uint64_t low = 0;
  for (std::uint64_t left = view.nodes_; left > 1;) {
    const std::uint64_t half = left / 2;
    low += half & (0 - std::uint64_t{Load<std::uint64_t>(view.root_heads_ + 8 * (low + half)) <= head});
    left -= half;
  }
  const std::uint64_t difference = Load<std::uint64_t>(view.root_heads_ + 8 * low) ^ head;
  // The same bytes as the target: so may be those before, and the order is in what follows.
  if (difference == 0) return {0, low + 1, 0, 0};
  const std::uint64_t same = static_cast<unsigned>(std::countl_zero(difference)) / 8;
  return {low, low + 1, std::min({same, target.size(), static_cast<std::uint64_t>(RootKey(view, low).size())}), 0};
}

// One step of a binary search that compares from where both bounds agree with the target, mostly without a branch: the steps
// of several searches overlap.
template <CpuLevel kLevel>
THIMBLE_INLINE void DictionaryReader::NarrowRoot(const StringDictionaryView& view, const Target& target, RootSearch& search) {
  const std::uint64_t middle = search.low + (search.high - search.low) / 2;
  const std::string_view separator = RootKey(view, middle);
  const auto* bytes = reinterpret_cast<const std::byte*>(separator.data());
  std::uint64_t matched = std::min({search.low_matched, search.high_matched, static_cast<std::uint64_t>(separator.size())});
  const std::uint64_t both = std::min(separator.size(), target.size());
  for (;;) {
    const std::uint64_t same = SameBytes<kLevel>(bytes + matched, target.From(matched));
    matched += same;
    if (same < kStride<kLevel> || matched >= both) [[likely]] break;
  }
  matched = std::min(matched, both);
  // What has ended is below what goes on.
  const unsigned ours = matched < separator.size() ? 1 + std::to_integer<unsigned>(bytes[matched]) : 0;
  const unsigned theirs = matched < target.size() ? 1u + target.Byte(matched) : 0;
  const bool below = ours <= theirs;
  // As arithmetic, so that no compiler makes a branch of it.
  const std::uint64_t up = 0 - std::uint64_t{below};
  search.low ^= (search.low ^ middle) & up;
  search.high ^= (search.high ^ middle) & ~up;
  search.low_matched ^= (search.low_matched ^ matched) & up;
  search.high_matched ^= (search.high_matched ^ matched) & ~up;
}

THIMBLE_INLINE DictionaryReader::Route DictionaryReader::RouteOf(const StringDictionaryView& view, const RootSearch& search) {
  return {search.low, search.low_matched, search.low_matched >= RootKey(view, search.low).size()};
}

template <CpuLevel kLevel, class Code>
struct DictionaryReader::Kernels {
  THIMBLE_INLINE static Route SearchNode(const StringDictionaryView& view, const Code& code, const Target& target, const Route& route) {
    const Place place = SearchBucket<kLevel, true>(code, Node(view, route.bucket), CountIn(view.leaves_, route.bucket), target,
                                                   route.matched, route.whole);
    return {route.bucket * kFanOut + static_cast<unsigned>(place.at), place.matched, place.whole};
  }

  THIMBLE_INLINE static Located SearchLeaf(const StringDictionaryView& view, const Code& code, const Target& target, const Route& route) {
    const unsigned count = CountIn(view.size_, route.bucket);
    const Place place = SearchBucket<kLevel, false>(code, Leaf(view, route.bucket, count), count, target, route.matched, route.whole);
    return {route.bucket * kFanOut + static_cast<unsigned>(place.at + 1), place.exact};
  }

  THIMBLE_INLINE static Located Locate(const StringDictionaryView& view, std::string_view key) {
    TargetRoom room;
    const Target target = room.Hold(key);
    RootSearch root = BeginRoot(view, target);
    while (root.high - root.low > 1) NarrowRoot<kLevel>(view, target, root);
    Route route = RouteOf(view, root);
    __builtin_prefetch(view.offsets_ + OffsetBlock(view.offset_bits_) * route.bucket);
    route = SearchNode(view, NodeCode<Code>(view), target, route);
    return SearchLeaf(view, LeafCode<Code>(view), target, route);
  }

  // A level for all keys, then the next: the misses of a level overlap, and so do the steps through the root.
  THIMBLE_INLINE static void LocateMany(const StringDictionaryView& view, std::span<const std::string_view> keys, Located* out) {
    TargetRoom room;
    Target targets[kBatch];
    RootSearch roots[kBatch];
    Route routes[kBatch];
    const Code node_code = NodeCode<Code>(view), leaf_code = LeafCode<Code>(view);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      targets[i] = room.Hold(keys[i]);
      roots[i] = BeginRoot(view, targets[i]);
    }
    for (bool more = true; more;) {
      more = false;
      for (std::size_t i = 0; i < keys.size(); ++i) {
        if (roots[i].high - roots[i].low <= 1) continue;
        NarrowRoot<kLevel>(view, targets[i], roots[i]);
        more = true;
      }
    }
    for (std::size_t i = 0; i < keys.size(); ++i) {
      routes[i] = RouteOf(view, roots[i]);
      PrefetchLines(NodeAt(view, routes[i].bucket), 5);
      __builtin_prefetch(view.offsets_ + OffsetBlock(view.offset_bits_) * routes[i].bucket);
    }
    for (std::size_t i = 0; i < keys.size(); ++i) {
      routes[i] = SearchNode(view, node_code, targets[i], routes[i]);
      PrefetchLines(LeafAt(view, routes[i].bucket), 4);
    }
    for (std::size_t i = 0; i < keys.size(); ++i) out[i] = SearchLeaf(view, leaf_code, targets[i], routes[i]);
  }

  THIMBLE_INLINE static std::uint64_t Decode(const StringDictionaryView& view, std::uint64_t id, std::byte* buffer) {
    const std::uint64_t leaf = id / kFanOut, node = leaf / kFanOut;
    const std::string_view prefix = RootKey(view, node);
    std::uint64_t size = std::min<std::uint64_t>(prefix.size(), view.max_key_bytes_);
    if (size > 0) std::memcpy(buffer, prefix.data(), size);
    const FrontBucket leaf_bucket = Leaf(view, leaf, id % kFanOut + 1);
    size = DecodeString<kLevel, true>(NodeCode<Code>(view), Node(view, node), leaf % kFanOut, buffer, size, view.max_key_bytes_);
    return DecodeString<kLevel, false>(LeafCode<Code>(view), leaf_bucket, id % kFanOut, buffer, size, view.max_key_bytes_);
  }
};

// Every entry point in the four versions.
struct DictionaryReader::AnyKernels {
  template <class Code>
  THIMBLE_NOINLINE static Located LocatePortable(const StringDictionaryView& view, std::string_view key) {
    return Kernels<CpuLevel::kBaseline, Code>::Locate(view, key);
  }
  template <class Code>
  THIMBLE_NOINLINE static std::uint64_t DecodePortable(const StringDictionaryView& view, std::uint64_t id, std::byte* buffer) {
    return Kernels<CpuLevel::kBaseline, Code>::Decode(view, id, buffer);
  }
#if THIMBLE_HAS_AVX2_KERNELS
  template <class Code>
  THIMBLE_TARGET_AVX2 static Located LocateAvx2(const StringDictionaryView& view, std::string_view key) {
    return Kernels<CpuLevel::kAvx2, Code>::Locate(view, key);
  }
  template <class Code>
  THIMBLE_TARGET_AVX2 static void LocateManyAvx2(const StringDictionaryView& view, std::span<const std::string_view> keys, Located* out) {
    Kernels<CpuLevel::kAvx2, Code>::LocateMany(view, keys, out);
  }
  template <class Code>
  THIMBLE_TARGET_AVX2 static std::uint64_t DecodeAvx2(const StringDictionaryView& view, std::uint64_t id, std::byte* buffer) {
    return Kernels<CpuLevel::kAvx2, Code>::Decode(view, id, buffer);
  }
#endif

  static bool Bits(const StringDictionaryView& view) { return view.coding_ == static_cast<std::uint8_t>(TokenCoding::kBits); }
};

Located DictionaryReader::Locate(const StringDictionaryView& view, std::string_view key) {
  if (view.size_ == 0) return {0, false};
#if THIMBLE_HAS_AVX2_KERNELS
  if (has_avx2) {
    return AnyKernels::Bits(view) ? AnyKernels::LocateAvx2<BitCode>(view, key) : AnyKernels::LocateAvx2<ByteCode>(view, key);
  }
#endif
  return AnyKernels::Bits(view) ? AnyKernels::LocatePortable<BitCode>(view, key) : AnyKernels::LocatePortable<ByteCode>(view, key);
}

void DictionaryReader::LocateMany(const StringDictionaryView& view, std::span<const std::string_view> keys, Located* out) {
  for (; !keys.empty(); keys = keys.subspan(std::min(kBatch, keys.size())), out += kBatch) {
    const auto batch = keys.first(std::min(kBatch, keys.size()));
    if (view.size_ == 0) {
      std::fill_n(out, batch.size(), Located{0, false});
      continue;
    }
#if THIMBLE_HAS_AVX2_KERNELS
    if (has_avx2) {
      AnyKernels::Bits(view) ? AnyKernels::LocateManyAvx2<BitCode>(view, batch, out)
                             : AnyKernels::LocateManyAvx2<ByteCode>(view, batch, out);
      continue;
    }
#endif
    AnyKernels::Bits(view) ? Kernels<CpuLevel::kBaseline, BitCode>::LocateMany(view, batch, out)
                           : Kernels<CpuLevel::kBaseline, ByteCode>::LocateMany(view, batch, out);
  }
}

std::uint64_t DictionaryReader::Decode(const StringDictionaryView& view, std::uint64_t id, std::byte* buffer) {
#if THIMBLE_HAS_AVX2_KERNELS
  if (has_avx2) {
    return AnyKernels::Bits(view) ? AnyKernels::DecodeAvx2<BitCode>(view, id, buffer)
                                  : AnyKernels::DecodeAvx2<ByteCode>(view, id, buffer);
  }
#endif
  return AnyKernels::Bits(view) ? AnyKernels::DecodePortable<BitCode>(view, id, buffer) : AnyKernels::DecodePortable<ByteCode>(view, id, buffer);
}

void DictionaryReader::Prefetch(const StringDictionaryView& view, std::span<const std::uint64_t> ids) {
  for (const std::uint64_t id : ids) {
    const std::uint64_t node = id / kFanOut / kFanOut;
    __builtin_prefetch(view.offsets_ + OffsetBlock(view.offset_bits_) * node);
    __builtin_prefetch(view.root_table_ + kRootEntry * node);
  }
  for (const std::uint64_t id : ids) {
    PrefetchLines(LeafAt(view, id / kFanOut), 4);
    PrefetchLines(NodeAt(view, id / kFanOut / kFanOut), 3);
  }
}

std::uint64_t DictionaryReader::PositionAfter(const StringDictionaryView& view, std::uint64_t id) {
  const FrontBucket bucket = Leaf(view, id / kFanOut, 1);
  const unsigned skip = id % kFanOut + 1;
  if (AnyKernels::Bits(view)) {
    const BitCode code = LeafCode<BitCode>(view);
    return code.Skip<CpuLevel::kBaseline>(code.At(bucket.stream()), skip).bit;
  }
  const ByteCode code = LeafCode<ByteCode>(view);
  return static_cast<std::uint64_t>(code.Skip<CpuLevel::kBaseline>(code.At(bucket.stream()), skip) - Octets(view.leaf_));
}

void DictionaryReader::StoredLcps(const StringDictionaryView& view, std::uint64_t leaf, std::uint32_t* lcps) {
  const FrontBucket bucket = Leaf(view, leaf, kFanOut);
  for (unsigned i = 0; i < kFanOut; ++i) {
    lcps[i] = static_cast<std::uint32_t>(std::min(bucket.LcpOf(bucket.Rank(i)), view.max_key_bytes_));
  }
}

std::uint64_t DictionaryReader::Step(const StringDictionaryView& view, std::uint64_t lcp, std::uint64_t& position, std::byte* buffer,
                                     std::uint64_t size) {
  size = std::min(size, lcp);
  const std::uint64_t limit = view.max_key_bytes_;
  if (AnyKernels::Bits(view)) {
    BitCode::Position at{position};
    size = AppendTokens(LeafCode<BitCode>(view), at, buffer, size, limit + 1);
    position = at.bit;
  } else {
    ByteCode::Position at = Octets(view.leaf_) + std::min(position, view.leaf_bytes_);
    size = AppendTokens(LeafCode<ByteCode>(view), at, buffer, size, limit + 1);
    position = static_cast<std::uint64_t>(at - Octets(view.leaf_));
  }
  return std::min(size, limit);
}

absl::Status DictionaryReader::VerifyTokens(const StringDictionaryView& view) {
  const TokenTable table{view.entries_, view.arena_, view.token_count_, view.arena_bytes_};
  const bool bits = AnyKernels::Bits(view);
  for (std::uint32_t i = 0; i < view.token_count_; ++i) {
    const std::uint32_t entry = bits ? LeafCode<BitCode>(view).EntryAt(i) : table.At(i);
    if ((entry & (TokenTable::kMaxArena - 1)) + TokenTable::LengthOf(entry) > view.arena_bytes_) {
      return absl::DataLossError("StringDictionary: a token lies outside its table");
    }
    if (!bits) {
      const std::byte first = TokenTable::LengthOf(entry) == 0 ? std::byte{0} : *table.TextOf(entry);
      if (view.firsts_[i] != first) return absl::DataLossError("StringDictionary: wrong first byte of a token");
      const unsigned last = i < 256u - view.lead_ ? i + view.lead_ : (i - (256u - view.lead_)) % 256;
      if (TokenTable::Ends(entry) != (last >= view.stop_)) return absl::DataLossError("StringDictionary: a token ends wrongly");
    }
  }
  if (bits && !LeafCode<BitCode>(view).EndsAreRight()) {
    return absl::DataLossError("StringDictionary: codes end strings whose tokens do not");
  }
  for (std::uint64_t node = 0; node < view.nodes_; ++node) {
    if (Load<std::uint64_t>(view.root_heads_ + 8 * node) != HeadOf(RootKey(view, node))) {
      return absl::DataLossError("StringDictionary: wrong first bytes of a separator");
    }
  }
  return absl::OkStatus();
}

}  // namespace thimble::internal
