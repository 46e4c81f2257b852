#include "parallel/sum_tree.h"

#include <algorithm>
#include <bit>

#include "base/error.h"

namespace weft {
namespace {

// The first micro-batch of a node's second child.
int64_t middle_of(Range node) {
  return node.begin + static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(node.size() - 1)));
}

bool is_inside(Range inner, Range outer) {
  return outer.begin <= inner.begin && inner.end <= outer.end;
}

// Appends the largest nodes below `node` that lie in the run.
void collect(Range node, Range run, std::vector<Range>& found) {
  if (is_inside(node, run)) {
    found.push_back(node);
    return;
  }
  if (node.end <= run.begin || run.end <= node.begin) return;
  collect({node.begin, middle_of(node)}, run, found);
  collect({middle_of(node), node.end}, run, found);
}

// Appends the additions of a node's parts. Returns the index of its sum, which is that of its first
// part.
size_t add_up(Range node, const std::vector<Range>& nodes,
              std::vector<std::pair<size_t, size_t>>& additions) {
  const auto at = std::ranges::find(nodes, node.begin, &Range::begin);
  require(at != nodes.end(), "a sum begins with a node");
  const auto index = static_cast<size_t>(at - nodes.begin());
  if (at->end == node.end) return index;
  const size_t to = add_up({node.begin, middle_of(node)}, nodes, additions);
  const size_t from = add_up({middle_of(node), node.end}, nodes, additions);
  additions.emplace_back(to, from);
  return to;
}

}  // namespace

std::vector<Range> SumTree::nodes_of(Range run) const {
  std::vector<Range> nodes;
  if (run.size() > 0) collect({0, n_}, run, nodes);
  return nodes;
}

int64_t SumTree::merges(int64_t begin, int64_t i) const {
  const auto before = static_cast<int64_t>(nodes_of({begin, i}).size());
  const auto after = static_cast<int64_t>(nodes_of({begin, i + 1}).size());
  return before + 1 - after;
}

std::vector<std::pair<size_t, size_t>> SumTree::additions(const std::vector<Range>& nodes) const {
  std::vector<std::pair<size_t, size_t>> additions;
  add_up({0, n_}, nodes, additions);
  return additions;
}

}  // namespace weft
