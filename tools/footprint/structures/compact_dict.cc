#include "thimble/compact_dict.h"

#include <string>

#include "status_macros.h"
#include "structure.h"

namespace thimble::footprint {
namespace {

// The distinct values, numbered in the order in which they first appear.
template <class Key>
class CompactDictCandidate final : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    for (std::uint64_t i = 0; i < column.size(); ++i) {
      THIMBLE_RETURN_IF_ERROR(dict_.try_emplace(column.value<Key>(i), dict_.size()).status());
    }
    return absl::OkStatus();
  }
  std::uint64_t stored() const override { return dict_.size(); }
  std::uint64_t LookUp(const Probes& probes) const override {
    std::uint64_t sum = 0;
    for (const Key& key : probes.keys<Key>()) sum += dict_.Find(key).value_or(0);
    return sum;
  }
  std::span<const std::byte> image() const override { return dict_.image(); }

 private:
  CompactDict<Key, std::uint64_t> dict_;
};

const Registered of_text({.name = "CompactDict<string, uint64_t>", .family = Family::kThimble, .fits = kText, .jobs = kKeyToId | kMembership},
                         Make<CompactDictCandidate<std::string>>);
const Registered of_integers({.name = "CompactDict<int64_t, uint64_t>",
                              .family = Family::kThimble,
                              .fits = kInteger | kDate,
                              .jobs = kKeyToId | kMembership},
                             Make<CompactDictCandidate<std::int64_t>>);

}  // namespace
}  // namespace thimble::footprint
