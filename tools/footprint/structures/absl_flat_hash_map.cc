#include <absl/container/flat_hash_map.h>

#include "naive.h"

namespace thimble::footprint {
namespace {

template <class T>
class AbslFlatHashMap final : public NaiveMap<absl::flat_hash_map<T, std::uint64_t>> {};

const NaiveFamily<AbslFlatHashMap<std::string>, AbslFlatHashMap<std::int64_t>, AbslFlatHashMap<double>> absl_flat_hash_map("absl::flat_hash_map", ", uint64_t>", kKeyToId | kMembership);

}  // namespace
}  // namespace thimble::footprint
