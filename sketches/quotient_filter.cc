#include "thimble/quotient_filter.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include <status_macros.h>

#include "quotient_page.h"

namespace thimble {

using namespace quotient;

namespace {

// Entries in a full page of a filter that has reached its max_capacity, and how many it is given at first: so few that only
// one page in 160 splits for having more than its share.
constexpr std::uint64_t kFullPage = 636;
constexpr std::uint64_t kFirstPage = 576;

}  // namespace

template <class Visit>
void QuotientFilterView::ForEntries(Visit visit) const {
  const std::uint64_t indexes = roots_ << directory_depth_;
  for (std::uint64_t index = 0; index < indexes; ++index) {
    Page page;
    if (!PageAt(Load<std::uint32_t>(image_.data() + kHeaderBytes + 4 * index), &page)) continue;
    const unsigned spare = directory_depth_ - page.depth;
    const std::uint64_t prefix = index & LowBits(directory_depth_);
    if ((prefix & LowBits(spare)) != 0) continue;  // another name of the page before
    const std::uint64_t top = directory_depth_ == 0 ? 0 : prefix << (64 - directory_depth_);
    const std::byte* unary = page.at + kPageHeaderBytes;
    const std::byte* entries = unary + 8 * page.unary_words;
    std::uint64_t bucket = 0, entry = 0;
    for (std::uint64_t bit = 0; bit < 64 * page.unary_words && bucket < kBuckets && entry < page.entries; ++bit) {
      if ((Word(unary, bit / 64) >> bit % 64 & 1) == 0) {
        ++bucket;
        continue;
      }
      const std::uint64_t value = GetBits(entries, entry++ * page.entry_bits, page.entry_bits);
      const std::uint64_t fraction = top | bucket << (64 - 9) >> page.depth |
                                     (value >> epoch_bits_) << (64 - 9 - page.depth - page.remainder_bits);
      visit(Place{index >> directory_depth_, fraction}, value & LowBits(epoch_bits_));
    }
  }
}

absl::StatusOr<ImageHeader> QuotientFilter::HeaderFor(const Options& options) {
  const std::uint64_t most = std::max(options.capacity, options.max_capacity);
  if (!(options.false_positive_rate >= 1e-9 && options.false_positive_rate < 0.5)) {
    return absl::InvalidArgumentError("a quotient filter's false_positive_rate must be at least 1e-9 and below 0.5");
  }
  if (options.epoch_bits > kMaxEpochBits || (options.epoch_bits > 0 && options.count_duplicates)) {
    return absl::InvalidArgumentError("a quotient filter has at most 8 epoch bits, and none when it counts");
  }
  const std::uint64_t roots = options.capacity / kFirstPage + 1;
  // Bits of a remainder at max_capacity: a page is then as full as it is given keys at first.
  const double at_most = static_cast<double>(kFirstPage) / kBuckets / options.false_positive_rate;
  const auto final_bits = static_cast<unsigned>(std::max(1.0, std::ceil(std::log2(at_most))));
  const double growth = static_cast<double>(most) / static_cast<double>(roots * kFirstPage);
  const unsigned spare = growth <= 1 ? 0 : static_cast<unsigned>(std::ceil(std::log2(growth)));
  if (final_bits + spare + 2 > kMaxRemainderBits || roots >= std::uint64_t{1} << 31) {
    return absl::InvalidArgumentError("a quotient filter for " + std::to_string(most) + " keys is too large");
  }
  ImageHeader header{.kind = kKind, .header_bytes = kHeaderBytes, .hash_scheme = HashScheme::kThimble, .seed = options.seed};
  const std::uint64_t page_bits = 8 * kPageHeaderBytes + 64 * UnaryWords(kFullPage) + kFullPage * (final_bits + options.epoch_bits);
  header.parameters[kRoots] = header.parameters[kPages] = roots;
  header.parameters[kPageBytes] = RoundUp((page_bits + 7) / 8, 8);
  header.parameters[kRemainderBits] = final_bits + spare;
  header.parameters[kFlags] = options.epoch_bits | (options.count_duplicates ? 16 : 0);
  header.parameters[kCapacity] = most;
  ImageLayout layout(kHeaderBytes);
  layout.Add(roots, 32);
  layout.Add(roots, 8 * header.parameters[kPageBytes], 64);
  header.image_bytes = header.used_bytes = layout.image_bytes();
  return header;
}

QuotientFilter::QuotientFilter(const Options& options) : QuotientFilter(*Make(options)) {}

absl::StatusOr<QuotientFilter> QuotientFilter::Make(const Options& options) { return Make(options, Buffer()); }

absl::StatusOr<QuotientFilter> QuotientFilter::Make(const Options& options, Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, HeaderFor(options));
  if (buffer.size() == 0) buffer = Buffer::Heap(header.image_bytes);
  if (buffer.size() < header.image_bytes) return absl::InvalidArgumentError("the buffer is too short for the quotient filter");
  header.Write(buffer.bytes());
  // Root i's keys are in page i; an empty page is all zeros, as its buckets' ends are zeros.
  for (std::uint64_t root = 0; root < header.parameters[kRoots]; ++root) {
    Store(buffer.data() + kHeaderBytes + 4 * root, static_cast<std::uint32_t>(root));
  }
  THIMBLE_ASSIGN_OR_RETURN(const QuotientFilterView view, ViewOf(buffer));
  return QuotientFilter(view, std::move(buffer));
}

absl::StatusOr<QuotientFilter> QuotientFilter::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const QuotientFilterView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return QuotientFilter(view, std::move(buffer));
}

std::uint64_t QuotientFilter::ImageBytes(const Options& options) {
  const absl::StatusOr<ImageHeader> header = HeaderFor(options);
  return header.ok() ? header->image_bytes : ImageLayout::kTooLarge;
}

// Writes what changes of the header.
void QuotientFilter::WriteHeader() {
  ImageHeader header{.kind = kKind, .header_bytes = kHeaderBytes, .hash_scheme = HashScheme::kThimble, .count = size_, .seed = seed_};
  header.parameters[kRoots] = roots_;
  header.parameters[kPages] = pages_;
  header.parameters[kPageBytes] = page_bytes_;
  header.parameters[kRemainderBits] = remainder_bits_;
  header.parameters[kFlags] = epoch_bits_ | (counts_duplicates_ ? 16 : 0);
  header.parameters[kDirectoryDepth] = directory_depth_;
  header.parameters[kCapacity] = capacity_;
  header.parameters[kEpoch] = epoch_;
  ImageLayout layout(kHeaderBytes);
  layout.Add(roots_ << directory_depth_, 32);
  pages_at_ = layout.Add(pages_, 8 * page_bytes_, 64);
  header.image_bytes = header.used_bytes = layout.image_bytes();
  header.Write(buffer().bytes());
  image_ = buffer().bytes().first(header.image_bytes);
}

// Grows the buffer by a sixteenth at least, so that large filters do so seldom.
absl::Status QuotientFilter::GrowTo(std::uint64_t bytes) {
  if (bytes <= buffer().size()) return absl::OkStatus();
  const absl::Status grown = buffer().Grow(std::max<std::uint64_t>(bytes, buffer().size() + buffer().size() / 16));
  if (!grown.ok()) return absl::ResourceExhaustedError("the quotient filter cannot grow: " + std::string(grown.message()));
  peak_bytes_ = std::max<std::uint64_t>(peak_bytes_, buffer().size());
  return absl::OkStatus();
}

// Gives the directory one bit more: the pages move up, then every name is written twice, from the last.
absl::Status QuotientFilter::DoubleDirectory() {
  ImageLayout layout(kHeaderBytes);
  layout.Add(roots_ << (directory_depth_ + 1), 32);
  const std::uint64_t pages_at = layout.Add(pages_, 8 * page_bytes_, 64);
  THIMBLE_RETURN_IF_ERROR(GrowTo(layout.image_bytes()));
  std::byte* at = data();
  std::copy_backward(at + pages_at_, at + pages_at_ + pages_ * page_bytes_, at + pages_at + pages_ * page_bytes_);
  for (std::uint64_t i = roots_ << directory_depth_; i-- > 0;) {
    const auto number = Load<std::uint32_t>(at + kHeaderBytes + 4 * i);
    Store(at + kHeaderBytes + 8 * i, number);
    Store(at + kHeaderBytes + 8 * i + 4, number);
  }
  ++directory_depth_;
  WriteHeader();
  return absl::OkStatus();
}

// Splits the page of a place: the keys whose next bit is one move to a new page.
absl::Status QuotientFilter::Split(const Place& place) {
  Page page;
  if (!PageOf(place, &page)) return absl::DataLossError("quotient filter: damaged");
  const unsigned depth = page.depth;
  if (page.remainder_bits <= 1) return absl::ResourceExhaustedError("the quotient filter has no bit left to grow by");
  if (depth == directory_depth_) THIMBLE_RETURN_IF_ERROR(DoubleDirectory());
  ImageLayout layout(kHeaderBytes);
  layout.Add(roots_ << directory_depth_, 32);
  layout.Add(pages_ + 1, 8 * page_bytes_, 64);
  THIMBLE_RETURN_IF_ERROR(GrowTo(layout.image_bytes()));
  const std::uint64_t added = pages_++;
  WriteHeader();

  // The directory indexes of the page: those that share its prefix.
  const std::uint64_t names = std::uint64_t{1} << (directory_depth_ - depth);
  const std::uint64_t first = DirectoryIndex(place) / names * names;
  const auto number = Load<std::uint32_t>(data() + kHeaderBytes + 4 * first);
  for (std::uint64_t i = names / 2; i < names; ++i) Store(data() + kHeaderBytes + 4 * (first + i), static_cast<std::uint32_t>(added));

  std::byte* from = data() + pages_at_ + number * page_bytes_;
  const Buffer old = Buffer::Copy({from, page_bytes_});
  std::byte* halves[2] = {from, data() + pages_at_ + added * page_bytes_};
  std::uint64_t counts[2] = {0, 0}, positions[2] = {0, 0};
  for (std::byte* half : halves) std::fill(half, half + page_bytes_, std::byte{0});
  // Bucket 2 i and 2 i + 1 of a half are the entries of an old bucket whose next bit is zero, or one.
  const std::byte* unary = old.data() + kPageHeaderBytes;
  const std::byte* entries = unary + 8 * UnaryWords(slots_[depth]);
  const unsigned old_bits = remainder_bits_ - depth + epoch_bits_, new_bits = old_bits - 1;
  const std::uint64_t new_entries_at = kPageHeaderBytes + 8 * UnaryWords(slots_[depth + 1]);
  std::uint64_t bit = 0, entry = 0;
  for (unsigned bucket = 0; bucket < kBuckets; ++bucket) {
    const std::uint64_t begin = entry;
    for (; (Word(unary, bit / 64) >> bit % 64 & 1) != 0; ++bit) ++entry;
    ++bit;
    const unsigned half = bucket >= kBuckets / 2 ? 1 : 0;
    std::byte* to = halves[half];
    for (std::uint64_t next = 0; next < 2; ++next) {
      for (std::uint64_t i = begin; i < entry; ++i) {
        const std::uint64_t value = GetBits(entries, i * old_bits, old_bits);
        if (value >> new_bits != next) continue;
        SetBits(to + kPageHeaderBytes, positions[half]++, 1, 1);
        SetBits(to + new_entries_at, counts[half]++ * new_bits, new_bits, value & LowBits(new_bits));
      }
      ++positions[half];
    }
  }
  for (int half = 0; half < 2; ++half) Store(halves[half], counts[half] | static_cast<std::uint64_t>(depth + 1) << 16);
  return absl::OkStatus();
}

absl::Status QuotientFilter::AddPlace(const Place& place, std::uint64_t epoch) {
  for (;;) {
    Page page;
    if (!PageOf(place, &page)) return absl::DataLossError("quotient filter: damaged");
    std::byte* at = data() + (page.at - image_.data());
    std::byte* entries = at + kPageHeaderBytes + 8 * page.unary_words;
    const unsigned bucket = BucketOf(place.fraction, page.depth);
    const Bucket run = FindBucket(at + kPageHeaderBytes, page.unary_words, bucket);
    const std::uint64_t first = run.position - bucket;
    const std::uint64_t entry = RemainderOf(place.fraction, page.depth, page.remainder_bits) << epoch_bits_ | epoch;
    if (!counts_duplicates_) {
      for (std::uint64_t i = first; i < first + run.ones; ++i) {
        if (GetBits(entries, i * page.entry_bits, page.entry_bits) >> epoch_bits_ != entry >> epoch_bits_) continue;
        SetBits(entries, i * page.entry_bits, page.entry_bits, entry);
        return absl::OkStatus();
      }
    }
    if (page.entries == page.slots) {
      THIMBLE_RETURN_IF_ERROR(Split(place));
      continue;
    }
    InsertBits(at + kPageHeaderBytes, run.position + run.ones, page.entries + kBuckets, 1, 1);
    InsertBits(entries, (first + run.ones) * page.entry_bits, page.entries * page.entry_bits, page.entry_bits, entry);
    Store(at, Load<std::uint64_t>(at) + 1);
    Store(data() + 16, ++size_);  // the header's count
    return absl::OkStatus();
  }
}

bool QuotientFilter::RemoveHash(std::uint64_t hash) {
  const Place place = PlaceOf(hash);
  Page page;
  if (!PageOf(place, &page)) return false;
  std::byte* at = data() + (page.at - image_.data());
  std::byte* entries = at + kPageHeaderBytes + 8 * page.unary_words;
  const unsigned bucket = BucketOf(place.fraction, page.depth);
  const Bucket run = FindBucket(at + kPageHeaderBytes, page.unary_words, bucket);
  const std::uint64_t first = run.position - bucket;
  const std::uint64_t remainder = RemainderOf(place.fraction, page.depth, page.remainder_bits);
  for (std::uint64_t i = first; i < first + run.ones; ++i) {
    if (GetBits(entries, i * page.entry_bits, page.entry_bits) >> epoch_bits_ != remainder) continue;
    RemoveBits(at + kPageHeaderBytes, run.position, page.entries + kBuckets, 1);
    RemoveBits(entries, i * page.entry_bits, page.entries * page.entry_bits, page.entry_bits);
    Store(at, Load<std::uint64_t>(at) - 1);
    Store(data() + 16, --size_);
    return true;
  }
  return false;
}

void QuotientFilter::Advance() {
  if (epoch_bits_ == 0) return;
  epoch_ = (epoch_ + 1) & LowBits(epoch_bits_);
  // Entries that carry the new epoch's number are those of the epoch before the window. Pages are rewritten without them.
  size_ = 0;
  for (std::uint64_t number = 0; number < pages_; ++number) {
    Page page;
    if (!PageAt(number, &page)) continue;
    std::byte* at = data() + (page.at - image_.data());
    std::byte* unary = at + kPageHeaderBytes;
    std::byte* entries = unary + 8 * page.unary_words;
    std::uint64_t read = 0, kept = 0, position = 0;
    const std::uint64_t bits = page.entries + kBuckets;
    for (std::uint64_t bit = 0; bit < bits; ++bit) {
      if (GetBits(unary, bit, 1) == 0) {
        SetBits(unary, position++, 1, 0);
        continue;
      }
      const std::uint64_t value = GetBits(entries, read++ * page.entry_bits, page.entry_bits);
      if ((value & LowBits(epoch_bits_)) == epoch_) continue;
      SetBits(unary, position++, 1, 1);
      SetBits(entries, kept++ * page.entry_bits, page.entry_bits, value);
    }
    for (; position < bits; ++position) SetBits(unary, position, 1, 0);
    Store(at, Load<std::uint64_t>(at) - (page.entries - kept));
    size_ += kept;
  }
  WriteHeader();
}

absl::Status QuotientFilter::Merge(const QuotientFilterView& other) {
  if (other.roots_ != roots_ || other.remainder_bits_ != remainder_bits_ || other.seed_ != seed_ || other.epoch_bits_ != epoch_bits_ ||
      other.epoch_ != epoch_ || other.counts_duplicates_ != counts_duplicates_ || other.page_bytes_ != page_bytes_) {
    return absl::InvalidArgumentError("quotient filters of different options, seed or epoch");
  }
  absl::Status status = absl::OkStatus();
  other.ForEntries([&](const Place& place, std::uint64_t epoch) {
    if (status.ok()) status = AddPlace(place, epoch);
  });
  return status;
}

Stats QuotientFilter::stats() const {
  const std::uint64_t held = buffer().size();
  return {.live_bytes = image().size(), .slack_bytes = held - image().size(), .peak_bytes = std::max(peak_bytes_, held)};
}

}  // namespace thimble
