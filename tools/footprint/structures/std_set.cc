#include <set>

#include "naive.h"

namespace thimble::footprint {
namespace {

template <class T>
class Naive final : public NaiveSet<std::set<T>> {};

const NaiveFamily<Naive<std::string>, Naive<std::int64_t>, Naive<double>> registered("std::set", ">", kMembership);

}  // namespace
}  // namespace thimble::footprint
