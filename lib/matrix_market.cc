// The Matrix Market exchange format.

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "status_macros.h"
#include "thimble/sparse_matrix.h"

namespace thimble {
namespace {

// The text's lines and the words in them.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}

  // Goes to the next line that is neither empty nor a comment. Returns false at the end.
  bool Next(bool comments_too = false) {
    while (!text_.empty()) {
      const std::size_t end = std::min(text_.find('\n'), text_.size());
      line_ = text_.substr(0, end);
      text_.remove_prefix(std::min(end + 1, text_.size()));
      ++number_;
      SkipSpace();
      if (!line_.empty() && (comments_too || line_[0] != '%')) return true;
    }
    line_ = {};
    return false;
  }

  std::string_view Word() {
    SkipSpace();
    const std::size_t end = std::min(line_.find_first_of(" \t\r"), line_.size());
    const std::string_view word = line_.substr(0, end);
    line_.remove_prefix(end);
    return word;
  }

  template <class Number>
  bool Read(Number* to) {
    std::string_view word = Word();
    if (!word.empty() && word[0] == '+') word.remove_prefix(1);
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), *to);
    return error == std::errc() && end == word.data() + word.size();
  }

  absl::Status Wrong(const char* what) const {
    return absl::DataLossError("matrix market: line " + std::to_string(number_) + ": " + what);
  }

 private:
  void SkipSpace() { line_.remove_prefix(std::min(line_.find_first_not_of(" \t\r"), line_.size())); }

  std::string_view text_, line_;
  std::uint64_t number_ = 0;
};

std::string Lower(std::string_view word) {
  std::string lower(word);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
  return lower;
}

struct Banner {
  bool array = false;
  MatrixValues values = MatrixValues::kF64;
  bool symmetric = false;
  double mirrored = 1;  // what an entry is multiplied with to give its mirror image
};

absl::StatusOr<Banner> ReadBanner(Lines& lines) {
  if (!lines.Next(true) || Lower(lines.Word()) != "%%matrixmarket" || Lower(lines.Word()) != "matrix") return lines.Wrong("no banner");
  Banner banner;
  const std::string layout = Lower(lines.Word()), field = Lower(lines.Word()), symmetry = Lower(lines.Word());
  if (layout != "coordinate" && layout != "array") return lines.Wrong("unknown layout");
  banner.array = layout == "array";
  if (field == "complex" || symmetry == "hermitian") return absl::UnimplementedError("matrix market: complex matrices");
  if (field == "integer") {
    banner.values = MatrixValues::kInteger;
  } else if (field == "pattern" && !banner.array) {
    banner.values = MatrixValues::kPattern;
  } else if (field != "real") {
    return lines.Wrong("unknown field");
  }
  if (symmetry != "general" && symmetry != "symmetric" && symmetry != "skew-symmetric") return lines.Wrong("unknown symmetry");
  banner.symmetric = symmetry != "general";
  banner.mirrored = symmetry == "skew-symmetric" ? -1 : 1;
  return banner;
}

}  // namespace

absl::StatusOr<SparseMatrix> ParseMatrixMarket(std::string_view text, MatrixOrder order) {
  Lines lines(text);
  THIMBLE_ASSIGN_OR_RETURN(const Banner banner, ReadBanner(lines));
  std::uint64_t rows = 0, columns = 0, entries = 0;
  if (!lines.Next() || !lines.Read(&rows) || !lines.Read(&columns) || (!banner.array && !lines.Read(&entries))) return lines.Wrong("no sizes");
  if (banner.symmetric && rows != columns) return lines.Wrong("a symmetric matrix must be square");
  SparseMatrix::Builder builder({.rows = rows, .columns = columns, .values = banner.values, .order = order});
  const auto add = [&](std::uint64_t row, std::uint64_t column, double value) {
    absl::Status added = builder.Add(row, column, value);
    if (added.ok() && banner.symmetric && row != column) added = builder.Add(column, row, banner.mirrored * value);
    return added;
  };
  if (banner.array) {
    // Columns one after the other; of a symmetric matrix from the diagonal down, of a skew one from below it.
    for (std::uint64_t column = 0; rows > 0 && column < columns; ++column) {
      const std::uint64_t first = !banner.symmetric ? 0 : banner.mirrored < 0 ? column + 1 : column;
      for (std::uint64_t row = first; row < rows; ++row) {
        double value = 0;
        if (!lines.Next() || !lines.Read(&value)) return lines.Wrong("a value is missing");
        if (value != 0) THIMBLE_RETURN_IF_ERROR(add(row, column, value));
      }
    }
  } else {
    for (std::uint64_t i = 0; i < entries; ++i) {
      std::uint64_t row = 0, column = 0;
      double value = 1;
      if (!lines.Next() || !lines.Read(&row) || !lines.Read(&column)) return lines.Wrong("an entry is missing");
      if (banner.values != MatrixValues::kPattern && !lines.Read(&value)) return lines.Wrong("a value is missing");
      if (row == 0 || column == 0 || !add(row - 1, column - 1, value).ok()) return lines.Wrong("the place lies beyond the matrix");
    }
  }
  if (lines.Next()) return lines.Wrong("more entries than promised");
  return builder.Finish();
}

std::string FormatMatrixMarket(const SparseMatrixView& matrix) {
  constexpr const char* kFields[] = {"pattern", "real", "real", "integer"};
  std::string text = std::string("%%MatrixMarket matrix coordinate ") + kFields[static_cast<unsigned>(matrix.values())] + " general\n" +
                     std::to_string(matrix.rows()) + ' ' + std::to_string(matrix.columns()) + ' ' + std::to_string(matrix.size()) + '\n';
  std::array<MatrixEntry, 256> entries;
  std::array<char, 40> digits;
  for (std::uint64_t first = 0; first < matrix.size();) {
    const std::size_t n = matrix.Copy(first, entries);
    if (n == 0) break;
    for (std::size_t i = 0; i < n; ++i) {
      text += std::to_string(entries[i].row + 1) + ' ' + std::to_string(entries[i].column + 1);
      if (matrix.values() != MatrixValues::kPattern) {
        // The shortest digits that read back as the same number.
        const double value = entries[i].value;
        const auto written = [&](auto number) { return std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr; };
        const char* end = matrix.values() == MatrixValues::kF32   ? written(static_cast<float>(value))
                          : matrix.values() == MatrixValues::kInteger ? written(static_cast<std::int64_t>(value))
                                                                  : written(value);
        text += ' ';
        text.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
      }
      text += '\n';
    }
    first += n;
  }
  return text;
}

}  // namespace thimble
