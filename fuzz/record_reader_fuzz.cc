// Reads the input as lines, as CSV and as TSV, by the reader of `thimble report`.

#include <algorithm>
#include <cstring>

#include "record_reader.h"
#include "targets.h"

namespace thimble::fuzz {
namespace {

class MemorySource final : public tools::ByteSource {
 public:
  explicit MemorySource(Bytes bytes) : bytes_(bytes) {}
  absl::StatusOr<std::size_t> Read(std::span<char> to) override {
    const std::size_t count = std::min(to.size(), bytes_.size());
    if (count > 0) std::memcpy(to.data(), bytes_.data(), count);
    bytes_ = bytes_.subspan(count);
    return count;
  }
  std::string_view compression() const override { return "plain"; }

 private:
  Bytes bytes_;
};

}  // namespace

void FuzzRecordReader(Bytes input) {
  for (const char delimiter : {'\0', ',', '\t'}) {
    MemorySource source(input);
    tools::RecordReader reader(source, {.delimiter = delimiter});
    (void)reader.Preview(100);
    std::size_t bytes = 0;
    for (absl::StatusOr<bool> more = reader.Next(); more.ok() && *more; more = reader.Next()) {
      for (std::size_t i = 0; i < reader.size(); ++i) bytes += reader.field(i).size();
    }
    if (bytes > input.size()) __builtin_trap();
  }
}

}  // namespace thimble::fuzz
