#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace thimble::internal {

// Blocks of bytes that wait in memory to be read again, each under a prefix code of its own (Huffman's, of at most 12 bits): some
// 5 bits for a byte of text, and never more than 5 bytes beyond what they are. A block takes some 130 bytes for its code, so tens
// of KiB pay it back; packing and unpacking take one to two nanoseconds a byte. For memory that this process wrote: what is read
// is not checked.
//
//   std::string log, block;
//   PackBytes("what came", &log);
//   std::size_t at = UnpackBytes(log, &block);   // block == "what came", and the next one stands at `at`

// Appends a block to `log`.
void PackBytes(std::string_view block, std::string* log);

// Reads the block at the beginning of `log`; returns how many bytes it stands in.
std::size_t UnpackBytes(std::string_view log, std::string* block);

}  // namespace thimble::internal
