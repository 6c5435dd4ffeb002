#include "pcsa_reader.h"

#include <algorithm>

#include "thimble/bytes.h"

namespace thimble::internal {

PcsaParameters PcsaParameters::Unpack(std::uint64_t word) {
  return {.exceptions = static_cast<std::uint32_t>(word),
          .window = static_cast<std::uint8_t>(word >> 32),
          .exponent = static_cast<std::int8_t>(word >> 40),
          .mantissa = static_cast<std::uint16_t>(word >> 48)};
}

std::uint64_t PcsaParameters::Pack() const {
  return exceptions | std::uint64_t{window} << 32 | std::uint64_t{static_cast<std::uint8_t>(exponent)} << 40 |
         std::uint64_t{mantissa} << 48;
}

ColumnsModel::ColumnsModel(const LoadModel& load, unsigned first) {
  constexpr std::uint32_t kScale = (1u << kScaleBits) - 256;  // one for each byte, the rest by probability
  std::array<std::uint32_t, 256> frequencies{};
  std::uint32_t sum = 0;
  for (unsigned columns = 0; columns < 256; ++columns) {
    std::uint64_t probability = std::uint64_t{1} << 31;
    for (unsigned j = 0; j < 8; ++j) {
      const std::uint64_t set = first + j < 64 ? load.Above(first + j + 1) >> 32 : 0;
      probability = probability * ((columns >> j & 1) != 0 ? set : (std::uint64_t{1} << 31) - set) >> 31;
    }
    frequencies[columns] = 1 + static_cast<std::uint32_t>((probability * kScale) >> 31);
    sum += frequencies[columns];
  }
  // What rounding took goes to the likeliest.
  *std::max_element(frequencies.begin(), frequencies.end()) += (1u << kScaleBits) - sum;
  for (unsigned columns = 0; columns < 256; ++columns) starts_[columns + 1] = starts_[columns] + frequencies[columns];
}

unsigned ColumnsModel::Find(std::uint32_t target) const {
  unsigned columns = 0;
  for (unsigned step = 128; step > 0; step /= 2) columns += target >= starts_[columns + step] ? step : 0;
  return columns;
}

PcsaReader::PcsaReader(const PcsaView& view, const PcsaView* other) : a_(view) {
  if (other != nullptr) b_.emplace(*other);
}

std::uint64_t PcsaReader::Next() {
  const std::uint64_t row = a_.Row(row_) | (b_ ? b_->Row(row_) : 0);
  ++row_;
  return row;
}

PcsaReader::Source::Source(const PcsaView& view) : rows(view.image().subspan(kPcsaHeaderBytes)) {
  if (!view.compressed()) return;
  const PcsaParameters parameters = PcsaParameters::Unpack(view.parameter_);
  const LoadModel load(parameters.mantissa, parameters.exponent);
  window = parameters.window;
  exceptions = rows.first(std::size_t{parameters.exceptions} * 4);
  low.emplace(load, window);
  high.emplace(load, window + 8);
  decoder.emplace(rows.subspan(exceptions.size()));
}

std::uint64_t PcsaReader::Source::Row(std::size_t row) {
  if (!decoder) return __atomic_load_n(reinterpret_cast<const std::uint64_t*>(&rows[row * 8]), __ATOMIC_RELAXED);
  const auto decode = [&](const ColumnsModel& model) {
    const std::uint64_t columns = model.Find(decoder->Target());
    decoder->Advance(model.Start(static_cast<unsigned>(columns)), model.Frequency(static_cast<unsigned>(columns)));
    return columns;
  };
  const std::uint64_t low_columns = decode(*low);
  std::uint64_t bits = LowBits(window) | low_columns << window | decode(*high) << (window + 8);
  while (!exceptions.empty()) {
    const auto exception = Load<std::uint32_t>(exceptions.data());
    if (exception >> 6 > row) break;
    if (exception >> 6 == row) bits ^= std::uint64_t{1} << (exception & 63);
    exceptions = exceptions.subspan(4);
  }
  return bits;
}

}  // namespace thimble::internal
