#pragma once

// What sketches that count distinct values share.

#include <cmath>
#include <optional>

#include "keys.h"

namespace thimble::footprint {

// How many distinct values the column has, and nothing else: sketched by Sketch, kept as what Keep makes of that.
template <class Sketch, class Kept = Sketch>
class DistinctCandidate : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    distinct_ = column.distinct();
    Sketch sketch = MakeSketch();
    ForEachKey(column, [&](auto key) { sketch.Add(key); });
    kept_.emplace(Keep(std::move(sketch)));
    return absl::OkStatus();
  }
  std::uint64_t stored() const override { return distinct_; }
  std::optional<ErrorRate> error(const Column& column) const override {
    const auto distinct = static_cast<double>(column.distinct());
    return ErrorRate{.promised = kept_->StandardError(),
                     .measured = distinct == 0 ? 0 : std::fabs(kept_->Estimate() - distinct) / distinct};
  }
  std::span<const std::byte> image() const override { return kept_->image(); }

 private:
  virtual Sketch MakeSketch() const = 0;
  virtual Kept Keep(Sketch sketch) const = 0;

  std::optional<Kept> kept_;
  std::uint64_t distinct_ = 0;
};

}  // namespace thimble::footprint
