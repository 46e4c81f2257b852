#include "app/commands.h"

#include <array>

namespace weft {

std::span<const Command> commands() {
  static constexpr std::array<Command, 7> kCommands = {{
      {"train", "Train a GPT-2 on text or token shards", train_command},
      {"generate", "Write text with a model", generate_command},
      {"eval", "Measure a model's loss on text or token shards", eval_command},
      {"tokenize", "Turn text into a token shard, or back", tokenize_command},
      {"tokenizer", "Learn a tokenizer from text", tokenizer_command},
      {"inspect", "Say what a file or directory is, and whether it is whole", inspect_command},
      {"stories", "Write the built-in corpus of little stories", stories_command},
  }};
  return kCommands;
}

}  // namespace weft
