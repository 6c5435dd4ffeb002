#include <algorithm>
#include <cmath>
#include <vector>

#include <status_macros.h>

#include "quotient_kernels.h"
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
  const std::uint64_t blocks = header.parameters[kBlocks], buckets = header.parameters[kBuckets];
  const std::uint64_t flags = header.parameters[kFlags], remainder_bits = header.parameters[kRemainderBits];
  const std::uint64_t depth = header.parameters[kDirectoryDepth];
  constexpr std::uint64_t kLimit = std::uint64_t{1} << QuotientKernels::kPageNumberBits;
  if (view.roots_ == 0 || view.pages_ < view.roots_ || view.pages_ > kLimit || blocks == 0 || blocks > QuotientKernels::kMaxBlocks ||
      buckets < kGroups || buckets > kBlockBits / 2 || remainder_bits == 0 || remainder_bits > kMaxRemainderBits || depth >= remainder_bits ||
      flags >> 5 != 0 || (flags & 15) > kMaxEpochBits) {
    return absl::DataLossError("quotient filter: bad parameters");
  }
  view.blocks_ = static_cast<unsigned>(blocks);
  view.buckets_ = static_cast<unsigned>(buckets);
  view.page_bytes_ = kBlockBytes * blocks;
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
  view.seed_ = HashSeed(header.seed);
  view.epoch_ = view.epoch_bits_ == 0 ? 0 : header.parameters[kEpoch] & LowBits(view.epoch_bits_);
  for (unsigned group = 0; group < kGroups; ++group) view.guest_distance_[group] = static_cast<std::uint16_t>(kGuestDistance[group] % blocks);
  view.byte_slots_ = BlockShape::SlotsFor(view.buckets_, 8);
  const bool bytes = view.epoch_bits_ == 0 && view.remainder_bits_ >= 8 && view.byte_slots_ >= 48 && view.byte_slots_ <= 52;
  view.byte_depth_ = bytes ? view.remainder_bits_ - 8 : kMaxRemainderBits;
  view.kernels_ = QuotientKernels::Chosen();
  return view;
}

std::uint64_t QuotientFilterView::CountHash(std::uint64_t hash) const {
  const Place place = QuotientKernels::PlaceOf(*this, hash);
  Page page;
  return QuotientKernels::PageOf(*this, place, &page) ? QuotientKernels::Count(*this, page, place) : 0;
}

absl::Status QuotientFilterView::Verify() const {
  const std::uint64_t indexes = roots_ << directory_depth_;
  std::uint64_t entries = 0;
  std::vector<bool> seen(pages_);
  for (std::uint64_t index = 0; index < indexes;) {
    Page page;
    const auto word = Load<std::uint32_t>(QuotientKernels::DirectoryWord(*this, index));
    const std::uint64_t number = word & LowBits(QuotientKernels::kPageNumberBits);
    if (!QuotientKernels::PageAt(*this, index, &page) || seen[number]) {
      return absl::DataLossError("quotient filter: the directory names a wrong page");
    }
    seen[number] = true;
    const std::uint64_t names = std::uint64_t{1} << (directory_depth_ - page.depth);
    if (index % names != 0) return absl::DataLossError("quotient filter: a page is misplaced");
    for (std::uint64_t i = 1; i < names; ++i) {
      if (Load<std::uint32_t>(QuotientKernels::DirectoryWord(*this, index + i)) != word) {
        return absl::DataLossError("quotient filter: a page is misplaced");
      }
    }
    const BlockShape shape = QuotientKernels::ShapeOf(*this, page);
    for (unsigned b = 0; b < blocks_; ++b) {
      const std::byte* block = page.at + kBlockBytes * b;
      const Run end = FindRun(block, buckets_ + kGroups);
      const unsigned ones = EntriesIn(block, shape);
      if (end.first > shape.slots || ones != end.first) {
        return absl::DataLossError("quotient filter: the buckets of a block do not hold its entries");
      }
      entries += ones;
      for (unsigned group = 0; group < kGroups; ++group) {
        const std::byte* other = page.at + kBlockBytes * QuotientKernels::GuestBlock(*this, b, group);
        if (HasGuests(block, group) != (FindRun(other, buckets_ + group).ones > 0)) {
          return absl::DataLossError("quotient filter: a block does not know of its guests");
        }
      }
    }
    index += names;
  }
  if (std::find(seen.begin(), seen.end(), false) != seen.end()) return absl::DataLossError("quotient filter: a page has no name");
  return entries == size_ ? absl::OkStatus() : absl::DataLossError("quotient filter: its count is not that of its entries");
}

double QuotientFilterView::FalsePositiveRate() const {
  // An absent key meets the entries of one bucket, and the guests of its group if there are some. Keys are spread evenly over
  // the directory, and so is the sample.
  constexpr std::uint64_t kSample = 1024;
  const std::uint64_t indexes = roots_ << directory_depth_, taken = std::min(kSample, indexes * blocks_);
  double met = 0;
  for (std::uint64_t i = 0; i < taken; ++i) {
    Page page;
    // Every block where there are few; else those of many pages.
    const std::uint64_t index = taken < kSample ? i / blocks_ : i * (indexes - 1) / kSample;
    if (!QuotientKernels::PageAt(*this, index, &page)) continue;
    const std::byte* block = page.at + kBlockBytes * (i % blocks_);
    const BlockShape shape = QuotientKernels::ShapeOf(*this, page);
    const unsigned natives = NativesIn(block, shape), guests = EntriesIn(block, shape) - natives;
    met += std::ldexp(natives / static_cast<double>(buckets_) + guests / static_cast<double>(kGroups),
                      -static_cast<int>(QuotientKernels::RemainderBits(*this, page)));
  }
  return -std::expm1(-met / static_cast<double>(taken));
}

}  // namespace thimble
