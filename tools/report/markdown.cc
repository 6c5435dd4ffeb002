#include <string>

#include "format.h"
#include "report.h"

namespace thimble::tools {
namespace {

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : Shorten(text, 60)) {
    if (std::string_view("\\`*_|<>[]").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string Line(const StructureRow& row) {
  const footprint::Measurement& m = row.measured;
  const std::string name = "| `" + row.structure->name + "` | ";
  if (!m.ok()) return name + Escaped(m.failure()) + " | | | | | | |\n";
  return name + Figure(m.bytes_per_element()) + " | " + HumanBytes(static_cast<double>(m.heap_bytes)) + " | " +
         HumanBytes(static_cast<double>(m.peak_bytes)) + " | " + HumanBytes(static_cast<double>(m.pss_bytes)) + " | " + Seconds(m.build_seconds) +
         " | " + (m.lookup_ns ? Nanoseconds(*m.lookup_ns) : "") + " | " +
         (m.error ? Figure(100 * m.error->measured) + " of " + Figure(100 * m.error->promised) : "") + " |\n";
}

std::string Section(const ColumnReport& column, const std::string& title) {
  std::string text = "\n## " + title +
                     "\n\n| structure | B/element | heap | peak | PSS | build | lookup | error % |\n"
                     "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
  for (const StructureRow& row : column.structures) text += Line(row);
  for (const Recommendation& r : column.recommendation) {
    text += "\n- " + std::string(JobName(r.job)) + ": `" + r.row->structure->name + "`, " + Figure(r.row->measured.bytes_per_element()) + " B an element";
    if (r.saves_percent > 0) text += ", saves " + Figure(r.saves_percent) + " %";
  }
  return text + "\n";
}

}  // namespace

std::string ToMarkdown(const Report& report) {
  std::string text = "# " + Escaped(report.path) + "\n\n" + Counted(report.rows, "row") + ", " + HumanBytes(static_cast<double>(report.bytes)) + ".\n";
  for (const ColumnReport& column : report.columns) {
    text += Section(column, Escaped(column.name) + ": " + column.type + ", " + Counted(column.elements, "element") + ", " +
                                Thousands(column.distinct) + " distinct");
  }
  if (!report.whole_rows.structures.empty()) text += Section(report.whole_rows, "Whole rows");
  return text;
}

}  // namespace thimble::tools
