#include "testing.h"

// docs/format.md shows the bytes of a file. This is the file, and the document is held to it.

#include <cstdio>

#include "test_image.h"
#include "thimble/store_writer.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(format)

// Lines of 16 bytes, runs of zero lines as "*": what `hexdump -C` prints, without its last line.
std::string HexDump(std::span<const std::byte> bytes) {
  std::string dump;
  bool skipping = false;
  for (std::size_t at = 0; at < bytes.size(); at += 16) {
    const std::span<const std::byte> line = bytes.subspan(at, std::min<std::size_t>(16, bytes.size() - at));
    if (std::ranges::all_of(line, [](std::byte b) { return b == std::byte{0}; })) {
      if (!skipping) dump += "*\n";
      skipping = true;
      continue;
    }
    skipping = false;
    char text[32];
    std::snprintf(text, sizeof text, "%08zx ", at);
    dump += text;
    for (std::size_t i = 0; i < line.size(); ++i) {
      std::snprintf(text, sizeof text, i == 8 ? "  %02x" : " %02x", static_cast<unsigned>(line[i]));
      dump += text;
    }
    dump += "  |";
    for (std::byte b : line) dump += b >= std::byte{0x20} && b < std::byte{0x7f} ? static_cast<char>(b) : '.';
    dump += "|\n";
  }
  return dump;
}

BOOST_AUTO_TEST_CASE(TheDocumentShowsTheFile) {
  const testing::TemporaryFolder folder;
  absl::StatusOr<StoreWriter> writer = StoreWriter::Create(folder.File("a"));
  REQUIRE_OK(writer);
  REQUIRE_OK(writer->AddBytes("motto", BytesOf("small is beautiful", 18)));
  REQUIRE_OK(writer->Finish());
  const std::string dump = HexDump(testing::ReadBytes(folder.File("a")));
  const std::vector<std::byte> document = testing::ReadBytes(std::string(std::getenv("THIMBLE_TEST_DATA")) + "/../../docs/format.md");
  const std::string text(reinterpret_cast<const char*>(document.data()), document.size());
  BOOST_TEST(text.find(dump) != std::string::npos, "docs/format.md should show\n" << dump);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
