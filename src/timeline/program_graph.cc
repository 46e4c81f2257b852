#include "timeline/program_graph.h"

#include <fmt/format.h>

#include <string>
#include <unordered_map>

#include "base/error.h"

namespace weft {

ProgramGraph::ProgramGraph(const Program& program)
    : program_(traced(program)),
      successors_(program_.ops.size()),
      runs_(independent_runs(program)),
      begun_by_(program_.ops.size(), kNone),
      begins_transfer_(program_.ops.size(), false) {
  std::unordered_map<std::string, uint32_t> begun;  // by the name of the op that waits
  for (uint32_t i = 0; i < size(); ++i) {
    for (uint32_t before : predecessors(i)) successors_[before].push_back(i);
    if (const auto& begins = program.ops()[i].begins) begun.emplace(begins->text(), i);
    if (!op(i).waits) continue;
    const auto start = begun.find(op(i).name.text());
    if (start == begun.end()) {
      throw failure("simulate",
                    fmt::format("op '{}' waits for what no op begins", op(i).name.text()));
    }
    begun_by_[i] = start->second;
    begins_transfer_[start->second] = true;
  }
}

}  // namespace weft
