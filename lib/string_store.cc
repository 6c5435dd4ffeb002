#include "thimble/string_store.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "count_groups.h"
#include "status_macros.h"
#include "token_book.h"
#include "token_section.h"
#include "token_table.h"

namespace thimble {
namespace {

using internal::CopyText;
using internal::CountGroups;
using internal::TokenBook;
using internal::TokenCoding;
using internal::TokenSample;
using internal::TokenSection;
using internal::TokenTable;

constexpr std::uint64_t kMaxString = std::uint64_t{1} << 30;
constexpr std::uint64_t kMaxTokens = 1 << 16;

// Parameters: 0 bytes of a code (1: the text itself, 2: tokens), 1 codes, 2 tokens, 3 arena bytes, 4 payload bytes,
// 5 longest string, 6 bytes of the image of the ends, 0 where CountGroups stand in for it; codes of long strings then come
// behind those of all others.
struct StringStoreLayout {
  ImageLayout layout{128};
  TokenSection tokens;
  std::uint64_t codes, ends;

  StringStoreLayout(std::uint64_t code_bytes, std::uint64_t code_count, std::uint64_t token_count, std::uint64_t arena_bytes,
         std::uint64_t ends_bytes, std::uint64_t strings)
      : tokens(layout, token_count, arena_bytes, false),
        codes(layout.Add(code_count, 8 * code_bytes)),
        ends(layout.Add(ends_bytes == 0 ? CountGroups::Bytes(strings) : ends_bytes, 8, kImageAlignment)) {}
};

// Writes strings whose codes end at `ends` as runs and their counts: long ones behind the others, `total` codes with what says
// where they are.
void WriteCounted(const std::byte* codes, const std::vector<std::uint64_t>& ends, std::uint64_t total, std::byte* to,
                  std::byte* groups) {
  const auto count_of = [&](std::size_t i) { return ends[i + 1] - ends[i]; };
  std::uint64_t behind = total;
  for (std::size_t i = 0; i + 1 < ends.size(); ++i) behind -= count_of(i) >= CountGroups::kLong ? count_of(i) : 0;
  std::uint64_t at = 0;
  for (std::size_t i = 0; i + 1 < ends.size(); ++i) {
    const bool is_long = count_of(i) >= CountGroups::kLong;
    const std::uint64_t count = is_long ? CountGroups::kLong : count_of(i), begin = is_long ? behind : at;
    CountGroups::Put(groups, i, at, count);
    std::memcpy(to + 2 * begin, codes + 2 * ends[i], 2 * count_of(i));
    if (is_long) {
      behind += count_of(i);
      Store(to + 2 * at, begin);
      Store(to + 2 * at + 8, behind);
    }
    at += count;
  }
}

absl::Status GrowInSteps(Buffer& buffer, std::uint64_t bytes) {
  if (bytes <= buffer.size()) return absl::OkStatus();
  return buffer.Grow(std::max<std::uint64_t>(bytes + bytes / 8, 4096));
}

}  // namespace

absl::StatusOr<StringStoreView> StringStoreView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  const auto& [code_bytes, code_count, token_count, arena_bytes, payload_bytes, max_string_bytes, ends_bytes, p7, p8, p9] =
      header.parameters;
  if (header.header_bytes != 128 || code_bytes < 1 || code_bytes > 2 || (ends_bytes == 0 && code_bytes != 2) ||
      token_count > kMaxTokens || arena_bytes >= TokenTable::kMaxArena || max_string_bytes > kMaxString ||
      header.count >= kMaxString << 32) {
    return absl::DataLossError("StringStore: impossible parameters");
  }
  const StringStoreLayout layout(code_bytes, code_count, token_count, arena_bytes, ends_bytes, header.count);
  if (layout.layout.image_bytes() != header.image_bytes) return absl::DataLossError("StringStore: sizes do not add up");
  StringStoreView view;
  view.image_ = image.first(header.image_bytes);
  view.size_ = header.count;
  view.payload_bytes_ = payload_bytes;
  view.max_string_bytes_ = max_string_bytes;
  view.codes_ = image.data() + layout.codes;
  view.code_count_ = code_count;
  if (code_bytes == 2) view.entries_ = image.data() + layout.tokens.entries;
  view.arena_ = image.data() + layout.tokens.arena;
  view.token_count_ = static_cast<std::uint32_t>(token_count);
  view.arena_bytes_ = static_cast<std::uint32_t>(arena_bytes);
  if (ends_bytes == 0) {
    view.counts_ = image.data() + layout.ends;
    return view;
  }
  THIMBLE_ASSIGN_OR_RETURN(view.ends_, EliasFanoView::Open(image.subspan(layout.ends, ends_bytes)));
  if (view.ends_.size() != header.count + 1) return absl::DataLossError("StringStore: ends of other strings");
  return view;
}

StringStoreView::CodeRun StringStoreView::RunOf(std::uint64_t i) const {
  if (counts_ == nullptr) return ends_.Pair(i);
  if (size_ == 0) return {0, 0};
  const CodeRun run = CountGroups{counts_}[std::min(i, size_ - 1)];
  if (run.second - run.first != CountGroups::kLong || run.second > code_count_) [[likely]] return run;
  const std::byte* where = codes_ + 2 * run.first;
  return {Load<std::uint64_t>(where), Load<std::uint64_t>(where + 8)};
}

void StringStoreView::DecodeRuns(std::uint64_t first, std::span<CodeRun> out) const {
  if (counts_ == nullptr) {
    std::uint64_t ends[kScanBatch + 1];
    ends_.Decode(first, std::span(ends, out.size() + 1));
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = {ends[i], ends[i + 1]};
  } else {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = RunOf(first + i);
  }
}

std::string_view StringStoreView::Decode(CodeRun run, std::string& buffer) const {
  const std::uint64_t last = std::min(run.second, code_count_);
  const std::uint64_t first = std::min(run.first, last);
  if (entries_ == nullptr) {
    buffer.assign(reinterpret_cast<const char*>(codes_ + first), std::min(last - first, max_string_bytes_));
    return buffer;
  }
  // A token may be written beyond the longest string: the buffer has room for one more, and for whole words.
  const std::size_t room = max_string_bytes_ + TokenTable::kSlack * 2;
  if (buffer.size() < room) buffer.resize(room);
  const TokenTable table{entries_, arena_, token_count_, arena_bytes_};
  auto* const begin = reinterpret_cast<std::byte*>(buffer.data());
  std::size_t at = 0;
  for (const std::byte *code = codes_ + 2 * first, *end = codes_ + 2 * last; code < end && at <= max_string_bytes_; code += 2) {
    const std::uint16_t index = Load<std::uint16_t>(code);
    if (index >= table.count) break;
    const std::uint32_t entry = table.At(index);
    const std::size_t length = TokenTable::LengthOf(entry);
    CopyText(begin + at, table.TextOf(entry), length);
    at += length;
  }
  return {buffer.data(), std::min<std::size_t>(at, max_string_bytes_)};
}

std::string_view StringStoreView::Get(std::uint64_t i, std::string& buffer) const {
  return Decode(RunOf(i), buffer);
}

std::string StringStoreView::operator[](std::uint64_t i) const {
  std::string buffer;
  return std::string(Get(i, buffer));
}

// Runs lie end to end, the long ones behind all others.
absl::Status StringStoreView::VerifyCounts() const {
  const CountGroups groups{counts_};
  std::uint64_t behind = size_ == 0 ? 0 : groups[size_ - 1].second;
  std::uint64_t expected = 0;
  for (std::uint64_t i = 0; i < size_; ++i) {
    const auto [first, last] = groups[i];
    if (first != expected) return absl::DataLossError("StringStore: a string begins where none ends");
    expected = last;
    if (last - first != CountGroups::kLong) continue;
    const auto [long_first, long_last] = RunOf(i);
    if (long_first != behind || long_last < long_first) return absl::DataLossError("StringStore: a long string out of its place");
    behind = long_last;
  }
  if (behind != code_count_) return absl::DataLossError("StringStore: counts do not cover the codes");
  return absl::OkStatus();
}

absl::Status StringStoreView::Verify() const {
  if (counts_ == nullptr) {
    THIMBLE_RETURN_IF_ERROR(ends_.Verify());
    if (ends_[0] != 0 || ends_[size_] != code_count_) return absl::DataLossError("StringStore: ends do not cover the codes");
  } else {
    THIMBLE_RETURN_IF_ERROR(VerifyCounts());
  }
  if (entries_ == nullptr) {
    if (payload_bytes_ != code_count_) return absl::DataLossError("StringStore: wrong payload size");
    return absl::OkStatus();
  }
  const TokenTable table{entries_, arena_, token_count_, arena_bytes_};
  for (std::uint32_t i = 0; i < token_count_; ++i) {
    const std::uint32_t entry = table.At(i);
    if ((entry & (TokenTable::kMaxArena - 1)) + TokenTable::LengthOf(entry) > arena_bytes_) {
      return absl::DataLossError("StringStore: a token lies outside its table");
    }
  }
  std::uint64_t payload = 0;
  for (std::uint64_t i = 0; i < size_; ++i) {
    const auto [first, last] = RunOf(i);
    if (last > code_count_) return absl::DataLossError("StringStore: a string's codes lie outside");
    std::uint64_t bytes = 0;
    for (std::uint64_t at = first; at < last; ++at) {
      const std::uint16_t index = Load<std::uint16_t>(codes_ + 2 * at);
      if (index >= token_count_) return absl::DataLossError("StringStore: a code without a token");
      bytes += TokenTable::LengthOf(table.At(index));
    }
    if (bytes > max_string_bytes_) return absl::DataLossError("StringStore: a string longer than the longest");
    payload += bytes;
  }
  if (payload != payload_bytes_) return absl::DataLossError("StringStore: wrong payload size");
  return absl::OkStatus();
}

absl::StatusOr<StringStore> StringStore::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const StringStoreView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  StringStore store(view, std::move(buffer));
  store.peak_bytes_ = store.buffer().size();
  return store;
}

StringStore::Builder::Builder() = default;

StringStore::Builder::Builder(StringStoreView from) {
  from.Scan(0, from.size(), [this](std::string_view string) { Add(string).IgnoreError(); });
}

absl::Status StringStore::Builder::Add(std::string_view string) {
  if (string.size() > kMaxString) return absl::InvalidArgumentError("StringStore: a string of more than 1 GiB");
  THIMBLE_RETURN_IF_ERROR(GrowInSteps(text_, text_bytes_ + string.size()));
  THIMBLE_RETURN_IF_ERROR(GrowInSteps(ends_, 8 * (size_ + 1)));
  if (!string.empty()) std::memcpy(text_.data() + text_bytes_, string.data(), string.size());
  text_bytes_ += string.size();
  thimble::Store(ends_.data() + 8 * size_++, text_bytes_);
  max_string_bytes_ = std::max<std::uint64_t>(max_string_bytes_, string.size());
  return absl::OkStatus();
}

std::string_view StringStore::Builder::At(std::uint64_t i) const {
  const std::uint64_t first = i == 0 ? 0 : Load<std::uint64_t>(ends_.data() + 8 * (i - 1));
  const std::uint64_t last = Load<std::uint64_t>(ends_.data() + 8 * i);
  return {reinterpret_cast<const char*>(text_.data()) + first, last - first};
}

absl::StatusOr<StringStore> StringStore::Builder::Finish() && { return std::move(*this).Finish(Buffer::Heap(0)); }

absl::StatusOr<StringStore> StringStore::Builder::Finish(Buffer buffer) && {
  // Learn from 16 MiB at most, runs of neighbours all over the data, then write every string over the place that it was read
  // from: codes are counted first, so that the image has its size from the start.
  constexpr std::uint64_t kRun = 32, kLearned = 16 << 20;
  const std::uint64_t step = 1 + (text_bytes_ + size_) / kLearned;
  TokenSample sample;
  for (std::uint64_t run = 0; run < size_; run += kRun * step) {
    for (std::uint64_t i = run; i < std::min(size_, run + kRun); ++i) sample.Add(At(i));
  }
  const double scale = sample.text_bytes() == 0 ? 1 : static_cast<double>(text_bytes_) / static_cast<double>(sample.text_bytes());
  const TokenBook book = TokenBook::Learn(sample, TokenCoding::kWords, scale);
  sample.Clear();

  internal::TokenWriter writer(book);
  Buffer codes = Buffer::Heap(0);
  std::uint64_t code_bytes = 0;
  std::string chunk;
  std::vector<std::uint64_t> ends{0};
  ends.reserve(size_ + 1);
  bool tokens_pay = true;
  for (std::uint64_t i = 0; i < size_ && tokens_pay; ++i) {
    writer.Write(At(i), &chunk);
    ends.push_back((code_bytes + chunk.size()) / 2);
    if (chunk.size() >= (1 << 16) || i + 1 == size_) {
      THIMBLE_RETURN_IF_ERROR(GrowInSteps(codes, code_bytes + chunk.size()));
      if (!chunk.empty()) std::memcpy(codes.data() + code_bytes, chunk.data(), chunk.size());
      code_bytes += chunk.size();
      chunk.clear();
      tokens_pay = code_bytes <= text_bytes_ + 1024;
    }
  }
  tokens_pay = tokens_pay && code_bytes + book.table_bytes() < text_bytes_;
  if (!tokens_pay) {
    ends.assign(1, 0);
    for (std::uint64_t i = 0; i < size_; ++i) ends.push_back(Load<std::uint64_t>(ends_.data() + 8 * i));
    code_bytes = text_bytes_;
  }
  const EliasFano::Options ends_options{.size = ends.size(), .max = ends.back()};
  // Counts are found sooner than ends, so they may be larger, by up to a third of a byte a string.
  std::uint64_t long_strings = 0;
  for (std::uint64_t i = 0; i < size_; ++i) long_strings += ends[i + 1] - ends[i] >= CountGroups::kLong;
  const std::uint64_t long_bytes = 2 * CountGroups::kLong * long_strings;
  std::uint64_t ends_bytes = EliasFano::ImageBytes(ends_options);
  const bool as_counts = tokens_pay && CountGroups::Bytes(size_) + long_bytes <= ends_bytes + size_ / 3 &&
                         (code_bytes + long_bytes) >> CountGroups::kBaseBits == 0;
  if (as_counts) {
    ends_bytes = 0;
    code_bytes += long_bytes;
  }
  const std::uint64_t unit = tokens_pay ? 2 : 1;
  const std::uint64_t token_count = tokens_pay ? book.size() : 0, arena_bytes = tokens_pay ? book.arena().size() : 0;
  const StringStoreLayout layout(unit, code_bytes / unit, token_count, arena_bytes, ends_bytes, size_);
  THIMBLE_RETURN_IF_ERROR(buffer.Grow(layout.layout.image_bytes()));
  std::memset(buffer.data(), 0, layout.layout.image_bytes());  // as the ends are built in bytes that are zero
  ImageHeader{.kind = Kind::kStringStore,
              .header_bytes = 128,
              .image_bytes = layout.layout.image_bytes(),
              .count = size_,
              .used_bytes = layout.layout.image_bytes(),
              .parameters = {unit, code_bytes / unit, token_count, arena_bytes, text_bytes_, max_string_bytes_, ends_bytes}}
      .Write(buffer.bytes());
  if (tokens_pay) layout.tokens.Write(buffer.data(), book);
  if (as_counts) {
    WriteCounted(codes.data(), ends, code_bytes / 2, buffer.data() + layout.codes, buffer.data() + layout.ends);
  } else {
    if (code_bytes > 0) std::memcpy(buffer.data() + layout.codes, (tokens_pay ? codes : text_).data(), code_bytes);
    EliasFano::Builder end_builder(ends_options, Buffer::Borrow(buffer.bytes().subspan(layout.ends, ends_bytes)));
    for (const std::uint64_t end : ends) end_builder.Add(end);
    THIMBLE_RETURN_IF_ERROR(std::move(end_builder).Finish().status());
  }
  const std::uint64_t peak = text_.size() + ends_.size() + codes.size() + 8 * ends.capacity() + buffer.size();
  THIMBLE_ASSIGN_OR_RETURN(const StringStoreView view, ViewOf(buffer));
  StringStore store(view, std::move(buffer));
  store.peak_bytes_ = peak;
  return store;
}

}  // namespace thimble
