#include <vector>

#include "naive.h"

namespace thimble::footprint {
namespace {

template <class T>
class Naive final : public NaiveArray<std::vector<T>> {};

const NaiveFamily<Naive<std::string>, Naive<std::int64_t>, Naive<double>> registered("std::vector", ">", kIdToValue);

}  // namespace
}  // namespace thimble::footprint
