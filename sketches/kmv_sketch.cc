#include "thimble/kmv_sketch.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "scheme_hash.h"
#include "status_macros.h"

namespace thimble {
namespace {

constexpr unsigned kSketchColumns = 1;  // the hashes

// The positive numbers n of keys for which `seen` of them, each sampled at `rate`, lie `sigmas` standard deviations of a
// binomial distribution off the mean: (seen - n rate)^2 = sigmas^2 n rate (1 - rate).
double SolveCount(double seen, double rate, double sigmas, double sign) {
  const double middle = seen + sigmas * sigmas * (1 - rate) / 2;
  return (middle + sign * std::sqrt(std::max(0.0, middle * middle - seen * seen))) / rate;
}

// The hashes of `a`, below theta, that are (or are not) also in `b`.
std::vector<std::uint64_t> Filter(const KmvSketchView& a, const KmvSketchView& b, std::uint64_t theta, bool in_both) {
  const std::span<const std::uint64_t> from = a.hashes(), other = b.hashes();
  std::vector<std::uint64_t> kept;
  std::size_t j = 0;
  for (std::size_t i = 0; i < from.size() && from[i] < theta; ++i) {
    while (j < other.size() && other[j] < from[i]) ++j;
    if ((j < other.size() && other[j] == from[i]) == in_both) kept.push_back(from[i]);
  }
  return kept;
}

KmvSketch::Options OptionsOf(const KmvSketchView& view) {
  return {.k = view.k(), .hash_scheme = view.hash_scheme(), .seed = view.seed()};
}

}  // namespace

absl::StatusOr<KmvSketchView> KmvSketchView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const KmvSample sample, ReadImage(image, kKind, kSketchColumns));
  return KmvSketchView(sample);
}

double KmvSketchView::Estimate() const { return static_cast<double>(size_) / sampling_rate(); }

double KmvSketchView::StandardError() const {
  if (exact()) return 0;
  return std::sqrt((1 - sampling_rate()) / std::max(1.0, static_cast<double>(size_) - 2));
}

double KmvSketchView::LowerBound(double sigmas) const {
  const auto seen = static_cast<double>(size_);
  return std::max(seen, SolveCount(seen, sampling_rate(), sigmas, -1));
}

double KmvSketchView::UpperBound(double sigmas) const {
  return SolveCount(static_cast<double>(size_), sampling_rate(), sigmas, 1);
}

absl::StatusOr<Interval> KmvSketchView::Jaccard(const KmvSketchView& other, double sigmas) const {
  THIMBLE_RETURN_IF_ERROR(CheckCompatible(other));
  const std::uint64_t common = std::min(theta_, other.theta_);
  const auto both = static_cast<double>(Filter(*this, other, common, true).size());
  const double any = static_cast<double>(CountBelow(common) + other.CountBelow(common)) - both;
  if (any <= 0) return common == kMaxTheta ? Interval{0, 0, 0} : Interval{0, 0, 1};
  const double share = both / any;
  if (common == kMaxTheta) return Interval{share, share, share};
  // Wilson's score interval: the union's hashes are a sample, of which `both` are in both.
  const double z = sigmas * sigmas / any;
  const double middle = (share + z / 2) / (1 + z);
  const double reach = std::sqrt(z * (share * (1 - share) + z / 4)) / (1 + z);
  return Interval{share, std::clamp(middle - reach, 0.0, share), std::clamp(middle + reach, share, 1.0)};
}

KmvSketch::Options KmvSketch::Options::DataSketches(std::uint64_t k, std::uint64_t seed) {
  return {.k = k, .hash_scheme = HashScheme::kMurmur3, .seed = seed};
}

KmvSketch::KmvSketch(const Options& options) : KmvSketch(*Make(options)) {}

std::uint64_t KmvSketch::ImageBytes(const Options& options) { return BytesOf(options.k, kSketchColumns); }

absl::Status KmvSketch::CheckOptions(const Options& options) {
  if (!(options.sampling_rate > 0 && options.sampling_rate <= 1)) {
    return absl::InvalidArgumentError("KmvSketch: the sampling rate lies above 0 and is at most 1");
  }
  return KmvSample::CheckOptions(options.k, options.hash_scheme);
}

absl::StatusOr<KmvSketch> KmvSketch::Make(const Options& options) {
  THIMBLE_RETURN_IF_ERROR(CheckOptions(options));
  return Make(options, Buffer::Heap(ImageBytes(options)));
}

absl::StatusOr<KmvSketch> KmvSketch::Make(const Options& options, Buffer buffer) {
  THIMBLE_RETURN_IF_ERROR(CheckOptions(options));
  std::uint64_t theta = kMaxTheta;
  if (options.sampling_rate < 1) {
    theta = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(options.sampling_rate * static_cast<double>(kMaxTheta)));
  }
  THIMBLE_RETURN_IF_ERROR(WriteImage(buffer, kKind, kSketchColumns, options.k, theta, options.hash_scheme, options.seed));
  THIMBLE_ASSIGN_OR_RETURN(const KmvSketchView view, ViewOf(buffer));
  return KmvSketch(view, std::move(buffer));
}

absl::StatusOr<KmvSketch> KmvSketch::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const KmvSketchView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return KmvSketch(view, std::move(buffer));
}

absl::StatusOr<KmvSketch> KmvSketch::FromHashes(const Options& options, std::uint64_t theta,
                                                std::span<const std::uint64_t> hashes) {
  THIMBLE_ASSIGN_OR_RETURN(KmvSketch sketch, Make(options));
  if (hashes.size() > options.k) return absl::InvalidArgumentError("KmvSketch: more than k hashes");
  sketch.Assign(hashes, theta);
  if (!sketch.Verify().ok()) return absl::InvalidArgumentError("KmvSketch: the hashes do not ascend below theta");
  return sketch;
}

absl::StatusOr<KmvSketch> KmvSketch::Intersection(const KmvSketchView& a, const KmvSketchView& b) {
  THIMBLE_RETURN_IF_ERROR(a.CheckCompatible(b));
  const std::uint64_t common = std::min(a.theta(), b.theta());
  return FromHashes(OptionsOf(a), common, Filter(a, b, common, true));
}

absl::StatusOr<KmvSketch> KmvSketch::Difference(const KmvSketchView& a, const KmvSketchView& b) {
  THIMBLE_RETURN_IF_ERROR(a.CheckCompatible(b));
  const std::uint64_t common = std::min(a.theta(), b.theta());
  return FromHashes(OptionsOf(a), common, Filter(a, b, common, false));
}

std::uint64_t* KmvSketch::mutable_hashes() { return reinterpret_cast<std::uint64_t*>(data() + kColumnsAt); }

// Replaces all; what was above becomes zero, so that equal sketches are equal bytes.
void KmvSketch::Assign(std::span<const std::uint64_t> hashes, std::uint64_t theta) {
  std::uint64_t* const to = mutable_hashes();
  std::copy(hashes.begin(), hashes.end(), to);
  if (hashes.size() < size()) std::fill(to + hashes.size(), to + size(), 0);
  SetSizeAndTheta(data(), hashes.size(), theta);
}

// Adds ascending hashes below theta: makes room for the new ones from the right, block by block. What falls out beyond k
// lowers theta to the smallest hash that is not held.
void KmvSketch::Insert(std::span<const std::uint64_t> hashes) {
  constexpr std::size_t kFew = 512;
  std::uint64_t few_fresh[kFew];
  std::size_t few_places[kFew];
  std::vector<std::uint64_t> many_fresh(hashes.size() > kFew ? hashes.size() : 0);
  std::vector<std::size_t> many_places(many_fresh.size());
  std::uint64_t* const fresh = many_fresh.empty() ? few_fresh : many_fresh.data();
  std::size_t* const places = many_places.empty() ? few_places : many_places.data();
  std::uint64_t* const held = mutable_hashes();
  std::size_t count = 0;
  for (const std::uint64_t hash : hashes) {
    const std::size_t place = CountBelow(hash);
    if (place < size() && held[place] == hash) continue;
    fresh[count] = hash;
    places[count++] = place;
  }
  std::uint64_t new_theta = theta();
  const std::uint64_t new_size = std::min(k(), size() + count);
  std::size_t end = size();
  while (count > 0) {
    const std::size_t place = places[count - 1];
    // [place, end) moves right by `count`, and the hash goes before it.
    const std::size_t target = place + count;
    const std::size_t room = k() > target ? std::min<std::size_t>(end - place, k() - target) : 0;
    if (place + room < end && target + room == k()) new_theta = held[place + room];
    std::copy_backward(held + place, held + place + room, held + target + room);
    if (target - 1 < k()) {
      held[target - 1] = fresh[count - 1];
    } else if (target - 1 == k()) {
      new_theta = fresh[count - 1];
    }
    end = place;
    --count;
  }
  SetSizeAndTheta(data(), new_size, new_theta);
}

void KmvSketch::AddBatch(std::span<std::uint64_t> hashes) {
  std::sort(hashes.begin(), hashes.end());
  // What was below theta when it came need not be any more.
  const auto last = std::unique(hashes.begin(), std::lower_bound(hashes.begin(), hashes.end(), theta()));
  Insert(hashes.first(static_cast<std::size_t>(last - hashes.begin())));
}

std::uint64_t KmvSketch::HashOf(std::string_view key) const { return internal::SchemeHash(hash_scheme(), seed(), key).h1; }

std::uint64_t KmvSketch::HashOfInteger(std::uint64_t key, unsigned unused_bits) const {
  if (hash_scheme() == HashScheme::kMurmur3) {
    key = static_cast<std::uint64_t>(static_cast<std::int64_t>(key << unused_bits) >> unused_bits);
  }
  return internal::SchemeHash(hash_scheme(), seed(), key).h1;
}

void KmvSketch::Add(std::string_view key) {
  if (!Ignores(key)) AddHash(HashOf(key));
}

void KmvSketch::AddMany(std::span<const std::uint64_t> keys) {
  if (hash_scheme() != HashScheme::kThimble) {
    Batch batch(*this);
    for (const std::uint64_t key : keys) batch.Add(key);
    return;
  }
  // Screens a block without a branch: every hash is written, and stays if it is below theta.
  constexpr std::size_t kBlock = 256;
  std::uint64_t passed[2 * kBlock];
  std::size_t count = 0;
  const std::uint64_t hash_seed = seed();
  while (!keys.empty()) {
    const std::uint64_t limit = theta();
    const std::span<const std::uint64_t> block = keys.first(std::min(kBlock, keys.size()));
    for (const std::uint64_t key : block) {
      const std::uint64_t hash = Shorten(Hash64(key, hash_seed));
      passed[count] = hash;
      count += hash < limit ? 1 : 0;
    }
    keys = keys.subspan(block.size());
    if (count >= kBlock || keys.empty()) {
      AddBatch({passed, count});
      count = 0;
    }
  }
}

void KmvSketch::AddMany(std::span<const std::string_view> keys) {
  Batch batch(*this);
  for (const std::string_view key : keys) batch.Add(key);
}

absl::Status KmvSketch::Merge(const KmvSketchView& other) {
  THIMBLE_RETURN_IF_ERROR(CheckCompatible(other));
  std::uint64_t common = std::min(theta(), other.theta());
  const std::span<const std::uint64_t> a = hashes().first(CountBelow(common));
  const std::span<const std::uint64_t> b = other.hashes().first(other.CountBelow(common));
  std::vector<std::uint64_t> all(a.size() + b.size());
  std::size_t i = 0, j = 0, count = 0;
  while (i < a.size() && j < b.size()) {
    all[count++] = std::min(a[i], b[j]);
    const bool take_a = a[i] <= b[j], take_b = b[j] <= a[i];
    i += take_a;
    j += take_b;
  }
  count = static_cast<std::size_t>(std::copy(a.begin() + i, a.end(), all.begin() + count) - all.begin());
  count = static_cast<std::size_t>(std::copy(b.begin() + j, b.end(), all.begin() + count) - all.begin());
  if (count > k()) {
    common = all[k()];
    count = k();
  }
  Assign({all.data(), count}, common);
  return absl::OkStatus();
}

Stats KmvSketch::stats() const {
  const std::uint64_t slack = (k() - size()) * sizeof(std::uint64_t);
  return {.live_bytes = image().size() - slack, .slack_bytes = slack, .peak_bytes = image().size()};
}

}  // namespace thimble
