#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "testing.h"
#include "thimble/sparse_array.h"

namespace thimble::testing {

// Requires of an array what the model has at these indices, asked for alone and all at once.
template <class T>
void CheckIndices(const SparseArrayView<T>& array, const std::map<std::uint64_t, T>& model, const std::vector<std::uint64_t>& indices) {
  const auto values = std::make_unique<T[]>(indices.size());
  array.GetMany(indices, {values.get(), indices.size()});
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const auto at = model.find(indices[i]);
    const T wanted = at == model.end() ? array.default_value() : at->second;
    BOOST_REQUIRE(values[i] == wanted);
    BOOST_REQUIRE(array[indices[i]] == wanted);
    BOOST_REQUIRE_EQUAL(array.Contains(indices[i]), at != model.end());
  }
}

}  // namespace thimble::testing
