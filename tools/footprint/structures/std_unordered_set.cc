#include <unordered_set>

#include "naive.h"

namespace thimble::footprint {
namespace {

template <class T>
class Naive final : public NaiveSet<std::unordered_set<T>> {};

const NaiveFamily<Naive<std::string>, Naive<std::int64_t>, Naive<double>> registered("std::unordered_set", ">", kMembership);

}  // namespace
}  // namespace thimble::footprint
