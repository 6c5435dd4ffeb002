#pragma once

// What the naive candidates share: sequences that append, sets that insert, maps from a value to the number of its first
// occurrence. Each is what people write without thinking about space.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "structure.h"

namespace thimble::footprint {

// How a lookup uses what it found.
inline std::uint64_t Weigh(const std::string& value) { return value.size(); }
inline std::uint64_t Weigh(std::int64_t value) { return static_cast<std::uint64_t>(value); }
inline std::uint64_t Weigh(double value) { return value > 0 ? 1 : 0; }

template <class Container>
class NaiveSequence : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    for (std::uint64_t i = 0; i < column.size(); ++i) values_.emplace_back(column.value<typename Container::value_type>(i));
    return absl::OkStatus();
  }
  std::uint64_t stored() const override { return values_.size(); }

 protected:
  Container values_;
};

// A sequence with random access.
template <class Container>
class NaiveArray : public NaiveSequence<Container> {
 public:
  std::uint64_t LookUp(const Probes& probes) const override {
    std::uint64_t sum = 0;
    for (const std::uint64_t id : probes.ids) sum += Weigh(this->values_[id]);
    return sum;
  }
};

template <class Container>
class NaiveSet : public Candidate {
 public:
  using Key = typename Container::value_type;

  absl::Status Build(const Column& column) override {
    for (std::uint64_t i = 0; i < column.size(); ++i) values_.emplace(column.value<Key>(i));
    return absl::OkStatus();
  }
  std::uint64_t stored() const override { return values_.size(); }
  std::uint64_t LookUp(const Probes& probes) const override {
    std::uint64_t found = 0;
    for (const Key& key : probes.keys<Key>()) found += values_.count(key);
    return found;
  }

 private:
  Container values_;
};

template <class Container>
class NaiveMap : public Candidate {
 public:
  using Key = typename Container::key_type;

  absl::Status Build(const Column& column) override {
    for (std::uint64_t i = 0; i < column.size(); ++i) values_.try_emplace(Key(column.value<Key>(i)), i);
    return absl::OkStatus();
  }
  std::uint64_t stored() const override { return values_.size(); }
  std::uint64_t LookUp(const Probes& probes) const override {
    std::uint64_t sum = 0;
    for (const Key& key : probes.keys<Key>()) sum += values_.find(key)->second;
    return sum;
  }

 private:
  Container values_;
};

// Registers candidates over containers of std::string, std::int64_t and double: "std::set<std::string>", and so on.
template <class Texts, class Integers, class Reals>
class NaiveFamily {
 public:
  // `name` is the container's; `rest` follows the value's type: ">" or ", uint64_t>".
  NaiveFamily(const std::string& name, const std::string& rest, unsigned jobs)
      : texts_(Naive(name + "<std::string" + rest, kText | kDate, jobs), Make<Texts>),
        integers_(Naive(name + "<int64_t" + rest, kInteger | kBoolean, jobs), Make<Integers>),
        reals_(Naive(name + "<double" + rest, kReal, jobs), Make<Reals>) {}

 private:
  // Naive containers hold dates as the text that they came as.
  static Structure Naive(const std::string& name, unsigned fits, unsigned jobs) {
    return {.name = name, .family = Family::kNaive, .fits = fits, .jobs = jobs};
  }

  Registered texts_, integers_, reals_;
};

}  // namespace thimble::footprint
