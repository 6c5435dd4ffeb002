#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace thimble::tools {

// Writes where the newlines of a text of less than 4 GiB lie, in order, and returns how many there are. There must be room
// for a place a byte, and for four more.
std::size_t FindNewlines(std::string_view text, std::uint32_t* places);

}  // namespace thimble::tools
