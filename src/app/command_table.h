// The commands of weft, each implemented in commands/<name>/.
#pragma once

#include <span>

#include "app/cli/options.h"

namespace weft {

// Each takes the arguments that follow its name and returns the exit status. Throws Error.
int train_command(const Arguments& arguments);
int generate_command(const Arguments& arguments);
int eval_command(const Arguments& arguments);
int convert_command(const Arguments& arguments);
int tokenize_command(const Arguments& arguments);
int tokenizer_command(const Arguments& arguments);
int inspect_command(const Arguments& arguments);
int report_command(const Arguments& arguments);
int stories_command(const Arguments& arguments);
int doctor_command(const Arguments& arguments);
int bench_command(const Arguments& arguments);
int scaling_command(const Arguments& arguments);
int simulate_command(const Arguments& arguments);

struct Command {
  const char* name;
  const char* summary;
  int (*run)(const Arguments&);
};

std::span<const Command> commands();

}  // namespace weft
