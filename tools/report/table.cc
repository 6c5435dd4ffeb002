#include <algorithm>
#include <cstdio>

#include "format.h"
#include "report.h"

namespace thimble::tools {
namespace {

constexpr std::size_t kNameWidth = 42;
constexpr std::size_t kWidth = 100;

std::string Percent(double fraction) { return Figure(fraction * 100); }

std::string Line(const StructureRow& row, std::size_t name_width) {
  const footprint::Measurement& m = row.measured;
  std::string line = PadRight(Shorten(row.structure->name, name_width), name_width);
  if (!m.ok()) return line + "  " + Shorten(m.failure(), kWidth - name_width - 4);
  line += PadLeft(Figure(m.bytes_per_element()), 7);
  line += PadLeft(HumanBytes(static_cast<double>(m.heap_bytes)), 7);
  line += PadLeft(HumanBytes(static_cast<double>(m.peak_bytes)), 7);
  line += PadLeft(row.predicted ? Figure((row.predicted->high - row.predicted->low) / 2) : HumanBytes(static_cast<double>(m.pss_bytes)), 7);
  line += PadLeft(Seconds(m.build_seconds), 7);
  line += PadLeft(m.lookup_ns ? Nanoseconds(*m.lookup_ns) : "-", 8);
  if (m.error) line += PadLeft(Percent(m.error->measured) + "/" + Percent(m.error->promised), 11);
  return line;
}

std::string Heading(std::size_t name_width, bool approximate, bool predicted) {
  return PadRight("structure", name_width) + PadLeft("B/elem", 7) + PadLeft("heap", 7) + PadLeft("peak", 7) + PadLeft(predicted ? "+-" : "PSS", 7) +
         PadLeft("build", 7) + PadLeft("lookup", 8) + (approximate ? PadLeft("error %", 11) : "");
}

std::string StructureLines(const ColumnReport& column, bool colour) {
  std::size_t name_width = 9;
  bool approximate = false, predicted = false;
  for (const StructureRow& row : column.structures) {
    name_width = std::min(kNameWidth, std::max(name_width, row.structure->name.size()));
    approximate |= row.measured.error.has_value();
    predicted |= row.predicted.has_value();
  }
  if (column.structures.empty()) return "";
  std::string text = PadRight("", 2) + Heading(name_width, approximate, predicted) + "\n";
  for (const StructureRow& row : column.structures) {
    const bool marked = IsRecommended(column, row);
    text += std::string(marked ? "* " : "  ") + (marked && colour ? "\x1b[32m" : "") + Line(row, name_width) + (marked && colour ? "\x1b[0m" : "") + "\n";
  }
  for (const Recommendation& recommendation : column.recommendation) {
    text += "  " + PadRight(JobName(recommendation.job), 12) + recommendation.row->structure->name + ", " +
            Figure(recommendation.row->measured.bytes_per_element()) + " B an element";
    if (recommendation.saves_percent > 0) text += ", saves " + Figure(recommendation.saves_percent) + " %";
    text += "\n";
  }
  return text;
}

std::string ColumnText(const ColumnReport& column, bool colour) {
  std::string text = Shorten(column.name, 40) + ": " + column.type + ", " + Counted(column.elements, "element") + ", " +
                     Thousands(column.distinct) + " distinct, payload " + HumanBytes(static_cast<double>(column.payload_bytes));
  if (column.elements > 0) {
    text += " (" + Figure(static_cast<double>(column.payload_bytes) / static_cast<double>(column.elements)) + " B each)";
  }
  return text + "\n" + StructureLines(column, colour);
}

std::string Lines(std::uint64_t count, const std::vector<std::uint64_t>& first) {
  std::string text;
  for (const std::uint64_t line : first) text += ' ' + Thousands(line);
  return text + (count > first.size() ? " ...\n" : "\n");
}

std::string RaggedText(const Report& report) {
  if (report.ragged_rows == 0) return "";
  return Counted(report.ragged_rows, "ragged row") + ", filled up or cut: line" + Lines(report.ragged_rows, report.ragged_lines);
}

std::string InvalidText(const Report& report) {
  if (report.invalid_rows == 0) return "";
  return Counted(report.invalid_rows, "line") + " without JSON, left out: line" + Lines(report.invalid_rows, report.invalid_lines);
}

}  // namespace

std::string ToTable(const Report& report, bool colour) {
  std::string text = Shorten(report.path, 60) + ": " + Counted(report.rows, report.format == "lines" ? "line" : "row") + ", " +
                     HumanBytes(static_cast<double>(report.bytes)) + ", " + report.format;
  if (report.compression != "plain") text += ", " + report.compression;
  text += report.has_header ? ", first row is a header\n" : "\n";
  text += RaggedText(report) + InvalidText(report);
  if (report.sample_rows != 0) {
    text += "predicted from " + Thousands(report.sample_rows) + " rows, 1/4 and 1/16 of them; +- is the interval of B/elem, lookups are the sample's\n";
  }
  for (const ColumnReport& column : report.columns) text += '\n' + ColumnText(column, colour);
  if (!report.whole_rows.structures.empty()) {
    text += "\nwhole rows: " + Counted(report.whole_rows.elements, "element") + "\n" + StructureLines(report.whole_rows, colour);
  }
  return text;
}

}  // namespace thimble::tools
