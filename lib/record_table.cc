#include "thimble/record_table.h"

#include <algorithm>
#include <bit>

#include "status_macros.h"
#include "thimble/decimal_vector.h"
#include "thimble/hash.h"
#include "written_number.h"

namespace thimble {
namespace {

using internal::WrittenNumber;

std::string FormatNumber(std::uint64_t mantissa, bool negative, const FieldSpec& spec) {
  const std::uint64_t magnitude = negative ? ~mantissa + 1 : mantissa;
  std::string text = std::to_string(magnitude);
  if (spec.type == FieldType::kInteger) {
    if (text.size() < spec.digits) text.insert(0, spec.digits - text.size(), '0');
  } else if (spec.digits > 0) {
    if (text.size() <= spec.digits) text.insert(0, spec.digits + 1 - text.size(), '0');
    text.insert(text.size() - spec.digits, 1, '.');
    if (!spec.padded) {
      while (text.back() == '0') text.pop_back();
      if (text.back() == '.') text.pop_back();
    }
  }
  return negative ? "-" + text : text;
}

// Integers of a field whose base is not negative go up to 2^64 - 1.
bool IsNegative(std::uint64_t mantissa, const FieldSpec& spec) { return spec.base < 0 && static_cast<std::int64_t>(mantissa) < 0; }

}  // namespace

absl::StatusOr<RecordTableView> RecordTableView::Open(std::span<const std::byte> image) {
  RecordTableView view;
  THIMBLE_ASSIGN_OR_RETURN(view.records_, RecordImage::Open(image));
  return view;
}

std::optional<std::size_t> RecordTableView::FieldOf(std::string_view name) const {
  for (std::size_t i = 0; i < fields().size(); ++i) {
    if (fields()[i].name == name) return i;
  }
  return std::nullopt;
}

std::int64_t RecordTableView::Integer(std::size_t field, std::uint64_t i) const {
  if (!Has(field) || fields()[field].type != FieldType::kInteger) return 0;
  return static_cast<std::int64_t>(Run(field)[i] + static_cast<std::uint64_t>(fields()[field].base));
}

double RecordTableView::Number(std::size_t field, std::uint64_t i) const {
  if (!Has(field) || fields()[field].type == FieldType::kText) return 0;
  const FieldSpec& spec = fields()[field];
  const std::uint64_t mantissa = Run(field)[i] + static_cast<std::uint64_t>(spec.base);
  const double scaled = IsNegative(mantissa, spec) ? static_cast<double>(static_cast<std::int64_t>(mantissa)) : static_cast<double>(mantissa);
  return spec.type == FieldType::kDecimal ? scaled / PowerOfTen(spec.digits) : scaled;
}

std::string_view RecordTableView::Text(std::size_t field, std::uint64_t i) const {
  if (!Has(field)) return {};
  return records_.pools[field][Run(field)[i]];
}

std::string RecordTableView::Format(std::size_t field, std::uint64_t i) const {
  if (!Has(field)) return {};
  const FieldSpec& spec = fields()[field];
  if (spec.type == FieldType::kText) return std::string(Text(field, i));
  const std::uint64_t mantissa = Run(field)[i] + static_cast<std::uint64_t>(spec.base);
  return FormatNumber(mantissa, IsNegative(mantissa, spec), spec);
}

absl::StatusOr<RecordTable> RecordTable::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(RecordTableView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return RecordTable(std::move(view), std::move(buffer));
}

RecordTable::Builder::Builder(std::vector<FieldSpec> fields, std::uint64_t size, RecordLayout layout, Buffer buffer)
    : image_(std::move(fields), layout, size, std::move(buffer)) {}

void RecordTable::Builder::Add(std::span<const std::string_view> values) {
  for (std::size_t field = 0; field < image_.specs().size() && field < values.size(); ++field) {
    const FieldSpec& spec = image_.specs()[field];
    if (spec.type == FieldType::kText) {
      image_.SetText(field, count_, values[field]);
      continue;
    }
    const std::optional<WrittenNumber> written = internal::ReadNumber(values[field]);
    const unsigned digits = spec.type == FieldType::kDecimal ? spec.digits : 0;
    if (!written || written->digits > digits || digits - written->digits > internal::kMaxNumberDigits) {
      image_.Fail(field, count_, "is no such number");
      continue;
    }
    const std::int64_t scaled = written->Scaled(digits);
    if (FormatNumber(static_cast<std::uint64_t>(scaled), scaled < 0, spec) != values[field]) image_.Fail(field, count_, "would come back as another text");
    image_.Set(field, count_, static_cast<std::uint64_t>(scaled) - static_cast<std::uint64_t>(spec.base));
  }
  ++count_;
}

absl::StatusOr<RecordTable> RecordTable::Builder::Finish() && {
  if (count_ < image_.size()) return absl::InvalidArgumentError("RecordTable: records are missing");
  THIMBLE_ASSIGN_OR_RETURN(Buffer buffer, std::move(image_).Finish());
  THIMBLE_ASSIGN_OR_RETURN(RecordTableView view, ViewOf(buffer));
  return RecordTable(std::move(view), std::move(buffer));
}

FieldSpec MeasureField(std::string name, std::uint64_t size, const std::function<std::string_view(std::uint64_t)>& value) {
  internal::NumberField numbers;
  for (std::uint64_t i = 0; i < size && numbers.possible(); ++i) numbers.Add(value(i));
  if (std::optional<FieldSpec> spec = numbers.Spec(name)) return *std::move(spec);
  // Different texts by their hashes: two that collide, in one of 2^24 files of a million texts, make the field at most one
  // code too narrow, which Finish reports.
  std::vector<std::uint64_t> hashes;
  for (std::uint64_t i = 0; i < size; ++i) {
    hashes.push_back(Hash64(value(i)));
    if (hashes.size() == hashes.capacity() || i + 1 == size) {  // before it would grow
      std::sort(hashes.begin(), hashes.end());
      hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
      if (hashes.size() > hashes.capacity() / 2) hashes.reserve(hashes.capacity() * 2);
    }
  }
  const std::uint64_t largest_code = hashes.empty() ? 0 : hashes.size() - 1;
  return {.name = std::move(name), .type = FieldType::kText, .width = static_cast<unsigned>(std::bit_width(largest_code))};
}

}  // namespace thimble
