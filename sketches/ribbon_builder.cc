#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include <status_macros.h>

#include "ribbon_hash.h"
#include "ribbon_solver.h"
#include "thimble/ribbon.h"

namespace thimble {
namespace {

using ribbon::HashAndValue;
using ribbon::HashOnly;
using ribbon::ShardSolver;

constexpr std::uint64_t kKeysPerShard = std::uint64_t{1} << 18;
constexpr std::uint64_t kLargePage = std::uint64_t{2} << 20;
// Of one thread that solves a shard, at most.
constexpr std::uint64_t kSolverBytes = std::uint64_t{16} << 20;

std::uint64_t ShardsFor(std::uint64_t keys) { return std::max<std::uint64_t>(1, (keys + kKeysPerShard / 2) / kKeysPerShard); }

// Puts the items in the order of their shards, in place: each goes where the next of its shard belongs, until the chain of
// those that it displaces closes. Returns where each shard begins.
template <class Item>
std::vector<std::uint64_t> Partition(std::span<Item> items, std::uint64_t shards, std::uint64_t first, std::uint64_t last) {
  const auto shard_of = [&](const Item& item) { return ribbon::MultiplyHigh(item.hash, shards) - first; };
  std::vector<std::uint64_t> begins(last - first + 1, 0);
  for (const Item& item : items) ++begins[shard_of(item) + 1];
  for (std::size_t i = 1; i < begins.size(); ++i) begins[i] += begins[i - 1];
  std::vector<std::uint64_t> next(begins.begin(), begins.end() - 1);
  for (std::size_t shard = 0; shard < next.size(); ++shard) {
    while (next[shard] < begins[shard + 1]) {
      Item item = items[next[shard]];
      for (std::uint64_t to = shard_of(item); to != shard; to = shard_of(item)) {
        // The processor does not see by itself that each shard is written in order.
        __builtin_prefetch(items.data() + next[to] + 128 / sizeof(Item), 1);
        std::swap(item, items[next[to]++]);
      }
      items[next[shard]++] = item;
    }
  }
  return begins;
}

}  // namespace

void RibbonBuilder::Add(std::uint64_t hash, std::uint64_t value) {
  if (shards_ != 0) {
    const std::uint64_t shard = ribbon::MultiplyHigh(hash, shards_);
    if (shard < window_begin_ || shard >= window_end_) return;
  }
  const std::size_t bytes = options_.has_values ? sizeof(HashAndValue) : sizeof(HashOnly);
  if (pending_.size() < (size_ + 1) * bytes) {
    if (pending_.size() == 0) pending_ = Buffer::Heap(1024 * bytes);
    // The heap grows, or throws; by whole large pages, for half ones would be copied when they become whole.
    const std::size_t wanted = pending_.size() / 4 * 5 + 1024 * bytes;
    const absl::Status grown = pending_.Grow(RoundUp(wanted, wanted < 4 * kLargePage ? 16 : kLargePage));
    if (!grown.ok()) throw std::bad_alloc();
  }
  std::byte* at = pending_.data() + size_++ * bytes;
  Store(at, hash);
  if (options_.has_values) Store(at + 8, value);
}

absl::Status RibbonBuilder::Begin(std::uint64_t keys, Buffer buffer) {
  shards_ = ShardsFor(keys);
  count_ = 0;
  image_ = std::move(buffer);
  end_word_ = RoundUp(Ribbon::kHeaderBytes + shards_ * Ribbon::kRecordBytes, 64) / 8;
  if (image_.size() == 0) {
    // About what it takes, so that it hardly grows.
    const double bits = options_.bits + 1 - std::ldexp(static_cast<double>(options_.narrow_share), -32) + 0.04;
    image_ = Buffer::Heap(end_word_ * 8 + kImageSlack + static_cast<std::uint64_t>(bits * static_cast<double>(keys)) / 64 * 8);
  }
  return image_.Grow(end_word_ * 8 + kImageSlack);
}

absl::Status RibbonBuilder::SolveWindow() {
  const auto solve = [&](auto* items) -> absl::Status {
    using Item = std::remove_pointer_t<decltype(items)>;
    const std::uint64_t last = std::min(window_end_, shards_);
    const std::vector<std::uint64_t> begins = Partition(std::span<Item>(items, size_), shards_, window_begin_, last);
    const std::size_t threads = std::max(1u, options_.threads);
    std::vector<ShardSolver<Item>> solvers(threads, ShardSolver<Item>(shards_, options_.bits, options_.narrow_share));
    for (std::uint64_t shard = window_begin_; shard < last; shard += threads) {
      // One shard a thread; then they are appended in order.
      std::vector<absl::Status> solved(threads);
      const auto solve_one = [&](std::size_t i) {
        const std::uint64_t begin = begins[shard + i - window_begin_], end = begins[shard + i + 1 - window_begin_];
        solved[i] = solvers[i].Solve(std::span<Item>(items + begin, end - begin));
      };
      const std::size_t n = std::min<std::uint64_t>(threads, last - shard);
      std::vector<std::thread> helpers;
      for (std::size_t i = 1; i < n; ++i) helpers.emplace_back(solve_one, i);
      solve_one(0);
      for (std::thread& helper : helpers) helper.join();
      std::uint64_t scratch = pending_.size();
      for (std::size_t i = 0; i < n; ++i) {
        THIMBLE_RETURN_IF_ERROR(solved[i]);
        const ShardSolver<Item>& solver = solvers[i];
        THIMBLE_RETURN_IF_ERROR(image_.Grow((end_word_ + solver.words().size()) * 8 + kImageSlack));
        std::byte* record = image_.data() + Ribbon::kHeaderBytes + (shard + i) * Ribbon::kRecordBytes;
        Store(record, end_word_ | solver.seed() << 48);
        std::memcpy(record + 8, solver.blocks().data(), sizeof solver.blocks());
        if (!solver.words().empty()) std::memcpy(image_.data() + end_word_ * 8, solver.words().data(), solver.words().size() * 8);
        end_word_ += solver.words().size();
        count_ += solver.distinct();
        scratch += solver.bytes();
      }
      peak_bytes_ = std::max(peak_bytes_, scratch);
    }
    size_ = 0;
    return absl::OkStatus();
  };
  return options_.has_values ? solve(reinterpret_cast<HashAndValue*>(pending_.data())) : solve(reinterpret_cast<HashOnly*>(pending_.data()));
}

absl::StatusOr<Buffer> RibbonBuilder::End() {
  ImageHeader header{.kind = options_.kind, .header_bytes = Ribbon::kHeaderBytes, .hash_scheme = HashScheme::kThimble, .count = count_, .seed = options_.seed};
  header.image_bytes = header.used_bytes = end_word_ * 8 + kImageSlack;
  header.parameters[0] = shards_;
  header.parameters[1] = static_cast<std::uint64_t>(options_.bits) << 48 | options_.narrow_share;
  header.Write(image_.bytes());
  image_.Shrink(header.image_bytes);
  shards_ = 0;
  pending_ = Buffer();
  return std::move(image_);
}

absl::StatusOr<Buffer> RibbonBuilder::Finish(Buffer buffer) {
  const std::uint64_t added = size_;
  const bool on_heap = buffer.size() == 0;
  const auto solve = [&](std::uint64_t keys, Buffer to) -> absl::Status {
    THIMBLE_RETURN_IF_ERROR(Begin(keys, std::move(to)));
    size_ = added;
    window_begin_ = 0;
    window_end_ = shards_;
    return SolveWindow();
  };
  THIMBLE_RETURN_IF_ERROR(solve(added, std::move(buffer)));
  // Most were duplicates, which left the shards all but empty: again, with as many as the keys need.
  if (ShardsFor(count_) < shards_ / 2) THIMBLE_RETURN_IF_ERROR(solve(count_, on_heap ? Buffer() : std::move(image_)));
  return End();
}

absl::StatusOr<Buffer> RibbonBuilder::Replay(std::uint64_t keys, std::uint64_t scratch_bytes, const std::function<void()>& replay, Buffer buffer) {
  THIMBLE_RETURN_IF_ERROR(Begin(keys, std::move(buffer)));
  const std::uint64_t bytes = options_.has_values ? sizeof(HashAndValue) : sizeof(HashOnly);
  const std::uint64_t fixed = kSolverBytes * std::max(1u, options_.threads);
  // A window of w shards gets its share of the keys, and hardly ever 6 standard deviations more.
  const std::uint64_t room = scratch_bytes > fixed ? (scratch_bytes - fixed) / bytes : 0;
  const double per_shard = static_cast<double>(keys) / static_cast<double>(shards_);
  std::uint64_t step = static_cast<std::uint64_t>(static_cast<double>(room) / (per_shard * 1.02 + 1));
  step = std::clamp<std::uint64_t>(step, 1, shards_);
  const double expected = static_cast<double>(step) * per_shard;
  pending_ = Buffer::Heap(RoundUp(static_cast<std::uint64_t>(expected + 6 * std::sqrt(expected)) + 64, 64) * bytes);
  for (window_begin_ = 0; window_begin_ < shards_; window_begin_ = window_end_) {
    window_end_ = std::min(window_begin_ + step, shards_);
    replay();
    THIMBLE_RETURN_IF_ERROR(SolveWindow());
  }
  return End();
}

}  // namespace thimble
