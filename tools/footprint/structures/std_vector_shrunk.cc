#include <vector>

#include "naive.h"

namespace thimble::footprint {
namespace {

// The same vector once its owner has thought of shrink_to_fit.
template <class T>
class Shrunk final : public NaiveArray<std::vector<T>> {
 public:
  absl::Status Build(const Column& column) override {
    absl::Status built = NaiveArray<std::vector<T>>::Build(column);
    this->values_.shrink_to_fit();
    return built;
  }
};

const NaiveFamily<Shrunk<std::string>, Shrunk<std::int64_t>, Shrunk<double>> std_vector_shrunk("std::vector", ">, shrunk", kIdToValue);

}  // namespace
}  // namespace thimble::footprint
