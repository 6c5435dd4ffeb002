// thimble count, merge and convert from outside: files in, exit status, numbers and files out.
#include "testing.h"

#include <sys/resource.h>

#include <filesystem>
#include <sstream>
#include <string>

#include <nlohmann/json.hpp>

#include "thimble/datasketches.h"
#include "thimble/redis_hll.h"
#include "thimble/store.h"
#include "tool.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(count)

class Command : public testing::ToolFolder {
 public:
  int operator()(const std::string& arguments) const { return Thimble(arguments).exit_code; }
  // The estimate that the last command printed.
  long long Count() const { return std::stoll(Read("out")); }
};

std::string Lines(int begin, int end) {
  std::ostringstream out;
  for (int i = begin; i < end; ++i) out << "line " << i << '\n';
  return out.str();
}

BOOST_AUTO_TEST_CASE(LinesAreCountedWithBounds) {
  Command thimble;
  thimble.Write("a.txt", Lines(0, 50000) + Lines(0, 50000));
  BOOST_TEST(thimble("count %a.txt") == 0);
  long long estimate = 0, lower = 0, upper = 0;
  std::istringstream(thimble.Read("out")) >> estimate >> lower >> upper;
  BOOST_TEST(lower < estimate);
  BOOST_TEST(estimate < upper);
  BOOST_TEST(lower <= 50000);
  BOOST_TEST(upper >= 50000);
}

// The last line without its newline, an empty file, CRLF, NUL bytes and a long line.
BOOST_AUTO_TEST_CASE(OddFiles) {
  Command thimble;
  thimble.Write("empty", "");
  BOOST_TEST(thimble("count %empty") == 0);
  BOOST_TEST(thimble.Count() == 0);
  thimble.Write("cut", "a\nb\na");
  BOOST_TEST(thimble("count %cut") == 0);
  BOOST_TEST(thimble.Count() == 2);
  thimble.Write("crlf", "\xEF\xBB\xBF" "a\r\nb\r\na\nb\n");
  BOOST_TEST(thimble("count %crlf") == 0);
  BOOST_TEST(thimble.Count() == 2);
  // The first line belongs to one of the threads, however few bytes each of them has.
  thimble.Write("mark", "\xEF\xBB\xBF" "a\nb\n");
  for (int threads = 1; threads < 9; ++threads) {
    BOOST_TEST(thimble("count %mark --threads " + std::to_string(threads)) == 0);
    BOOST_TEST(thimble.Count() == 2);
  }
  thimble.Write("nul", std::string("a\0b\na\0c\n", 8) + std::string(10 << 20, 'x') + "\n");
  BOOST_TEST(thimble("count %nul") == 0);
  BOOST_TEST(thimble.Count() == 3);
  BOOST_TEST(thimble("count /dev/stdin < %cut") == 0);
  BOOST_TEST(thimble.Count() == 2);
  BOOST_TEST(std::system(("mkfifo " + thimble.File("pipe") + "; cat " + thimble.File("cut") + " >" + thimble.File("pipe") + " &").c_str()) == 0);
  BOOST_TEST(thimble("count %pipe") == 0);
  BOOST_TEST(thimble.Count() == 2);
  BOOST_TEST(thimble("count %missing") == 3);
  BOOST_TEST(thimble("count --sketch %pipe %cut") == 2);
  BOOST_TEST(std::filesystem::is_fifo(thimble.File("pipe")));
  BOOST_TEST(thimble("count --precision 40 %cut") == 2);
  BOOST_TEST(thimble("count --hash redis --precision 12 %cut") == 2);
}

BOOST_AUTO_TEST_CASE(ErrorsNameTheFile) {
  Command thimble;
  thimble.Write("long", std::string(33 << 20, 'x'));
  BOOST_TEST(thimble("count --header no --column 1 %long") == 5);
  BOOST_TEST(thimble.Read("err").find("long: line 1: the record is longer than 32 MiB") != std::string::npos, thimble.Read("err"));
  thimble.Write("a.csv", "a,b\n1,2\n");
  for (const char* options : {"--column c", "--format csv"}) {
    BOOST_TEST(thimble("count " + std::string(options) + " %a.csv") == 2);
    BOOST_TEST(thimble.Read("err").starts_with("thimble: " + thimble.File("a.csv") + ": there "), thimble.Read("err"));
  }
  BOOST_TEST(thimble("convert %. -o %b") == 3);
  BOOST_TEST(thimble.Read("err").find(thimble.path() + "/.: Is a directory") != std::string::npos, thimble.Read("err"));
  BOOST_TEST(thimble("convert - -o %b </dev/null") == 2);
  BOOST_TEST(thimble.Read("err").find("thimble: stdin: ") != std::string::npos, thimble.Read("err"));
}

BOOST_AUTO_TEST_CASE(AFileSizeLimitIsAnError) {
  Command thimble;
  thimble.Write("a.txt", "one\ntwo\n");
  BOOST_TEST(thimble("--version; ulimit -f 8; '" THIMBLE_TOOL "' count --precision 20 --sketch %a.thimble %a.txt") == 3);
  BOOST_TEST(thimble.Read("err").find("File too large") != std::string::npos, thimble.Read("err"));
  BOOST_TEST(!std::filesystem::exists(thimble.File("a.thimble")));
}

BOOST_AUTO_TEST_CASE(AnyNameIsValidJson) {
  Command thimble;
  thimble.Write("\xff\n", "a\n");
  BOOST_TEST(thimble("count --json '%\xff\n'") == 0);
  BOOST_TEST(nlohmann::json::accept(thimble.Read("out")));
}

BOOST_AUTO_TEST_CASE(TheInputIsNotWrittenOver) {
  Command thimble;
  thimble.Write("a.txt", "a\n");
  BOOST_TEST(thimble("count --sketch %./a.txt %a.txt") == 2);
  BOOST_TEST(thimble("count - --sketch %a.txt <%a.txt") == 2);
  BOOST_TEST(thimble.Read("a.txt") == "a\n");
  BOOST_TEST(thimble("count --hash redis --sketch %sketch %a.txt") == 0);
  BOOST_TEST(thimble("convert %sketch --to redis -o %sketch") == 2);
  BOOST_TEST(thimble("verify %sketch") == 0);
}

BOOST_AUTO_TEST_CASE(MoreFilesMergeThanMayBeOpenAtFirst) {
  Command thimble;
  thimble.Write("a.txt", "a\n");
  BOOST_TEST(thimble("count --sketch %a %a.txt") == 0);
  std::string parts;
  for (int i = 0; i < 40; ++i) parts += " %a";
  struct rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  const struct rlimit few{30, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &few);
  BOOST_TEST(thimble("merge -o %all" + parts) == 0);
  setrlimit(RLIMIT_NOFILE, &before);
}

BOOST_AUTO_TEST_CASE(EveryWayToReadGivesTheSameSketch) {
  Command thimble;
  std::string uneven;
  for (std::size_t i = 0; i < 5000; ++i) uneven += std::string(i * 7919 % 200, 'z') + (i % 3 == 0 ? "\r\n" : "\n");
  thimble.Write("a.txt", "\xEF\xBB\xBF" + Lines(0, 20000) + uneven + std::string(100000, 'y') + "\r");
  BOOST_TEST(thimble("count %a.txt --sketch %one.thimble") == 0);
  BOOST_TEST(thimble("count %a.txt --threads 7 --sketch %seven.thimble") == 0);
  BOOST_TEST(thimble("count - --sketch %stdin.thimble < %a.txt") == 0);
  setenv("THIMBLE_CPU", "baseline", 1);
  BOOST_TEST(thimble("count %a.txt --sketch %baseline.thimble") == 0);
  unsetenv("THIMBLE_CPU");
  BOOST_TEST(thimble.Read("one.thimble") == thimble.Read("seven.thimble"));
  BOOST_TEST(thimble.Read("one.thimble") == thimble.Read("baseline.thimble"));
  BOOST_TEST(thimble.Read("one.thimble") == thimble.Read("stdin.thimble"));
}

BOOST_AUTO_TEST_CASE(ColumnsAreCountedByNameOrNumber) {
  Command thimble;
  thimble.Write("a.csv", "id,\"city\"\n1,\"Paris, TX\"\n2,\"Rome\n(GA)\"\n3,\"Paris, TX\"\n4\n");
  BOOST_TEST(thimble("count --column city %a.csv") == 0);
  BOOST_TEST(thimble.Count() == 2);
  BOOST_TEST(thimble("count --column 1 %a.csv") == 0);
  BOOST_TEST(thimble.Count() == 4);
  BOOST_TEST(thimble("count --column town %a.csv") == 2);
  BOOST_TEST(thimble("count --format csv %a.csv") == 2);
  // Quotes are no part of a value.
  thimble.Write("plain.csv", "city\nRome\n\"Rome\"\n");
  BOOST_TEST(thimble("count --column city %plain.csv") == 0);
  BOOST_TEST(thimble.Count() == 1);
}

BOOST_AUTO_TEST_CASE(PartsMergeToTheWhole) {
  struct Case {
    const char *kind, *other;  // options whose sketches do not merge with it
  };
  for (const Case& c : {Case{"hll", "--hash datasketches --precision 8"}, Case{"kmv", "--hash datasketches --precision 8"},
                        Case{"pcsa", "--precision 7"}, Case{"ell", "--precision 7"}}) {
    const std::string kind = c.kind, other = c.other;
    Command thimble;
    if (kind == "ell" && thimble("count --kind ell /dev/null") == 2) continue;  // left out of this build
    const auto count = [&](const std::string& name) {
      return thimble("count --kind " + kind + " --precision 8 %" + name + ".txt --sketch %" + name + ".thimble");
    };
    thimble.Write("a.txt", Lines(0, 3000));
    thimble.Write("b.txt", Lines(2000, 9000));
    thimble.Write("c.txt", "");
    thimble.Write("all.txt", Lines(0, 9000));
    for (const char* name : {"a", "b", "c", "all"}) BOOST_TEST(count(name) == 0);
    BOOST_TEST(thimble("merge -o %merged.thimble %a.thimble %b.thimble %c.thimble") == 0);
    BOOST_TEST(thimble.Read("merged.thimble") == thimble.Read("all.thimble"));
    BOOST_TEST(thimble("merge -o %b.thimble %c.thimble %b.thimble %a.thimble") == 0);
    BOOST_TEST(thimble.Read("b.thimble") == thimble.Read("all.thimble"));
    // Other options do not merge, and leave no file behind.
    BOOST_TEST(thimble("count --kind " + kind + " " + other + " %a.txt --sketch %d.thimble") == 0);
    BOOST_TEST(thimble("merge -o %bad.thimble %a.thimble %d.thimble") == 2);
    BOOST_TEST(thimble.Read("bad.thimble") == "");
  }
}

// What a kept sketch answers is what count answered.
BOOST_AUTO_TEST_CASE(StatTellsWhatASketchCounts) {
  Command thimble;
  thimble.Write("a.txt", Lines(0, 70000));
  for (const std::string kind : {"hll", "kmv", "pcsa"}) {
    BOOST_TEST_REQUIRE(thimble("count %a.txt --json --sketch %a.thimble --kind " + kind) == 0);
    const auto counted = nlohmann::json::parse(thimble.Read("out"));
    BOOST_TEST_REQUIRE(thimble("stat %a.thimble --json") == 0);
    const auto distinct = nlohmann::json::parse(thimble.Read("out"))["sections"][0]["distinct"];
    BOOST_TEST(distinct["estimate"] == counted["distinct"]);
    for (const char* same : {"lower", "upper", "confidence"}) BOOST_TEST(distinct[same] == counted[same]);
    BOOST_TEST(thimble("stat %a.thimble") == 0);
    BOOST_TEST(thimble.Read("out").find(" distinct keys, ") != std::string::npos);
  }
}

// What the order of one part's keys gave does not depend on the order of the parts.
BOOST_AUTO_TEST_CASE(MergingSketchesOfOthersDependsOnNoOrder) {
  Command thimble;
  HyperLogLog theirs(HyperLogLog::Options::DataSketches(12));
  for (std::uint64_t key = 0; key < 30000; ++key) theirs.Add(key);
  const auto bytes = *WriteDataSketchesHll(theirs);
  thimble.Write("theirs.bin", std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  thimble.Write("a.txt", Lines(0, 20000));
  BOOST_TEST(thimble("convert %theirs.bin -o %theirs.thimble") == 0);
  BOOST_TEST(thimble("count %a.txt --hash datasketches --precision 12 --sketch %ours.thimble") == 0);
  BOOST_TEST(thimble("merge -o %one.thimble %theirs.thimble %ours.thimble") == 0);
  BOOST_TEST(thimble("merge -o %other.thimble %ours.thimble %theirs.thimble") == 0);
  BOOST_TEST(thimble.Read("one.thimble") == thimble.Read("other.thimble"));
}

// Until all is merged nothing is written, so that an interrupt has no half of a file to leave.
BOOST_AUTO_TEST_CASE(AnInterruptedMergeLeavesNoFile) {
  Command thimble;
  thimble.Write("a.txt", Lines(0, 2'000'000));
  BOOST_TEST(thimble("count --kind kmv --precision 21 %a.txt --sketch %a.thimble") == 0);
  std::string parts;
  for (int i = 0; i < 200; ++i) parts += " %a.thimble";
  constexpr int kTimedOut = 124;
  BOOST_TEST(thimble("--version; timeout -s INT 0.2 '" THIMBLE_TOOL "' merge -o %merged" + parts) == kTimedOut);
  for (const std::string& name : thimble.Names()) BOOST_TEST(!name.starts_with("merged"), name);
}

// No result may depend on the order of the parts.
BOOST_AUTO_TEST_CASE(SketchesOfOtherSizesDoNotMerge) {
  Command thimble;
  thimble.Write("a.txt", Lines(0, 100));
  for (const std::string kind : {"hll", "kmv", "pcsa", "ell"}) {
    if (thimble("count --precision 8 %a.txt --sketch %small --kind " + kind) == 2) continue;  // left out of this build
    BOOST_TEST(thimble("count --precision 9 %a.txt --sketch %large --kind " + kind) == 0);
    BOOST_TEST(thimble("merge -o %merged %small %large") == 2, kind);
    BOOST_TEST(thimble("merge -o %merged %large %small") == 2, kind);
  }
}

BOOST_AUTO_TEST_CASE(SketchesGoToOtherEnginesAndBack) {
  struct Case {
    const char *count, *format;
  };
  for (const auto& [count, format] : {Case{"--hash redis", "redis"}, Case{"--hash postgres --precision 11", "postgres-hll"},
                                      Case{"--hash datasketches --precision 12", "datasketches-hll"},
                                      Case{"--hash datasketches --kind kmv --precision 12", "datasketches-theta"}}) {
    BOOST_TEST_CONTEXT(format) {
      Command thimble;
      thimble.Write("a.txt", Lines(0, 20000));
      BOOST_TEST(thimble("count " + std::string(count) + " %a.txt --sketch %a.thimble") == 0);
      BOOST_TEST(thimble("convert %a.thimble --to " + std::string(format) + " -o %a.bin") == 0);
      BOOST_TEST(thimble("convert %a.bin -o %back.thimble") == 0);
      BOOST_TEST(thimble.Read("back.thimble") == thimble.Read("a.thimble"));
      BOOST_TEST(thimble("convert - --from " + std::string(format) + " --to " + format + " -o - < %a.bin") == 0);
      BOOST_TEST(thimble.Read("out") == thimble.Read("a.bin"));
    }
  }
}

BOOST_AUTO_TEST_CASE(WhatCannotBeConvertedSaysSo) {
  Command thimble;
  thimble.Write("a.txt", Lines(0, 100));
  BOOST_TEST(thimble("count %a.txt --sketch %a.thimble") == 0);
  BOOST_TEST(thimble("convert %a.thimble --to redis -o %a.bin") == 2);
  BOOST_TEST(thimble("convert %a.thimble --to datasketches-theta -o %a.bin") == 2);
  for (const char* from : {"auto", "thimble", "redis", "postgres-hll", "datasketches-hll", "datasketches-theta"}) {
    BOOST_TEST(thimble("convert %a.txt --from " + std::string(from) + " --to redis -o %a.bin") == 4, from);
  }
  BOOST_TEST(thimble("convert %missing --to redis -o %a.bin") != 0);
  BOOST_TEST(thimble("convert %a.thimble --section other --to redis -o %a.bin") == 3);
  BOOST_TEST(thimble.Read("a.bin") == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
