#include <map>

#include "naive.h"

namespace thimble::footprint {
namespace {

template <class T>
class StdMap final : public NaiveMap<std::map<T, std::uint64_t>> {};

const NaiveFamily<StdMap<std::string>, StdMap<std::int64_t>, StdMap<double>> std_map("std::map", ", uint64_t>", kKeyToId | kMembership);

}  // namespace
}  // namespace thimble::footprint
