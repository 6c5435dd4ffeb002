#include "live_sample.h"

#include <bit>
#include <span>

#include "thimble/hash.h"

namespace thimble::footprint {
namespace {

std::uint64_t SampleRows(std::uint64_t size, std::uint64_t most) {
  while (size > most) size /= 2;
  return size;
}

// Keeps those of which `keep(i)` holds, in whichever vector has any.
template <class Keep>
LiveValues Filter(const LiveValues& values, Keep keep) {
  LiveValues kept;
  const auto filter = [&](const auto& from, auto& to) {
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (keep(i)) to.push_back(from[i]);
    }
  };
  filter(values.texts, kept.texts);
  filter(values.integers, kept.integers);
  filter(values.reals, kept.reals);
  return kept;
}

std::uint64_t Mask(unsigned level) { return (std::uint64_t{1} << level) - 1; }

}  // namespace

Column LiveValues::AsColumn(ColumnType type, std::uint64_t distinct) const {
  Column column(type, texts.size() + integers.size() + reals.size(), distinct);
  column.set_texts(std::span(texts));
  column.set_integers(integers.data());
  column.set_reals(reals.data());
  return column;
}

LiveSample::LiveSample(std::uint64_t size, std::uint64_t most)
    : size_(size),
      most_(most == 0 ? ~std::uint64_t{0} : most),
      rows_(SampleRows(size, most_)),
      selector_(rows_, size, RunSelector::RunFor(rows_)) {}

template <class T>
void LiveSample::Take(T value, std::uint64_t hash, ColumnType type, std::vector<T> LiveValues::* values) {
  type_ = type;
  if (selector_.Next()) (by_row_.*values).push_back(value);
  if ((hash & Mask(level_)) != 0 || !seen_.insert(hash).second) return;
  if (!sampled()) return;  // they are only counted
  (by_value_.*values).push_back(value);
  hashes_.push_back(hash);
  while (seen_.size() > most_) HalveDistinct();
}

void LiveSample::Add(std::string_view value) { Take(value, Hash64(value), kText, &LiveValues::texts); }
void LiveSample::Add(std::int64_t value) { Take(value, Hash64(static_cast<std::uint64_t>(value)), kInteger, &LiveValues::integers); }
void LiveSample::Add(double value) { Take(value, Hash64(std::bit_cast<std::uint64_t>(value)), kReal, &LiveValues::reals); }

void LiveSample::HalveDistinct() {
  ++level_;
  by_value_ = Filter(by_value_, [&](std::size_t i) { return (hashes_[i] & Mask(level_)) == 0; });
  std::erase_if(hashes_, [&](std::uint64_t hash) { return (hash & Mask(level_)) != 0; });
  seen_ = absl::flat_hash_set<std::uint64_t>(hashes_.begin(), hashes_.end());
}

LiveValues LiveSample::RowPart(std::size_t i) const {
  RunSelector selector(rows_ >> kSampleParts[i], rows_, RunSelector::RunFor(rows_));
  return Filter(by_row_, [&](std::size_t) { return selector.Next(); });
}

LiveValues LiveSample::DistinctPart(std::size_t i) const {
  return Filter(by_value_, [&](std::size_t j) { return (hashes_[j] & Mask(level_ + kSampleParts[i])) == 0; });
}

}  // namespace thimble::footprint
