#include <cstdio>
#include <string>

#include "report.h"

namespace thimble::tools {
namespace {

using footprint::Measurement;

std::string Quoted(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted(1, '"');
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

std::string Figures(const Measurement& m) {
  if (!m.ok()) return std::string(10, ',');
  std::string text = std::to_string(m.stored);
  for (const std::int64_t bytes : {m.heap_bytes, m.mallinfo_bytes}) text += ',' + std::to_string(bytes);
  text += ',' + Number(m.bytes_per_element());
  for (const std::int64_t bytes : {m.peak_bytes, m.pss_bytes}) text += ',' + std::to_string(bytes);
  text += ',' + Number(m.build_seconds) + ',' + (m.lookup_ns ? Number(*m.lookup_ns) : "");
  return text + ',' + (m.error ? Number(m.error->promised) : "") + ',' + (m.error ? Number(m.error->measured) : "") + ',';
}

std::string Lines(const ColumnReport& column, std::string_view name, std::string_view type) {
  std::string text;
  for (const StructureRow& row : column.structures) {
    text += Quoted(name) + ',' + std::string(type) + ',' + std::to_string(column.elements) + ',' + std::to_string(column.distinct) + ',' +
            Quoted(row.structure->name) + ',' + std::string(footprint::FamilyName(row.structure->family)) + ',' +
            (row.structure->exact ? "true," : "false,") + Figures(row.measured) + Quoted(row.measured.failure()) + "\r\n";
  }
  return text;
}

}  // namespace

std::string ToCsv(const Report& report) {
  std::string text =
      "column,type,elements,distinct,structure,family,exact,stored,heap_bytes,mallinfo_bytes,bytes_per_element,peak_bytes,pss_bytes,"
      "build_seconds,lookup_ns,promised_error,measured_error,failure\r\n";
  for (const ColumnReport& column : report.columns) text += Lines(column, column.name, column.type);
  return text + Lines(report.whole_rows, "", "rows");
}

}  // namespace thimble::tools
