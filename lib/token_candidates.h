#pragma once

#include <cstddef>
#include <vector>

#include "token_book.h"

namespace thimble::internal {

// The first `limit` or fewer tokens that joining the most frequent neighbours over and over finds in the sample (byte pair
// encoding, many pairs a round), after the 256 single bytes and, if `ends`, the empty end. No text is longer than
// TokenTable::kMaxText; none comes twice.
std::vector<Token> CandidateTokens(const TokenSample& sample, std::size_t limit, bool ends);

}  // namespace thimble::internal
