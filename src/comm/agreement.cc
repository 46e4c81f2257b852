#include "comm/agreement.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"

namespace weft {
namespace {

using nlohmann::json;

json to_json(const std::optional<Error>& error, const Communicator& communicator) {
  if (!error) return nullptr;
  return {{"kind", int(error->kind())},
          {"where", error->where()},
          {"what", error->message()},
          {"hint", error->hint()},
          {"rank", rank_name(communicator)}};
}

Error from_json(const json& j, bool names_rank) {
  const auto text = [&](const char* name) { return j.at(name).get<std::string>(); };
  const std::string what = names_rank ? text("rank") + ": " + text("what") : text("what");
  return Error(ErrorKind(j.at("kind").get<int>()), text("where"), what, text("hint"))
      .on_all_ranks();
}

// Gathers one string per rank, reduces on rank 0, broadcasts the result.
std::string agree(Communicator& communicator, const std::string& mine,
                  const std::function<std::string(const std::vector<std::string>&)>& reduce) {
  const std::vector<std::string> texts = communicator.gather(mine);
  return communicator.broadcast(communicator.rank() == 0 ? reduce(texts) : std::string());
}

// The error of the lowest rank that has one and whether all have the same, or "null".
std::string first_error(const std::vector<std::string>& texts) {
  std::vector<json> errors;
  errors.reserve(texts.size());
  for (const std::string& text : texts) errors.push_back(json::parse(text));
  const auto first = std::ranges::find_if(errors, [](const json& e) { return !e.is_null(); });
  if (first == errors.end()) return "null";
  const bool same = std::ranges::all_of(
      errors, [&](const json& e) { return !e.is_null() && e["what"] == (*first)["what"]; });
  return json{{"error", *first}, {"same", same}}.dump();
}

// A sentence about the first fact that differs from rank 0's, or "".
std::string first_difference(const std::vector<std::string>& texts) {
  const json expected = json::parse(texts[0]);
  for (const std::string& text : texts) {
    const json facts = json::parse(text);
    const size_t known = std::min(facts["facts"].size(), expected["facts"].size());
    for (size_t i = 0; i < known; ++i) {
      const json &is = facts["facts"][i], &was = expected["facts"][i];
      if (is == was) continue;
      const auto value = [](const json& fact) { return fact[1].get<std::string>(); };
      return fmt::format("{} is {} on {} and {} on {}", was[0].get<std::string>(), value(was),
                         expected["rank"].get<std::string>(), value(is),
                         facts["rank"].get<std::string>());
    }
    if (facts["facts"].size() != expected["facts"].size()) {
      return fmt::format("the settings of {} and {} are not of the same kind",
                         expected["rank"].get<std::string>(), facts["rank"].get<std::string>());
    }
  }
  return "";
}

}  // namespace

void on_all_ranks(Communicator& communicator, const std::function<void()>& work) {
  if (communicator.size() == 1) return work();
  std::optional<Error> error;
  try {
    work();
  } catch (const Error& thrown) {
    error = thrown;
  }
  const json verdict =
      json::parse(agree(communicator, to_json(error, communicator).dump(), first_error));
  if (!verdict.is_null()) throw from_json(verdict["error"], !verdict["same"].get<bool>());
}

void require_same(Communicator& communicator, const Facts& facts) {
  if (communicator.size() == 1) return;
  const json mine = {{"rank", rank_name(communicator)}, {"facts", facts}};
  const std::string difference = agree(communicator, mine.dump(), first_difference);
  if (difference.empty()) return;
  throw input_error("train", difference, "start all ranks with the same program, flags and data")
      .on_all_ranks();
}

}  // namespace weft
