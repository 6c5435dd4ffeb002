#include <nlohmann/json.hpp>

#include "report.h"

namespace thimble::tools {
namespace {

using Json = nlohmann::ordered_json;

Json ToJson(const StructureRow& row) {
  const footprint::Measurement& m = row.measured;
  const bool failed = !m.ok();
  const auto unless_failed = [failed](auto value) { return failed ? Json() : Json(value); };
  Json json = {{"structure", row.structure->name},
          {"family", footprint::FamilyName(row.structure->family)},
          {"exact", row.structure->exact},
          {"stored", unless_failed(m.stored)},
          {"heap_bytes", unless_failed(m.heap_bytes)},
          {"mallinfo_bytes", unless_failed(m.mallinfo_bytes)},
          {"bytes_per_element", unless_failed(m.bytes_per_element())},
          {"peak_bytes", unless_failed(m.peak_bytes)},
          {"pss_bytes", unless_failed(m.pss_bytes)},
          {"build_seconds", unless_failed(m.build_seconds)},
          {"lookup_ns", m.lookup_ns ? Json(*m.lookup_ns) : Json()},
          {"promised_error", m.error ? Json(m.error->promised) : Json()},
          {"measured_error", m.error ? Json(m.error->measured) : Json()},
          {"failure", failed ? Json(m.failure()) : Json()}};
  if (row.predicted) json["predicted_bytes_per_element"] = {row.predicted->low, row.predicted->high};
  return json;
}

Json StructuresOf(const ColumnReport& column) {
  Json structures = Json::array();
  for (const StructureRow& row : column.structures) structures.push_back(ToJson(row));
  return structures;
}

Json RecommendationOf(const ColumnReport& column) {
  Json recommendation = Json::array();
  for (const Recommendation& r : column.recommendation) {
    recommendation.push_back({{"job", JobName(r.job)},
                              {"structure", r.row->structure->name},
                              {"bytes_per_element", r.row->measured.bytes_per_element()},
                              {"saves_percent", r.saves_percent}});
  }
  return recommendation;
}

}  // namespace

std::string ToJson(const Report& report) {
  Json json = {{"schema", 1},
               {"input",
                {{"path", report.path},
                 {"format", report.format},
                 {"compression", report.compression},
                 {"header", report.has_header},
                 {"bytes", report.bytes},
                 {"rows", report.rows},
                 {"ragged_rows", report.ragged_rows},
                 {"ragged_lines", report.ragged_lines},
                 {"invalid_rows", report.invalid_rows},
                 {"invalid_lines", report.invalid_lines}}}};
  if (report.sample_rows != 0) json["input"]["sample_rows"] = report.sample_rows;
  json["columns"] = Json::array();
  for (const ColumnReport& column : report.columns) {
    json["columns"].push_back({{"name", column.name},
                               {"type", column.type},
                               {"elements", column.elements},
                               {"distinct", column.distinct},
                               {"payload_bytes", column.payload_bytes},
                               {"structures", StructuresOf(column)},
                               {"recommendation", RecommendationOf(column)}});
  }
  json["rows"] = {{"elements", report.rows}, {"structures", StructuresOf(report.whole_rows)}};
  // Names come from the input, which need not be UTF-8.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace thimble::tools
