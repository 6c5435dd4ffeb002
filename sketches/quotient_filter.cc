#include "thimble/quotient_filter.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include <status_macros.h>

#include "quotient_kernels.h"

namespace thimble {

using namespace quotient;

namespace {

// How full a page is made: an add then finds room with little search. Few slots vary more from block to block.
double LoadFor(unsigned slots) { return std::min(0.948, 1 - 0.305 / std::sqrt(slots)); }
// About so many of its entries are guests.
double GuestsFor(unsigned slots) { return 0.28 / std::sqrt(slots); }

// How blocks are shared out in a filter that has reached its max_capacity.
struct FinalShape {
  unsigned remainder_bits = 0, buckets = 0;
  double keys = 0;  // in a block
};

// The most keys in a block at a rate.
FinalShape ShapeFor(double rate, unsigned epoch_bits) {
  FinalShape best;
  const double most = -std::log1p(-rate);
  for (unsigned bits = 1; bits < 40; ++bits) {
    for (unsigned slots = 4;; ++slots) {
      const unsigned taken = slots * (bits + epoch_bits + 1) + 2 * kGroups;
      if (taken + kGroups > kBlockBits) break;
      const unsigned buckets = std::min(kBlockBits - taken, kBlockBits / 2);
      const double keys = slots * LoadFor(slots);
      const double met = keys * ((1 - GuestsFor(slots)) / buckets + GuestsFor(slots) / kGroups);
      if (keys > best.keys && std::ldexp(met, -static_cast<int>(bits)) <= most) best = {bits, buckets, keys};
    }
  }
  return best;
}

}  // namespace

template <class Visit>
void QuotientFilterView::ForEntries(Visit visit) const {
  const std::uint64_t indexes = roots_ << directory_depth_;
  for (std::uint64_t index = 0; index < indexes; ++index) {
    Page page;
    if (!QuotientKernels::PageAt(*this, index, &page)) continue;
    const unsigned spare = directory_depth_ - page.depth;
    const std::uint64_t prefix = index & LowBits(directory_depth_);
    if ((prefix & LowBits(spare)) != 0) continue;  // another name of the page before
    const BlockShape shape = QuotientKernels::ShapeOf(*this, page);
    const std::uint64_t top = prefix >> spare << QuotientKernels::RemainderBits(*this, page);
    for (unsigned block = 0; block < blocks_; ++block) {
      ForEntriesOf(page.at + kBlockBytes * block, shape, [&](unsigned bucket, std::uint64_t entry) {
        visit(Place{index >> directory_depth_, block, bucket, top | entry >> epoch_bits_}, entry & LowBits(epoch_bits_));
      });
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
  const FinalShape shape = ShapeFor(options.false_positive_rate, options.epoch_bits);
  // Each bit that the remainders begin with beyond the final ones allows for twice the blocks.
  std::uint64_t blocks = 0;
  unsigned spare = 0;
  for (double room = 0; spare == 0 || room < static_cast<double>(most); ++spare) {
    const unsigned slots = BlockShape::SlotsFor(shape.buckets, shape.remainder_bits + spare + options.epoch_bits);
    if (shape.remainder_bits + spare > kMaxRemainderBits || slots < 4) {
      return absl::InvalidArgumentError("a quotient filter for " + std::to_string(most) + " keys is too large");
    }
    blocks = static_cast<std::uint64_t>(static_cast<double>(options.capacity) / (slots * LoadFor(slots))) + 1;
    room = std::ldexp(static_cast<double>(blocks) * shape.keys, static_cast<int>(spare));
  }
  const std::uint64_t roots = (blocks - 1) / QuotientKernels::kMaxBlocks + 1;
  if (roots > std::uint64_t{1} << QuotientKernels::kPageNumberBits) {
    return absl::InvalidArgumentError("a quotient filter for " + std::to_string(most) + " keys is too large");
  }
  ImageHeader header{.kind = kKind, .header_bytes = kHeaderBytes, .hash_scheme = HashScheme::kThimble, .seed = options.seed};
  header.parameters[kRoots] = header.parameters[kPages] = roots;
  header.parameters[kBlocks] = (blocks - 1) / roots + 1;
  header.parameters[kBuckets] = shape.buckets;
  header.parameters[kRemainderBits] = shape.remainder_bits + spare - 1;
  header.parameters[kFlags] = options.epoch_bits | (options.count_duplicates ? 16 : 0);
  header.parameters[kCapacity] = most;
  ImageLayout layout(kHeaderBytes);
  layout.Add(roots, 32);
  layout.Add(roots, 8 * kBlockBytes * header.parameters[kBlocks], 64);
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
  ImageHeader header{.kind = kKind, .header_bytes = kHeaderBytes, .hash_scheme = HashScheme::kThimble, .count = size_, .seed = seed()};
  header.parameters[kRoots] = roots_;
  header.parameters[kPages] = pages_;
  header.parameters[kBlocks] = blocks_;
  header.parameters[kBuckets] = buckets_;
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

// Splits the page of a place: the keys whose next bit is one move to a new page, each to the same block and bucket.
absl::Status QuotientFilter::Split(const Place& place) {
  Page page;
  if (!QuotientKernels::PageOf(*this, place, &page)) return absl::DataLossError("quotient filter: damaged");
  const unsigned depth = page.depth;
  if (QuotientKernels::RemainderBits(*this, page) <= 1 || pages_ >> QuotientKernels::kPageNumberBits != 0) {
    return absl::ResourceExhaustedError("the quotient filter has no bit left to grow by");
  }
  if (depth == directory_depth_) THIMBLE_RETURN_IF_ERROR(DoubleDirectory());
  ImageLayout layout(kHeaderBytes);
  layout.Add(roots_ << directory_depth_, 32);
  layout.Add(pages_ + 1, 8 * page_bytes_, 64);
  THIMBLE_RETURN_IF_ERROR(GrowTo(layout.image_bytes()));
  const std::uint64_t added = pages_++;
  WriteHeader();

  // The directory indexes of the page: those that share its prefix.
  const std::uint64_t names = std::uint64_t{1} << (directory_depth_ - depth);
  const std::uint64_t first = QuotientKernels::DirectoryIndex(*this, place) / names * names;
  const std::uint64_t number = Load<std::uint32_t>(QuotientKernels::DirectoryWord(*this, first)) & LowBits(QuotientKernels::kPageNumberBits);
  for (std::uint64_t i = 0; i < names; ++i) {
    const std::uint64_t half = i < names / 2 ? number : added;
    Store(data() + kHeaderBytes + 4 * (first + i), static_cast<std::uint32_t>(half | std::uint64_t{depth + 1} << QuotientKernels::kPageNumberBits));
  }

  Page halves[2];
  QuotientKernels::PageAt(*this, first, &halves[0]);
  QuotientKernels::PageAt(*this, first + names / 2, &halves[1]);
  page.at = halves[0].at;
  const BlockShape old = QuotientKernels::ShapeOf(*this, page), shape = QuotientKernels::ShapeOf(*this, halves[0]);
  for (unsigned b = 0; b < blocks_; ++b) {
    std::byte* to[2] = {Writable(halves[0]) + kBlockBytes * b, Writable(halves[1]) + kBlockBytes * b};
    std::array<std::byte, kBlockBytes> from;
    std::copy_n(to[0], kBlockBytes, from.data());
    for (std::byte* block : to) std::fill_n(block, kBlockBytes, std::byte{0});
    BlockWriter writers[2] = {{to[0], shape}, {to[1], shape}};
    ForEntriesOf(from.data(), old, [&](unsigned bucket, std::uint64_t entry) {
      writers[entry >> shape.entry_bits].Append(bucket, entry & LowBits(shape.entry_bits));
    });
  }
  for (const Page& half : halves) FlagGuests(half);
  return absl::OkStatus();
}

// Tells the blocks of a page where their guests are, from the guests.
void QuotientFilter::FlagGuests(const Page& page) {
  for (unsigned b = 0; b < blocks_; ++b) {
    for (unsigned group = 0; group < kGroups; ++group) {
      const std::byte* other = page.at + kBlockBytes * QuotientKernels::GuestBlock(*this, b, group);
      SetHasGuests(Writable(page) + kBlockBytes * b, group, FindRun(other, buckets_ + group).ones > 0);
    }
  }
}

// Tells the block whose guests of a group live in `block` of them.
void QuotientFilter::FlagHome(const Page& page, unsigned block, unsigned group) {
  const unsigned distance = guest_distance_[group], home = block < distance ? block + blocks_ - distance : block - distance;
  SetHasGuests(Writable(page) + kBlockBytes * home, group, true);
}

// Frees a slot of a full block: one of its own entries becomes a guest in another block, where in turn room may be made.
bool QuotientFilter::MakeRoom(const Page& page, unsigned block, int depth) {
  const BlockShape shape = QuotientKernels::ShapeOf(*this, page);
  std::byte* from = Writable(page) + kBlockBytes * block;
  // A group's first entry, if it has some.
  const auto find = [&](unsigned group, unsigned* bucket) {
    for (*bucket = group; *bucket < buckets_; *bucket += kGroups) {
      if (FindRun(from, *bucket).ones > 0) return true;
    }
    return false;
  };
  // Groups that have guests already come first: the fewer have, the fewer lookups take two blocks.
  struct Choice {
    unsigned entries, group, bucket;
  } choice{shape.slots, 0, 0};
  for (const bool flagged : {true, false}) {
    for (unsigned group = 0; group < kGroups && (flagged || choice.entries == shape.slots); ++group) {
      if (HasGuests(from, group) != flagged) continue;
      const unsigned entries = EntriesIn(page.at + kBlockBytes * QuotientKernels::GuestBlock(*this, block, group), shape);
      unsigned bucket;
      if (entries < choice.entries && find(group, &bucket)) choice = {entries, group, bucket};
    }
  }
  for (unsigned group = 0; depth > 0 && choice.entries == shape.slots && group < kGroups; ++group) {
    const unsigned other = QuotientKernels::GuestBlock(*this, block, group);
    unsigned bucket;
    if (other == block || !find(group, &bucket) || !MakeRoom(page, other, depth - 1)) continue;
    if (find(group, &bucket)) choice = {0, group, bucket};  // again: this block may have helped
  }
  if (choice.entries == shape.slots) return false;
  const Run run = FindRun(from, choice.bucket);
  const std::uint64_t entry = GetEntry(from, shape, run.first);
  RemoveEntry(from, shape, run, run.first);
  SetHasGuests(from, choice.group, true);
  InsertEntry(Writable(page) + kBlockBytes * QuotientKernels::GuestBlock(*this, block, choice.group), shape, buckets_ + choice.group, entry);
  return true;
}

// Puts an entry into a bucket of a block or with its guests; false if the page is too full for it.
bool QuotientFilter::Insert(const Page& page, unsigned block, unsigned bucket, std::uint64_t entry) {
  const BlockShape shape = QuotientKernels::ShapeOf(*this, page);
  std::byte* blocks = Writable(page);
  std::byte* home = blocks + kBlockBytes * block;
  if (EntriesIn(home, shape) == shape.slots) {
    const unsigned group = bucket % kGroups, other = QuotientKernels::GuestBlock(*this, block, group);
    if (bucket < buckets_ && HasGuests(home, group) && EntriesIn(blocks + kBlockBytes * other, shape) < shape.slots) {
      InsertEntry(blocks + kBlockBytes * other, shape, buckets_ + group, entry);
      return true;
    }
    constexpr int kDepth = 4;
    if (!MakeRoom(page, block, kDepth)) return false;
  }
  InsertEntry(home, shape, bucket, entry);
  return true;
}

absl::Status QuotientFilter::AddSlowly(const Place& place) {
  // Where its block is full, all those that may take guests of it are looked at.
  if (Page page; QuotientKernels::PageOf(*this, place, &page)) {
    for (unsigned group = 0; group < kGroups; ++group) __builtin_prefetch(page.at + kBlockBytes * QuotientKernels::GuestBlock(*this, place.block, group), 1);
  }
  return AddPlace(place, epoch_);
}

absl::Status QuotientFilter::AddPlace(const Place& place, std::uint64_t epoch) {
  for (;;) {
    Page page;
    if (!QuotientKernels::PageOf(*this, place, &page)) return absl::DataLossError("quotient filter: damaged");
    const BlockShape shape = QuotientKernels::ShapeOf(*this, page);
    const std::uint64_t remainder = QuotientKernels::Remainder(*this, page, place), entry = remainder << epoch_bits_ | epoch;
    if (!counts_duplicates_) {
      if (const Found found = Find(page, place); found.entry >= 0) {
        // What another filter brings may be older than what is here.
        const auto at = static_cast<unsigned>(found.entry);
        const auto age = [&](std::uint64_t of) { return (epoch_ - of) & LowBits(epoch_bits_); };
        if (age(epoch) < age(GetEntry(found.block, shape, at) & LowBits(epoch_bits_))) SetEntry(found.block, shape, at, entry);
        return absl::OkStatus();
      }
    }
    if (Insert(page, place.block, place.bucket, entry)) {
      if (place.bucket >= buckets_) FlagHome(page, place.block, place.bucket - buckets_);
      Store(data() + 16, ++size_);  // the header's count
      return absl::OkStatus();
    }
    // Copies of one key stay together however often the page splits.
    if (counts_duplicates_ && QuotientKernels::Count(*this, page, place) >= shape.slots) {
      return absl::ResourceExhaustedError("the quotient filter holds a key too often to count it again");
    }
    THIMBLE_RETURN_IF_ERROR(Split(place));
  }
}

// The entry of a place: in its bucket, or with its guests.
QuotientFilter::Found QuotientFilter::Find(const Page& page, const Place& place) {
  const BlockShape shape = QuotientKernels::ShapeOf(*this, page);
  const std::uint64_t remainder = QuotientKernels::Remainder(*this, page, place);
  std::byte* block = Writable(page) + kBlockBytes * place.block;
  unsigned bucket = place.bucket;
  int entry = FindEntry(block, shape, FindRun(block, bucket), remainder);
  if (const unsigned group = bucket % kGroups; entry < 0 && bucket < buckets_ && HasGuests(block, group)) {
    bucket = buckets_ + group;
    block = Writable(page) + kBlockBytes * QuotientKernels::GuestBlock(*this, place.block, group);
    entry = FindEntry(block, shape, FindRun(block, bucket), remainder);
  }
  return {block, bucket, entry};
}

bool QuotientFilter::RemoveHash(std::uint64_t hash) {
  const Place place = QuotientKernels::PlaceOf(*this, hash);
  Page page;
  if (!QuotientKernels::PageOf(*this, place, &page)) return false;
  const Found found = Find(page, place);
  if (found.entry < 0) return false;
  const Run run = FindRun(found.block, found.bucket);
  RemoveEntry(found.block, QuotientKernels::ShapeOf(*this, page), run, static_cast<unsigned>(found.entry));
  if (found.bucket >= buckets_ && run.ones == 1) {
    SetHasGuests(Writable(page) + kBlockBytes * place.block, place.bucket % kGroups, false);
  }
  Store(data() + 16, --size_);
  return true;
}

void QuotientFilter::Advance() {
  if (epoch_bits_ == 0) return;
  epoch_ = (epoch_ + 1) & LowBits(epoch_bits_);
  // Entries that carry the new epoch's number are those of the epoch before the window. Blocks are written anew without them.
  size_ = 0;
  const std::uint64_t indexes = roots_ << directory_depth_;
  for (std::uint64_t index = 0; index < indexes;) {
    Page page;
    if (!QuotientKernels::PageAt(*this, index, &page)) break;
    const BlockShape shape = QuotientKernels::ShapeOf(*this, page);
    for (unsigned b = 0; b < blocks_; ++b) {
      std::byte* block = Writable(page) + kBlockBytes * b;
      std::array<std::byte, kBlockBytes> from;
      std::copy_n(block, kBlockBytes, from.data());
      std::fill_n(block, kBlockBytes, std::byte{0});
      BlockWriter writer(block, shape);
      ForEntriesOf(from.data(), shape, [&](unsigned bucket, std::uint64_t entry) {
        if ((entry & LowBits(epoch_bits_)) != epoch_) writer.Append(bucket, entry);
      });
      size_ += writer.entries();
    }
    FlagGuests(page);
    index += std::uint64_t{1} << (directory_depth_ - page.depth);
  }
  WriteHeader();
}

absl::Status QuotientFilter::Merge(const QuotientFilterView& other) {
  if (other.roots_ != roots_ || other.remainder_bits_ != remainder_bits_ || other.seed() != seed() || other.epoch_bits_ != epoch_bits_ ||
      other.epoch_ != epoch_ || other.counts_duplicates_ != counts_duplicates_ || other.blocks_ != blocks_ ||
      other.buckets_ != buckets_) {
    return absl::InvalidArgumentError("quotient filters of different options, seed or epoch");
  }
  if (other.image().data() == image().data()) {  // whose pages would split under the walk
    const Buffer copy = Buffer::Copy(other.image());
    THIMBLE_ASSIGN_OR_RETURN(const QuotientFilterView same, QuotientFilterView::Open(copy.bytes()));
    return Merge(same);
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
