#include <unordered_map>

#include "naive.h"

namespace thimble::footprint {
namespace {

template <class T>
class Naive final : public NaiveMap<std::unordered_map<T, std::uint64_t>> {};

const NaiveFamily<Naive<std::string>, Naive<std::int64_t>, Naive<double>> registered("std::unordered_map", ", uint64_t>", kKeyToId | kMembership);

}  // namespace
}  // namespace thimble::footprint
