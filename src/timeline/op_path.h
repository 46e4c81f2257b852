// What the name of an op says: "block3/qkv/forward[r0,c1]" is the "qkv/forward" of layer 3 on the
// tiles "r0,c1".
#pragma once

#include <string>
#include <string_view>

namespace weft {

// Ops that do the same thing to other data are of one kind: the name without its layer, its bucket,
// its tile and, for what the optimizer does to a parameter, the parameter.
// "block3/qkv/forward[r0,c1]" is a "qkv/forward", and "block3/qkvw/update[2]" an "update".
std::string op_kind(std::string_view op_name);

// -1 for what belongs to no layer.
int op_layer(std::string_view op_name);

// Without brackets, and empty where the op is the only one of its name.
std::string_view op_tiles(std::string_view op_name);

}  // namespace weft
