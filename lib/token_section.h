#pragma once

#include <cstring>

#include "thimble/image.h"
#include "token_book.h"
#include "token_table.h"

namespace thimble::internal {

// Where a token table lies in an image.
struct TokenSection {
  std::uint64_t entries = 0, arena = 0;
  unsigned entry_bytes = 4;

  TokenSection(ImageLayout& layout, std::uint64_t count, std::uint64_t arena_bytes, bool short_entries)
      : entry_bytes(short_entries ? 3 : 4) {
    entries = layout.Add(count, 8 * entry_bytes);
    arena = layout.Add(arena_bytes, 8, 1);
    layout.Add(TokenTable::kSlack, 8, 1);
  }

  void Write(std::byte* image, const TokenBook& book) const {
    for (std::size_t i = 0; i < book.size(); ++i) {
      const std::uint32_t entry = entry_bytes == 3 ? TokenTable::ToShort(book.Entry(i)) : book.Entry(i);
      std::memcpy(image + entries + entry_bytes * i, &entry, entry_bytes);
    }
    if (!book.arena().empty()) std::memcpy(image + arena, book.arena().data(), book.arena().size());
  }
};

}  // namespace thimble::internal
