#include <absl/container/flat_hash_set.h>

#include "naive.h"

namespace thimble::footprint {
namespace {

template <class T>
class AbslFlatHashSet final : public NaiveSet<absl::flat_hash_set<T>> {};

const NaiveFamily<AbslFlatHashSet<std::string>, AbslFlatHashSet<std::int64_t>, AbslFlatHashSet<double>> absl_flat_hash_set("absl::flat_hash_set", ">", kMembership);

}  // namespace
}  // namespace thimble::footprint
