#include "run/html.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string_view>
#include <vector>

#include "report/format.h"
#include "report/page.h"
#include "run/stretch.h"

namespace thimble::tools {
namespace {

constexpr int kHeight = 340;
constexpr double kUnits = 10000;     // of the drawing, each way
constexpr std::size_t kPoints = 2000;  // drawn at most: more than a screen has
constexpr double kNominalWidth = 1000;  // pixels that labels are laid out for
constexpr double kLetterWidth = 6.5;

// The highest of each short while, and first and last: what is left out would not be seen.
std::vector<Sample> Thinned(const std::vector<Sample>& samples) {
  if (samples.size() <= kPoints) return samples;
  std::vector<Sample> thinned{samples.front()};
  for (std::size_t i = 0; i < kPoints; ++i) {
    const auto begin = samples.begin() + static_cast<std::ptrdiff_t>(i * samples.size() / kPoints);
    const auto end = samples.begin() + static_cast<std::ptrdiff_t>((i + 1) * samples.size() / kPoints);
    thinned.push_back(*std::max_element(begin, end, [](const Sample& a, const Sample& b) { return a.memory.pss_bytes < b.memory.pss_bytes; }));
  }
  thinned.push_back(samples.back());
  return thinned;
}

// 1, 2 or 5 times a power of ten.
double RoundStep(double least) {
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double step : {1, 2, 5}) {
    if (step * power >= least) return step * power;
  }
  return 10 * power;
}

class Timeline {
 public:
  explicit Timeline(const Recording& recording) : recording_(recording), samples_(Thinned(recording.samples)) {
    for (const Sample& sample : recording.samples) peak_ = std::max({peak_, sample.memory.pss_bytes, sample.memory.rss_bytes});
    byte_step_ = std::exp2(std::ceil(std::log2(std::max(1.0, static_cast<double>(peak_) / 6))));
    bytes_ = byte_step_ * std::max(1.0, std::ceil(static_cast<double>(peak_) / byte_step_));
    seconds_ = std::max(1e-6, recording.seconds);
  }

  std::string Draw() const {
    std::string text =
        "<figure><figcaption>Memory over time <span>of the command and its children</span></figcaption>\n<div class=\"frame\">"
        "<svg class=\"chart plot\" role=\"img\" aria-label=\"Memory over time; the table below tells the peaks between marks\" height=\"" +
        std::to_string(kHeight) + "\">\n" + Axes();
    text += "<svg x=\"0\" y=\"0\" width=\"100%\" height=\"100%\" viewBox=\"0 0 10000 10000\" preserveAspectRatio=\"none\">\n";
    if (!samples_.empty()) {
      const std::string line = Path(&TreeMemory::pss_bytes);
      text += "<path class=\"pss area\" d=\"" + line + "L" + Number(X(samples_.back().seconds) * 100) + " 10000L" + Number(X(samples_.front().seconds) * 100) +
              " 10000Z\"/>\n<path class=\"rss\" d=\"" + Path(&TreeMemory::rss_bytes) + "\"/>\n<path class=\"pss line\" d=\"" + line + "\"/>\n";
    }
    text += "</svg>\n" + Marks() + "</svg></div>\n";
    return text +
           "<ul class=\"key\"><li><svg viewBox=\"0 0 14 14\" aria-hidden=\"true\"><path class=\"pss line\" d=\"M0 7H14\"/></svg>PSS: shared pages divided</li>"
           "<li><svg viewBox=\"0 0 14 14\" aria-hidden=\"true\"><path class=\"rss\" d=\"M0 7H14\"/></svg>RSS: shared pages counted for each</li></ul></figure>\n";
  }

 private:
  double X(double seconds) const { return 100 * std::min(1.0, seconds / seconds_); }
  double Y(double bytes) const { return 100 * (1 - bytes / bytes_); }
  static std::string Number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", value);
    return text;
  }
  static std::string At(double percent) { return Number(percent) + "%"; }

  std::string Path(std::uint64_t TreeMemory::*member) const {
    std::string path;
    for (const Sample& sample : samples_) {
      path += path.empty() ? 'M' : 'L';
      path += Number(X(sample.seconds) * kUnits / 100) + " " + Number(Y(static_cast<double>(sample.memory.*member)) * kUnits / 100);
    }
    return path;
  }

  std::string Axes() const {
    std::string text;
    for (double bytes = 0; bytes <= bytes_; bytes += byte_step_) {
      const std::string y = At(Y(bytes));
      text += "<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"" + y + "\" y2=\"" + y + "\"/><text class=\"tick\" text-anchor=\"end\" x=\"-8\" dy=\"4\" y=\"" + y +
              "\">" + HumanBytes(bytes) + "</text>\n";
    }
    const double step = RoundStep(seconds_ / 6);
    for (int i = 0; i * step <= seconds_; ++i) {
      const std::string x = At(X(i * step));
      text += "<line class=\"grid\" x1=\"" + x + "\" x2=\"" + x + "\" y1=\"0\" y2=\"100%\"/><text class=\"tick\" text-anchor=\"middle\" y=\"100%\" dy=\"18\" x=\"" +
              x + "\">" + (i == 0 ? "0" : Seconds(i * step)) + "</text>\n";
    }
    return text;
  }

  // Their numbers lead to the table; names stand beside them where there is room.
  std::string Marks() const {
    std::string text;
    double taken = -1e9;
    for (std::size_t i = 0; i < recording_.marks.size(); ++i) {
      const MarkedMoment& mark = recording_.marks[i];
      const std::string x = At(X(mark.seconds));
      text += "<g class=\"mark-of\" data-seconds=\"" + ExactNumber(mark.seconds) + "\"><title>" + Escape(mark.name) + ", " + Seconds(mark.seconds) +
              "</title><line class=\"mark\" x1=\"" + x + "\" x2=\"" + x + "\" y1=\"0\" y2=\"100%\"/>";
      const std::string number = std::to_string(i + 1), name = Shorten(mark.name, 24);
      const double at = X(mark.seconds) * kNominalWidth / 100;
      const double next = i + 1 < recording_.marks.size() ? X(recording_.marks[i + 1].seconds) * kNominalWidth / 100 : kNominalWidth;
      if (at >= taken) {
        const bool fits = at + kLetterWidth * static_cast<double>(name.size() + number.size() + 2) < next;
        text += "<text class=\"number-tag\" x=\"" + x + "\" dx=\"4\" y=\"12\">" + number +
                (fits ? "<tspan class=\"wide\" dx=\"5\" font-weight=\"400\">" + Escape(name) + "</tspan>" : "") + "</text>";
        taken = at + kLetterWidth * static_cast<double>(number.size() + 1);
      }
      text += "</g>\n";
    }
    return text;
  }

  const Recording& recording_;
  std::vector<Sample> samples_;
  std::uint64_t peak_ = 0;
  double byte_step_, bytes_, seconds_;
};

std::string CommandLine(const Recording& recording) {
  std::string line;
  for (const std::string& word : recording.command) line += (line.empty() ? "" : " ") + word;
  return line;
}

std::string Peaks(const Recording& recording) {
  SortableTable table("Between the marks", {{"from mark", false}, {"number"}, {"at"}, {"lasts"}, {"peak PSS"}, {"peak RSS"}, {"processes"}});
  const auto bytes = [](std::uint64_t value) { return SortableTable::Cell{HumanBytes(static_cast<double>(value)), std::to_string(value)}; };
  const auto seconds = [](double value) { return SortableTable::Cell{Seconds(value), ExactNumber(value)}; };
  std::size_t number = 0;
  for (const Stretch& stretch : StretchesOf(recording)) {
    table.Add({{Escape(stretch.name), stretch.name},
               {number == 0 ? "" : std::to_string(number), std::to_string(number)},
               seconds(stretch.from),
               seconds(stretch.to - stretch.from),
               bytes(stretch.peak.pss_bytes),
               bytes(stretch.peak.rss_bytes),
               {std::to_string(stretch.peak.processes), std::to_string(stretch.peak.processes)}});
    ++number;
  }
  return std::move(table).Finish();
}

}  // namespace

std::string ToHtml(const Recording& recording) {
  const std::string command = CommandLine(recording);
  TreeMemory peak;
  for (const Sample& sample : recording.samples) {
    peak.pss_bytes = std::max(peak.pss_bytes, sample.memory.pss_bytes);
    peak.rss_bytes = std::max(peak.rss_bytes, sample.memory.rss_bytes);
  }
  const auto fact = [](std::string_view name, const std::string& value) {
    return "<div><dt>" + std::string(name) + "</dt><dd>" + value + "</dd></div>";
  };
  std::string body = "<header><p class=\"eyebrow\">thimble run</p>\n<h1>" + Escape(Shorten(command, 160)) + "</h1>\n<dl class=\"facts\">";
  body += fact("peak PSS", HumanBytes(static_cast<double>(peak.pss_bytes))) + fact("peak RSS", HumanBytes(static_cast<double>(peak.rss_bytes))) +
          fact("seconds", Seconds(recording.seconds)) + fact("exit status", std::to_string(recording.exit_status)) +
          fact("samples", Thousands(recording.samples.size())) + "</dl></header>\n<main id=\"main\">\n<section aria-label=\"Memory over time\">\n";
  body += Timeline(recording).Draw() + Peaks(recording) + "</section>\n</main>\n<footer>Between two samples the line is straight.</footer>\n";
  return Page(Shorten(command, 60) + " \xe2\x80\x93 thimble run", body);
}

}  // namespace thimble::tools
