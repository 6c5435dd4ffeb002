#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace thimble::internal {

// Bytes that hold every text somewhere, and where: `offsets[i]` is where `texts[i]` begins. A text that lies inside another
// takes nothing, and one that ends as another begins shares those bytes with it.
std::string PackTexts(std::span<const std::string_view> texts, std::vector<std::uint32_t>* offsets);

}  // namespace thimble::internal
