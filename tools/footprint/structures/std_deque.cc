#include <deque>

#include "naive.h"

namespace thimble::footprint {
namespace {

template <class T>
class Naive final : public NaiveArray<std::deque<T>> {};

const NaiveFamily<Naive<std::string>, Naive<std::int64_t>, Naive<double>> registered("std::deque", ">", kIdToValue);

}  // namespace
}  // namespace thimble::footprint
