#include "exec/task_graph.h"

namespace weft {

TaskGraph::TaskGraph(const Program& program) : begins_(program.ops().size() + 1) {
  const std::vector<std::vector<uint32_t>> predecessors = dependences(program);
  for (const std::vector<uint32_t>& ids : predecessors) {
    for (uint32_t id : ids) ++begins_[id + 1];
  }
  for (size_t op = 0; op < ops(); ++op) begins_[op + 1] += begins_[op];
  successors_.resize(begins_.back());
  std::vector<size_t> next(begins_.begin(), begins_.end() - 1);
  for (uint32_t op = 0; op < predecessors.size(); ++op) {
    for (uint32_t id : predecessors[op]) successors_[next[id]++] = op;
    predecessor_counts_.push_back(static_cast<uint32_t>(predecessors[op].size()));
    if (predecessors[op].empty()) roots_.push_back(op);
  }
  pending_predecessors_ = std::make_unique<std::atomic<uint32_t>[]>(ops());
}

void TaskGraph::reset() {
  for (size_t op = 0; op < ops(); ++op) {
    pending_predecessors_[op].store(predecessor_counts_[op], std::memory_order_relaxed);
  }
}

}  // namespace weft
