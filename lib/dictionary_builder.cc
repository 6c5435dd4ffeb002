#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "byte_log.h"
#include "dictionary_writer.h"
#include "front_bucket.h"
#include "packed_bytes.h"
#include "status_macros.h"
#include "thimble/string_dictionary.h"
#include "token_sampler.h"

namespace thimble {

using internal::ByteLog;
using internal::DictionaryWriter;
using internal::FrontBucket;
using internal::LcpWriter;
using internal::PackBytes;
using internal::TokenBook;
using internal::TokenCoding;
using internal::TokenSampler;
using internal::UnpackBytes;

namespace {

constexpr std::uint64_t kProgressStep = 1 << 16;

// The last key of a stream, and what the next one shares with it.
class Ascending {
 public:
  enum class Order { kAbove, kEqual, kBelow };

  // Compares `key` with the last; keeps it if it is above.
  Order Take(std::string_view key) {
    const std::size_t both = std::min(last_.size(), key.size());
    std::size_t same = 0;
    while (same + 8 <= both && std::memcmp(last_.data() + same, key.data() + same, 8) == 0) same += 8;
    while (same < both && last_[same] == key[same]) ++same;
    if (!empty_) {
      if (same == key.size() && same == last_.size()) return Order::kEqual;
      if (same == key.size()) return Order::kBelow;
      if (same < last_.size() && static_cast<unsigned char>(key[same]) < static_cast<unsigned char>(last_[same])) return Order::kBelow;
    }
    lcp_ = same;
    last_.resize(same);
    last_.append(key.substr(same));
    empty_ = false;
    return Order::kAbove;
  }

  std::uint64_t lcp() const { return lcp_; }
  const std::string& last() const { return last_; }

 private:
  std::string last_;
  std::uint64_t lcp_ = 0;
  bool empty_ = true;
};

absl::Status CheckKey(Ascending::Order order, std::string_view key) {
  if (key.size() > StringDictionary::kMaxKeyBytes) return absl::InvalidArgumentError("StringDictionary: a key of more than 16 MiB");
  if (order == Ascending::Order::kBelow) return absl::InvalidArgumentError("StringDictionary: keys must ascend");
  return absl::OkStatus();
}

// A dictionary without some keys and with others: three ascending streams become one.
class Updated final : public StringDictionary::Source {
 public:
  Updated(StringDictionaryView base, StringDictionary::Source& insertions, StringDictionary::Source& deletions)
      : base_(base), cursor_(base.From(0)), insertions_(insertions), deletions_(deletions) {}

  absl::Status Rewind() override {
    cursor_ = base_.From(0);
    THIMBLE_RETURN_IF_ERROR(insertions_.Rewind());
    THIMBLE_RETURN_IF_ERROR(deletions_.Rewind());
    returned_base_ = false;
    insertion_.there = deletion_.there = false;
    THIMBLE_RETURN_IF_ERROR(Advance(insertions_, &insertion_));
    return Advance(deletions_, &deletion_);
  }

  absl::StatusOr<bool> Next(std::string_view* key) override {
    if (std::exchange(returned_base_, false)) cursor_.Next();
    for (;;) {
      if (insertion_.there && (cursor_.done() || insertion_.key <= cursor_.key())) {
        if (!cursor_.done() && insertion_.key == cursor_.key()) cursor_.Next();
        returned_ = insertion_.key;
        THIMBLE_RETURN_IF_ERROR(Advance(insertions_, &insertion_));
        *key = returned_;
        return true;
      }
      if (cursor_.done()) return false;
      while (deletion_.there && deletion_.key < cursor_.key()) THIMBLE_RETURN_IF_ERROR(Advance(deletions_, &deletion_));
      if (!deletion_.there || deletion_.key != cursor_.key()) {
        *key = cursor_.key();
        returned_base_ = true;
        return true;
      }
      cursor_.Next();
    }
  }

 private:
  struct Head {
    bool there = false;
    std::string key;
  };

  static absl::Status Advance(StringDictionary::Source& source, Head* head) {
    std::string_view key;
    THIMBLE_ASSIGN_OR_RETURN(const bool there, source.Next(&key));
    if (there && head->there && key < head->key) return absl::InvalidArgumentError("StringDictionary: changes must ascend");
    head->there = there;
    if (there) head->key.assign(key);
    return absl::OkStatus();
  }

  StringDictionaryView base_;
  StringDictionaryView::Cursor cursor_;
  StringDictionary::Source& insertions_;
  StringDictionary::Source& deletions_;
  Head insertion_, deletion_;
  std::string returned_;
  bool returned_base_ = false;
};

}  // namespace

// Keys as they come: the length of the prefix shared with the one before, the length of the rest, the rest. The lengths in
// half a byte each; 15 stands for "and as many more as the number that follows". They wait in packed blocks.
class StringDictionary::Builder::Spool final : public StringDictionary::Source {
 public:
  absl::Status Add(std::string_view key) {
    const Ascending::Order order = key.size() > kMaxKeyBytes ? Ascending::Order::kBelow : ascending_.Take(key);
    THIMBLE_RETURN_IF_ERROR(CheckKey(order, key));
    if (order == Ascending::Order::kEqual) {
      ++duplicates;
      return absl::OkStatus();
    }
    ++size;
    const std::string_view rest = key.substr(ascending_.lcp());
    const std::uint64_t shared = std::min(ascending_.lcp(), kMost), own = std::min<std::uint64_t>(rest.size(), kMost);
    block_.push_back(static_cast<char>(shared << 4 | own));
    if (shared == kMost) PutNumber(ascending_.lcp() - kMost);
    if (own == kMost) PutNumber(rest.size() - kMost);
    block_.append(rest);
    return block_.size() < kBlock ? absl::OkStatus() : PackBlock();
  }

  absl::Status Rewind() override {
    if (readings_++ == 0) THIMBLE_RETURN_IF_ERROR(PackBlock());
    log_ = 0;
    at_ = at_in_block_ = 0;
    block_.clear();
    key_.clear();
    return absl::OkStatus();
  }

  absl::StatusOr<bool> Next(std::string_view* key) override {
    if (at_in_block_ == block_.size() && !UnpackBlock()) return false;
    const auto* begin = reinterpret_cast<const std::uint8_t*>(block_.data());
    const auto* at = begin + at_in_block_;
    const auto* end = begin + block_.size();
    const unsigned head = *at++;
    std::uint64_t lcp = head >> 4, rest = head & 15;
    if (lcp == kMost) lcp += FrontBucket::Varint(at, end);
    if (rest == kMost) rest += FrontBucket::Varint(at, end);
    key_.resize(lcp);
    key_.append(reinterpret_cast<const char*>(at), rest);
    at_in_block_ = static_cast<std::size_t>(at - begin) + rest;
    *key = key_;
    return true;
  }

  std::uint64_t held_bytes() const { return held_bytes_; }

  std::uint64_t size = 0, duplicates = 0;

 private:
  static constexpr std::uint64_t kMost = 15;
  static constexpr int kReadings = 2;  // by FromSource
  static constexpr std::uint64_t kLeastLog = 1 << 12, kMostLog = 1 << 20;
  static constexpr std::size_t kBlock = 1 << 15;

  void PutNumber(std::uint64_t number) {
    for (; number >= 0x80; number >>= 7) block_.push_back(static_cast<char>(number | 0x80));
    block_.push_back(static_cast<char>(number));
  }

  absl::Status PackBlock() {
    std::string packed;
    PackBytes(block_, &packed);
    block_.clear();
    if (block_.capacity() > 4 * kBlock) block_.shrink_to_fit();  // there was a long key
    if (logs_.empty() || logs_.back().capacity() - logs_.back().size() < packed.size()) {
      logs_.emplace_back(Buffer::Heap(std::max(packed.size(), std::clamp(held_bytes_ / 4, kLeastLog, kMostLog))));
      held_bytes_ += logs_.back().capacity();
    }
    return logs_.back().Append(BytesOf(packed.data(), packed.size()));
  }

  // False at the end.
  bool UnpackBlock() {
    do {
      if (log_ < logs_.size() && at_ == logs_[log_].size()) {
        if (readings_ == kReadings) logs_[log_] = ByteLog();
        ++log_;
        at_ = 0;
      }
      if (log_ == logs_.size()) return false;
      const ByteLog& log = logs_[log_];
      at_ += UnpackBytes({reinterpret_cast<const char*>(log.data()) + at_, log.size() - at_}, &block_);
    } while (block_.empty());
    at_in_block_ = 0;
    return true;
  }

  // A few large runs, each mapped by itself: the last reading gives back those that it has left behind.
  std::vector<ByteLog> logs_;
  std::uint64_t held_bytes_ = 0;
  Ascending ascending_;
  int readings_ = 0;
  std::size_t log_ = 0;
  std::uint64_t at_ = 0;  // in that log
  std::string block_;     // that is being filled, or read
  std::size_t at_in_block_ = 0;
  std::string key_;
};

absl::StatusOr<StringDictionary> StringDictionary::FromSource(Source& source, const Options& options, Buffer buffer) {
  // First reading: what distinguishes the keys, to learn from.
  TokenSampler sampler(options.mode == Mode::kDense ? TokenCoding::kBits : TokenCoding::kBytes);
  LcpWriter lcps;
  std::string_view key;
  {
    Ascending ascending;
    THIMBLE_RETURN_IF_ERROR(source.Rewind());
    for (;;) {
      THIMBLE_ASSIGN_OR_RETURN(const bool more, source.Next(&key));
      if (!more) break;
      const Ascending::Order order = ascending.Take(key);
      THIMBLE_RETURN_IF_ERROR(CheckKey(order, key));
      if (order == Ascending::Order::kEqual) continue;
      sampler.Add(key.substr(ascending.lcp()), key.size());
      if (options.mode == Mode::kDense) lcps.Add(ascending.lcp());
    }
  }
  lcps.Learn();
  const TokenBook book = std::exchange(sampler, TokenSampler(TokenCoding::kBytes)).Learn();

  // Second reading: write.
  DictionaryWriter writer(book, lcps, std::move(buffer));
  THIMBLE_RETURN_IF_ERROR(writer.Begin());
  Ascending ascending;
  THIMBLE_RETURN_IF_ERROR(source.Rewind());
  for (std::uint64_t written = 0;;) {
    THIMBLE_ASSIGN_OR_RETURN(const bool more, source.Next(&key));
    if (!more) break;
    const Ascending::Order order = ascending.Take(key);
    THIMBLE_RETURN_IF_ERROR(CheckKey(order, key));
    if (order == Ascending::Order::kEqual) continue;
    THIMBLE_RETURN_IF_ERROR(writer.Add(ascending.last(), ascending.lcp()));
    if (++written % kProgressStep == 0 && options.progress) options.progress(written);
  }
  THIMBLE_ASSIGN_OR_RETURN(Buffer image, writer.Finish());
  THIMBLE_ASSIGN_OR_RETURN(const StringDictionaryView view, ViewOf(image));
  if (options.progress) options.progress(view.size());
  StringDictionary dictionary(view, std::move(image));
  dictionary.peak_bytes_ = dictionary.buffer().size();
  return dictionary;
}

absl::StatusOr<StringDictionary> StringDictionary::FromSource(Source& source, const Options& options) {
  return FromSource(source, options, Buffer::Heap(0));
}

absl::StatusOr<StringDictionary> StringDictionary::Update(StringDictionaryView base, Source& insertions, Source& deletions,
                                                          const Options& options, Buffer buffer) {
  Updated updated(base, insertions, deletions);
  return FromSource(updated, options, std::move(buffer));
}

StringDictionary::Builder::Builder() : Builder(Options{}) {}
StringDictionary::Builder::Builder(Options options) : spool_(std::make_unique<Spool>()), options_(std::move(options)) {}
StringDictionary::Builder::Builder(Builder&&) noexcept = default;
StringDictionary::Builder::~Builder() = default;

absl::Status StringDictionary::Builder::Add(std::string_view key) { return spool_->Add(key); }
std::uint64_t StringDictionary::Builder::size() const { return spool_->size; }
std::uint64_t StringDictionary::Builder::duplicates() const { return spool_->duplicates; }

absl::StatusOr<StringDictionary> StringDictionary::Builder::Finish() && { return std::move(*this).Finish(Buffer::Heap(0)); }

absl::StatusOr<StringDictionary> StringDictionary::Builder::Finish(Buffer buffer) && {
  absl::StatusOr<StringDictionary> dictionary = FromSource(*spool_, options_, std::move(buffer));
  // While the image grows, the spool shrinks.
  if (dictionary.ok()) dictionary->peak_bytes_ = std::max(dictionary->peak_bytes_, spool_->held_bytes());
  return dictionary;
}

}  // namespace thimble
