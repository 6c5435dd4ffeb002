#include "dictionary_writer.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>

#include "thimble/bits.h"

namespace thimble::internal {
namespace {

void PutVarint(std::uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
  out->push_back(static_cast<char>(value));
}

std::uint64_t SharedPrefix(std::string_view a, std::string_view b) {
  const std::size_t both = std::min(a.size(), b.size());
  std::size_t same = 0;
  while (same < both && a[same] == b[same]) ++same;
  return same;
}

}  // namespace

void BucketWriter::Add(std::uint64_t lcp, std::string_view rest) {
  lcps_[count_++] = lcp;
  if (with_firsts_) {
    firsts_.push_back(rest.empty() ? '\0' : rest.front());
    rest.remove_prefix(rest.empty() ? 0 : 1);
  }
  writer_.Write(rest, &tokens_);
}

void BucketWriter::Finish(std::string* out) {
  writer_.Flush(&tokens_);
  WriteLcps(out);
  *out += firsts_;
  *out += tokens_;
  firsts_.clear();
  tokens_.clear();
  count_ = 0;
}

void BucketWriter::WriteLcps(std::string* out) const {
  const std::span lcps(lcps_ + 1, count_ - 1);
  std::uint64_t room[FrontBucket::kStrings] = {};
  std::copy(lcps.begin(), lcps.end(), room);
  std::sort(room, room + lcps.size());
  const auto different = static_cast<std::size_t>(std::unique(room, room + lcps.size()) - room);
  const std::span<const std::uint64_t> ranks(room, std::max<std::size_t>(different, 1));

  const auto planes = static_cast<unsigned>(std::bit_width(ranks.size() - 1));
  const std::uint64_t base = ranks.front();
  const std::uint64_t mask_bytes = (ranks.back() - base + 7) / 8;
  std::string list(1, static_cast<char>(ranks.size() - 1));
  for (std::size_t i = 1; i < ranks.size(); ++i) PutVarint(ranks[i] - ranks[i - 1], &list);
  const std::size_t list_or_mask = mask_bytes >= FrontBucket::kListForm ? list.size() : mask_bytes;
  const std::size_t code_bytes = lcp_writer_ != nullptr ? lcp_writer_->BytesOf(lcps) : ~std::size_t{0};
  if (code_bytes <= std::min<std::size_t>(list_or_mask + 4 * planes, FrontBucket::kMostCodeBytes)) {
    out->push_back(static_cast<char>(FrontBucket::kCodedForm | code_bytes << 3));
    lcp_writer_->Write(lcps, out);
    if (base >= FrontBucket::kLargeBase) PutVarint(base - FrontBucket::kLargeBase, out);
    return;
  }
  const bool as_list = mask_bytes >= FrontBucket::kListForm || (mask_bytes > 7 && list.size() < mask_bytes);

  out->push_back(static_cast<char>(planes | (as_list ? FrontBucket::kListForm : mask_bytes) << 3));
  PutVarint(base, out);
  if (as_list) {
    *out += list;
  } else {
    std::string mask(mask_bytes, '\0');
    for (std::size_t i = 1; i < ranks.size(); ++i) {
      const std::uint64_t bit = ranks[i] - base - 1;
      mask[bit / 8] = static_cast<char>(static_cast<unsigned char>(mask[bit / 8]) | 1u << (bit % 8));
    }
    *out += mask;
  }
  for (unsigned p = 0; p < planes; ++p) {
    std::uint32_t plane = 0;
    for (unsigned i = 1; i < count_; ++i) {
      const auto rank = static_cast<unsigned>(std::lower_bound(ranks.begin(), ranks.end(), lcps_[i]) - ranks.begin());
      plane |= ((rank >> p) & 1u) << i;
    }
    out->append(reinterpret_cast<const char*>(&plane), sizeof plane);
  }
}

DictionaryWriter::DictionaryWriter(const TokenBook& book, const LcpWriter& lcps, Buffer buffer)
    : book_(book),
      lcps_(lcps),
      layout_(book.size(), book.arena().size(), book.coding() == TokenCoding::kBits, lcps.table_bytes()),
      image_(std::move(buffer)),
      leaf_(book, false, &lcps),
      node_(book, true, nullptr) {}

absl::Status DictionaryWriter::Begin() {
  THIMBLE_RETURN_IF_ERROR(image_.Reserve(layout_.leaves));
  layout_.tokens.Write(image_.data(), book_);
  if (book_.coding() == TokenCoding::kBits) {
    Store(image_.data() + layout_.lengths, book_.lengths());
    Store(image_.data() + layout_.lengths + sizeof(BitCode::Lengths), book_.QuickLengths());
    if (lcps_.table_bytes() != 0) Store(image_.data() + layout_.lcps, lcps_.table());
  } else {
    for (std::size_t i = 0; i < book_.size(); ++i) image_.data()[layout_.firsts + i] = book_.FirstByte(i);
  }
  image_ = ByteLog(std::move(image_.buffer()), layout_.leaves);
  return absl::OkStatus();
}

void DictionaryWriter::AddSeparator(std::string_view separator) {
  if (node_.full()) node_.Finish(&nodes_);
  const std::uint64_t lcp = SharedPrefix(separator_, separator);
  if (node_.count() == 0) {
    root_ += separator;
    root_ends_.push_back(root_.size());
    node_starts_.push_back(nodes_.size());
    node_.Add(separator.size(), {});
  } else {
    node_.Add(lcp, separator.substr(lcp));
  }
  separator_.assign(separator);
}

absl::Status DictionaryWriter::FinishLeaf() {
  bucket_.clear();
  leaf_.Finish(&bucket_);
  if (bucket_.size() > UINT32_MAX) return absl::ResourceExhaustedError("StringDictionary: 32 keys of more than 4 GiB");
  leaf_sizes_.push_back(static_cast<std::uint32_t>(bucket_.size()));
  return image_.Append(BytesOf(bucket_.data(), bucket_.size()));
}

absl::Status DictionaryWriter::Add(std::string_view key, std::uint64_t lcp) {
  if (leaf_.full()) THIMBLE_RETURN_IF_ERROR(FinishLeaf());
  if (leaf_.count() == 0) {
    // The first separator of all is empty, so that no key is below it.
    const std::string_view separator = key.substr(0, count_ == 0 ? 0 : lcp + 1);
    AddSeparator(separator);
    lcp = separator.size();
  }
  leaf_.Add(lcp, key.substr(lcp));
  ++count_;
  max_key_bytes_ = std::max<std::uint64_t>(max_key_bytes_, key.size());
  return absl::OkStatus();
}

absl::StatusOr<Buffer> DictionaryWriter::Finish() {
  if (leaf_.count() > 0) THIMBLE_RETURN_IF_ERROR(FinishLeaf());
  if (node_.count() > 0) node_.Finish(&nodes_);

  std::uint64_t farthest = 0;
  for (std::size_t first = 0; first < leaf_sizes_.size(); first += kFanOut) {
    std::uint64_t distance = 0;
    for (std::size_t i = first; i < std::min(first + kFanOut, leaf_sizes_.size()); ++i) {
      farthest = std::max(farthest, distance);
      distance += leaf_sizes_[i];
    }
  }
  const auto offset_bits = static_cast<unsigned>(std::bit_width(farthest));
  const std::uint64_t leaf_bytes = image_.size() - layout_.leaves;
  layout_.AddLevels(leaf_bytes, nodes_.size(), root_.size(), root_ends_.size(), offset_bits);
  const std::uint64_t image_bytes = layout_.layout.image_bytes();
  Buffer buffer = std::move(image_.buffer());
  THIMBLE_RETURN_IF_ERROR(buffer.Grow(image_bytes));
  const auto put = [&](std::uint64_t at, const std::string& bytes) {
    if (!bytes.empty()) std::memcpy(buffer.data() + at, bytes.data(), bytes.size());
  };
  put(layout_.nodes, nodes_);
  put(layout_.root, root_);
  std::uint64_t leaf_start = 0;
  for (std::size_t node = 0; node < root_ends_.size(); ++node) {
    const std::uint64_t begin = node == 0 ? 0 : root_ends_[node - 1];
    Store(buffer.data() + layout_.root_heads + 8 * node, HeadOf(std::string_view(root_).substr(begin, root_ends_[node] - begin)));
    std::byte* entry = buffer.data() + layout_.root_table + kRootEntry * node;
    Store(entry, root_ends_[node]);
    Store(entry + 8, node_starts_[node]);
    std::byte* block = buffer.data() + layout_.offsets + OffsetBlock(offset_bits) * node;
    Store(block, leaf_start);
    std::uint64_t distance = 0;
    for (std::size_t i = 0; i < kFanOut && node * kFanOut + i < leaf_sizes_.size(); ++i) {
      WriteBits(block + 8, i * offset_bits, offset_bits, distance);
      distance += leaf_sizes_[node * kFanOut + i];
    }
    leaf_start += distance;
  }
  const std::uint64_t form = static_cast<std::uint64_t>(book_.coding()) | std::uint64_t{book_.lead()} << 8 |
                             std::uint64_t{book_.stop()} << 16 | std::uint64_t{offset_bits} << 24;
  ImageHeader{.kind = Kind::kStringDictionary,
              .header_bytes = 128,
              .image_bytes = image_bytes,
              .count = count_,
              .used_bytes = image_bytes,
              .parameters = {form, book_.size(), book_.arena().size(), leaf_bytes, nodes_.size(), root_.size(), max_key_bytes_,
                             lcps_.table_bytes()}}
      .Write(buffer.bytes());
  buffer.Shrink(image_bytes);
  return buffer;
}

}  // namespace thimble::internal
