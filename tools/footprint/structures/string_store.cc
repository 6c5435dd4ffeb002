#include "thimble/string_store.h"

#include <optional>
#include <string>
#include <utility>

#include "status_macros.h"
#include "structure.h"

namespace thimble::footprint {
namespace {

class StringStoreCandidate final : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    StringStore::Builder builder;
    for (std::uint64_t i = 0; i < column.size(); ++i) THIMBLE_RETURN_IF_ERROR(builder.Add(column.text(i)));
    absl::StatusOr<StringStore> built = std::move(builder).Finish();
    if (built.ok()) store_.emplace(*std::move(built));
    return built.status();
  }
  std::uint64_t stored() const override { return store_->size(); }
  std::uint64_t LookUp(const Probes& probes) const override {
    std::uint64_t sum = 0;
    std::string buffer;
    for (const std::uint64_t id : probes.ids) sum += store_->Get(id, buffer).size();
    return sum;
  }
  std::span<const std::byte> image() const override { return store_->image(); }

 private:
  std::optional<StringStore> store_;
};

const Registered string_store({.name = "StringStore", .family = Family::kThimble, .fits = kText, .jobs = kIdToValue, .growth = Growth::kLearned},
                              Make<StringStoreCandidate>);

}  // namespace
}  // namespace thimble::footprint
