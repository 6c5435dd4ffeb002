#pragma once

#include <cstring>

#include "thimble/image.h"
#include "token_book.h"
#include "token_table.h"

namespace thimble::internal {

// Where a token table lies in an image.
struct TokenSection {
  std::uint64_t entries = 0, arena = 0;

  TokenSection(ImageLayout& layout, std::uint64_t count, std::uint64_t arena_bytes) {
    entries = layout.Add(count, 32);
    arena = layout.Add(arena_bytes, 8, 1);
    layout.Add(TokenTable::kSlack, 8, 1);
  }

  void Write(std::byte* image, const TokenBook& book) const {
    for (std::size_t i = 0; i < book.size(); ++i) Store(image + entries + 4 * i, book.Entry(i));
    if (!book.arena().empty()) std::memcpy(image + arena, book.arena().data(), book.arena().size());
  }
};

}  // namespace thimble::internal
