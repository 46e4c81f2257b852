// The parts of inspect(): one function per kind of file or directory. Each throws Error (kInput)
// with the reason where the file or directory is not whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "app/commands/inspect/inspection.h"

namespace weft {

inline constexpr const char* kInspect = "inspect";  // where its errors happen

// Adds the bytes of a file, or of all files in a directory.
void add_size(const std::filesystem::path& path, Inspection& found);
void add_seconds(double seconds, Inspection& found);
// Adds a loss in nats per token.
void add_loss(const std::string& name, double loss, Inspection& found);

// inspect_models.cc: models of all formats, and the checkpoints and runs that hold them.
Inspection inspect_model(const std::string& kind, const std::filesystem::path& path);
// If the content of the file or directory is a model of one of model_formats().
std::optional<Inspection> inspect_if_model(const std::filesystem::path& path);
Inspection inspect_checkpoint(const std::filesystem::path& path);
Inspection inspect_run(const std::filesystem::path& path);
// Inspects a .safetensors file that is no model: moments of AdamW, or a shard of a model.
Inspection inspect_tensors(const std::filesystem::path& path);
Inspection inspect_safetensors_index(const std::filesystem::path& path);

// inspect_llmc.cc: the file's kind by its magic number; nothing if that is none of llm.c's, or a
// model's.
std::optional<Inspection> inspect_llmc_file(const std::filesystem::path& path);

// inspect_records.cc: the files of a run beside its checkpoints.
Inspection inspect_metrics(const std::filesystem::path& path);
Inspection inspect_config(const std::filesystem::path& path);

// inspect_traces.cc: JSON, and the same compressed with gzip. inspect_paraver.cc: .prv.
Inspection inspect_trace(const std::filesystem::path& path);
Inspection inspect_packed_trace(const std::filesystem::path& path);
Inspection inspect_paraver(const std::filesystem::path& path);
// inspect_events.cc
Inspection inspect_events(const std::filesystem::path& path);
// Adds facts about all event files of a run directory. A file that breaks off in its last record
// becomes a note.
void inspect_events_of_run(const std::filesystem::path& run, Inspection& found);

// inspection.cc
Inspection inspect_tokenizer(const std::filesystem::path& path);

}  // namespace weft
