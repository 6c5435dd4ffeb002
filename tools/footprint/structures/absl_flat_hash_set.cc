#include <absl/container/flat_hash_set.h>

#include "naive.h"

namespace thimble::footprint {
namespace {

template <class T>
class Naive final : public NaiveSet<absl::flat_hash_set<T>> {};

const NaiveFamily<Naive<std::string>, Naive<std::int64_t>, Naive<double>> registered("absl::flat_hash_set", ">", kMembership);

}  // namespace
}  // namespace thimble::footprint
