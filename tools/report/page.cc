#include "page.h"

#include <cstdio>

#include "page_assets.h"

namespace thimble::tools {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

// The length of the UTF-8 sequence that `text` begins with, or 0 if it begins with none.
std::size_t SequenceLength(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) >= 0xA0;
    return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && byte(1) < 0x90;
    const bool beyond = first == 0xF4 && byte(1) >= 0x90;
    return continues(1) && continues(2) && continues(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string Escape(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const std::size_t length = SequenceLength(text);
    const char c = text[0];
    if (length == 0 || (length == 1 && (static_cast<unsigned char>(c) < 0x20 || c == 0x7f))) {
      escaped += kReplacement;
    } else if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else if (c == '"') {
      escaped += "&quot;";
    } else if (c == '\'') {
      escaped += "&#39;";
    } else {
      escaped += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return escaped;
}

std::string ExactNumber(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

std::string Page(std::string_view title, std::string_view body) {
  std::string page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>";
  page += Escape(title);
  page +=
      "</title>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
      "img-src data:; base-uri 'none'; form-action 'none'\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n<style>\n";
  page += kPageStyle;
  page += "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the content</a>\n";
  // The shapes of points, by family.
  page +=
      "<svg class=\"shapes\" aria-hidden=\"true\" width=\"0\" height=\"0\"><defs><circle id=\"p-naive\" r=\"4.5\"/>"
      "<path id=\"p-thimble\" d=\"M-4.5-4.5h9v9h-9z\"/><path id=\"p-sketch\" d=\"M0-6L6 5H-6z\"/></defs></svg>\n";
  page += body;
  page += "<script>\n";
  page += kPageScript;
  page += "</script>\n</body>\n</html>\n";
  return page;
}

SortableTable::SortableTable(std::string_view caption, const std::vector<Head>& heads) : columns_(heads.size()) {
  text_ = "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"" + Escape(caption) + "\"><table><caption>" + Escape(caption) +
          "</caption><thead><tr>";
  for (const Head& head : heads) {
    is_number_.push_back(head.is_number);
    text_ += std::string("<th scope=\"col\"") + (head.is_number ? " class=\"number\"" : "") + "><button type=\"button\">" + Escape(head.name) +
             "</button></th>";
  }
  text_ += "</tr></thead><tbody>\n";
}

std::string SortableTable::Row(const Cell& name, std::string_view css_class) const {
  std::string row = "<tr";
  if (!css_class.empty()) row.append(" class=\"").append(css_class).append("\"");
  return row + "><th scope=\"row\" data-key=\"" + Escape(name.key) + "\">" + name.markup + "</th>";
}

void SortableTable::Add(const std::vector<Cell>& cells, std::string_view css_class) {
  text_ += Row(cells.front(), css_class);
  for (std::size_t i = 1; i < cells.size(); ++i) {
    text_ += std::string("<td") + (is_number_[i] ? " class=\"number\"" : "") + " data-key=\"" + Escape(cells[i].key) + "\">" + cells[i].markup + "</td>";
  }
  text_ += "</tr>\n";
}

void SortableTable::AddFailed(const Cell& name, std::string_view why) {
  text_ += Row(name, "failed") + "<td colspan=\"" + std::to_string(columns_ - 1) + "\">" + Escape(why) + "</td></tr>\n";
}

std::string SortableTable::Finish() && { return std::move(text_) + "</tbody></table></div>\n"; }

}  // namespace thimble::tools
