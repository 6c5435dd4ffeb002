#include <set>

#include "naive.h"

namespace thimble::footprint {
namespace {

template <class T>
class StdSet final : public NaiveSet<std::set<T>> {};

const NaiveFamily<StdSet<std::string>, StdSet<std::int64_t>, StdSet<double>> std_set("std::set", ">", kMembership);

}  // namespace
}  // namespace thimble::footprint
