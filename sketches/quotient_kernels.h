#pragma once

#include "quotient_block.h"
#include "thimble/quotient_filter.h"

namespace thimble {

// Where a hash's entry stands, and the calls that are chosen by the instruction set.
struct QuotientKernels {
  using View = QuotientFilterView;
  using Place = View::Place;
  using Page = View::Page;

  static constexpr unsigned kMaxBlocks = 256;      // of a page
  static constexpr unsigned kPageNumberBits = 26;  // of a word of the directory; the page's depth has the others

  static const View::Kernels* Chosen();

  // Each choice takes the high half of a product and leaves the low half.
  static Place PlaceOf(const View& view, std::uint64_t hash) {
    __extension__ using Wide = unsigned __int128;
    const Wide root = Wide{hash} * view.roots_;
    const Wide block = Wide{static_cast<std::uint64_t>(root)} * view.blocks_;
    const Wide bucket = Wide{static_cast<std::uint64_t>(block)} * view.buckets_;
    return {static_cast<std::uint64_t>(root >> 64), static_cast<unsigned>(block >> 64), static_cast<unsigned>(bucket >> 64),
            static_cast<std::uint64_t>(bucket) >> (64 - view.remainder_bits_)};
  }

  static std::uint64_t DirectoryIndex(const View& view, const Place& place) {
    return place.root << view.directory_depth_ | place.remainder >> (view.remainder_bits_ - view.directory_depth_);
  }
  static const std::byte* DirectoryWord(const View& view, std::uint64_t index) { return view.image_.data() + View::kHeaderBytes + 4 * index; }

  // False if the image is damaged.
  static bool PageAt(const View& view, std::uint64_t index, Page* page) {
    const auto word = Load<std::uint32_t>(DirectoryWord(view, index));
    const std::uint64_t number = word & LowBits(kPageNumberBits);
    page->at = view.image_.data() + view.pages_at_ + number * view.page_bytes_;
    page->depth = word >> kPageNumberBits;
    return number < view.pages_ && page->depth <= view.directory_depth_;
  }
  static bool PageOf(const View& view, const Place& place, Page* page) { return PageAt(view, DirectoryIndex(view, place), page); }

  static unsigned RemainderBits(const View& view, const Page& page) { return view.remainder_bits_ - page.depth; }
  static std::uint64_t Remainder(const View& view, const Page& page, const Place& place) {
    return place.remainder & LowBits(RemainderBits(view, page));
  }
  static quotient::BlockShape ShapeOf(const View& view, const Page& page) {
    const unsigned bits = RemainderBits(view, page) + view.epoch_bits_;
    return {view.buckets_, quotient::BlockShape::SlotsFor(view.buckets_, bits), bits, view.epoch_bits_};
  }
  static unsigned GuestBlock(const View& view, unsigned block, unsigned group) {
    const unsigned moved = block + view.guest_distance_[group];
    return moved < view.blocks_ ? moved : moved - view.blocks_;
  }

  // How many entries of a page a place has: its bucket's, and its guests'.
  static unsigned Count(const View& view, const Page& page, const Place& place);

 private:
  struct Bytes;
  struct Portable;
};

}  // namespace thimble
