#include "thimble/compact_map.h"

#include "status_macros.h"
#include "structure.h"

namespace thimble::footprint {
namespace {

// The distinct values, numbered in the order in which they first appear.
class CompactMapCandidate final : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    for (std::uint64_t i = 0; i < column.size(); ++i) {
      THIMBLE_RETURN_IF_ERROR(map_.try_emplace(column.integer(i), map_.size()).status());
    }
    return absl::OkStatus();
  }
  std::uint64_t stored() const override { return map_.size(); }
  std::uint64_t LookUp(const Probes& probes) const override {
    std::uint64_t sum = 0;
    for (const std::int64_t key : probes.integers) sum += map_.Find(key).value_or(0);
    return sum;
  }
  std::span<const std::byte> image() const override { return map_.image(); }

 private:
  CompactMap<std::int64_t, std::uint64_t> map_;
};

class CompactSetCandidate final : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    for (std::uint64_t i = 0; i < column.size(); ++i) THIMBLE_RETURN_IF_ERROR(set_.Add(column.integer(i)));
    return absl::OkStatus();
  }
  std::uint64_t stored() const override { return set_.size(); }
  std::uint64_t LookUp(const Probes& probes) const override {
    std::uint64_t sum = 0;
    for (const std::int64_t key : probes.integers) sum += set_.contains(key);
    return sum;
  }
  std::span<const std::byte> image() const override { return set_.image(); }

 private:
  CompactSet<std::int64_t> set_;
};

const Registered map({.name = "CompactMap<int64_t, uint64_t>",
                      .family = Family::kThimble,
                      .fits = kInteger | kDate,
                      .jobs = kKeyToId | kMembership},
                     Make<CompactMapCandidate>);
const Registered set({.name = "CompactSet<int64_t>", .family = Family::kThimble, .fits = kInteger | kDate, .jobs = kMembership},
                     Make<CompactSetCandidate>);

}  // namespace
}  // namespace thimble::footprint
