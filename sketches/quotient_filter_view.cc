#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include <status_macros.h>

#include "quotient_page.h"
#include "thimble/quotient_filter.h"

namespace thimble {

using namespace quotient;

absl::StatusOr<QuotientFilterView> QuotientFilterView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  if (header.header_bytes != kHeaderBytes || header.hash_scheme != HashScheme::kThimble) {
    return absl::DataLossError("quotient filter: bad header");
  }
  QuotientFilterView view;
  view.roots_ = header.parameters[kRoots];
  view.pages_ = header.parameters[kPages];
  view.page_bytes_ = header.parameters[kPageBytes];
  const std::uint64_t flags = header.parameters[kFlags], remainder_bits = header.parameters[kRemainderBits];
  const std::uint64_t depth = header.parameters[kDirectoryDepth];
  constexpr std::uint64_t kLimit = std::uint64_t{1} << 32;
  if (view.roots_ == 0 || view.roots_ >= kLimit || view.pages_ < view.roots_ || view.pages_ >= kLimit || remainder_bits == 0 ||
      remainder_bits > kMaxRemainderBits || depth >= remainder_bits || flags >> 5 != 0 || (flags & 15) > kMaxEpochBits ||
      view.page_bytes_ % 8 != 0 || view.page_bytes_ < 512 || view.page_bytes_ > 4096) {
    return absl::DataLossError("quotient filter: bad parameters");
  }
  view.remainder_bits_ = static_cast<unsigned>(remainder_bits);
  view.epoch_bits_ = static_cast<unsigned>(flags & 15);
  view.counts_duplicates_ = (flags & 16) != 0;
  view.directory_depth_ = static_cast<unsigned>(depth);
  ImageLayout layout(kHeaderBytes);
  layout.Add(view.roots_ << depth, 32);
  view.pages_at_ = layout.Add(view.pages_, 8 * view.page_bytes_, 64);
  // roots << depth may have lost bits; then they cannot have that many pages either.
  if (view.roots_ << depth >> depth != view.roots_ || layout.image_bytes() != header.image_bytes) {
    return absl::DataLossError("quotient filter: its size does not fit its parameters");
  }
  view.image_ = image.first(header.image_bytes);
  view.size_ = header.count;
  view.capacity_ = header.parameters[kCapacity];
  view.seed_ = header.seed;
  view.epoch_ = view.epoch_bits_ == 0 ? 0 : header.parameters[kEpoch] & LowBits(view.epoch_bits_);
  for (unsigned d = 0; d < remainder_bits; ++d) {
    view.slots_[d] = static_cast<std::uint16_t>(SlotsFor(view.page_bytes_, view.remainder_bits_ - d + view.epoch_bits_));
  }
  return view;
}

QuotientFilterView::Place QuotientFilterView::PlaceOf(std::uint64_t hash) const {
  __extension__ using Wide = unsigned __int128;
  const Wide product = Wide{hash} * roots_;
  return {static_cast<std::uint64_t>(product >> 64), static_cast<std::uint64_t>(product)};
}

std::uint64_t QuotientFilterView::DirectoryIndex(const Place& place) const {
  return (place.root << directory_depth_) | (directory_depth_ == 0 ? 0 : place.fraction >> (64 - directory_depth_));
}

bool QuotientFilterView::PageAt(std::uint64_t number, Page* page) const {
  if (number >= pages_) return false;
  page->at = image_.data() + pages_at_ + number * page_bytes_;
  const auto header = Load<std::uint64_t>(page->at);
  page->entries = header & 0xFFFF;
  page->depth = static_cast<unsigned>(header >> 16 & 255);
  if (page->depth > directory_depth_) return false;
  page->remainder_bits = remainder_bits_ - page->depth;
  page->entry_bits = page->remainder_bits + epoch_bits_;
  page->slots = slots_[page->depth];
  page->unary_words = UnaryWords(page->slots);
  return page->entries <= page->slots;
}

bool QuotientFilterView::PageOf(const Place& place, Page* page) const {
  return PageAt(Load<std::uint32_t>(image_.data() + kHeaderBytes + 4 * DirectoryIndex(place)), page);
}

std::uint64_t QuotientFilterView::CountHash(std::uint64_t hash) const {
  const Place place = PlaceOf(hash);
  Page page;
  if (!PageOf(place, &page)) return 0;
  const unsigned bucket = BucketOf(place.fraction, page.depth);
  const std::byte* entries = page.at + kPageHeaderBytes + 8 * page.unary_words;
  // Where the entries are to be expected: the cache line comes while the bucket is looked for.
  __builtin_prefetch(entries + page.entries * bucket / kBuckets * page.entry_bits / 8);
  const Bucket run = FindBucket(page.at + kPageHeaderBytes, page.unary_words, bucket);
  const std::uint64_t first = run.position - std::min<std::uint64_t>(bucket, run.position);
  const std::uint64_t remainder = RemainderOf(place.fraction, page.depth, page.remainder_bits);
  std::uint64_t count = 0;
  for (std::uint64_t i = first; i < std::min(first + run.ones, page.entries); ++i) {
    count += GetBits(entries, i * page.entry_bits, page.entry_bits) >> epoch_bits_ == remainder;
  }
  return count;
}

std::size_t QuotientFilterView::ContainsHashes(std::span<const std::uint64_t> hashes, bool* found) const {
  constexpr std::size_t kAhead = 8;
  std::size_t hits = 0;
  for (std::size_t i = 0; i < hashes.size() + kAhead; ++i) {
    if (i < hashes.size()) {
      // The front of the page, and where the entries of the bucket lie in one that is nearly full.
      const Place place = PlaceOf(hashes[i]);
      const std::uint64_t number = Load<std::uint32_t>(image_.data() + kHeaderBytes + 4 * DirectoryIndex(place));
      if (number < pages_) {
        const std::byte* at = image_.data() + pages_at_ + number * page_bytes_;
        __builtin_prefetch(at);
        __builtin_prefetch(at + 64);
        __builtin_prefetch(at + 128);
        __builtin_prefetch(at + 160 + (place.fraction << directory_depth_ >> 44) * (page_bytes_ - 192) / (1 << 20));
      }
    }
    if (i >= kAhead) hits += found[i - kAhead] = ContainsHash(hashes[i - kAhead]);
  }
  return hits;
}

absl::Status QuotientFilterView::Verify() const {
  const std::uint64_t indexes = roots_ << directory_depth_;
  std::uint64_t entries = 0;
  std::vector<bool> seen(pages_);
  for (std::uint64_t index = 0; index < indexes;) {
    const std::uint64_t number = Load<std::uint32_t>(image_.data() + kHeaderBytes + 4 * index);
    Page page;
    if (!PageAt(number, &page) || seen[number]) return absl::DataLossError("quotient filter: the directory names a wrong page");
    seen[number] = true;
    const std::uint64_t names = std::uint64_t{1} << (directory_depth_ - page.depth);
    if (index % names != 0) return absl::DataLossError("quotient filter: a page is misplaced");
    for (std::uint64_t i = 1; i < names; ++i) {
      if (Load<std::uint32_t>(image_.data() + kHeaderBytes + 4 * (index + i)) != number) {
        return absl::DataLossError("quotient filter: a page is misplaced");
      }
    }
    std::uint64_t ones = 0;
    for (unsigned i = 0; i < page.unary_words; ++i) ones += static_cast<std::uint64_t>(std::popcount(Word(page.at + kPageHeaderBytes, i)));
    const Bucket last = FindBucket(page.at + kPageHeaderBytes, page.unary_words, kBuckets - 1);
    if (ones != page.entries || last.position + last.ones != page.entries + kBuckets - 1) {
      return absl::DataLossError("quotient filter: the buckets of a page do not hold its entries");
    }
    entries += page.entries;
    index += names;
  }
  if (std::find(seen.begin(), seen.end(), false) != seen.end()) return absl::DataLossError("quotient filter: a page has no name");
  return entries == size_ ? absl::OkStatus() : absl::DataLossError("quotient filter: its count is not that of its entries");
}

double QuotientFilterView::FalsePositiveRate() const {
  // An absent key meets the entries of one bucket; of pages of other depths the mean page stands for all.
  const double spread = std::log2(static_cast<double>(pages_) / static_cast<double>(roots_));
  const double per_bucket = static_cast<double>(size_) / static_cast<double>(pages_) / kBuckets;
  return -std::expm1(-per_bucket * std::exp2(spread - remainder_bits_));
}

}  // namespace thimble
