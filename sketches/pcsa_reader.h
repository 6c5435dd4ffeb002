#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "load_model.h"
#include "range_coder.h"
#include "thimble/pcsa.h"

namespace thimble::internal {

// The compressed image: u32 exceptions, ascending, row << 6 | column; then a stream that codes the 16 columns from `window` on
// as two bytes a row. Columns below the window are set and those above are not, but for the exceptions.
struct PcsaParameters {
  std::uint32_t exceptions = 0;
  std::uint8_t window = 0;
  std::int8_t exponent = 0;
  std::uint16_t mantissa = 0;

  static PcsaParameters Unpack(std::uint64_t word);
  std::uint64_t Pack() const;
};

inline constexpr std::size_t kPcsaHeaderBytes = 64;
inline constexpr unsigned kPcsaWindow = 16;

// Frequencies of a byte of eight columns, the first of them column `first`.
class ColumnsModel {
 public:
  ColumnsModel(const LoadModel& load, unsigned first);
  std::uint32_t Start(unsigned columns) const { return starts_[columns]; }
  std::uint32_t Frequency(unsigned columns) const { return starts_[columns + 1] - starts_[columns]; }
  unsigned Find(std::uint32_t target) const;

 private:
  std::array<std::uint32_t, 257> starts_{};
};

// Reads the rows of either form, or of the union of two, one after another. Requires: Next() is called at most row_count()
// times.
class PcsaReader {
 public:
  explicit PcsaReader(const PcsaView& view, const PcsaView* other = nullptr);
  std::uint64_t Next();

 private:
  struct Source {
    explicit Source(const PcsaView& view);
    std::uint64_t Row(std::size_t row);

    std::span<const std::byte> rows;
    std::span<const std::byte> exceptions;
    unsigned window = 0;
    std::optional<ColumnsModel> low, high;
    std::optional<RangeDecoder> decoder;
  };

  std::size_t row_ = 0;
  Source a_;
  std::optional<Source> b_;
};

}  // namespace thimble::internal
