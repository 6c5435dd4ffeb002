#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "naive.h"

namespace thimble::footprint {
namespace {

// What std::vector<Row> is for `struct Row { std::string a, b, ...; }`, with the number of members known at run time only: the
// same blocks, grown by the same doubling, the same moves.
class VectorOfStructs {
 public:
  explicit VectorOfStructs(std::size_t members) : members_(members) {}
  VectorOfStructs(const VectorOfStructs&) = delete;
  VectorOfStructs& operator=(const VectorOfStructs&) = delete;
  ~VectorOfStructs() { Release(); }

  std::size_t size() const { return size_; }
  const std::string* operator[](std::size_t i) const { return strings_ + i * members_; }

  std::string* Append() {
    if (size_ == capacity_) Reallocate(size_ == 0 ? 1 : 2 * size_);
    std::string* row = strings_ + size_++ * members_;
    std::uninitialized_value_construct_n(row, members_);
    return row;
  }
  void ShrinkToFit() { Reallocate(size_); }

 private:
  void Reallocate(std::size_t capacity) {
    auto* strings = static_cast<std::string*>(operator new(capacity * members_ * sizeof(std::string)));
    std::uninitialized_move_n(strings_, size_ * members_, strings);
    Release();
    strings_ = strings;
    capacity_ = capacity;
  }
  void Release() {
    std::destroy_n(strings_, size_ * members_);
    operator delete(strings_);
  }

  std::size_t members_;
  std::size_t size_ = 0, capacity_ = 0;
  std::string* strings_ = nullptr;
};

class Rows : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    rows_ = std::make_unique<VectorOfStructs>(column.fields().size());
    for (std::uint64_t i = 0; i < column.size(); ++i) {
      std::string* row = rows_->Append();
      for (const Column& field : column.fields()) *row++ = field.text(i);
    }
    return absl::OkStatus();
  }
  std::uint64_t stored() const override { return rows_->size(); }
  std::uint64_t LookUp(const Probes& probes) const override {
    std::uint64_t sum = 0;
    for (const std::uint64_t id : probes.ids) sum += Weigh(*(*rows_)[id]);
    return sum;
  }

 protected:
  std::unique_ptr<VectorOfStructs> rows_;
};

class ShrunkRows final : public Rows {
 public:
  absl::Status Build(const Column& column) override {
    absl::Status built = Rows::Build(column);
    rows_->ShrinkToFit();
    return built;
  }
};

class VectorOfVectors final : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    for (std::uint64_t i = 0; i < column.size(); ++i) {
      std::vector<std::string> row;
      for (const Column& field : column.fields()) row.emplace_back(field.text(i));
      rows_.push_back(std::move(row));
    }
    return absl::OkStatus();
  }
  std::uint64_t stored() const override { return rows_.size(); }
  std::uint64_t LookUp(const Probes& probes) const override {
    std::uint64_t sum = 0;
    for (const std::uint64_t id : probes.ids) sum += Weigh(rows_[id].front());
    return sum;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
};

const Registered rows({.name = "std::vector<Row>", .fits = kRow, .jobs = kIdToValue}, Make<Rows>);
const Registered shrunk({.name = "std::vector<Row>, shrunk", .fits = kRow, .jobs = kIdToValue}, Make<ShrunkRows>);
const Registered vectors({.name = "std::vector<std::vector<std::string>>", .fits = kRow, .jobs = kIdToValue}, Make<VectorOfVectors>);

}  // namespace
}  // namespace thimble::footprint
