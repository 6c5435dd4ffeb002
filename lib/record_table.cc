#include "thimble/record_table.h"

#include <bit>
#include <charconv>

#include "status_macros.h"
#include "thimble/decimal_vector.h"
#include "thimble/hash.h"

namespace thimble {
namespace {

// A number as it is written: sign, digits, and how many of them stand behind the point.
struct Written {
  std::int64_t mantissa = 0;
  unsigned digits = 0;
  std::size_t length = 0;  // of the digits in front of the point
  bool negative = false;
  bool zeros_in_front = false;
  bool zeros_behind = false;
};

// At most so many digits: then the double that the text reads as is the quotient of two exact integers.
constexpr std::size_t kMaxNumberDigits = 15;

std::optional<Written> Read(std::string_view text) {
  Written written;
  written.negative = !text.empty() && text.front() == '-';
  if (written.negative) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view behind = point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  if (whole.empty() || whole.size() + behind.size() > kMaxNumberDigits || (point != std::string_view::npos && behind.empty())) {
    return std::nullopt;
  }
  for (const std::string_view part : {whole, behind}) {
    for (const char c : part) {
      if (c < '0' || c > '9') return std::nullopt;
      written.mantissa = written.mantissa * 10 + (c - '0');
    }
  }
  if (written.negative && written.mantissa == 0) return std::nullopt;  // "-0"
  if (written.negative) written.mantissa = -written.mantissa;
  written.digits = static_cast<unsigned>(behind.size());
  written.length = whole.size();
  written.zeros_in_front = whole.size() > 1 && whole.front() == '0';
  written.zeros_behind = !behind.empty() && behind.back() == '0';
  return written;
}

std::int64_t IntegerPower(unsigned digits) {
  std::int64_t power = 1;
  for (; digits > 0; --digits) power *= 10;
  return power;
}

// The mantissa with `digits` behind the point. Requires: it has no more.
std::int64_t Scaled(const Written& written, unsigned digits) { return written.mantissa * IntegerPower(digits - written.digits); }

std::string FormatNumber(std::int64_t mantissa, const FieldSpec& spec) {
  std::uint64_t magnitude = static_cast<std::uint64_t>(mantissa);
  if (mantissa < 0) magnitude = ~magnitude + 1;
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
  return mantissa < 0 ? "-" + text : text;
}

// What numbers a field's values could be, as far as they were seen.
class Numbers {
 public:
  void Add(std::string_view text) {
    const std::optional<Written> written = possible() ? Read(text) : std::nullopt;
    if (!written) {
      plain_ = padded_ = trimmed_ = full_ = false;
      return;
    }
    if (first_) digits_ = written->digits, length_ = written->length;
    padded_ &= written->digits == 0 && !written->negative && written->length == length_;
    plain_ &= written->digits == 0 && !written->zeros_in_front;
    trimmed_ &= !written->zeros_in_front && !written->zeros_behind;
    full_ &= !written->zeros_in_front && (written->digits == digits_);
    if (written->digits > digits_) {
      const std::int64_t power = IntegerPower(written->digits - digits_);
      if (__builtin_mul_overflow(least_, power, &least_) || __builtin_mul_overflow(most_, power, &most_)) trimmed_ = false;
      digits_ = written->digits;
    }
    std::int64_t scaled = 0;
    if (__builtin_mul_overflow(written->mantissa, IntegerPower(digits_ - written->digits), &scaled)) trimmed_ = false;
    least_ = first_ ? scaled : std::min(least_, scaled);
    most_ = first_ ? scaled : std::max(most_, scaled);
    // Every value must be an exact double at the digits of all.
    if (std::max(most_, -least_) > std::int64_t{1} << 53) trimmed_ = full_ = false;
    first_ = false;
  }

  bool possible() const { return plain_ || padded_ || trimmed_ || full_; }

  std::optional<FieldSpec> Spec(std::string name) const {
    if (first_ || !possible()) return std::nullopt;
    FieldSpec spec{.name = std::move(name), .base = least_};
    spec.width = static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(most_) - static_cast<std::uint64_t>(least_)));
    if (plain_) return spec;
    if (padded_) {
      spec.digits = static_cast<unsigned>(length_);
      return spec;
    }
    spec.type = FieldType::kDecimal;
    spec.digits = digits_;
    spec.padded = !trimmed_;
    return spec;
  }

 private:
  bool first_ = true;
  bool plain_ = true, padded_ = true, trimmed_ = true, full_ = true;
  unsigned digits_ = 0;
  std::size_t length_ = 0;
  std::int64_t least_ = 0, most_ = 0;  // at digits_
};

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
  const auto scaled = static_cast<double>(static_cast<std::int64_t>(Run(field)[i] + static_cast<std::uint64_t>(spec.base)));
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
  return FormatNumber(static_cast<std::int64_t>(Run(field)[i] + static_cast<std::uint64_t>(spec.base)), spec);
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
    const std::optional<Written> written = Read(values[field]);
    const unsigned digits = spec.type == FieldType::kDecimal ? spec.digits : 0;
    if (!written || written->digits > digits || digits - written->digits > kMaxNumberDigits) {
      image_.Fail(field, count_, "is no such number");
      continue;
    }
    const std::int64_t scaled = Scaled(*written, digits);
    if (FormatNumber(scaled, spec) != values[field]) image_.Fail(field, count_, "would come back as another text");
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
  Numbers numbers;
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
