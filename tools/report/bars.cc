#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "charts.h"
#include "format.h"
#include "page.h"

namespace thimble::tools {
namespace {

constexpr int kRowHeight = 30;
constexpr int kAxisHeight = 24;

std::string TickLabel(double bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.12g B", bytes);
  return text;
}

std::string Attribute(const char* name, const std::string& value) { return std::string(" ") + name + "=\"" + value + "\""; }

std::string Axis(const LogScale& scale, int height) {
  std::string text;
  for (const double tick : scale.Ticks()) {
    const double at = scale.Percent(tick);
    const std::string x = Percent(at);
    text += "<line class=\"grid\"" + Attribute("x1", x) + Attribute("x2", x) + " y1=\"0\"" + Attribute("y2", std::to_string(height)) + "/>";
    text += "<text class=\"tick\"" + Attribute("x", x) + Attribute("y", std::to_string(height + 16)) +
            Attribute("text-anchor", at < 1 ? "start" : at > 99 ? "end" : "middle") + ">" + TickLabel(tick) + "</text>\n";
  }
  return text;
}

// The range that a prediction may be off by.
std::string Whisker(const footprint::Interval& predicted, const LogScale& scale, int y) {
  const auto at = [&](double value) { return Percent(value > 0 ? std::clamp(scale.Percent(value), 0.0, 100.0) : 0); };
  const std::string middle = std::to_string(y + 21);
  return "<line class=\"whisker\"" + Attribute("x1", at(predicted.low)) + Attribute("x2", at(predicted.high)) + Attribute("y1", middle) +
         Attribute("y2", middle) + "/>";
}

std::string Bar(const ColumnReport& column, const StructureRow& row, const LogScale& scale, int y) {
  const double bytes = row.measured.bytes_per_element();
  const bool best = IsRecommended(column, row);
  const std::string label_class = best ? "label best-label" : "label";
  std::string text = "<g class=\"bar\" data-structure=\"" + Escape(row.structure->name) + "\"" + Attribute("data-bytes", ExactNumber(bytes)) + ">";
  text += "<title>" + Escape(row.structure->name) + ": " + Figure(bytes) + " B an element, " +
          HumanBytes(static_cast<double>(row.measured.heap_bytes)) + " in all</title>";
  text += "<text" + Attribute("class", label_class) + " x=\"0\"" + Attribute("y", std::to_string(y + 12)) + ">" + Escape(row.structure->name) +
          (best ? " \xe2\x98\x85" : "") + "</text>";
  text += "<text" + Attribute("class", label_class) + " x=\"100%\" text-anchor=\"end\"" + Attribute("y", std::to_string(y + 12)) + ">" +
          SmallFigure(bytes) + "</text>";
  if (bytes > 0) {
    text += "<rect" + Attribute("class", std::string(footprint::FamilyName(row.structure->family))) + " x=\"0\"" +
            Attribute("width", Percent(scale.Percent(bytes))) + " height=\"7\" rx=\"2\"" + Attribute("y", std::to_string(y + 17)) + "/>";
    if (row.predicted) text += Whisker(*row.predicted, scale, y);
  }
  return text + "</g>\n";
}

}  // namespace

std::string BarChart(const ColumnReport& column) {
  std::vector<const StructureRow*> rows;
  std::vector<double> values;
  bool predicted = false;
  for (const StructureRow& row : column.structures) {
    if (!row.measured.ok()) continue;
    rows.push_back(&row);
    values.push_back(row.measured.bytes_per_element());
    predicted |= row.predicted.has_value();
  }
  if (rows.empty()) return "";
  const auto key = [](const StructureRow* row) { return std::tuple(row->structure->family, -row->measured.bytes_per_element()); };
  std::stable_sort(rows.begin(), rows.end(), [&](const StructureRow* a, const StructureRow* b) { return key(a) < key(b); });
  const LogScale scale(values);
  const int height = static_cast<int>(rows.size()) * kRowHeight;
  std::string text = "<figure><figcaption>Bytes per element <span>log scale";
  if (predicted) text += "; a line through a bar is the interval of its prediction";
  text += "</span></figcaption>\n<svg class=\"chart\" role=\"img\" aria-label=\"Bytes per element of " + std::to_string(rows.size()) +
          " structures; the table below has the same figures\"" + Attribute("height", std::to_string(height + kAxisHeight)) + ">\n";
  text += Axis(scale, height);
  for (std::size_t i = 0; i < rows.size(); ++i) text += Bar(column, *rows[i], scale, static_cast<int>(i) * kRowHeight);
  return text + "</svg></figure>\n";
}

}  // namespace thimble::tools
