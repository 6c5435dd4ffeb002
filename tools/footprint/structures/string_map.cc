#include "thimble/string_map.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "status_macros.h"
#include "structure.h"

namespace thimble::footprint {
namespace {

// Each string and the first row that holds it.
class StringMapCandidate final : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    std::vector<std::pair<std::string_view, std::uint64_t>> rows;
    rows.reserve(column.size());
    for (std::uint64_t i = 0; i < column.size(); ++i) rows.emplace_back(column.text(i), column.row(i));
    std::sort(rows.begin(), rows.end());
    StringMap<std::uint64_t>::Builder builder;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i == 0 || rows[i].first != rows[i - 1].first) THIMBLE_RETURN_IF_ERROR(builder.Add(rows[i].first, rows[i].second));
    }
    absl::StatusOr<StringMap<std::uint64_t>> built = std::move(builder).Finish();
    if (built.ok()) map_.emplace(*std::move(built));
    return built.status();
  }
  std::uint64_t stored() const override { return map_->size(); }
  std::uint64_t LookUp(const Probes& probes) const override {
    std::uint64_t sum = 0;
    for (const std::string& text : probes.texts) sum += map_->Find(text).value_or(0);
    return sum;
  }
  std::span<const std::byte> image() const override { return map_->image(); }

 private:
  std::optional<StringMap<std::uint64_t>> map_;
};

const Registered string_map({.name = "StringMap to row", .family = Family::kThimble, .fits = kText, .jobs = kMembership | kKeyToId},
                            Make<StringMapCandidate>);

}  // namespace
}  // namespace thimble::footprint
