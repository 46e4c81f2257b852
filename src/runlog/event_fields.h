// The prefix of event files' names, and the fields of TensorFlow's messages that weft uses,
// numbered as in event.proto, summary.proto and tensor.proto.
//
//   Event           = wall_time step ( file_version | Summary | SessionLog )
//   Summary         = { Value }
//   Value           = tag ( simple_value | Tensor metadata )
#pragma once

#include <cstdint>
#include <string_view>

namespace weft {

// The names of event files begin with this and the seconds since 1970, in ten digits.
constexpr std::string_view kEventFilePrefix = "events.out.tfevents.";

// Event
constexpr uint32_t kWallTimeField = 1;     // double: seconds since 1970
constexpr uint32_t kStepField = 2;         // varint
constexpr uint32_t kFileVersionField = 3;  // text
constexpr uint32_t kSummaryField = 5;      // message
constexpr uint32_t kSessionLogField = 7;   // message

constexpr std::string_view kEventFileVersion = "brain.Event:2";
constexpr std::string_view kAnyEventFileVersion = "brain.Event:";

// SessionLog
constexpr uint32_t kStatusField = 1;  // varint
constexpr uint64_t kSessionStart = 1;

// Summary
constexpr uint32_t kValueField = 1;  // message

// Value
constexpr uint32_t kTagField = 1;          // text
constexpr uint32_t kSimpleValueField = 2;  // float
constexpr uint32_t kTensorField = 8;       // message
constexpr uint32_t kMetadataField = 9;     // message

// Metadata of a value: the plugin of TensorBoard that shows it
constexpr uint32_t kPluginDataField = 1;  // message
constexpr uint32_t kPluginNameField = 1;  // text

// Tensor
constexpr uint32_t kDtypeField = 1;  // varint
constexpr uint64_t kStringDtype = 7;
constexpr uint32_t kShapeField = 2;        // message; empty: a single element
constexpr uint32_t kStringValueField = 8;  // bytes

}  // namespace weft
