#include "thimble/string_pool.h"

#include <string>

#include "status_macros.h"
#include "structure.h"

namespace thimble::footprint {
namespace {

class StringPoolCandidate final : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    for (std::uint64_t i = 0; i < column.size(); ++i) THIMBLE_RETURN_IF_ERROR(pool_.Add(column.text(i)).status());
    return absl::OkStatus();
  }
  std::uint64_t stored() const override { return pool_.size(); }
  std::uint64_t LookUp(const Probes& probes) const override {
    std::uint64_t sum = 0;
    for (const std::string& text : probes.texts) sum += pool_.Find(text).value_or(0);
    return sum;
  }
  std::span<const std::byte> image() const override { return pool_.image(); }

 private:
  StringPool pool_{StringPool::Options{}};
};

const Registered string_pool({.name = "StringPool", .family = Family::kThimble, .fits = kText, .jobs = kMembership | kKeyToId},
                             Make<StringPoolCandidate>);

}  // namespace
}  // namespace thimble::footprint
