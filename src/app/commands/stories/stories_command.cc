// `weft stories`: writes the built-in corpus.
#include <fmt/format.h>

#include <cstdio>

#include "app/cli/format.h"
#include "app/cli/output_file.h"
#include "app/cli/terminal.h"
#include "app/command_table.h"
#include "data/stories.h"

namespace weft {

int stories_command(const Arguments& arguments) {
  int64_t bytes = 2'000'000;
  uint64_t seed = 42;
  std::string out;
  Options flags("stories", "Writes plain English stories that weft makes up, to train on.");
  flags.integer("--bytes", bytes, {1, int64_t{1} << 32}, "Least length of the text");
  flags.seed("--seed", seed, "The same seed writes the same stories");
  flags.text("--out", out, "FILE", "Where to; standard output");
  if (!flags.parse(arguments)) return 0;
  const std::string text = write_stories(bytes, seed);
  write_result(out, text);
  Terminal().line(fmt::format("{} of stories", format_bytes(text.size())));
  return 0;
}

}  // namespace weft
