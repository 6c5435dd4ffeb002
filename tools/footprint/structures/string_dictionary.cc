#include "thimble/string_dictionary.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "status_macros.h"
#include "structure.h"

namespace thimble::footprint {
namespace {

template <StringDictionary::Mode kMode>
class StringDictionaryCandidate final : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    std::vector<std::string_view> keys;
    keys.reserve(column.size());
    for (std::uint64_t i = 0; i < column.size(); ++i) keys.push_back(column.text(i));
    std::sort(keys.begin(), keys.end());
    StringDictionary::Builder builder({.mode = kMode});
    for (const std::string_view key : keys) THIMBLE_RETURN_IF_ERROR(builder.Add(key));
    absl::StatusOr<StringDictionary> built = std::move(builder).Finish();
    if (built.ok()) dictionary_.emplace(*std::move(built));
    return built.status();
  }
  std::uint64_t stored() const override { return dictionary_->size(); }
  std::uint64_t LookUp(const Probes& probes) const override {
    std::uint64_t sum = 0;
    for (const std::string& text : probes.texts) sum += dictionary_->Find(text).value_or(0);
    return sum;
  }
  std::span<const std::byte> image() const override { return dictionary_->image(); }

 private:
  std::optional<StringDictionary> dictionary_;
};

using Mode = StringDictionary::Mode;
const Registered balanced({.name = "StringDictionary", .family = Family::kThimble, .fits = kText, .jobs = kMembership | kKeyToId},
                          Make<StringDictionaryCandidate<Mode::kBalanced>>);
const Registered dense({.name = "StringDictionary dense", .family = Family::kThimble, .fits = kText, .jobs = kMembership | kKeyToId},
                       Make<StringDictionaryCandidate<Mode::kDense>>);

}  // namespace
}  // namespace thimble::footprint
