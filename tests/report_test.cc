// The thimble command from outside: files in, exit status and JSON out.
#include "testing.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "report_of.h"
#include "small_disk.h"
#include "thimble/frame_vector.h"
#include "thimble/packed_vector.h"
#include "thimble/record_table.h"
#include "thimble/sparse_set.h"
#include "thimble/store.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(report)

using testing::Json;
using testing::Outcome;
using testing::ReportOf;
using Folder = testing::ToolFolder;

// Of what is said of all structures. Under a sanitizer a child takes a while to begin.
const std::string kStructures = THIMBLE_SANITIZED ? "--structures absl::flat_hash,Filter,Packed,CompactMap " : "";

BOOST_AUTO_TEST_CASE(TheSchemaIsWhole) {
  const Folder folder;
  const Outcome outcome = folder.Thimble("report --json " + kStructures + folder.Write("a.csv", "n,s\n1,a\n2,b\n3,a\n"));
  BOOST_TEST(outcome.exit_code == 0);
  const Json report = Json::parse(outcome.out);
  const Json& column = report["columns"].at(0);
  for (const char* key : {"name", "type", "elements", "distinct", "payload_bytes", "structures", "recommendation"}) BOOST_TEST(column.contains(key), key);
  BOOST_TEST(report["rows"]["elements"] == 3);
  BOOST_TEST(!report["rows"]["structures"].empty());
  for (const Json& structure : column["structures"]) {
    for (const char* key : {"structure", "family", "exact", "stored", "heap_bytes", "mallinfo_bytes", "bytes_per_element", "peak_bytes", "pss_bytes",
                            "build_seconds", "lookup_ns", "promised_error", "measured_error", "failure"}) {
      BOOST_TEST(structure.contains(key), key);
    }
    BOOST_TEST((structure["failure"].is_null() || structure["failure"].is_string()));
  }
  BOOST_TEST(column["recommendation"].size() == 3u);
  for (const Json& recommendation : column["recommendation"]) {
    for (const char* key : {"job", "structure", "bytes_per_element", "saves_percent"}) BOOST_TEST(recommendation.contains(key), key);
  }
}

BOOST_AUTO_TEST_CASE(ExitCodesSayWhatWentWrong) {
  const Folder folder;
  const std::string good = folder.Write("a.csv", "a,b\n1,2\n");
  const auto exit_code = [&](const std::string& arguments) { return folder.Thimble(arguments).exit_code; };
  BOOST_TEST(exit_code("--help") == 0);
  BOOST_TEST(exit_code("--version") == 0);
  BOOST_TEST(exit_code("") == 2);
  BOOST_TEST(exit_code("nonsense") == 2);
  BOOST_TEST(folder.Thimble("nonsense").err.find("nonsense") != std::string::npos);
  BOOST_TEST(exit_code("report") == 2);
  BOOST_TEST(exit_code("report --memory-limit much " + good) == 2);
  BOOST_TEST(exit_code("report --column c " + good) == 2);
  BOOST_TEST(exit_code("report --structures nonsense " + good) == 2);
  BOOST_TEST(exit_code("report " + folder.File("absent")) == 3);
  BOOST_TEST(exit_code("report " + folder.path()) == 3);
  BOOST_TEST(exit_code("report --structures shrunk " + good + " >/dev/full; exit $?; true") == 3);
  for (const char* reader : {"report", "stat", "verify"}) BOOST_TEST(folder.Thimble(std::string(reader) + " %.").exit_code == 3, reader);
  BOOST_TEST(folder.Thimble("report --structures StringStore --save %a.thimble " + folder.Write("a.txt", "x\n")).exit_code == 0);
  for (const char* arguments : {"--help", "stat %a.thimble", "stat --json %a.thimble", "verify %a.thimble", "document man", "count %a.txt"}) {
    BOOST_TEST(exit_code(std::string(arguments) + " >/dev/full; exit $?; true") == 3, arguments);
  }
  BOOST_TEST(exit_code("verify " + good) == 4);
  BOOST_TEST(exit_code("stat " + good) == 4);
  BOOST_TEST(exit_code("verify " + folder.File("absent")) == 3);

  const Outcome open_quote = folder.Thimble("report " + folder.Write("open.csv", "a,b\n1,\"2\n3,4\n"));
  BOOST_TEST(open_quote.exit_code == 4);
  BOOST_TEST(open_quote.err.find("line 2: a quote is never closed") != std::string::npos, open_quote.err);
  BOOST_TEST(exit_code("report " + folder.Write("long.txt", std::string(33 << 20, 'x'))) == 5);
  for (const char* code : {"1 negative", "2 usage", "3 input", "4 corrupt", "5 limit", "6 regression"}) {
    BOOST_TEST(folder.Thimble("--help").out.find(code) != std::string::npos, code);
  }
}

BOOST_AUTO_TEST_CASE(TheInputIsNotWrittenOver) {
  const Folder folder;
  const std::string path = folder.Write("a.txt", "one\ntwo\n");
  for (const char* option : {"--save", "--html"}) {
    BOOST_TEST(folder.Thimble("report --structures StringStore " + path + " " + option + " %./a.txt").exit_code == 2);
    BOOST_TEST(folder.Read("a.txt") == "one\ntwo\n");
  }
}

// What is to be saved is built whole, where a report alone would be content with a sample.
BOOST_AUTO_TEST_CASE(AllIsSavedWhateverTheMemory) {
  const Folder folder;
  std::string numbers;
  for (int i = 0; i < 20000; ++i) numbers += std::to_string(i) + "\n";
  const std::string report = "report --structures PackedVector --memory-limit 200KB " + folder.Write("a.txt", numbers);
  BOOST_TEST(folder.Thimble(report).out.find("predicted from") != std::string::npos);
  const Outcome saved = folder.Thimble(report + " --save %a.thimble");
  BOOST_TEST(saved.exit_code == 0, saved.err);
  BOOST_TEST(StoreReader::Open(folder.File("a.thimble"))->View<PackedVectorView>("line/PackedVector")->size() == 20000u);
}

BOOST_AUTO_TEST_CASE(NothingToSaveIsSaid) {
  const Folder folder;
  const Outcome outcome = folder.Thimble("report --save %a.thimble " + folder.Write("a.txt", ""));
  BOOST_TEST(outcome.exit_code == 3);
  BOOST_TEST(outcome.err.find("a.thimble: not written, as nothing is recommended") != std::string::npos, outcome.err);
  BOOST_TEST(outcome.out.find("0 lines") != std::string::npos, outcome.out);
  BOOST_TEST(!std::filesystem::exists(folder.File("a.thimble")));
}

BOOST_AUTO_TEST_CASE(OptionsChoose) {
  const Folder folder;
  const std::string path = folder.Write("a.csv", "a,b\n1,2\n");
  const Json report = ReportOf(folder, "--column b " + path);
  BOOST_TEST(report["columns"].size() == 1u);
  BOOST_TEST(report["columns"][0]["name"] == "b");
  const Outcome file_amid = folder.Thimble("report --structures shrunk,StringStore " + path + " --column b --csv");
  BOOST_TEST(file_amid.exit_code == 0, file_amid.err);
  BOOST_TEST(report["columns"][0]["structures"].size() == 1u);
  BOOST_TEST(report["rows"]["structures"].empty());
  const Outcome ragged = folder.Thimble("report --structures StringStore " + folder.Write("b.csv", "a,b\n1,x\n2\n"));
  BOOST_TEST(ragged.out.find("1 ragged row, filled up or cut: line 3\n") != std::string::npos, ragged.out);
  BOOST_TEST(ragged.out.find("payload 2B (1.00 B each)\n\nb: text") != std::string::npos, ragged.out);  // no table of nothing
}

BOOST_AUTO_TEST_CASE(TheTableIsNarrow) {
  const Folder folder;
  const Outcome outcome = folder.Thimble("report " + kStructures + folder.Write("a.csv", "n,s\n1,a\n2,b\n"));
  BOOST_TEST(outcome.exit_code == 0);
  std::istringstream lines(outcome.out);
  for (std::string line; std::getline(lines, line);) BOOST_TEST(line.size() <= 100u, line);
  BOOST_TEST(outcome.out.find('\x1b') == std::string::npos);
  BOOST_TEST(outcome.out.find("absl::flat_hash_map<std::string, uint64_t>") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(TheRecommendedAreSavedAndVerified) {
  const Folder folder;
  std::string csv = "n,b\n";
  for (int i = 0; i < 5000; ++i) csv += std::to_string(i * 7 % 1000) + (i % 3 == 0 ? ",true\n" : ",false\n");
  const std::string saved = folder.File("saved.thimble");
  BOOST_TEST(folder.Thimble("report --save " + saved + " " + folder.Write("a.csv", csv)).exit_code == 0);
  const Outcome verified = folder.Thimble("verify " + saved);
  BOOST_TEST(verified.exit_code == 0);
  BOOST_TEST(verified.out.find(": ok, ") != std::string::npos);

  const Json stat = Json::parse(folder.Thimble("stat --json " + saved).out);
  BOOST_TEST(!stat["sections"].empty());
  for (const Json& section : stat["sections"]) {
    const std::string name = section["name"];
    BOOST_TEST((name.starts_with("n/") || name.starts_with("b/") || name.starts_with("rows/")), name);
    BOOST_TEST(section["elements"].is_number());
    BOOST_TEST(section["resident_pages"] <= section["pages"]);
    if (section["bound_bits_per_element"].is_number()) {
      BOOST_TEST(section["bits_per_element"].get<double>() >= section["bound_bits_per_element"].get<double>());
    }
  }
  BOOST_TEST(folder.Thimble("stat " + saved).out.find("n/") != std::string::npos);

  std::string bytes = folder.Read("saved.thimble");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  BOOST_TEST(folder.Thimble("verify " + saved + " " + folder.Write("damaged.thimble", bytes)).exit_code == 4);
}

// Reports with these structures only, and opens what that saved.
StoreReader Saved(const Folder& folder, const std::string& structures, const std::string& path) {
  const Outcome outcome = folder.Thimble("report --header yes --save %saved.thimble --structures '" + structures + "' " + path);
  BOOST_REQUIRE_MESSAGE(outcome.exit_code == 0, outcome.err);
  return StoreReader::Open(folder.File("saved.thimble")).value();
}

BOOST_AUTO_TEST_CASE(WhatIsSavedHasTheValuesOfTheFile) {
  constexpr int kRows = 3000;
  const auto id = [](int i) { return 1'000'000 + 3 * i; };
  const auto delta = [](int i) { return (i * 7919 % kRows - kRows / 2) * 5; };
  const auto zip = [](int i) { return "00" + std::to_string(100 + i % 700); };
  std::string csv = "id,delta,zip\n";
  for (int i = 0; i < kRows; ++i) csv += std::to_string(id(i)) + ',' + std::to_string(delta(i)) + ',' + zip(i) + '\n';
  const Folder folder;
  const std::string path = folder.Write("a.csv", csv);
  {
    const StoreReader saved = Saved(folder, "SparseSet", path);
    const SparseSetView ids = saved.View<SparseSetView>("id/SparseSet, packed").value();
    const SparseSetView deltas = saved.View<SparseSetView>("delta/SparseSet, packed").value();
    BOOST_TEST(ids.size() == std::uint64_t{kRows});
    BOOST_TEST(deltas.size() == std::uint64_t{kRows});
    const Json stat = Json::parse(folder.Thimble("stat --json %saved.thimble").out);
    for (const Json& section : stat["sections"]) {
      BOOST_TEST(section["bits_per_element"].get<double>() >= section["bound_bits_per_element"].get<double>());
    }
    for (int i = 0; i < kRows; ++i) BOOST_REQUIRE((ids.Contains(id(i)) && deltas.Contains(static_cast<std::uint64_t>(delta(i)))));
  }
  {
    const StoreReader saved = Saved(folder, "PackedVector,FrameVector", path);
    const FrameVectorView ids = saved.View<FrameVectorView>("id/FrameVector").value();
    const FrameVectorView deltas = saved.View<FrameVectorView>("delta/FrameVector").value();
    for (int i = 0; i < kRows; ++i) {
      BOOST_REQUIRE_EQUAL(static_cast<std::int64_t>(ids[i]), id(i));
      BOOST_REQUIRE_EQUAL(static_cast<std::int64_t>(deltas[i]), delta(i));
    }
  }
  {
    const StoreReader saved = Saved(folder, "PackedVector,row-wise", path);
    const PackedVectorView ids = saved.View<PackedVectorView>("id/PackedVector").value();
    const RecordTableView rows = saved.View<RecordTableView>("rows/PackedRecords, row-wise").value();
    BOOST_TEST(saved.size() == 2u);  // negative numbers are none of a PackedVector's
    const std::size_t delta_field = rows.FieldOf("delta").value(), zip_field = rows.FieldOf("zip").value();
    for (int i = 0; i < kRows; ++i) {
      BOOST_REQUIRE_EQUAL(ids[i], id(i));
      BOOST_REQUIRE_EQUAL(rows.Integer(delta_field, i), delta(i));
      BOOST_REQUIRE_EQUAL(rows.Format(zip_field, i), zip(i));
    }
  }
}

BOOST_AUTO_TEST_CASE(LongNamesOfColumnsAreSavedApart) {
  const Folder folder;
  const std::string name(200, 'n');
  const std::string path = folder.Write("a.csv", name + "1," + name + "2\nx,z\n");
  BOOST_TEST(Saved(folder, "StringStore", path).size() == 2u);
}

BOOST_AUTO_TEST_CASE(OutputsAreApart) {
  const Folder folder;
  const std::string path = folder.Write("a.txt", "one\n");
  BOOST_TEST(folder.Thimble("report --structures StringStore --save %x --html %./x " + path).exit_code == 2);
  BOOST_TEST(folder.Thimble("run --output %x --html %x -- true").exit_code == 2);
  BOOST_TEST(folder.Thimble("report --json --structures StringStore " + path + " >" + folder.File("old.json") + "; true").exit_code == 0);
  BOOST_TEST(folder.Thimble("report --structures StringStore --compare %old.json --save %old.json " + path).exit_code == 2);
  BOOST_TEST(Json::accept(folder.Read("old.json")));
}

#if !THIMBLE_SANITIZED  // which asks by a pipe whether memory may be read: without a free file it takes all memory for bad
BOOST_AUTO_TEST_CASE(MoreColumnsThanFilesAreALimit) {
  const Folder folder;
  const std::string path = folder.Write("a.csv", std::string(100, ',') + "\n");
  const Outcome outcome = folder.Thimble("--version; ulimit -n 100; '" THIMBLE_TOOL "' report " + path);
  BOOST_TEST(outcome.exit_code == 5);
  BOOST_TEST(outcome.err.find("ulimit -n") != std::string::npos, outcome.err);
}
#endif

BOOST_AUTO_TEST_CASE(CsvAndMarkdownHoldTheSameRows) {
  const Folder folder;
  const std::string path = folder.Write("a.csv", "id,\"a,b\"\n1,x\n2,y\n");
  const std::string options = "--structures shrunk " + path;
  const std::string csv = folder.Thimble("report --csv " + options).out;
  BOOST_TEST(std::count(csv.begin(), csv.end(), '\n') == 4);  // names, two columns, rows
  BOOST_TEST(csv.find("\r\n\"a,b\",text,2,2,\"std::vector<std::string>, shrunk\",naive,true,2,") != std::string::npos, csv);
  const std::string markdown = folder.Thimble("report --markdown " + options).out;
  BOOST_TEST(markdown.find("## id: uint8, 2 elements, 2 distinct\n\n| structure |") != std::string::npos, markdown);
  BOOST_TEST(folder.Thimble("report --csv --json " + path).exit_code == 2);
}

BOOST_AUTO_TEST_CASE(GrowthFromNothingIsARegression) {
  const Folder folder;
  const std::string arguments = "report --header yes --structures std::vector ", few = folder.Write("few.csv", "a\n");
  std::string values = "a\n";
  for (int i = 0; i < 100; ++i) values += "x" + std::to_string(i) + "\n";
  folder.Write("old.json", folder.Thimble(arguments + "--json " + few).out);
  BOOST_TEST(folder.Thimble(arguments + "--compare %old.json --fail-over 1 " + folder.Write("many.csv", values)).exit_code == 6);
  BOOST_TEST(folder.Thimble(arguments + "--compare %old.json --fail-over 1 " + few).exit_code == 0);
}

// A file of that name is somebody's.
BOOST_AUTO_TEST_CASE(NoOtherFileIsWrittenOver) {
  const Folder folder;
  const std::string input = folder.Write("a.html.part", "1\n2\n");
  BOOST_TEST(folder.Thimble("report --structures shrunk --html %a.html " + input).exit_code == 0);
  BOOST_TEST(folder.Read("a.html.part") == "1\n2\n");
}

BOOST_AUTO_TEST_CASE(GrowthIsARegression) {
  const Folder folder;
  const std::string small = folder.Write("a.txt", "1\n2\n3\n");
  std::string values;
  for (int i = 0; i < 1000; ++i) values += std::to_string(i % 200) + "\n";
  const std::string large = folder.Write("b.txt", values);
  folder.Write("old.json", folder.Thimble("report --json --structures shrunk " + small).out);
  const auto compare = [&](const std::string& path, const std::string& options) {
    return folder.Thimble("report --structures shrunk --compare " + folder.File("old.json") + " " + options + " " + path);
  };
  BOOST_TEST(compare(small, "--fail-over 1").exit_code == 0);
  BOOST_TEST(compare(small, "").out.find("nothing changed") != std::string::npos);
  BOOST_TEST(compare(large, "").exit_code == 0);
  BOOST_TEST(compare(large, "--fail-over 50").exit_code == 6);
  BOOST_TEST(compare(large, "").out.find("line: std::vector<int64_t>, shrunk") != std::string::npos);
  folder.Write("old.json", "{\"schema\":1}");
  // What cannot be compared with is said before anything is measured.
  const Outcome no_report = compare(small, "");
  BOOST_TEST(no_report.exit_code == 4);
  BOOST_TEST(no_report.out == "");
  for (const char* path : {"%absent", "%."}) {
    const Outcome unread = folder.Thimble("report --compare " + std::string(path) + " " + small);
    BOOST_TEST(unread.exit_code == 3);
    BOOST_TEST(unread.err.starts_with("thimble: " + folder.path() + "/"), unread.err);
  }
  BOOST_TEST(folder.Thimble("report --fail-over 1 " + small).exit_code == 2);
}

#if !THIMBLE_SANITIZED
BOOST_AUTO_TEST_CASE(ASamplePredictsTheWhole) {
  const Folder folder;
  std::string csv = "id,colour,name\n";
  for (int i = 0; i < 200000; ++i) csv += std::to_string(i) + "," + std::to_string(i % 7) + ",name of number " + std::to_string(i * 31) + "\n";
  const std::string path = folder.Write("a.csv", csv);
  const std::string options = "report --json --structures shrunk,std::list,std::set,std::unordered_map,PackedVector ";
  const Json all = Json::parse(folder.Thimble(options + path).out);
  const Json predicted = Json::parse(folder.Thimble(options + "--sample 60000 " + path).out);
  BOOST_TEST(predicted["input"]["rows"] == 200000);
  BOOST_TEST(predicted["input"]["sample_rows"] == 50000);
  BOOST_TEST(!all["input"].contains("sample_rows"));
  for (std::size_t c = 0; c < all["columns"].size(); ++c) {
    BOOST_TEST(predicted["columns"][c]["elements"] == 200000);
    BOOST_TEST(predicted["columns"][c]["distinct"].get<double>() == all["columns"][c]["distinct"].get<double>(), boost::test_tools::tolerance(0.01));
    for (const Json& expected : all["columns"][c]["structures"]) {
      for (const Json& row : predicted["columns"][c]["structures"]) {
        if (row["structure"] != expected["structure"] || expected["heap_bytes"] < 4096) continue;  // malloc rounds each block
        BOOST_TEST(row["predicted_bytes_per_element"].size() == 2u);
        BOOST_TEST_CONTEXT(row["structure"]) {
          BOOST_TEST(row["bytes_per_element"].get<double>() == expected["bytes_per_element"].get<double>(), boost::test_tools::tolerance(0.03));
        }
      }
    }
  }
  BOOST_TEST(folder.Thimble("report --sample 60000 --save " + folder.File("x") + " " + path).exit_code == 2);
}
#endif

BOOST_AUTO_TEST_CASE(AFullDiskLeavesTheOldFiles) {
  const testing::SmallDisk disk("64k");
  if (!disk.mounted()) {
    BOOST_TEST_MESSAGE("not run: mounting a small file system takes root");
    return;
  }
  const Folder folder;
  const std::string path = folder.Write("a.txt", "one\ntwo\n"), kept = disk.folder().File("a.thimble"), page = disk.folder().File("a.html");
  const std::string options = "report --structures StringStore --save " + kept + " ";
  BOOST_TEST(folder.Thimble(options + path).exit_code == 0);
  std::string lines;
  for (int i = 0; i < 20'000; ++i) lines.append(std::to_string(i * 7919)).append("x\n");
  const std::string larger = folder.Write("larger.txt", lines);
  BOOST_TEST(folder.Thimble(options + larger).exit_code == 3);
  std::ofstream(page) << "old";
  std::ofstream(disk.folder().File("ballast")) << std::string(50'000, ' ');
  BOOST_TEST(folder.Thimble("report --structures StringStore --html " + page + " " + path).exit_code == 3);
  BOOST_TEST(folder.Thimble("verify " + kept).exit_code == 0);
  BOOST_TEST(std::filesystem::file_size(page) == 3u);
  BOOST_TEST(disk.folder().Names().size() == 3u);
}

BOOST_AUTO_TEST_CASE(APageIsWrittenWholeOrNotAtAll) {
  const Folder folder;
  const std::string path = folder.Write("a.csv", "<script>alert(1)</script>,\"q\"\"&'\"\n1,<b>\n2,\xff\n");
  const std::string options = "report --header yes --structures shrunk --html ";
  BOOST_TEST(folder.Thimble(options + "%a.html " + path).exit_code == 0);
  const std::string page = folder.Read("a.html");
  BOOST_TEST(page.starts_with("<!DOCTYPE html>"));
  std::filesystem::permissions(folder.File("a.html"), std::filesystem::perms::owner_read);
  BOOST_TEST(folder.Thimble(options + "%a.html " + path).exit_code == 0);
  BOOST_TEST((std::filesystem::status(folder.File("a.html")).permissions() == std::filesystem::perms::owner_read));
  BOOST_TEST(page.ends_with("</html>\n"));
  BOOST_TEST(page.find("<script>alert") == std::string::npos);
  BOOST_TEST(page.find("&lt;script&gt;alert(1)&lt;/script&gt;") != std::string::npos);
  BOOST_TEST(page.find("q&quot;&amp;&#39;") != std::string::npos);
  BOOST_TEST(folder.Thimble(options + "/dev/full " + path).exit_code == 3);
  BOOST_TEST(folder.Thimble(options + "%absent/a.html " + path).exit_code == 3);
  BOOST_TEST(folder.Thimble(options + "%a.html %empty.csv").exit_code == 3);
  BOOST_TEST(folder.Thimble(options + "%empty.html " + folder.Write("empty.csv", "")).exit_code == 0);
  std::string wide;
  constexpr int kColumns = 50;
  for (int i = 0; i < kColumns; ++i) wide.append("c").append(std::to_string(i)).append(i < kColumns - 1 ? "," : "\n");
  BOOST_TEST(folder.Thimble(options + "%wide.html " + folder.Write("wide.csv", wide)).exit_code == 0);
  for (const std::string& name : folder.Names()) BOOST_TEST(!name.ends_with(".part"), name);
}

// A terminal that script(1) makes.
BOOST_AUTO_TEST_CASE(ColourIsForTerminals) {
  const Folder folder;
  const std::string path = folder.Write("a.txt", "1\n2\n");
  const auto on_terminal = [&](const std::string& variables) {
    const std::string command = "env -u NO_COLOR TERM=xterm " + variables + " script -qec \"'" THIMBLE_TOOL "' report --structures shrunk " + path + "\" /dev/null >" +
                                folder.File("terminal") + " </dev/null";
    BOOST_TEST(std::system(command.c_str()) == 0);
    return folder.Read("terminal").find("\x1b[32m") != std::string::npos;
  };
  BOOST_TEST(on_terminal(""));
  BOOST_TEST(!on_terminal("NO_COLOR=1"));
  BOOST_TEST(on_terminal("NO_COLOR="));
  BOOST_TEST(!on_terminal("TERM=dumb"));
  BOOST_TEST(folder.Thimble("report --structures shrunk " + path).out.find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(NothingIsLeftBehind) {
  const Folder folder;
  ReportOf(folder, folder.Write("a.csv", "a,b\n1,2\n"));
  std::vector<std::string> names = folder.Names();
  std::sort(names.begin(), names.end());
  BOOST_TEST(names == (std::vector<std::string>{"a.csv", "err", "out"}), boost::test_tools::per_element());
}

// Interrupts the command alone once it has children. They, and the files that it wrote, are gone when it is.
void InterruptAndLookRound(std::string arguments) {
  const Folder folder;
  std::string values;
  for (int i = 0; i < 400000; ++i) values += "value number " + std::to_string(i) + "\n";
  folder.Write("a.txt", values);
  for (std::size_t at; (at = arguments.find('%')) != std::string::npos;) arguments.replace(at, 1, folder.path() + "/");
  const std::string command = "TMPDIR=" + folder.path() + " exec '" THIMBLE_TOOL "' " + arguments + " >/dev/null 2>&1";
  const pid_t pid = fork();
  if (pid == 0) {
    setpgid(0, 0);  // whoever is left belongs to this group
    signal(SIGINT, SIG_DFL);
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    _exit(127);
  }
  const std::string children = "/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children";
  const auto within_seconds = [](auto is_so) {
    for (int i = 0; i < 500 && !is_so(); ++i) usleep(10000);
    return is_so();
  };
  BOOST_TEST(within_seconds([&] { return !testing::ReadBytes(children).empty(); }));
  usleep(100000);
  kill(pid, SIGINT);
  int status = 0;
  BOOST_TEST(waitpid(pid, &status, 0) == pid);
  BOOST_TEST((WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status)) == 128 + SIGINT);
  BOOST_TEST(within_seconds([&] { return kill(-pid, 0) != 0; }));
  for (const std::string& name : folder.Names()) BOOST_TEST(name == "a.txt");
}

BOOST_AUTO_TEST_CASE(AnInterruptLeavesNoChildAndNoFile) {
  InterruptAndLookRound("report --html %a.html --save %a.thimble %a.txt");
  InterruptAndLookRound("run -- sh -c 'sleep 60; true'");
}

// A name such as /dev/stdout leads to what somebody has open: it is written to, and stays.
BOOST_AUTO_TEST_CASE(LinksToOpenFilesStay) {
  testing::ToolFolder folder;
  const std::string path = folder.Write("a.txt", "one\ntwo\n"), link = folder.File("stdout");
  std::filesystem::create_symlink("/proc/self/fd/1", link);
  BOOST_TEST(folder.Thimble("report --structures shrunk --html %stdout " + path).exit_code == 0);
  const std::string both = folder.Read("out");
  BOOST_TEST(both.find("</html>") != std::string::npos);
  BOOST_TEST(both.find("B/elem") != std::string::npos);
  BOOST_TEST(folder.Thimble("report --structures StringStore --save %stdout " + path).exit_code == 2);
  BOOST_TEST(folder.Thimble("count --sketch %stdout " + path).exit_code == 2);
  BOOST_TEST(folder.Thimble("merge -o %stdout " + path).exit_code == 2);
  BOOST_TEST(folder.Thimble("convert --to redis -o %stdout " + path).exit_code == 2);
  BOOST_TEST(std::filesystem::is_symlink(link));
  // Of any other link, what it leads to is written.
  std::filesystem::create_symlink("page.html", folder.File("link.html"));
  folder.Write("page.html", "old");
  BOOST_TEST(folder.Thimble("report --structures shrunk --html %link.html " + path).exit_code == 0);
  BOOST_TEST(std::filesystem::is_symlink(folder.File("link.html")));
  BOOST_TEST(folder.Read("page.html").find("<html") != std::string::npos);
}

// Names that are no UTF-8 stand otherwise in a report.
BOOST_AUTO_TEST_CASE(GrowthIsSeenUnderAnyName) {
  testing::ToolFolder folder;
  const auto table = [](int rows) {
    std::string text = "caf\xe9,n\n";
    for (int i = 0; i < rows; ++i) text += "value " + std::to_string(i) + "," + std::to_string(i % 7) + "\n";
    return text;
  };
  const std::string small = folder.Write("small.csv", table(50)), large = folder.Write("large.csv", table(500));
  BOOST_TEST(folder.Thimble("report --structures shrunk --json " + small + " | tee %before.json").exit_code == 0);
  BOOST_TEST(folder.Thimble("report --structures shrunk --compare %before.json --fail-over 50 " + large).exit_code == 6);
  BOOST_TEST(folder.Read("out").find("gone") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(ALongHeaderIsStillAHeader) {
  testing::ToolFolder folder;
  std::string header, row;
  for (int i = 0; i < 8000; ++i) {
    header += (i == 0 ? "gene_" : ",gene_") + std::to_string(100'000 + i);
    row += (i == 0 ? "" : ",") + std::to_string(i % 1000);
  }
  const std::string path = folder.Write("wide.csv", header + "\n" + row + "\n" + row + "\n" + row + "\n");
  BOOST_TEST(folder.Thimble("count --column gene_100005 " + path).exit_code == 0);
  BOOST_TEST(folder.Read("out").starts_with("1 "));
}

// A map of distinct values takes those of a column with repeats, as its sample does.
BOOST_AUTO_TEST_CASE(StaticMapTakesColumnsWithRepeats) {
  testing::ToolFolder folder;
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "colour " + std::to_string(i % 30) + "\n";
  BOOST_TEST(folder.Thimble("report --structures StaticMap --json " + folder.Write("a.txt", text)).exit_code == 0);
  const auto rows = nlohmann::json::parse(folder.Read("out"))["columns"][0]["structures"];
  BOOST_TEST_REQUIRE(rows.size() == 1u);
  BOOST_TEST(rows[0]["failure"].is_null());
  BOOST_TEST(rows[0]["stored"] == 30);
}

// Of numbers so large that logarithms of their factorials are all the same.
BOOST_AUTO_TEST_CASE(BoundsOfLargeNumbersAreBounds) {
  testing::ToolFolder folder;
  std::string text;
  for (std::uint64_t i = 0; i < 3000; ++i) text += std::to_string(1'700'000'000'000'000'000 + i * i * 9973) + "\n";
  BOOST_TEST(folder.Thimble("report --structures EliasFano --save %a.thimble " + folder.Write("a.txt", text)).exit_code == 0);
  BOOST_TEST(folder.Thimble("stat --json %a.thimble").exit_code == 0);
  const auto section = nlohmann::json::parse(folder.Read("out"))["sections"][0];
  const double bound = section["bound_bits_per_element"];
  BOOST_TEST(bound <= section["bits_per_element"].get<double>());
  BOOST_TEST(std::abs(bound - std::log2(std::exp(1.0) * 1.7e18 / 3000)) < 0.05);
}

BOOST_AUTO_TEST_CASE(LimitsAndIntervalsAreNumbers) {
  testing::ToolFolder folder;
  const std::string path = folder.Write("a.txt", "one\ntwo\n");
  BOOST_TEST(folder.Thimble("report --memory-limit=-1 " + path).exit_code == 2);
  BOOST_TEST(folder.Thimble("run --interval nan -- true").exit_code == 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
