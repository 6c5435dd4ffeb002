#pragma once

#include <string>
#include <string_view>

#include "record_reader.h"

namespace thimble::tools {

// So much of a file's start is looked at, in which a header of thousands of columns and some rows lie.
inline constexpr std::size_t kPreviewBytes = std::size_t{1} << 20;

enum class Choice { kAuto, kYes, kNo };

struct Sniffed {
  Dialect dialect;
  bool has_header = false;
};

// Tells lines from CSV, TSV and JSON Lines, and whether the first record names the columns, from the start of a file and its
// name. A file that says nothing by its name is JSON Lines when its first lines are objects, and a table when its first
// records all have the same number of fields, two or more.
Sniffed Sniff(std::string_view path, std::string_view start, std::string_view format, Choice header);

}  // namespace thimble::tools
