#include "thimble/string_dictionary.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "dictionary_reader.h"
#include "status_macros.h"
#include "token_book.h"

namespace thimble {

using internal::DictionaryLayout;
using internal::DictionaryReader;
using internal::Located;
using internal::TokenCoding;
using internal::TokenTable;

namespace {

std::size_t SharedPrefix(std::string_view a, std::string_view b) {
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(std::min(a.size(), b.size())), b.begin()).first - a.begin());
}

}  // namespace

absl::StatusOr<StringDictionaryView> StringDictionaryView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  const auto& [form, tokens, arena_bytes, leaf_bytes, node_bytes, root_bytes, max_key_bytes, lcp_bytes, p8, p9] = header.parameters;
  StringDictionaryView view;
  view.coding_ = static_cast<std::uint8_t>(form);
  view.lead_ = static_cast<std::uint8_t>(form >> 8);
  view.stop_ = static_cast<std::uint8_t>(form >> 16);
  view.offset_bits_ = static_cast<std::uint8_t>(form >> 24);
  const bool bits = view.coding_ == static_cast<std::uint8_t>(TokenCoding::kBits);
  constexpr std::uint64_t kMost = std::uint64_t{1} << 56;
  if (header.header_bytes != 128 || form >> 32 != 0 || (!bits && view.coding_ != static_cast<std::uint8_t>(TokenCoding::kBytes)) ||
      view.offset_bits_ > 56 || arena_bytes >= TokenTable::kMaxArena || header.count >= kMost || leaf_bytes >= kMost ||
      node_bytes >= kMost || root_bytes >= kMost || max_key_bytes > StringDictionary::kMaxKeyBytes ||
      (lcp_bytes != 0 && (!bits || lcp_bytes != sizeof(internal::LcpCode::Table))) || (bits ? tokens > 65536 : tokens != internal::ByteCode::TableSize(view.lead_))) {
    return absl::DataLossError("StringDictionary: impossible parameters");
  }
  view.size_ = header.count;
  view.leaves_ = internal::BucketsOf(view.size_);
  view.nodes_ = internal::BucketsOf(view.leaves_);
  DictionaryLayout layout(tokens, arena_bytes, bits, lcp_bytes);
  layout.AddLevels(leaf_bytes, node_bytes, root_bytes, view.nodes_, view.offset_bits_);
  if (layout.layout.image_bytes() != header.image_bytes) return absl::DataLossError("StringDictionary: sizes do not add up");
  view.image_ = image.first(header.image_bytes);
  view.max_key_bytes_ = max_key_bytes;
  view.token_count_ = static_cast<std::uint32_t>(tokens);
  view.arena_bytes_ = static_cast<std::uint32_t>(arena_bytes);
  view.leaf_bytes_ = leaf_bytes;
  view.node_bytes_ = node_bytes;
  view.root_bytes_ = root_bytes;
  view.entries_ = image.data() + layout.tokens.entries;
  view.arena_ = image.data() + layout.tokens.arena;
  view.firsts_ = image.data() + layout.firsts;
  view.lengths_ = image.data() + layout.lengths;
  if (lcp_bytes != 0) view.lcps_ = image.data() + layout.lcps;
  view.leaf_ = image.data() + layout.leaves;
  view.node_ = image.data() + layout.nodes;
  view.root_ = image.data() + layout.root;
  view.root_heads_ = image.data() + layout.root_heads;
  view.root_table_ = image.data() + layout.root_table;
  view.offsets_ = image.data() + layout.offsets;
  return view;
}

std::optional<std::uint64_t> StringDictionaryView::Find(std::string_view key) const {
  const Located located = DictionaryReader::Locate(*this, key);
  if (!located.exact) return std::nullopt;
  return located.not_larger - 1;
}

void StringDictionaryView::FindMany(std::span<const std::string_view> keys, std::span<std::uint64_t> out) const {
  Located located[DictionaryReader::kBatch];
  for (std::size_t first = 0; first < keys.size(); first += DictionaryReader::kBatch) {
    const std::size_t batch = std::min(DictionaryReader::kBatch, keys.size() - first);
    DictionaryReader::LocateMany(*this, keys.subspan(first, batch), located);
    for (std::size_t i = 0; i < batch; ++i) out[first + i] = located[i].exact ? located[i].not_larger - 1 : kNotFound;
  }
}

std::string_view StringDictionaryView::Get(std::uint64_t id, std::string& buffer) const {
  const std::size_t room = max_key_bytes_ + DictionaryReader::kBufferSlack;
  if (buffer.size() < room) buffer.resize(room);
  if (id >= size_) return {};
  return {buffer.data(), DictionaryReader::Decode(*this, id, reinterpret_cast<std::byte*>(buffer.data()))};
}

std::string StringDictionaryView::operator[](std::uint64_t id) const {
  std::string buffer;
  return std::string(Get(id, buffer));
}

void StringDictionaryView::GetMany(std::span<const std::uint64_t> ids,
                                   const std::function<void(std::size_t, std::string_view)>& visit) const {
  std::string buffer;
  std::uint64_t safe[DictionaryReader::kBatch];
  for (std::size_t first = 0; first < ids.size() && size_ > 0; first += DictionaryReader::kBatch) {
    const std::size_t batch = std::min(DictionaryReader::kBatch, ids.size() - first);
    for (std::size_t i = 0; i < batch; ++i) safe[i] = std::min(ids[first + i], size_ - 1);
    DictionaryReader::Prefetch(*this, std::span(safe, batch));
    for (std::size_t i = 0; i < batch; ++i) visit(first + i, Get(safe[i], buffer));
  }
}

std::uint64_t StringDictionaryView::LowerBound(std::string_view key) const {
  const Located located = DictionaryReader::Locate(*this, key);
  return located.not_larger - (located.exact ? 1 : 0);
}

std::optional<std::uint64_t> StringDictionaryView::Predecessor(std::string_view key) const {
  const Located located = DictionaryReader::Locate(*this, key);
  if (located.not_larger == 0) return std::nullopt;
  return located.not_larger - 1;
}

StringDictionaryView::Range StringDictionaryView::PrefixRange(std::string_view prefix) const {
  const std::uint64_t begin = LowerBound(prefix);
  // The smallest string that is larger than all with this prefix.
  while (!prefix.empty() && prefix.back() == '\xff') prefix.remove_suffix(1);
  if (prefix.empty()) return {begin, std::max(begin, size_)};
  std::string behind(prefix);
  behind.back() = static_cast<char>(static_cast<unsigned char>(behind.back()) + 1);
  return {begin, std::max(begin, LowerBound(behind))};
}

std::optional<StringDictionaryView::Prefix> StringDictionaryView::LongestPrefix(std::string_view text) const {
  // The last key that is not larger than the text either begins it, or shares a shorter beginning with it: no key that
  // begins the text is longer than that.
  std::string buffer;
  for (;;) {
    const std::optional<std::uint64_t> id = Predecessor(text);
    if (!id) return std::nullopt;
    const std::string_view key = Get(*id, buffer);
    const std::size_t shared = SharedPrefix(key, text);
    if (shared == key.size()) return Prefix{*id, shared};
    if (shared >= text.size()) return std::nullopt;  // a damaged image
    text = text.substr(0, shared);
  }
}

void StringDictionaryView::ForEachPrefix(std::string_view text, const std::function<void(Prefix)>& visit) const {
  while (const std::optional<Prefix> prefix = LongestPrefix(text)) {
    visit(*prefix);
    if (prefix->size == 0) return;
    text = text.substr(0, prefix->size - 1);
  }
}

StringDictionaryView::Cursor StringDictionaryView::From(std::uint64_t id) const { return Cursor(*this, id); }

StringDictionaryView::Cursor::Cursor(const StringDictionaryView& view, std::uint64_t id) : view_(view), id_(id) {
  if (!done()) Load();
}

void StringDictionaryView::Cursor::Load() {
  size_ = view_.Get(id_, buffer_).size();
  position_ = DictionaryReader::PositionAfter(view_, id_);
  DictionaryReader::StoredLcps(view_, id_ / internal::kFanOut, lcps_);
}

void StringDictionaryView::Cursor::Next() {
  if (++id_ >= view_.size()) return;
  if (id_ % internal::kFanOut == 0) {
    Load();
  } else {
    size_ = DictionaryReader::Step(view_, lcps_[id_ % internal::kFanOut], position_, reinterpret_cast<std::byte*>(buffer_.data()), size_);
  }
}

absl::Status StringDictionaryView::Verify() const {
  THIMBLE_RETURN_IF_ERROR(DictionaryReader::VerifyTokens(*this));
  std::string before;
  bool first = true;
  std::uint64_t longest = 0;
  for (Cursor cursor = From(0); !cursor.done(); cursor.Next()) {
    const std::string_view key = cursor.key();
    const std::uint64_t in_leaf = cursor.id() % internal::kFanOut;
    if (!first) {
      if (key <= before) return absl::DataLossError("StringDictionary: keys out of order");
      if (in_leaf != 0 && cursor.lcps_[in_leaf] != SharedPrefix(before, key)) {
        return absl::DataLossError("StringDictionary: wrong shared prefix");
      }
    }
    // Inside a leaf the order and the shared prefixes are what a search goes by; its ends prove the levels above.
    if ((in_leaf == 0 || in_leaf == internal::kFanOut - 1) && Find(key) != cursor.id()) {
      return absl::DataLossError("StringDictionary: a key is not found");
    }
    longest = std::max<std::uint64_t>(longest, key.size());
    before.assign(key);
    first = false;
  }
  if (longest != max_key_bytes_) return absl::DataLossError("StringDictionary: wrong longest key");
  return absl::OkStatus();
}

absl::StatusOr<StringDictionary> StringDictionary::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const StringDictionaryView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  StringDictionary dictionary(view, std::move(buffer));
  dictionary.peak_bytes_ = dictionary.buffer().size();
  return dictionary;
}

}  // namespace thimble
