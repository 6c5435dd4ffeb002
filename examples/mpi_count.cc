// Counts the distinct lines of one file with many processes: each sketches runs of its bytes, the next one as soon as it is done
// with one, and MPI_Reduce merges the sketches, which are plain bytes of one size.
//
//   mpirun -n 4 mpi_count --sketch hll data.txt out.thimble
//
// The output is what `thimble count --sketch` writes, bit for bit, however many ranks there are. It appears, whole, when
// everything has succeeded; a rank that dies ends the job, and no file is written.

#define OMPI_SKIP_MPICXX 1
#include <mpi.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include <thimble/bloom_filter.h>
#include <thimble/hyperloglog.h>
#include <thimble/kmv_sketch.h>
#include <thimble/mapped_file.h>
#include <thimble/store_writer.h>
#if THIMBLE_HAS_EXALOGLOG
#include <thimble/exaloglog.h>
#endif

namespace {

using thimble::Buffer;

constexpr std::size_t kRun = std::size_t{16} << 20;  // bytes of the file to a rank at a time

[[noreturn]] void Fail(std::string_view message) {
  std::fprintf(stderr, "mpi_count: %.*s\n", static_cast<int>(message.size()), message.data());
  MPI_Abort(MPI_COMM_WORLD, 1);
  std::abort();
}

void Check(const absl::Status& status) {
  if (!status.ok()) Fail(std::string_view(status.message().data(), status.message().size()));
}

// Numbers from 0 on, each to one rank only: the counter lies in the memory of rank 0. A core that is disturbed takes fewer.
class Tickets {
 public:
  explicit Tickets(int rank) {
    MPI_Win_allocate(rank == 0 ? sizeof(std::uint64_t) : 0, sizeof(std::uint64_t), MPI_INFO_NULL, MPI_COMM_WORLD, &next_, &window_);
    if (rank == 0) *next_ = 0;
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Win_lock_all(0, window_);
  }
  ~Tickets() {
    MPI_Win_unlock_all(window_);
    MPI_Win_free(&window_);
  }
  std::uint64_t Take() {
    const std::uint64_t one = 1;
    std::uint64_t ticket = 0;
    MPI_Fetch_and_op(&one, &ticket, MPI_UINT64_T, 0, 0, MPI_SUM, window_);
    MPI_Win_flush(0, window_);
    return ticket;
  }

 private:
  MPI_Win window_;
  std::uint64_t* next_ = nullptr;
};

// The lines that begin in text[at, end).
template <class Add>
void ForLines(std::string_view text, std::size_t at, std::size_t end, Add add) {
  if (at > 0) at = std::min(text.find('\n', at - 1), text.size() - 1) + 1;
  while (at < end) {
    const std::size_t stop = std::min(text.find('\n', at), text.size());
    std::size_t size = stop - at;
    if (size > 0 && text[stop - 1] == '\r') --size;
    add(text.substr(at, size));
    at = stop + 1;
  }
}

// The user-defined operation: merges one image into another.
template <class Sketch>
void MergeImages(void* in, void* inout, int*, MPI_Datatype* type) {
  int bytes = 0;
  MPI_Type_size(*type, &bytes);
  const auto size = static_cast<std::size_t>(bytes);
  auto* target = static_cast<std::byte*>(inout);
  const Buffer part = Buffer::Copy({static_cast<const std::byte*>(in), size});
  absl::StatusOr<Sketch> merged = Sketch::Open(Buffer::Copy({target, size}));
  absl::StatusOr<Sketch> other = Sketch::Open(Buffer::Borrow(part.bytes()));
  if (!merged.ok()) Check(merged.status());
  if (!other.ok()) Check(other.status());
  Check(merged->Merge(other->view()));
  std::memcpy(target, merged->image().data(), size);
}

template <class Sketch>
Buffer Reduce(const Sketch& sketch, int rank) {
  Buffer reduced = Buffer::Heap(sketch.image().size());
  MPI_Datatype image;
  MPI_Type_contiguous(static_cast<int>(sketch.image().size()), MPI_BYTE, &image);
  MPI_Type_commit(&image);
  MPI_Op merge;
  MPI_Op_create(MergeImages<Sketch>, /*commute=*/1, &merge);
  MPI_Reduce(sketch.image().data(), rank == 0 ? reduced.data() : nullptr, 1, image, merge, 0, MPI_COMM_WORLD);
  MPI_Op_free(&merge);
  MPI_Type_free(&image);
  return reduced;
}

void Write(const std::string& path, std::span<const std::byte> image) {
  absl::StatusOr<thimble::StoreWriter> writer = thimble::StoreWriter::Create(path);
  if (!writer.ok()) Check(writer.status());
  Check(writer->Add("distinct", image));
  Check(writer->Finish());
}

template <class Sketch>
void Count(Sketch sketch, const std::string& in, const std::string& out, int rank, int ranks) {
  absl::StatusOr<thimble::MappedFile> file = thimble::MappedFile::Open(in);
  if (!file.ok()) Check(file.status());
  const std::string_view text(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size());
  Tickets tickets(rank);
  MPI_Barrier(MPI_COMM_WORLD);
  const double start = MPI_Wtime();
  for (std::size_t at; (at = tickets.Take() * kRun) < text.size();) {
    ForLines(text, at, std::min(at + kRun, text.size()), [&](std::string_view line) { sketch.Add(line); });
  }
  const Buffer reduced = Reduce(sketch, rank);
  MPI_Barrier(MPI_COMM_WORLD);
  const double seconds = MPI_Wtime() - start;
  if (rank != 0) return;
  Write(out, reduced.bytes());
  std::printf("%s: %d ranks, %.3f s, sketch of %zu bytes\n", in.c_str(), ranks, seconds, reduced.size());
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0, ranks = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  if (argc != 5 || std::string_view(argv[1]) != "--sketch") {
    if (rank == 0) std::fprintf(stderr, "usage: mpi_count --sketch hll|ell|kmv|bloom FILE OUT\n");
    MPI_Finalize();
    return 2;
  }
  const std::string_view kind = argv[2];
  // Options must be equal in all ranks, and are those of `thimble count`.
  if (kind == "hll") {
    Count(thimble::HyperLogLog({.precision = 14}), argv[3], argv[4], rank, ranks);
  } else if (kind == "kmv") {
    Count(thimble::KmvSketch({.k = 1 << 14}), argv[3], argv[4], rank, ranks);
#if THIMBLE_HAS_EXALOGLOG
  } else if (kind == "ell") {
    Count(thimble::ExaLogLog({.precision = 14}), argv[3], argv[4], rank, ranks);
#endif
  } else if (kind == "bloom") {
    Count(thimble::BloomFilter({.capacity = 10'000'000, .false_positive_rate = 0.01}), argv[3], argv[4], rank, ranks);
  } else {
    Fail("unknown sketch");
  }
  MPI_Finalize();
  return 0;
}
