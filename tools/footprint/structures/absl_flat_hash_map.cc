#include <absl/container/flat_hash_map.h>

#include "naive.h"

namespace thimble::footprint {
namespace {

template <class T>
class Naive final : public NaiveMap<absl::flat_hash_map<T, std::uint64_t>> {};

const NaiveFamily<Naive<std::string>, Naive<std::int64_t>, Naive<double>> registered("absl::flat_hash_map", ", uint64_t>", kKeyToId | kMembership);

}  // namespace
}  // namespace thimble::footprint
