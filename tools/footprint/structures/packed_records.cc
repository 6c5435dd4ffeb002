#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "structure.h"
#include "thimble/record_table.h"

namespace thimble::footprint {
namespace {

// Rows whose fields are measured first; each comes back as the text that it was.
template <RecordLayout kLayout>
class PackedRecordsCandidate final : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    std::vector<FieldSpec> specs;
    for (std::size_t i = 0; i < column.fields().size(); ++i) specs.push_back(Spec(column, i));
    RecordTable::Builder builder(std::move(specs), column.size(), kLayout);
    std::vector<std::string_view> row(column.fields().size());
    for (std::uint64_t i = 0; i < column.size(); ++i) {
      for (std::size_t field = 0; field < row.size(); ++field) row[field] = column.fields()[field].text(i);
      builder.Add(row);
    }
    absl::StatusOr<RecordTable> table = std::move(builder).Finish();
    if (table.ok()) rows_.emplace(*std::move(table));
    return table.status();
  }
  std::uint64_t stored() const override { return rows_->size(); }
  std::uint64_t LookUp(const Probes& probes) const override {
    std::uint64_t sum = 0;
    for (const std::uint64_t id : probes.ids) sum += rows_->Run(0)[id] + rows_->Text(0, id).size();
    return sum;
  }
  std::span<const std::byte> image() const override { return rows_->image(); }

 private:
  static FieldSpec Spec(const Column& column, std::size_t i) {
    constexpr std::size_t kMaxNameBytes = 255;
    FieldSpec spec = Unnamed(column, i);
    spec.name = column.fields()[i].name().substr(0, kMaxNameBytes);
    return spec;
  }
  static FieldSpec Unnamed(const Column& column, std::size_t i) {
    const FieldSpec* whole = column.field_specs().empty() ? nullptr : &column.field_specs()[i];
    if (whole != nullptr && whole->type != FieldType::kText) return *whole;
    const Column& field = column.fields()[i];
    FieldSpec spec = MeasureField("", field.size(), [&field](std::uint64_t row) { return field.text(row); });
    if (whole == nullptr) return spec;
    // How many texts the whole has was estimated; those of the sample must have room.
    const unsigned least = spec.type == FieldType::kText ? spec.width : 0;
    spec = *whole;
    spec.width = std::max(spec.width, least);
    return spec;
  }

  std::optional<RecordTable> rows_;
};

const Registered rows({.name = "PackedRecords, row-wise", .family = Family::kThimble, .fits = kRow, .jobs = kIdToValue},
                      Make<PackedRecordsCandidate<RecordLayout::kRows>>);
const Registered columns({.name = "PackedRecords, column-wise", .family = Family::kThimble, .fits = kRow, .jobs = kIdToValue},
                         Make<PackedRecordsCandidate<RecordLayout::kColumns>>);

}  // namespace
}  // namespace thimble::footprint
