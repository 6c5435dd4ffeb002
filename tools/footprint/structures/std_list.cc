#include <list>

#include "naive.h"

namespace thimble::footprint {
namespace {

template <class T>
class Naive final : public NaiveSequence<std::list<T>> {};

const NaiveFamily<Naive<std::string>, Naive<std::int64_t>, Naive<double>> registered("std::list", ">", kNoJob);

}  // namespace
}  // namespace thimble::footprint
