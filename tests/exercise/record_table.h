#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "thimble/record_table.h"

namespace thimble {

inline void Exercise(const RecordTableView& view) {
  const std::uint64_t n = view.size();
  double sum = static_cast<double>(view.image().size()) + (view.empty() ? 1 : 0) + static_cast<double>(view.layout());
  const std::size_t fields = std::min<std::size_t>(view.fields().size(), 20);
  for (std::size_t field = 0; field <= fields; ++field) {
    for (const std::uint64_t i : {std::uint64_t{0}, n / 3, n / 2, n - 99, n - 1, n, n + 1, ~std::uint64_t{0}}) {
      sum += static_cast<double>(view.Integer(field, i)) + view.Number(field, i);
      for (const char c : view.Text(field, i)) sum += c;
      sum += static_cast<double>(view.Format(field, i).size());
      if (field == fields) continue;
      std::array<std::uint64_t, 150> values;
      view.Run(field).Decode(i, values);
    }
  }
  sum += static_cast<double>(view.FieldOf("city").value_or(7));
  view.Verify().IgnoreError();
  asm volatile("" : : "m"(sum));
}

}  // namespace thimble
