#include <list>

#include "naive.h"

namespace thimble::footprint {
namespace {

template <class T>
class StdList final : public NaiveSequence<std::list<T>> {};

const NaiveFamily<StdList<std::string>, StdList<std::int64_t>, StdList<double>> std_list("std::list", ">", kNoJob);

}  // namespace
}  // namespace thimble::footprint
