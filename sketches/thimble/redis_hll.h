#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <absl/status/statusor.h>

#include "thimble/hyperloglog.h"

namespace thimble {

// HyperLogLogs of Redis: the string that a key holds after PFADD or PFMERGE.
//
//   HyperLogLog visitors(HyperLogLog::Options::Redis());
//   for (std::string_view name : names) visitors.Add(name);
//   SET visitors <the bytes of WriteRedisHll(visitors)>        then PFCOUNT visitors, PFMERGE all visitors ...
//   ReadRedisHll(<the bytes that GET visitors answers>)
//
// The same elements give the same registers here and there: precision 14, MurmurHash64A with Redis's seed. A value read
// from a server merges with a sketch made by HyperLogLog::Options::Redis().
//
// Space    dense 12,304 bytes; sparse 16 bytes + 1 to 3 for each register that is not zero, at most 3,000

// Reads a dense or a sparse value. Returns kFailedPrecondition if it is no HyperLogLog, kUnimplemented for an unknown
// encoding, kDataLoss for what no server writes.
absl::StatusOr<HyperLogLog> ReadRedisHll(std::span<const std::byte> value);

// Writes a value that any server takes: sparse while that is below Redis's own default of 3,000 bytes, otherwise dense, 12,304
// bytes. The cached count is marked stale, so that the server computes it. Returns kInvalidArgument for a sketch that was not
// made with HyperLogLog::Options::Redis().
absl::StatusOr<std::vector<std::byte>> WriteRedisHll(const HyperLogLogView& sketch);

}  // namespace thimble
