#include "thimble/record_heap.h"

#include <string>

#include "status_macros.h"
#include "structure.h"

namespace thimble::footprint {
namespace {

// A column's text, or whole rows: each field behind its length, so that a row reads back. It names records by ids of its own,
// so it iterates and has no job of the report's.
class RecordHeapCandidate final : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    std::string row;
    for (std::uint64_t i = 0; i < column.size(); ++i) {
      if (column.type() != kRow) {
        THIMBLE_RETURN_IF_ERROR(heap_.Insert(column.text(i)).status());
        continue;
      }
      row.clear();
      for (const Column& field : column.fields()) {
        const std::string_view text = field.text(i);
        std::size_t length = text.size();
        for (; length >= 128; length >>= 7) row.push_back(static_cast<char>(length | 128));
        row.push_back(static_cast<char>(length));
        row += text;
      }
      THIMBLE_RETURN_IF_ERROR(heap_.Insert(row).status());
    }
    return absl::OkStatus();
  }
  std::uint64_t stored() const override { return heap_.size(); }
  std::span<const std::byte> image() const override { return heap_.image(); }

 private:
  RecordHeap heap_{RecordHeap::Options{}};
};

const Registered record_heap({.name = "RecordHeap", .family = Family::kThimble, .fits = kText | kRow}, Make<RecordHeapCandidate>);

}  // namespace
}  // namespace thimble::footprint
