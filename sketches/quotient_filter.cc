#include "thimble/quotient_filter.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <cpu.h>
#include <status_macros.h>

#include "quotient_page.h"

#if THIMBLE_HAS_AVX2_KERNELS
#include <immintrin.h>
#endif

namespace thimble {
namespace {

using quotient::GetBits;
using quotient::Word;

// Parameters of the header.
enum { kRoots, kPages, kPageBytes, kRemainderBits, kFlags, kDirectoryDepth, kCapacity, kEpoch };

constexpr unsigned kBuckets = 512;
constexpr unsigned kPageHeaderBytes = 8;
// Entries in a full page of a filter that has reached its max_capacity, and how many it is given at first: so few that only
// one page in 160 splits for having more than its share.
constexpr std::uint64_t kFullPage = 636;
constexpr std::uint64_t kFirstPage = 576;
constexpr unsigned kMaxEpochBits = 8;

unsigned UnaryWords(unsigned slots) { return (slots + kBuckets + 63) / 64; }

// Entries of a page: behind its header lie the buckets in whole words, then the entries.
unsigned SlotsFor(std::uint64_t page_bytes, unsigned entry_bits) {
  const std::uint64_t bits = 8 * (page_bytes - kPageHeaderBytes);
  auto slots = static_cast<unsigned>((bits - kBuckets) / (entry_bits + 1));
  while (64 * UnaryWords(slots) + slots * entry_bits > bits) --slots;
  return slots;
}

struct Bucket {
  std::uint64_t position;  // of its first one in the unary run, or of its zero
  std::uint64_t ones;
};

// The bucket's ones begin behind the bucket-th zero. Damaged runs have fewer zeros: the end of the run stands for them.
template <class SelectZero>
inline __attribute__((always_inline)) Bucket FindBucketWith(const std::byte* unary, unsigned words, unsigned bucket, SelectZero select) {
  std::uint64_t position = 0;
  if (bucket > 0) {
    unsigned zeros = bucket;
    unsigned i = 0;
    for (; i < words; ++i) {
      const auto here = static_cast<unsigned>(__builtin_popcountll(~Word(unary, i)));
      if (here >= zeros) break;
      zeros -= here;
    }
    if (i == words) return {std::uint64_t{64} * words, 0};
    position = 64 * i + select(~Word(unary, i), zeros - 1) + 1;
  }
  std::uint64_t ones = 0;
  while (position + ones < std::uint64_t{64} * words) {
    const std::uint64_t at = position + ones;
    const auto run = static_cast<std::uint64_t>(std::countr_one(Word(unary, static_cast<unsigned>(at / 64)) >> at % 64));
    const std::uint64_t taken = std::min<std::uint64_t>(run, 64 - at % 64);
    ones += taken;
    if (taken < 64 - at % 64) break;
  }
  return {position, ones};
}

Bucket FindBucketPortable(const std::byte* unary, unsigned words, unsigned bucket) {
  return FindBucketWith(unary, words, bucket, [](std::uint64_t word, unsigned rank) {
    for (; rank > 0; --rank) word &= word - 1;
    return static_cast<unsigned>(std::countr_zero(word));
  });
}
#if THIMBLE_HAS_AVX2_KERNELS
THIMBLE_TARGET_AVX2 Bucket FindBucketAvx2(const std::byte* unary, unsigned words, unsigned bucket) {
  std::uint64_t position = 0;
  unsigned zeros = bucket, i = 0;
  if (bucket > 0) {
    for (; i < words; ++i) {
      const auto here = static_cast<unsigned>(_mm_popcnt_u64(~Word(unary, i)));
      if (here >= zeros) break;
      zeros -= here;
    }
    if (i == words) return {std::uint64_t{64} * words, 0};
    position = 64 * i + _tzcnt_u64(_pdep_u64(std::uint64_t{1} << (zeros - 1), ~Word(unary, i))) + 1;
  }
  std::uint64_t ones = 0;
  while (position + ones < std::uint64_t{64} * words) {
    const std::uint64_t at = position + ones;
    const std::uint64_t taken = std::min<std::uint64_t>(_tzcnt_u64(~(Word(unary, at / 64) >> at % 64)), 64 - at % 64);
    ones += taken;
    if (taken < 64 - at % 64) break;
  }
  return {position, ones};
}
#endif

using FindBucketFunction = Bucket (*)(const std::byte*, unsigned, unsigned);
FindBucketFunction ChooseFindBucket() {
#if THIMBLE_HAS_AVX2_KERNELS
  if (ActiveCpuLevel() == CpuLevel::kAvx2) return FindBucketAvx2;
#endif
  return FindBucketPortable;
}
Bucket FindBucket(const std::byte* unary, unsigned words, unsigned bucket) {
  static const FindBucketFunction find = ChooseFindBucket();
  return find(unary, words, bucket);
}

unsigned BucketOf(std::uint64_t fraction, unsigned depth) { return static_cast<unsigned>(fraction << depth >> (64 - 9)); }
std::uint64_t RemainderOf(std::uint64_t fraction, unsigned depth, unsigned bits) { return fraction << (depth + 9) >> (64 - bits); }

}  // namespace

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
        quotient::SetBits(to + kPageHeaderBytes, positions[half]++, 1, 1);
        quotient::SetBits(to + new_entries_at, counts[half]++ * new_bits, new_bits, value & LowBits(new_bits));
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
        quotient::SetBits(entries, i * page.entry_bits, page.entry_bits, entry);
        return absl::OkStatus();
      }
    }
    if (page.entries == page.slots) {
      THIMBLE_RETURN_IF_ERROR(Split(place));
      continue;
    }
    quotient::InsertBits(at + kPageHeaderBytes, run.position + run.ones, page.entries + kBuckets, 1, 1);
    quotient::InsertBits(entries, (first + run.ones) * page.entry_bits, page.entries * page.entry_bits, page.entry_bits, entry);
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
    quotient::RemoveBits(at + kPageHeaderBytes, run.position, page.entries + kBuckets, 1);
    quotient::RemoveBits(entries, i * page.entry_bits, page.entries * page.entry_bits, page.entry_bits);
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
        quotient::SetBits(unary, position++, 1, 0);
        continue;
      }
      const std::uint64_t value = GetBits(entries, read++ * page.entry_bits, page.entry_bits);
      if ((value & LowBits(epoch_bits_)) == epoch_) continue;
      quotient::SetBits(unary, position++, 1, 1);
      quotient::SetBits(entries, kept++ * page.entry_bits, page.entry_bits, value);
    }
    for (; position < bits; ++position) quotient::SetBits(unary, position, 1, 0);
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
