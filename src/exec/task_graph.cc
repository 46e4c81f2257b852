#include "exec/task_graph.h"

namespace weft {

TaskGraph::TaskGraph(const Program& program) : begins_(program.ops().size() + 1) {
  const std::vector<std::vector<uint32_t>> waits = dependences(program);
  for (const std::vector<uint32_t>& ids : waits) {
    for (uint32_t id : ids) ++begins_[id + 1];
  }
  for (size_t op = 0; op < ops(); ++op) begins_[op + 1] += begins_[op];
  successors_.resize(begins_.back());
  std::vector<size_t> next(begins_.begin(), begins_.end() - 1);
  for (uint32_t op = 0; op < waits.size(); ++op) {
    for (uint32_t id : waits[op]) successors_[next[id]++] = op;
    dependences_.push_back(static_cast<uint32_t>(waits[op].size()));
    if (waits[op].empty()) roots_.push_back(op);
  }
  missing_ = std::make_unique<std::atomic<uint32_t>[]>(ops());
}

void TaskGraph::reset() {
  for (size_t op = 0; op < ops(); ++op) {
    missing_[op].store(dependences_[op], std::memory_order_relaxed);
  }
}

}  // namespace weft
