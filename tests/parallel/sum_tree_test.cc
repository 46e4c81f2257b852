#include "parallel/sum_tree.h"

#include <gtest/gtest.h>

#include <string>

namespace weft {
namespace {

std::string text(const std::vector<Range>& nodes) {
  std::string text;
  for (const Range& node : nodes) {
    text += "[" + std::to_string(node.begin) + "," + std::to_string(node.end) + ")";
  }
  return text;
}

// The sum of the nodes as a formula, in the tree's order of addition.
std::string formula(const SumTree& tree, const std::vector<Range>& nodes,
                    std::vector<std::string> terms) {
  for (const auto& [to, from] : tree.additions(nodes)) {
    terms[to] = "(" + terms[to] + "+" + terms[from] + ")";
  }
  return terms[0];
}

// The partial sums of a rank's run after all its micro-batches, as formulas.
std::vector<std::string> partial_sums(const SumTree& tree, Range run) {
  std::vector<std::string> sums;
  for (int64_t i = run.begin; i < run.end; ++i) {
    std::string sum = std::to_string(i);
    for (int64_t merge = tree.merges(run.begin, i); merge > 0; --merge) {
      sum = "(" + sums.back() + "+" + sum + ")";
      sums.pop_back();
    }
    sums.push_back(sum);
  }
  return sums;
}

TEST(SumTree, ARunIsMadeUpOfTheFewestNodes) {
  EXPECT_EQ(text(SumTree(1).nodes_of({0, 1})), "[0,1)");
  EXPECT_EQ(text(SumTree(12).nodes_of({0, 12})), "[0,12)");
  EXPECT_EQ(text(SumTree(12).nodes_of({4, 8})), "[4,8)");
  EXPECT_EQ(text(SumTree(12).nodes_of({3, 6})), "[3,4)[4,6)");
  EXPECT_EQ(text(SumTree(6).nodes_of({0, 3})), "[0,2)[2,3)");
  EXPECT_EQ(text(SumTree(6).nodes_of({5, 5})), "");
}

// The exchange then sends as many bytes as a ring does.
TEST(SumTree, RanksWithAPowerOfTwoOfMicroBatchesHaveOneSumEach) {
  for (int64_t each : {1, 2, 4, 8}) {
    for (int64_t ranks = 1; ranks <= 9; ++ranks) {
      const SumTree tree(each * ranks);
      for (int64_t r = 0; r < ranks; ++r) {
        EXPECT_EQ(tree.nodes_of({r * each, (r + 1) * each}).size(), 1u) << each << " x " << ranks;
      }
    }
  }
}

TEST(SumTree, TheFormulaIsTheSameForAnyNumberOfRanks) {
  EXPECT_EQ(formula(SumTree(6), SumTree(6).nodes_of({0, 6}), partial_sums(SumTree(6), {0, 6})),
            "(((0+1)+(2+3))+(4+5))");
  for (int64_t n = 1; n <= 24; ++n) {
    const SumTree tree(n);
    const std::string expected = formula(tree, tree.nodes_of({0, n}), partial_sums(tree, {0, n}));
    for (int64_t ranks = 2; ranks <= n; ++ranks) {
      if (n % ranks != 0) continue;
      std::vector<Range> nodes;
      std::vector<std::string> terms;
      for (int64_t r = 0; r < ranks; ++r) {
        const Range run{r * n / ranks, (r + 1) * n / ranks};
        const std::vector<Range> of_rank = tree.nodes_of(run);
        const std::vector<std::string> sums = partial_sums(tree, run);
        ASSERT_EQ(of_rank.size(), sums.size());
        nodes.insert(nodes.end(), of_rank.begin(), of_rank.end());
        terms.insert(terms.end(), sums.begin(), sums.end());
      }
      EXPECT_EQ(formula(tree, nodes, terms), expected) << n << " on " << ranks;
    }
  }
}

// Each waiting sum takes as much memory as the gradients.
TEST(SumTree, FewSumsWaitAtATime) {
  const SumTree tree(64);
  for (int64_t i = 0; i <= 64; ++i) EXPECT_LE(tree.nodes_of({0, i}).size(), 6u);
}

}  // namespace
}  // namespace weft
