#include <absl/container/btree_set.h>

#include "naive.h"

namespace thimble::footprint {
namespace {

template <class T>
class AbslBtreeSet final : public NaiveSet<absl::btree_set<T>> {};

const NaiveFamily<AbslBtreeSet<std::string>, AbslBtreeSet<std::int64_t>, AbslBtreeSet<double>> absl_btree_set("absl::btree_set", ">", kMembership);

}  // namespace
}  // namespace thimble::footprint
