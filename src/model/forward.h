// Forward: tokens to the input of the classifier, through L blocks of attention and MLP.
#pragma once

#include <cstdint>
#include <functional>

#include "model/step_parts.h"
#include "program/program.h"

namespace weft {

// Appends the ops that turn a layer's qkv into its atty.
using AppendAttention =
    std::function<void(Program& program, const StepParts& parts, int64_t layer)>;

// Attention of whole sequences: one op per sequence and group of heads.
void append_attention(Program& program, const StepParts& parts, int64_t layer);

// Appends ops of the caller's before those of a layer; after the last layer, with layer = L.
using BeforeLayer = std::function<void(Program& program, int64_t layer)>;

// Reads inputs and positions; writes every activation up to lnf.
void append_forward(Program& program, const StepParts& parts,
                    const AppendAttention& attention = append_attention,
                    const BeforeLayer& before_layer = {});

// As part of backward: the activations of a block again, all but residual_out, by the ops of its
// forward pass. "block3/qkv/forward[r0,c1]" is now "block3/again/qkv/forward[r0,c1]".
void append_block_again(Program& program, const StepParts& parts, int64_t layer);

}  // namespace weft
