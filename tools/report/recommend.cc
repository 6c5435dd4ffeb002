#include <algorithm>

#include "report.h"

namespace thimble::tools {
namespace {

using footprint::Family;
using footprint::Job;

bool Does(const StructureRow& row, Job job) {
  return row.measured.ok() && row.structure->exact && (row.structure->jobs & job) != 0;
}

const StructureRow* Smaller(const StructureRow* a, const StructureRow& b) {
  return a == nullptr || b.measured.heap_bytes < a->measured.heap_bytes ? &b : a;
}

}  // namespace

std::string_view JobName(Job job) {
  switch (job) {
    case footprint::kMembership: return "membership";
    case footprint::kIdToValue: return "id -> value";
    case footprint::kKeyToId: return "key -> id";
    default: return "";
  }
}

bool IsRecommended(const ColumnReport& column, const StructureRow& row) {
  return std::any_of(column.recommendation.begin(), column.recommendation.end(), [&](const Recommendation& r) { return r.row == &row; });
}

std::vector<Recommendation> Recommend(const ColumnReport& column) {
  std::vector<Recommendation> recommendations;
  for (const Job job : {footprint::kMembership, footprint::kIdToValue, footprint::kKeyToId}) {
    const StructureRow* best = nullptr;
    const StructureRow* naive = nullptr;
    for (const StructureRow& row : column.structures) {
      if (!Does(row, job)) continue;
      best = Smaller(best, row);
      if (row.structure->family == Family::kNaive) naive = Smaller(naive, row);
    }
    if (best == nullptr || best->measured.stored == 0) continue;
    double saves = 0;
    if (naive != nullptr && naive->measured.heap_bytes > 0) {
      saves = 100.0 * (1 - static_cast<double>(best->measured.heap_bytes) / static_cast<double>(naive->measured.heap_bytes));
    }
    recommendations.push_back({job, best, saves});
  }
  return recommendations;
}

}  // namespace thimble::tools
