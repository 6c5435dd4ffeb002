#pragma once

// What filters share that are made for as many keys as the column has.

#include <optional>
#include <utility>

#include "keys.h"

namespace thimble::footprint {

// A filter that Fill makes of a column; `promised` is its rate of false positives.
template <class Filter>
class FilterCandidate : public Candidate {
 public:
  explicit FilterCandidate(double promised) : promised_(promised) {}

  absl::Status Build(const Column& column) override {
    distinct_ = column.distinct();
    absl::StatusOr<Filter> filled = Fill(column);
    if (filled.ok()) filter_.emplace(*std::move(filled));
    return filled.status();
  }
  std::uint64_t stored() const override { return distinct_; }
  std::uint64_t LookUp(const Probes& probes) const override {
    std::uint64_t found = 0;
    ForEachKey(probes, [&](auto key) { found += filter_->Contains(key); });
    return found;
  }
  std::optional<ErrorRate> error(const Column& column) const override {
    return ErrorRate{.promised = promised_, .measured = FalsePositiveRate(column, [this](auto key) { return filter_->Contains(key); })};
  }
  std::span<const std::byte> image() const override { return filter_->image(); }

 private:
  virtual absl::StatusOr<Filter> Fill(const Column& column) const = 0;

  double promised_;
  std::optional<Filter> filter_;
  std::uint64_t distinct_ = 0;
};

// Adds every value of the column until one is refused.
template <class Filter>
absl::Status AddAll(const Column& column, Filter& filter) {
  absl::Status status = absl::OkStatus();
  ForEachKey(column, [&](auto key) {
    if (status.ok()) status = filter.Add(key);
  });
  return status;
}

}  // namespace thimble::footprint
