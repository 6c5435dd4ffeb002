#include <string>
#include <string_view>

#include "charts.h"
#include "format.h"
#include "page.h"
#include "report.h"

namespace thimble::tools {
namespace {

using footprint::Measurement;
using Cell = SortableTable::Cell;

std::string Fact(std::string_view name, std::string_view value) {
  return "<div><dt>" + std::string(name) + "</dt><dd>" + Escape(value) + "</dd></div>";
}

Cell BytesCell(double bytes) { return {HumanBytes(bytes), ExactNumber(bytes)}; }

std::string Title(const Report& report) { return report.path == "-" ? "standard input" : report.path.substr(report.path.rfind('/') + 1); }

std::string Header(const Report& report) {
  std::string text = "<header><p class=\"eyebrow\">thimble report</p>\n<h1>" + Escape(Title(report)) + "</h1>\n<dl class=\"facts\">";
  text += Fact(report.format == "lines" ? "lines" : "rows", Thousands(report.rows));
  text += Fact("bytes", HumanBytes(static_cast<double>(report.bytes)));
  text += Fact("columns", Thousands(report.columns.size()));
  text += Fact("format", report.format + (report.compression == "plain" ? "" : ", " + report.compression)) + "</dl>\n";
  text += report.sample_rows == 0
              ? "<p class=\"note\">Every structure was built from the values, in a process of its own; its heap was counted to the byte.</p>\n"
              : "<p class=\"warning\">Predicted from " + Thousands(report.sample_rows) +
                    " rows, a quarter and a sixteenth of them, of which every structure was built; lookups are the sample's.</p>\n";
  const auto rows_at = [&](std::uint64_t count, const std::vector<std::uint64_t>& lines, std::string_view noun, std::string_view what) {
    if (count == 0) return;
    text += "<p class=\"warning\">" + Counted(count, noun) + std::string(what) + ": line";
    for (const std::uint64_t line : lines) text += ' ' + Thousands(line);
    text += count > lines.size() ? " ...</p>\n" : "</p>\n";
  };
  rows_at(report.ragged_rows, report.ragged_lines, "ragged row", ", filled up or cut");
  rows_at(report.invalid_rows, report.invalid_lines, "line", " without JSON, left out");
  return text + "</header>\n";
}

// The structure for the column as it is, or else the smallest for any job.
const Recommendation* Best(const ColumnReport& column) {
  const Recommendation* best = nullptr;
  for (const Recommendation& r : column.recommendation) {
    if (r.job == footprint::kIdToValue) return &r;
    if (best == nullptr || r.row->measured.heap_bytes < best->row->measured.heap_bytes) best = &r;
  }
  return best;
}

// A row for each column, which leads to its section.
std::string Overview(const Report& report) {
  SortableTable table("Columns", {{"column", false}, {"type", false}, {"elements"}, {"distinct"}, {"payload"}, {"smallest id -> value", false}, {"B/elem"}, {"saves"}});
  for (std::size_t i = 0; i < report.columns.size(); ++i) {
    const ColumnReport& column = report.columns[i];
    const Recommendation* best = Best(column);
    std::string link = "<a href=\"#column-";
    link.append(std::to_string(i)).append("\">").append(Escape(Shorten(column.name, 60))).append("</a>");
    table.Add({{link, column.name},
               {Escape(column.type), column.type},
               {Thousands(column.elements), std::to_string(column.elements)},
               {Thousands(column.distinct), std::to_string(column.distinct)},
               BytesCell(static_cast<double>(column.payload_bytes)),
               {best ? "<span class=\"name\">" + Escape(best->row->structure->name) + "</span>" : "", best ? best->row->structure->name : ""},
               best ? Cell{Figure(best->row->measured.bytes_per_element()), ExactNumber(best->row->measured.bytes_per_element())} : Cell{},
               best ? Cell{Figure(best->saves_percent) + " %", ExactNumber(best->saves_percent)} : Cell{}});
  }
  return "<section aria-labelledby=\"overview\"><h2 id=\"overview\">At a glance</h2>\n" + std::move(table).Finish() + "</section>\n";
}

std::string BestOf(const ColumnReport& column) {
  if (column.recommendation.empty()) return "";
  std::string text = "<ul class=\"best\" aria-label=\"The smallest exact structure for each job\">\n";
  for (const Recommendation& r : column.recommendation) {
    text += "<li><span class=\"job\">" + Escape(JobName(r.job)) + "</span><span class=\"saves\">" +
            (r.saves_percent > 0 ? "\xe2\x88\x92" + Figure(r.saves_percent) + " %" : "") + "</span><span class=\"name\">" + Escape(r.row->structure->name) +
            "</span><span class=\"cost\">" + Figure(r.row->measured.bytes_per_element()) + " B an element</span></li>\n";
  }
  return text + "</ul>\n";
}

Cell PerElement(const StructureRow& row) {
  const double bytes = row.measured.bytes_per_element();
  Cell cell{SmallFigure(bytes), ExactNumber(bytes)};
  if (row.predicted) cell.markup += " \xc2\xb1 " + SmallFigure((row.predicted->high - row.predicted->low) / 2);
  return cell;
}

std::string Figures(const ColumnReport& column) {
  SortableTable table("All figures", {{"structure", false}, {"family", false}, {"B/elem"}, {"heap"}, {"peak"}, {"PSS"}, {"build"}, {"lookup"}, {"error"}, {"promised"}});
  for (const StructureRow& row : column.structures) {
    const Measurement& m = row.measured;
    const Cell name{"<span class=\"name\">" + Escape(row.structure->name) + "</span>", row.structure->name};
    if (!m.ok()) {
      table.AddFailed(name, m.failure());
      continue;
    }
    const auto percent = [&](double share) { return Cell{Figure(100 * share) + " %", ExactNumber(share)}; };
    const std::string family(footprint::FamilyName(row.structure->family));
    table.Add({name,
               {family, family},
               PerElement(row),
               BytesCell(static_cast<double>(m.heap_bytes)),
               BytesCell(static_cast<double>(m.peak_bytes)),
               BytesCell(static_cast<double>(m.pss_bytes)),
               {Seconds(m.build_seconds), ExactNumber(m.build_seconds)},
               m.lookup_ns ? Cell{Nanoseconds(*m.lookup_ns), ExactNumber(*m.lookup_ns)} : Cell{},
               m.error ? percent(m.error->measured) : Cell{},
               m.error ? percent(m.error->promised) : Cell{}},
              IsRecommended(column, row) ? "best-row" : "");
  }
  return std::move(table).Finish();
}

std::string Key() {
  std::string text = "<ul class=\"key\" aria-label=\"Families of structures\">";
  for (const char* family : {"naive", "thimble", "sketch"}) {
    text += std::string("<li><svg viewBox=\"-7 -7 14 14\" aria-hidden=\"true\"><use class=\"").append(family).append("\" href=\"#p-").append(family);
    text.append("\"/></svg>").append(family).append("</li>");
  }
  return text + "<li>\xe2\x98\x85 smallest exact structure for a job</li></ul>\n";
}

std::string Section(const ColumnReport& column, const std::string& id, const std::string& about) {
  const std::string scatter = Scatter(column);
  std::string text = "<section id=\"" + id + "\" aria-labelledby=\"" + id + "-name\">\n<h2 id=\"" + id + "-name\">" + Escape(Shorten(column.name, 200)) +
                     "</h2>\n<p class=\"about\">" + about + "</p>\n" + BestOf(column);
  text += std::string("<div class=\"charts") + (scatter.empty() ? " single" : "") + "\">\n" + BarChart(column) + scatter + "</div>\n";
  return text + Key() + Figures(column) + "</section>\n";
}

std::string About(const ColumnReport& column) {
  std::string text = Escape(column.type) + " \xc2\xb7 " + Counted(column.elements, "element") + " \xc2\xb7 " + Thousands(column.distinct) +
                     " distinct \xc2\xb7 payload " + HumanBytes(static_cast<double>(column.payload_bytes));
  if (column.elements > 0) text += ", " + Figure(static_cast<double>(column.payload_bytes) / static_cast<double>(column.elements)) + " B each";
  return text;
}

}  // namespace

std::string ToHtml(const Report& report) {
  std::string body = Header(report) + "<main id=\"main\">\n";
  if (report.columns.size() > 1) body += Overview(report);
  for (std::size_t i = 0; i < report.columns.size(); ++i) {
    body += Section(report.columns[i], "column-" + std::to_string(i), About(report.columns[i]));
  }
  if (!report.whole_rows.structures.empty()) {
    ColumnReport rows = report.whole_rows;
    rows.recommendation = Recommend(rows);  // into these rows
    rows.name = "Whole rows";
    body += Section(rows, "whole-rows", Thousands(rows.elements) + " structs of " + std::to_string(report.columns.size()) + " strings");
  }
  body += "</main>\n<footer>B/elem is heap bytes for each value that the structure stores; error is measured, beside what the structure promises.</footer>\n";
  return Page(Title(report) + " \xe2\x80\x93 thimble report", body);
}

}  // namespace thimble::tools
