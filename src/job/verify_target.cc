#include "job/verify_target.h"

#include "base/array_label.h"
#include "job/resume_check.h"
#include "rechunk/error.h"
#include "request/target_hierarchy.h"
#include "verify/same_encoded.h"

namespace rechunk {
namespace {

[[noreturn]] void fail(const std::string& name, const std::string& what) {
  throw Error(ErrorKind::kCorrupt,
              "verifying " + array_label(name) + " of the target: " + what);
}

Digest source_digest(const PlannedJob& job, const StoredArray& source,
                     const ReadOptions& options) {
  if (job.stores.array_sources.contains(source.path))
    fail(source.path,
         "tasks of it ran twice, and it cannot be read again to compare");
  return digest_array(source, options);
}

/// Of one array; returns its digest, "" where it cannot be decoded.
std::string verify_array(const PlannedJob& job, const StagedCopySpec& spec,
                         const std::optional<Digest>& read_digest,
                         const ReadOptions& options) {
  const StoredArray source{job.stores.source, spec.name,
                           job.source.arrays.at(spec.name)};
  const StoredArray target{job.stores.target, spec.name,
                           job.target.arrays.at(spec.name)};
  if (!is_decodable(target.metadata)) {
    if (!same_encoded(source, target, options))
      fail(spec.name, "encoded chunks differ");
    return "";
  }
  const bool was_read = spec.method != Method::kPassthrough && read_digest;
  const auto [kept, added] =
      digest_kept(target, kept_of(job, spec.name), options);
  Digest found = added;
  if (was_read) found += kept;  // As tasks have read both.
  const Digest expected =
      was_read ? *read_digest : source_digest(job, source, options);
  if (found != expected)
    fail(spec.name,
         "digest " + to_string(found) + ", read was " + to_string(expected));
  return to_string(added);
}

}  // namespace

void verify_target(const PlannedJob& job,
                   const std::vector<std::optional<Digest>>& read_digests,
                   const ReadOptions& options, Report& report) {
  for (std::size_t index = 0; index < job.plan.arrays.size(); ++index) {
    try {
      report.arrays[index].digest = verify_array(job, job.plan.arrays[index],
                                                 read_digests[index], options);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kCorrupt)
        forget_array(job, static_cast<int>(index));
      throw;
    }
  }
}

}  // namespace rechunk
