#include "model/gpt2.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "model/small_model.h"

namespace weft {
namespace {

using Names = std::vector<std::string>;

// A step of two blocks.
struct Gpt2Test : testing::Test {
  explicit Gpt2Test(Kept kept = Kept::kEverything, const Config& config = SmallModel::kConfig)
      : model(config),
        activations(model.arena, model.tiles, model.config, model.tiling, kept),
        gradients(model.arena, model.tiles, model.config, model.tiling) {
    for (int64_t i = 0; i < SmallModel::kN; ++i) {
      activations.embedding.inputs.matrix().at(i, 0) = int32_t(i * 29 % model.config.V);
      activations.classifier.targets.matrix().at(i, 0) = int32_t((i + 1) * 29 % model.config.V);
    }
  }

  TrainingParts parts() { return {{model.parts(), activations}, model.dweights, gradients}; }
  // Forward, loss and backward, one after the other.
  void append_step(Program& program) {
    append_forward(program, parts());
    append_loss_with_gradients(program, parts(), kMicro);
    append_backward(program, parts(), kMicro, model.sink);
  }
  void run_step() {
    model.run([&](const LayerOps& ops) { append_step(ops.program); });
  }
  double loss() {
    model.run([&](const LayerOps& ops) {
      append_forward(ops.program, parts());
      append_loss(ops.program, parts(), kMicro);
    });
    return activations.classifier.loss.matrix().at(0, 0);
  }

  // The first parts of the names of ops, each once, in the order of their first ops.
  static Names kinds_of(const Program& program) {
    Names names;
    for (const Op& op : program.ops()) {
      OpName name = op.name;
      name.index = OpName::kNone;
      name.tile.clear();
      if (std::ranges::find(names, name.text()) == names.end()) names.push_back(name.text());
    }
    return names;
  }

  static constexpr MicroStep kMicro = {.tokens_per_step = 1};
  SmallModel model;
  Activations activations;
  Gradients gradients;
};

TEST_F(Gpt2Test, ForwardRunsTheLayersInTheOrderOfThePaper) {
  Program program("test", model.tiles);

  append_forward(program, parts());

  Names expected = {"embedding/forward"};
  for (const std::string block : {"block0/", "block1/"}) {
    for (const char* op : {"ln1", "qkv", "attention", "attproj", "ln2", "fc", "fcproj"}) {
      expected.push_back(block + op + "/forward");
    }
  }
  expected.push_back("lnf/forward");
  EXPECT_EQ(kinds_of(program), expected);
}

TEST_F(Gpt2Test, BackwardRunsEachLinearLayersInputGradientBeforeItsWeightGradient) {
  Program program("test", model.tiles);

  append_backward(program, parts(), kMicro, model.sink);

  Names expected = {"lnf/backward", "lnf/dW"};
  for (const std::string block : {"block1/", "block0/"}) {
    for (const char* op :
         {"fcproj/dX", "fcproj/dW", "fc/dX", "fc/dW", "ln2/backward", "ln2/dW", "attproj/dX",
          "attproj/dW", "attention/backward", "qkv/dX", "qkv/dW", "ln1/backward", "ln1/dW"}) {
      expected.push_back(block + op);
    }
  }
  expected.insert(expected.end(), {"embedding/dwte", "embedding/dwpe"});
  EXPECT_EQ(kinds_of(program), expected);
}

TEST_F(Gpt2Test, HooksRunBeforeEveryLayerAndAfterTheLast) {
  Program program("test", model.tiles);
  std::vector<int64_t> layers;

  append_forward(program, parts(),
                 {.before_layer = [&](Program&, int64_t layer) { layers.push_back(layer); }});

  EXPECT_EQ(layers, (std::vector<int64_t>{0, 1, 2}));
}

TEST_F(Gpt2Test, GradientsOfTheWholeModelMatchFiniteDifferences) {
  run_step();

  for (const Parameter& p : model.table.all()) {
    expect_gradient(p.name, model.weights.values().matrix(p).row_block(0, p.unpadded_rows),
                    model.dweights.values().matrix(p).row_block(0, p.unpadded_rows),
                    [&] { return loss(); });
  }
}

TEST_F(Gpt2Test, EveryGradientIsSaidToBeCompleteOnce) {
  run_step();

  Names all, told = model.sink.parameters;
  told.insert(told.end(), model.sink.tiles.begin(), model.sink.tiles.end());
  for (const Parameter& p : model.table.all()) all.push_back(p.name);
  std::ranges::sort(all);
  std::ranges::sort(told);
  EXPECT_EQ(told, all);
}

struct RecomputingGpt2Test : Gpt2Test {
  RecomputingGpt2Test() : Gpt2Test(Kept::kInputs, {.L = 3, .NH = 3, .C = 15, .T = 11, .V = 131}) {}
};

TEST_F(RecomputingGpt2Test, BackwardComputesOverwrittenBlocksAgain) {
  Program program("test", model.tiles);

  append_backward(program, parts(), kMicro, model.sink);

  Names again;
  for (const Op& op : program.ops()) {
    if (!op.name.kind.starts_with("again/")) continue;
    EXPECT_EQ(op.phase, Phase::kBackward);
    OpName name = op.name;
    name.tile.clear();
    if (again.empty() || again.back() != name.text()) again.push_back(name.text());
  }
  const Names expected = {"block0/again/ln1/forward",       "block0/again/qkv/forward",
                          "block0/again/attention/forward", "block0/again/attproj/forward",
                          "block0/again/ln2/forward",       "block0/again/fc/forward"};
  EXPECT_EQ(again, expected);
}

}  // namespace
}  // namespace weft
