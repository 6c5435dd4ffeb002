#include <absl/container/btree_set.h>

#include "naive.h"

namespace thimble::footprint {
namespace {

template <class T>
class Naive final : public NaiveSet<absl::btree_set<T>> {};

const NaiveFamily<Naive<std::string>, Naive<std::int64_t>, Naive<double>> registered("absl::btree_set", ">", kMembership);

}  // namespace
}  // namespace thimble::footprint
