#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace thimble::tools {

// Text as it may stand in an element or in a quoted attribute: markup is escaped, and what is not UTF-8, or a control
// character, becomes U+FFFD.
std::string Escape(std::string_view text);

// A whole page: nothing in it comes from elsewhere, its policy forbids that anything should. `title` is plain text, `body` is
// markup.
std::string Page(std::string_view title, std::string_view body);

// A table that sorts by a click on the heads of its columns; scrolls where it is too wide.
class SortableTable {
 public:
  struct Head {
    std::string_view name;
    bool is_number = true;
  };
  // What a cell shows, as markup, and what it is sorted by; numbers as text too.
  struct Cell {
    std::string markup;
    std::string key;
  };

  SortableTable(std::string_view caption, const std::vector<Head>& heads);

  // The first cell names the row.
  void Add(const std::vector<Cell>& cells, std::string_view css_class = "");
  // A row that has a name, and only this to say.
  void AddFailed(const Cell& name, std::string_view why);
  std::string Finish() &&;

 private:
  std::string Row(const Cell& name, std::string_view css_class) const;

  std::size_t columns_;
  std::vector<bool> is_number_;
  std::string text_;
};

// A number as JSON writes it: what the scripts and tests read.
std::string ExactNumber(double value);

}  // namespace thimble::tools
