#include <unordered_map>

#include "naive.h"

namespace thimble::footprint {
namespace {

template <class T>
class StdUnorderedMap final : public NaiveMap<std::unordered_map<T, std::uint64_t>> {};

const NaiveFamily<StdUnorderedMap<std::string>, StdUnorderedMap<std::int64_t>, StdUnorderedMap<double>> std_unordered_map("std::unordered_map", ", uint64_t>", kKeyToId | kMembership);

}  // namespace
}  // namespace thimble::footprint
