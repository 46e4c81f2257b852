// Proves that ThreadSanitizer sees OpenMP's task dependences: tasks that they order must pass, and
// the same tasks without an order must be reported.
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>

namespace {

constexpr int kTasks = 200;

// Adds 1 in each task. If ordered, all tasks name the same tile; otherwise each its own.
int count(bool ordered) {
  std::array<char, kTasks> tiles{};
  int sum = 0;
#pragma omp parallel num_threads(2)
#pragma omp single
  for (int i = 0; i < kTasks; ++i) {
    [[maybe_unused]] char* tile = &tiles[ordered ? 0 : i];
#pragma omp task depend(inout : tile[0]) shared(sum)
    {
      usleep(100);  // long enough for both threads to get tasks
      sum += 1;
    }
  }
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  std::printf("%d\n", count(argc > 1 && std::strcmp(argv[1], "ordered") == 0));
}
