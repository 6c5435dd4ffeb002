#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_set.h>

#include "column.h"
#include "predict.h"
#include "run_selector.h"
#include "thimble/compare.h"

namespace thimble::footprint {

// Values of one type, where they lie.
struct LiveValues {
  std::vector<std::string_view> texts;
  std::vector<std::int64_t> integers;
  std::vector<double> reals;

  // Points into this. Requires: only values of that type.
  Column AsColumn(ColumnType type, std::uint64_t distinct) const;
};

// The values of a live container's column: all of them while they are few, and otherwise two samples, in one pass and
// constant memory. One has its rows; the other its distinct values, those whose hash ends in so many zeros that they are few
// enough, in the order in which they first come.
class LiveSample final : public internal::LiveColumn {
 public:
  LiveSample(std::uint64_t size, std::uint64_t most);

  void Add(std::string_view value) override;
  void Add(std::int64_t value) override;
  void Add(double value) override;

  bool sampled() const { return rows_ < size_; }
  std::uint64_t size() const { return size_; }
  // Exact when nothing is sampled, or when the sample holds every distinct value.
  std::uint64_t distinct() const { return std::min(std::uint64_t{seen_.size()} << level_, size_); }
  ColumnType type() const { return type_; }

  std::uint64_t sampled_rows() const { return rows_; }
  std::uint64_t sampled_distinct() const { return seen_.size(); }
  // The parts that Predict asks for, as kSampleParts has them; the last is the whole sample.
  LiveValues RowPart(std::size_t i) const;
  LiveValues DistinctPart(std::size_t i) const;

 private:
  template <class T>
  void Take(T value, std::uint64_t bits, ColumnType type, std::vector<T> LiveValues::* values);
  void HalveDistinct();

  std::uint64_t size_, most_, rows_;
  RunSelector selector_;
  ColumnType type_ = kText;
  LiveValues by_row_, by_value_;
  std::vector<std::uint64_t> hashes_;  // of by_value_
  absl::flat_hash_set<std::uint64_t> seen_;
  unsigned level_ = 0;
};

}  // namespace thimble::footprint
