#include "format.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace thimble::tools {
namespace {

std::string Print(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

bool ContinuesCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Characters, for text in UTF-8.
std::size_t Columns(std::string_view text) {
  std::size_t columns = 0;
  for (const char c : text) columns += !ContinuesCharacter(c);
  return columns;
}

}  // namespace

std::string HumanBytes(double bytes) {
  if (std::fabs(bytes) < 1000) return Print("%.0fB", bytes);
  constexpr char kUnits[] = "KMGTP";
  int unit = -1;
  while (std::fabs(bytes) >= 999.5 && unit + 1 < 5) bytes /= 1024, ++unit;
  return Print(std::fabs(bytes) < 9.995 ? "%.2f" : std::fabs(bytes) < 99.95 ? "%.1f" : "%.0f", bytes) + kUnits[unit];
}

std::string Thousands(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

std::string Counted(std::uint64_t number, std::string_view noun) {
  return Thousands(number) + " " + std::string(noun) + (number == 1 ? "" : "s");
}

std::string Figure(double value) {
  const double size = std::fabs(value);
  return Print(size < 9.995 ? "%.2f" : size < 999.95 ? "%.1f" : "%.0f", value);
}

std::string SmallFigure(double value) { return std::fabs(value) >= 0.0995 || value == 0 ? Figure(value) : Print("%.2g", value); }

std::string Seconds(double seconds) {
  if (seconds == 0) return "0s";
  if (seconds < 0.9995e-3) return Print("%.0fus", seconds * 1e6);
  if (seconds < 0.9995) return Print("%.0fms", seconds * 1e3);
  return Print(seconds < 9.995 ? "%.2fs" : seconds < 99.95 ? "%.1fs" : "%.0fs", seconds);
}

std::string Nanoseconds(double nanoseconds) {
  if (nanoseconds < 99.95) return Print("%.1fns", nanoseconds);
  if (nanoseconds < 9999.5) return Print("%.0fns", nanoseconds);
  return Print("%.0fus", nanoseconds / 1e3);
}

std::string Clean(std::string_view text) {
  std::string clean(text);
  std::replace_if(clean.begin(), clean.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return clean;
}

std::string Shorten(std::string_view text, std::size_t width) {
  // A character has four bytes at most: what is longer by far need not be counted whole.
  const bool long_text = text.size() > 4 * width;
  std::string clean = Clean(text.substr(0, 4 * width));
  if (!long_text && Columns(clean) <= width) return clean;
  while (Columns(clean) > width - 3) clean.pop_back();
  return clean + "...";
}

std::string PadLeft(std::string_view text, std::size_t width) {
  const std::size_t columns = Columns(text);
  return std::string(width > columns ? width - columns : 0, ' ') + std::string(text);
}

std::string PadRight(std::string_view text, std::size_t width) {
  const std::size_t columns = Columns(text);
  return std::string(text) + std::string(width > columns ? width - columns : 0, ' ');
}

}  // namespace thimble::tools
