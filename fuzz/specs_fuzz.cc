// What people write: sizes, chunks, codecs, flags.
#include <optional>
#include <vector>

#include "base/byte_size.h"
#include "cli/flags.h"
#include "cli/words.h"
#include "codec/codec.h"
#include "codec/codec_spec_text.h"
#include "input.h"
#include "plan/chunk_spec.h"
#include "targets.h"

namespace rechunk::fuzz {
namespace {

void use_size(std::string_view text) {
  std::optional<std::int64_t> bytes;
  succeeds([&] { bytes = parse_byte_size(text); });
  if (!bytes) return;
  require(*bytes >= 0, "a negative size");
  require(parse_byte_size(std::to_string(*bytes)) == *bytes,
          "a size changes when it is written");
  format_byte_size(*bytes);
}

void use_chunks(std::string_view text) {
  constexpr std::int64_t kHuge = std::int64_t{1} << 62;
  const ChunkContext contexts[] = {
      {{}, {}, {}, 4},
      {{2000, 361, 720}, {10, 361, 720}, {"time", "lat", "lon"}, 4},
      {{0, 1}, {1, 1}, {}, 8},
      {{kHuge, 7, kHuge}, {kHuge, 7, 1}, {"a", "a", "b=c"}, 1}};
  ChunkSpec spec;
  if (!succeeds([&] { spec = parse_chunk_spec(text); })) return;
  for (const ChunkContext& context : contexts) {
    applies_to(spec, context);
    succeeds([&] { resolve_chunks(restricted_to(spec, context), context); });
    succeeds([&] {
      const Shape chunks = resolve_chunks(spec, context);
      require(chunks.size() == context.shape.size(), "a chunk of another rank");
      for (const std::int64_t length : chunks)
        require(length >= 1, "a chunk without elements");
    });
  }
}

void use_codecs(std::string_view text) {
  std::vector<CodecSpec> specs;
  if (!succeeds([&] { specs = parse_codec_specs(text); })) return;
  succeeds([&] { make_codec_chain(specs, 4).scratch_bytes(1 << 20); });
}

/// Words of the command line, one a line, in the order of these fields.
void use_flags(std::string_view text) {
  cli::Arguments arguments;
  std::string* const words[] = {&arguments.words["--chunks"],
                                &arguments.words["--shards"],
                                &arguments.words["--codec"],
                                &arguments.words["--zarr-format"],
                                &arguments.words["--threads"],
                                &arguments.words["--max-memory"],
                                &arguments.shape,
                                &arguments.dtype,
                                &arguments.source_chunks,
                                &arguments.array,
                                &arguments.stage,
                                &arguments.tasks};
  for (std::string* word : words) {
    *word = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(word->size() + 1, text.size()));
  }
  arguments.options.array_chunk_words = {std::string(text)};
  succeeds([&] { make_options(arguments); });
  succeeds([&] { make_paper_array(arguments); });
  succeeds([&] { parse_tasks(arguments); });
}

/// A plan of an array that need not exist.
void use_paper(std::string_view text) {
  cli::Arguments arguments;
  const auto next = [&] {
    const std::string word(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    return word;
  };
  arguments.shape = next();
  arguments.dtype = next();
  arguments.source_chunks = next();
  arguments.source_shards = next();
  arguments.words["--chunks"] = next();
  arguments.words["--shards"] = next();
  arguments.words["--max-memory"] = next();
  arguments.words["--threads"] = "2";
  succeeds([&] {
    const PaperArray array = make_paper_array(arguments);
    const Plan plan = plan_on_paper(array, make_options(arguments));
    require(plan.peak_memory <= plan.max_memory, "a plan above its budget");
    to_json(plan);
  });
}

}  // namespace

void fuzz_specs(std::string_view input) {
  Numbers numbers(input);
  constexpr Run kUses[] = {use_size, use_chunks, use_codecs, use_flags,
                           use_paper};
  // A digit, so that inputs can be read.
  kUses[numbers.byte() % 5](numbers.rest());
}

}  // namespace rechunk::fuzz
