#include "data/bpe.h"

#include <utility>

namespace weft {

Bpe::Bpe(BpeVocabulary vocabulary)
    : vocabulary_(std::move(vocabulary)), merges_(single_byte_ids(vocabulary_.tokens)) {
  merges_.reserve(vocabulary_.merges.size());
  for (const auto& [left, right, result] : vocabulary_.merges) merges_.add(left, right, result);
  find_whole_pieces();
}

void Bpe::find_whole_pieces() {
  whole_pieces_.reserve(vocabulary_.tokens.size());
  std::vector<Token> ids;
  for (const std::string& bytes : vocabulary_.tokens) {
    ids.clear();
    merges_.merge(bytes, ids);
    if (ids.size() == 1) whole_pieces_.emplace(bytes, ids[0]);
  }
}

void Bpe::encode(std::string_view piece, std::vector<Token>& ids) const {
  const auto whole = whole_pieces_.find(piece);
  if (whole != whole_pieces_.end()) {
    ids.push_back(whole->second);
  } else {
    merges_.merge(piece, ids);
  }
}

}  // namespace weft
