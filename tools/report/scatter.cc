#include <algorithm>
#include <cstdio>
#include <string>
#include <tuple>
#include <vector>

#include "charts.h"
#include "format.h"
#include "page.h"

namespace thimble::tools {
namespace {

constexpr int kHeight = 380;

struct Point {
  const StructureRow* row;
  double bytes, nanoseconds;
  std::size_t number = 0;     // on the frontier, from 1
  bool number_below = false;  // where the number would hide the one before
};

std::vector<Point> PointsOf(const ColumnReport& column) {
  std::vector<Point> points;
  for (const StructureRow& row : column.structures) {
    const footprint::Measurement& m = row.measured;
    if (m.ok() && m.lookup_ns && *m.lookup_ns > 0 && m.bytes_per_element() > 0) points.push_back({&row, m.bytes_per_element(), *m.lookup_ns});
  }
  std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return std::tie(a.nanoseconds, a.bytes) < std::tie(b.nanoseconds, b.bytes); });
  return points;
}

// Numbers the exact structures than which none is both smaller and faster, the fastest first.
std::vector<Point*> NumberFrontier(std::vector<Point>& points) {
  std::vector<Point*> frontier;
  for (Point& point : points) {
    if (!point.row->structure->exact || (!frontier.empty() && frontier.back()->bytes <= point.bytes)) continue;
    frontier.push_back(&point);
    point.number = frontier.size();
  }
  return frontier;
}

class Plot {
 public:
  explicit Plot(const std::vector<Point>& points) : x_(Values(points, &Point::nanoseconds)), y_(Values(points, &Point::bytes)) {}

  std::string Axes() const {
    std::string text;
    for (const double tick : x_.Ticks()) {
      const std::string x = Percent(x_.Percent(tick));
      text += "<line class=\"grid\" x1=\"" + x + "\" x2=\"" + x + "\" y1=\"0\" y2=\"100%\"/><text class=\"tick\" text-anchor=\"middle\" y=\"100%\" dy=\"18\" x=\"" +
              x + "\">" + TimeLabel(tick) + "</text>\n";
    }
    for (const double tick : y_.Ticks()) {
      const std::string y = Y(tick);
      char label[32];
      std::snprintf(label, sizeof label, "%.12g B", tick);
      text += "<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"" + y + "\" y2=\"" + y + "\"/><text class=\"tick\" text-anchor=\"end\" x=\"-8\" dy=\"4\" y=\"" + y +
              "\">" + label + "</text>\n";
    }
    return text + "<text class=\"tick\" text-anchor=\"end\" x=\"100%\" y=\"100%\" dy=\"36\">time of a lookup \xe2\x86\x92</text>\n";
  }

  // Down from the top, then along each step, out to the right.
  std::string Frontier(const std::vector<Point*>& frontier) const {
    std::string text;
    std::string above = "0";
    for (std::size_t i = 0; i < frontier.size(); ++i) {
      const std::string x = X(*frontier[i]), y = Y(frontier[i]->bytes);
      const std::string next = i + 1 < frontier.size() ? X(*frontier[i + 1]) : "100%";
      text += Line(x, x, above, y) + Line(x, next, y, y);
      above = y;
    }
    return text;
  }

  // Of numbers that would lie upon each other every other one goes below its point.
  void PlaceNumbers(const std::vector<Point*>& frontier) const {
    constexpr double kNear = 6;  // percent of either axis: some 20 pixels, two digits
    for (std::size_t i = 1; i < frontier.size(); ++i) {
      const Point& before = *frontier[i - 1];
      const bool near = x_.Percent(frontier[i]->nanoseconds) - x_.Percent(before.nanoseconds) < kNear &&
                        y_.Percent(before.bytes) - y_.Percent(frontier[i]->bytes) < kNear;
      frontier[i]->number_below = near && !before.number_below;
    }
  }

  std::string Mark(const Point& point) const {
    const std::string name = Escape(point.row->structure->name);
    const std::string family(footprint::FamilyName(point.row->structure->family));
    const std::string x = X(point), y = Y(point.bytes);
    std::string text = "<g class=\"point-of\" data-structure=\"" + name + "\" data-bytes=\"" + ExactNumber(point.bytes) + "\" data-ns=\"" +
                       ExactNumber(point.nanoseconds) + "\"><title>" + name + ": " + Figure(point.bytes) + " B an element, " +
                       Nanoseconds(point.nanoseconds) + " a lookup</title><use class=\"point " + family + (point.number == 0 ? " off" : "") +
                       "\" href=\"#p-" + family + "\" x=\"" + x + "\" y=\"" + y + "\"/>";
    if (point.number != 0) {
      text += "<text class=\"number-tag\" x=\"" + x + "\" y=\"" + y + "\" dx=\"8\" dy=\"" + (point.number_below ? "16" : "-7") + "\">" +
              std::to_string(point.number) + "</text>";
    }
    return text + "</g>\n";
  }

 private:
  static std::vector<double> Values(const std::vector<Point>& points, double Point::*member) {
    std::vector<double> values;
    for (const Point& point : points) values.push_back(point.*member);
    return values;
  }
  static std::string Line(const std::string& x1, const std::string& x2, const std::string& y1, const std::string& y2) {
    return "<line class=\"frontier\" x1=\"" + x1 + "\" x2=\"" + x2 + "\" y1=\"" + y1 + "\" y2=\"" + y2 + "\"/>\n";
  }
  static std::string TimeLabel(double nanoseconds) {
    const bool long_time = nanoseconds >= 999;
    char label[32];
    std::snprintf(label, sizeof label, long_time ? "%.12g \xc2\xb5s" : "%.12g ns", long_time ? nanoseconds / 1000 : nanoseconds);
    return label;
  }
  std::string X(const Point& point) const { return Percent(x_.Percent(point.nanoseconds)); }
  std::string Y(double bytes) const { return Percent(100 - y_.Percent(bytes)); }

  LogScale x_, y_;
};

}  // namespace

std::string Scatter(const ColumnReport& column) {
  std::vector<Point> points = PointsOf(column);
  if (points.size() < 2) return "";
  const std::vector<Point*> frontier = NumberFrontier(points);
  const Plot plot(points);
  plot.PlaceNumbers(frontier);
  std::string text =
      "<figure><figcaption>Space against lookup time <span>both log; no exact structure is below and left of the dotted frontier</span></figcaption>\n"
      "<div class=\"frame\"><svg class=\"chart plot\" role=\"img\" aria-label=\"Bytes per element against the time of a lookup for " +
      std::to_string(points.size()) + " structures; the list below names the frontier\" height=\"" + std::to_string(kHeight) + "\">\n";
  text += plot.Axes() + plot.Frontier(frontier);
  // Those of the frontier lie on top.
  std::stable_sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return (a.number != 0) < (b.number != 0); });
  std::string list;
  for (const Point& point : points) {
    text += plot.Mark(point);
    if (point.number == 0) continue;
    list += "<li><span class=\"name\">" + Escape(point.row->structure->name) + "</span> <span class=\"cost\">" + Figure(point.bytes) + " B, " +
            Nanoseconds(point.nanoseconds) + "</span></li>\n";
  }
  return text + "</svg></div>\n<ol class=\"frontier-list\" aria-label=\"The frontier, fastest first\">\n" + list + "</ol></figure>\n";
}

}  // namespace thimble::tools
