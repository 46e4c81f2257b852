#include "exec/sequential.h"

#include "exec/op_runner.h"

namespace weft {
namespace {

class SequentialProgram : public PreparedProgram {
 public:
  explicit SequentialProgram(const Program& program)
      : ops_(program.ops().size()), runner_(program, 1) {}

  void run(Observer* observer) override {
    runner_.begin(observer);
    for (size_t op = 0; op < ops_; ++op) runner_.run_to_end(op, 0);
    runner_.rethrow_failure();
  }

 private:
  size_t ops_;
  OpRunner runner_;
};

}  // namespace

std::unique_ptr<PreparedProgram> SequentialExecutor::prepare(const Program& program) const {
  return std::make_unique<SequentialProgram>(program);
}

}  // namespace weft
