#include "thimble/static_map.h"

#include <optional>

#include <absl/container/flat_hash_set.h>

#include "keys.h"

namespace thimble::footprint {
namespace {

// Where each value stands: the number of a distinct value among those of a sorted column, without the values. It answers for
// values that are there; for others it says any number.
class StaticMapCandidate final : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    unsigned bits = 1;
    while (bits < 64 && column.size() >> bits != 0) ++bits;
    StaticMap::Builder builder({.value_bits = bits});
    absl::flat_hash_set<std::uint64_t> met;  // hashes; of two values that share one the second is not added
    std::uint64_t id = 0;
    ForEachKey(column, [&](auto key) {
      if (met.insert(Hash64(key)).second) builder.Add(key, id++);
    });
    absl::StatusOr<StaticMap> built = std::move(builder).Finish();
    if (built.ok()) map_.emplace(*std::move(built));
    return built.status();
  }
  std::uint64_t stored() const override { return map_->size(); }
  std::uint64_t LookUp(const Probes& probes) const override {
    std::uint64_t sum = 0;
    ForEachKey(probes, [&](auto key) { sum += map_->Find(key); });
    return sum;
  }
  std::span<const std::byte> image() const override { return map_->image(); }

 private:
  std::optional<StaticMap> map_;
};

const Registered static_map({.name = "StaticMap", .family = Family::kSketch, .exact = false, .fits = kAnyValue, .jobs = kKeyToId},
                            Make<StaticMapCandidate>);

}  // namespace
}  // namespace thimble::footprint
