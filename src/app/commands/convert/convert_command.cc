// `weft convert`: writes a model in another format, with one parameter in memory at a time.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdint>

#include "app/cli/format.h"
#include "app/cli/live_line.h"
#include "app/cli/model_notes.h"
#include "app/cli/stop_signals.h"
#include "app/cli/terminal.h"
#include "app/command_table.h"
#include "base/error.h"
#include "formats/model_files.h"
#include "formats/model_target.h"

namespace weft {
namespace {

using Clock = std::chrono::steady_clock;

struct ConvertOptions {
  std::string from, to;
  std::string dtype;  // "": the source's
  bool force = false;
};

bool parse(const Arguments& arguments, ConvertOptions& o) {
  Options flags("convert",
                "Writes a model in another format. The name of --to says which: x.bin is an llm.c "
                "file; x.safetensors is the tensors alone, with config.json beside it (made if "
                "there is none); any other name is a Hugging Face directory, with the tokenizer "
                "that lies beside the source. weft opens all three, transformers the directory.");
  const Flag from = flags.text("--from", o.from, "PATH",
                               "Run directory, checkpoint, Hugging Face directory, "
                               ".safetensors or llm.c .bin");
  const Flag to = flags.text("--to", o.to, "PATH", "FILE.bin, FILE.safetensors or a directory");
  flags.choice("--dtype", o.dtype, {"fp32", "bf16"},
               "Element type of the target; the source's (F16 becomes fp32)");
  flags.flag("--force", o.force, "Replace the file or model that --to names");
  if (!flags.parse(arguments)) return false;
  flags.require(from, "name the model to read");
  flags.require(to, "name the file or directory to write");
  return true;
}

// Returns the type that --dtype names, or else one that holds every stored value.
DType target_type(const std::string& asked, const std::set<DType>& stored) {
  if (asked == "bf16") return DType::BF16;
  if (asked == "fp32") return DType::F32;
  return stored == std::set<DType>{DType::BF16} ? DType::BF16 : DType::F32;
}

const char* type_name(DType dtype) { return dtype == DType::BF16 ? "bf16" : "fp32"; }

// A bf16 value is the upper half of an fp32 value.
int64_t count_rounded_by_bf16(Vector<const float> values) {
  return std::ranges::count_if(
      values, [](float value) { return (std::bit_cast<uint32_t>(value) & 0xFFFF) != 0; });
}

// Passes the parameters through to the target, counts them, and shows the progress.
class Conversion {
 public:
  Conversion(const ModelReader& source, DType dtype, const StopSignals& signals, Terminal& terminal)
      : source_(source), dtype_(dtype), signals_(signals), terminal_(terminal) {
    int64_t largest = 0;
    for (const Parameter& p : source.table().all()) largest = std::max(largest, p.size());
    buffer_.resize(static_cast<size_t>(largest));
  }

  // Throws Stopped if the user has asked to stop.
  Vector<const float> values_of(const Parameter& p) {
    signals_.check();
    const auto values = Vector<float>(buffer_).first(static_cast<size_t>(p.size()));
    source_.read(p, values);
    broken_.add(p, values);
    if (dtype_ == DType::BF16) rounded_ += count_rounded_by_bf16(values);
    show_progress();
    return values;
  }

  void report(const ConvertOptions& o) const {
    note_non_finite(broken_, terminal_);
    if (rounded_ > 0) {
      terminal_.line(fmt::format("note: {} of {} weights lost precision: bf16 has 8 bits of it",
                                 format_count(rounded_), format_count(broken_.weights)));
    }
    terminal_.line(fmt::format("{}: {} in {}, {:.1f} s", o.to, to_string(source_.table().config()),
                               type_name(dtype_), seconds()));
  }

 private:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  void show_progress() {
    live_.show([&] {
      const auto all = static_cast<double>(source_.table().count());
      return fmt::format("converting: {} of {} weights",
                         format_percent(static_cast<double>(broken_.weights) / all),
                         format_large(all));
    });
  }

  const ModelReader& source_;
  DType dtype_;
  const StopSignals& signals_;
  Terminal& terminal_;
  LiveLine live_{terminal_};
  std::vector<float> buffer_;
  NonFiniteWeights broken_;
  int64_t rounded_ = 0;
  Clock::time_point start_ = Clock::now();
};

void convert(const ConvertOptions& options, Terminal& terminal) {
  const std::unique_ptr<ModelReader> source = open_model(options.from);
  const ModelTarget target(options.to);
  std::vector<std::filesystem::path> tokenizer = tokenizer_files_beside(options.from);
  target.check(*source, tokenizer, options.force);

  const DType dtype = target_type(options.dtype, source->dtypes());
  if (source->dtypes().contains(DType::F16)) {
    terminal.line(
        fmt::format("note: {} holds F16, which is written as {}", options.from, type_name(dtype)));
  }
  const StopSignals signals("stopping; the same signal again stops at once");
  Conversion conversion(*source, dtype, signals, terminal);
  target.write({.table = source->table(),
                .values_of = [&](const Parameter& p) { return conversion.values_of(p); },
                .end_of_text = read_end_of_text(options.from),
                .dtype = dtype,
                .tokenizer_files = std::move(tokenizer)});
  conversion.report(options);
}

}  // namespace

int convert_command(const Arguments& arguments) {
  ConvertOptions options;
  if (!parse(arguments, options)) return 0;
  Terminal terminal;
  try {
    convert(options, terminal);
    return 0;
  } catch (const Stopped& stopped) {
    terminal.line("stopped: nothing was written");
    return stopped.exit_status();
  }
}

}  // namespace weft
