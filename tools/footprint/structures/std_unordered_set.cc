#include <unordered_set>

#include "naive.h"

namespace thimble::footprint {
namespace {

template <class T>
class StdUnorderedSet final : public NaiveSet<std::unordered_set<T>> {};

const NaiveFamily<StdUnorderedSet<std::string>, StdUnorderedSet<std::int64_t>, StdUnorderedSet<double>> std_unordered_set("std::unordered_set", ">", kMembership);

}  // namespace
}  // namespace thimble::footprint
