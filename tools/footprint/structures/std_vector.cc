#include <vector>

#include "naive.h"

namespace thimble::footprint {
namespace {

template <class T>
class StdVector final : public NaiveArray<std::vector<T>> {};

const NaiveFamily<StdVector<std::string>, StdVector<std::int64_t>, StdVector<double>> std_vector("std::vector", ">", kIdToValue);

}  // namespace
}  // namespace thimble::footprint
