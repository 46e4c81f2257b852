#include "runlog/protobuf.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <vector>

#include "support/error_of.h"

namespace weft {
namespace {

using Type = ProtobufField::Type;

std::vector<ProtobufField> fields_of(std::string_view message) {
  ProtobufReader reader(message);
  std::vector<ProtobufField> fields;
  while (const auto field = reader.next()) fields.push_back(*field);
  return fields;
}

// The examples of the format's specification.
TEST(Protobuf, WritesTheBytesOfTheSpecification) {
  std::string integer, text;
  put_integer(integer, 1, 150);
  put_bytes(text, 2, "testing");

  EXPECT_EQ(integer, "\x08\x96\x01");
  EXPECT_EQ(text, "\x12\x07testing");
}

TEST(Protobuf, FieldsComeBack) {
  std::string message;
  put_integer(message, 1, 0);
  put_integer(message, 15, std::numeric_limits<uint64_t>::max());
  put_integer(message, 16, 127);
  put_integer(message, 2000, 128);
  put_double(message, 3, -0.1);
  put_float(message, 4, 1e-40f);
  put_bytes(message, 5, std::string(300, 'x'));
  put_bytes(message, 6, "");

  const std::vector<ProtobufField> fields = fields_of(message);

  ASSERT_EQ(fields.size(), 8u);
  EXPECT_TRUE(fields[0].is(1, Type::kVarint));
  EXPECT_EQ(fields[0].bits, 0u);
  EXPECT_TRUE(fields[1].is(15, Type::kVarint));
  EXPECT_EQ(fields[1].bits, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(fields[2].bits, 127u);
  EXPECT_TRUE(fields[3].is(2000, Type::kVarint));
  EXPECT_EQ(fields[3].bits, 128u);
  EXPECT_EQ(std::bit_cast<double>(fields[4].bits), -0.1);
  EXPECT_EQ(std::bit_cast<float>(static_cast<uint32_t>(fields[5].bits)), 1e-40f);
  EXPECT_EQ(fields[6].bytes, std::string(300, 'x'));
  EXPECT_EQ(fields[7].bytes, "");
}

TEST(Protobuf, WhatIsNoMessageIsRefused) {
  const std::string_view endless("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11);

  for (const std::string_view bytes :
       {std::string_view("\x08"), std::string_view("\x08\x80"), std::string_view("\x09\0\0\0", 4),
        std::string_view("\x15\0\0", 3), std::string_view("\x12\x07test"), endless,
        std::string_view("\x0b"), std::string_view("\x0f"), std::string_view("\0\0", 2)}) {
    EXPECT_TRUE(mentions(error_of([&] { fields_of(bytes); }), {"events.read"}));
  }
}

}  // namespace
}  // namespace weft
