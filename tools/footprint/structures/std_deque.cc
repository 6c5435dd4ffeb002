#include <deque>

#include "naive.h"

namespace thimble::footprint {
namespace {

template <class T>
class StdDeque final : public NaiveArray<std::deque<T>> {};

const NaiveFamily<StdDeque<std::string>, StdDeque<std::int64_t>, StdDeque<double>> std_deque("std::deque", ">", kIdToValue);

}  // namespace
}  // namespace thimble::footprint
