#include "store/foreign_file.h"

#include <sys/stat.h>

#include <array>
#include <fstream>
#include <string_view>

#include "rechunk/error.h"

namespace rechunk {
namespace {

struct Format {
  std::string_view name;
  std::string_view magic;
  std::string_view hint;  ///< Where to go from here.
};

constexpr std::string_view kDatasetHint =
    "in Python, rechunk() takes xarray.open_dataset(PATH, chunks={})";
constexpr std::string_view kGribHint =
    "in Python, rechunk() takes xarray.open_dataset(PATH, engine=\"cfgrib\", "
    "chunks={})";
constexpr std::string_view kTiffHint =
    "in Python, rechunk() takes what rioxarray.open_rasterio(PATH, "
    "chunks=True) "
    "and zarr.open(tifffile.imread(PATH, aszarr=True)) give";
// Its name says how a source is read.
constexpr std::string_view kZipHint = "as a source, its name must end in .zip";
constexpr std::string_view kReferencesHint =
    "as a source, its name must end in .json";
constexpr std::string_view kDocumentHint = "give the folder that holds it";
constexpr std::string_view kNumpyHint =
    "in Python, rechunk() takes numpy.load(PATH, mmap_mode=\"r\")";
constexpr std::string_view kPackedHint = "unpack it first";

constexpr std::array kFormats = {
    Format{"a file of HDF5 (as NetCDF-4 is)", "\x89HDF\r\n\x1a\n",
           kDatasetHint},
    Format{"a file of NetCDF-3", "CDF\x01", kDatasetHint},
    Format{"a file of NetCDF-3", "CDF\x02", kDatasetHint},
    Format{"a file of NetCDF-3", "CDF\x05", kDatasetHint},
    Format{"a GRIB file", "GRIB", kGribHint},
    // With a length, because these texts hold a NUL.
    Format{"a TIFF file", std::string_view("II*\0", 4), kTiffHint},
    Format{"a TIFF file", std::string_view("MM\0*", 4), kTiffHint},
    Format{"a TIFF file", std::string_view("II+\0", 4), kTiffHint},
    Format{"a TIFF file", std::string_view("MM\0+", 4), kTiffHint},
    Format{"a zip archive", "PK\x03\x04", kZipHint},
    Format{"an empty zip archive", "PK\x05\x06", kZipHint},
    Format{"a parquet table", "PAR1", "in Python, pandas reads it"},
    Format{"a file of numpy", "\x93NUMPY", kNumpyHint},
    Format{"packed with gzip", "\x1f\x8b", kPackedHint},
};

// JSON has no magic number, but these documents have certain words.
constexpr std::array kDocuments = {
    Format{"a file of kerchunk's references", "\"refs\"", kReferencesHint},
    Format{"a file of kerchunk's references", ".zarray\"", kReferencesHint},
    Format{"a document of Zarr's metadata", "\"zarr_format\"", kDocumentHint},
};

constexpr std::size_t kHeadBytes = 4096;

const Format* format_of(std::string_view head) {
  for (const Format& format : kFormats)
    if (head.starts_with(format.magic)) return &format;
  const auto first = head.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || head[first] != '{') return nullptr;
  for (const Format& document : kDocuments)
    if (head.find(document.magic) != std::string_view::npos) return &document;
  return nullptr;
}

}  // namespace

void refuse_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  std::string head(kHeadBytes, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  const Format* format = format_of(head);
  throw Error(ErrorKind::kInvalidArgument,
              "opening " + path + ": it is " +
                  std::string(format ? format->name : "a file") +
                  "; Zarr arrays and groups are folders",
              std::string(format ? format->hint : ""));
}

}  // namespace rechunk
