#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace thimble::tools {

// "52.1M": at most 5 characters, binary units.
std::string HumanBytes(double bytes);
// "3,000,000".
std::string Thousands(std::uint64_t number);
std::string Counted(std::uint64_t number, std::string_view noun);  // 1 row, 2 rows
// Four significant characters or so: "9.42", "81.0", "1234".
std::string Figure(double value);
// The same, but two significant digits of what is smaller than 0.1: "0.0016".
std::string SmallFigure(double value);
// "90us", "340ms", "1.25s", "12.5s", "310s".
std::string Seconds(double seconds);
// "8.4ns", "850ns", "1.2us".
std::string Nanoseconds(double nanoseconds);
// Control characters replaced, which a terminal would obey.
std::string Clean(std::string_view text);
// At most `width` columns of a terminal, cleaned, "..." where something was cut.
std::string Shorten(std::string_view text, std::size_t width);
std::string PadLeft(std::string_view text, std::size_t width);
std::string PadRight(std::string_view text, std::size_t width);

}  // namespace thimble::tools
