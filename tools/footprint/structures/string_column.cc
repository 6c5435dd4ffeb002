#include "thimble/string_column.h"

#include <optional>
#include <string>
#include <utility>

#include "status_macros.h"
#include "structure.h"

namespace thimble::footprint {
namespace {

class StringColumnCandidate final : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    StringColumn::Builder builder;
    for (std::uint64_t i = 0; i < column.size(); ++i) THIMBLE_RETURN_IF_ERROR(builder.Add(column.text(i)));
    absl::StatusOr<StringColumn> built = std::move(builder).Finish();
    if (built.ok()) column_.emplace(*std::move(built));
    return built.status();
  }
  std::uint64_t stored() const override { return column_->size(); }
  std::uint64_t LookUp(const Probes& probes) const override {
    std::uint64_t sum = 0;
    std::string buffer;
    for (const std::uint64_t id : probes.ids) sum += column_->Get(id, buffer).size();
    return sum;
  }
  std::span<const std::byte> image() const override { return column_->image(); }

 private:
  std::optional<StringColumn> column_;
};

const Registered string_column({.name = "StringColumn", .family = Family::kThimble, .fits = kText, .jobs = kIdToValue},
                               Make<StringColumnCandidate>);

}  // namespace
}  // namespace thimble::footprint
