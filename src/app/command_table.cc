#include "app/command_table.h"

#include <array>

namespace weft {

std::span<const Command> commands() {
  static constexpr std::array<Command, 13> kCommands = {{
      {"train", "Train a GPT-2 on text or token shards", train_command},
      {"generate", "Write text with a model", generate_command},
      {"eval", "Measure a model's loss on a corpus, or its answers to HellaSwag", eval_command},
      {"convert", "Write a model in another format", convert_command},
      {"tokenize", "Turn text into a token shard, or back", tokenize_command},
      {"tokenizer", "Learn a tokenizer from text", tokenizer_command},
      {"inspect", "Say what a file or directory is, and whether it is whole", inspect_command},
      {"report", "Show runs and traces as one HTML page", report_command},
      {"stories", "Write the built-in corpus of little stories", stories_command},
      {"doctor", "Say what this machine can do, and what costs speed", doctor_command},
      {"bench", "Time a training step, its kernels, or what it costs to schedule", bench_command},
      {"scaling", "Say how a step scales with threads and ranks, and where it loses",
       scaling_command},
      {"simulate", "Predict a training step on other cores, nodes and links", simulate_command},
  }};
  return kCommands;
}

}  // namespace weft
