#include "compare.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>

#include <nlohmann/json.hpp>

#include "format.h"

namespace thimble::tools {
namespace {

constexpr double kNoticed = 0.05;  // percent

void AddCosts(const nlohmann::json& structures, const std::string& column, Costs& costs) {
  for (const nlohmann::json& row : structures) {
    costs[column + ": " + row.at("structure").get<std::string>()] = row.at("failure").is_null() ? row.at("heap_bytes").get<double>() : -1;
  }
}

// A name as a report has it: what is no UTF-8 is replaced there.
std::string AsInJson(const std::string& name) {
  return nlohmann::json::parse(nlohmann::json(name).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)).get<std::string>();
}

void AddCosts(const ColumnReport& column, const std::string& column_name, Costs& costs) {
  const std::string name = AsInJson(column_name);
  for (const StructureRow& row : column.structures) {
    costs[name + ": " + row.structure->name] = row.measured.ok() ? static_cast<double>(row.measured.heap_bytes) : -1;
  }
}

std::string Signed(double percent) { return std::string(percent > 0 ? 1 : 0, '+') + Figure(percent) + " %"; }

}  // namespace

absl::StatusOr<Costs> ReadCosts(const std::string& path) {
  std::ifstream in(path);
  if (!in) return absl::UnavailableError(path + ": " + std::strerror(errno));
  try {
    const nlohmann::json json = nlohmann::json::parse(in);
    if (json.at("schema") != 1) return absl::DataLossError(path + ": a report of another schema");
    Costs costs;
    for (const nlohmann::json& column : json.at("columns")) AddCosts(column.at("structures"), column.at("name"), costs);
    AddCosts(json.at("rows").at("structures"), "rows", costs);
    return costs;
  } catch (const std::ios_base::failure&) {  // a folder, which opens
    return absl::UnavailableError(path + ": cannot be read");
  } catch (const nlohmann::json::exception& error) {
    return absl::DataLossError(path + ": no report: " + error.what());
  }
}

Changes CompareWith(const Report& report, const Costs& before) {
  Costs after;
  for (const ColumnReport& column : report.columns) AddCosts(column, column.name, after);
  AddCosts(report.whole_rows, "rows", after);

  Changes changes;
  for (const auto& [name, bytes] : after) {
    const std::string line = "  " + PadRight(Shorten(name, 70), 70) + " ";
    const auto old = before.find(name);
    if (old == before.end()) {
      changes.text += line + "new\n";
    } else if (old->second >= 0 && bytes < 0) {
      changes.text += line + "fails now\n";
      changes.worst_percent = HUGE_VAL;
    } else if (old->second == 0 && bytes > 0) {
      changes.text += line + PadLeft("0", 6) + " -> " + PadLeft(HumanBytes(bytes), 6) + "\n";
      changes.worst_percent = HUGE_VAL;
    } else if (old->second > 0 && bytes >= 0) {
      const double percent = 100 * (bytes / old->second - 1);
      changes.worst_percent = std::max(changes.worst_percent, percent);
      if (std::fabs(percent) >= kNoticed) changes.text += line + PadLeft(HumanBytes(old->second), 6) + " -> " + PadLeft(HumanBytes(bytes), 6) + "  " + Signed(percent) + "\n";
    }
  }
  for (const auto& [name, bytes] : before) {
    if (after.count(name) == 0) changes.text += PadRight("", 2) + PadRight(Shorten(name, 70), 70) + " gone\n";
  }
  return changes;
}

}  // namespace thimble::tools
