// Makes HellaSwag files as bytes, without the code under test.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace weft {

using Numbers = std::vector<uint16_t>;

struct Question {
  Numbers context;
  std::array<Numbers, 4> completions;
  uint16_t label = 0;
};

// The numbers of a valid example.
inline Numbers example_numbers(const Question& question, uint16_t index) {
  Numbers numbers = {65535, 0, index, question.label, 4};
  const auto append = [&](const Numbers& tokens) {
    numbers.push_back(static_cast<uint16_t>(tokens.size()));
    numbers.insert(numbers.end(), tokens.begin(), tokens.end());
  };
  append(question.context);
  for (const Numbers& completion : question.completions) append(completion);
  numbers[1] = static_cast<uint16_t>(2 * numbers.size());
  return numbers;
}

inline std::string hellaswag_bytes(int32_t examples, const Numbers& payload,
                                   int32_t longest_bytes = 65534, int32_t magic = 20240522,
                                   int32_t version = 1) {
  const std::array<int32_t, 256> header = {magic, version, examples, longest_bytes};
  std::string bytes(sizeof(header) + 2 * payload.size(), '\0');
  std::memcpy(bytes.data(), header.data(), sizeof(header));
  if (!payload.empty()) {
    std::memcpy(bytes.data() + sizeof(header), payload.data(), 2 * payload.size());
  }
  return bytes;
}

inline std::string hellaswag_bytes(const std::vector<Question>& questions) {
  Numbers payload;
  for (size_t i = 0; i < questions.size(); ++i) {
    const Numbers numbers = example_numbers(questions[i], static_cast<uint16_t>(i));
    payload.insert(payload.end(), numbers.begin(), numbers.end());
  }
  return hellaswag_bytes(static_cast<int32_t>(questions.size()), payload);
}

}  // namespace weft
