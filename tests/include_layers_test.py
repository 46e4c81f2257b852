#!/usr/bin/env python3
"""Checks that no file of src/ reaches up a layer, and that threads, MPI and printing stay in place.

    tests/include_layers_test.py [ROOT]      checks itself, then ROOT/src (default: this repository)
    tests/include_layers_test.py --self-test    checks itself only: made-up offenders must be found

Prints `file:line: what is wrong` for each offence and exits 1 if there is one.
"""

import re
import sys
from pathlib import Path

# What a file of a folder may include: whole folders, or single headers. Its own folder is allowed.
MAY_INCLUDE = {
    "base": [],
    "data": ["base"],
    "kernels": ["base"],
    "program": ["base"],
    "comm": ["base"],
    "exec": ["base", "program"],
    "model": ["base", "data", "kernels", "program"],
    "optim": ["base", "kernels", "program", "model"],
    "formats": ["base", "data/tokenizer.h", "model/architecture.h", "model/config.h",
                "model/parameters.h"],
    "timeline": ["base", "program"],
    "runlog": ["base", "program"],
    "parallel": ["base", "data", "kernels", "program", "comm", "model", "optim", "exec/executor.h"],
    "step": ["base", "data", "kernels", "program", "comm", "model", "optim", "parallel",
             "exec/executor.h"],
    "infer": ["base", "data", "kernels", "program", "comm", "model", "formats", "step", "exec/executor.h"],
    "run": ["base", "data", "kernels", "program", "comm", "model", "optim", "formats", "timeline",
            "runlog", "parallel", "step", "infer", "exec/executor.h"],
    "predict": ["base", "program", "comm", "model", "optim", "timeline", "parallel", "step", "run",
                "exec/executor.h"],
    "measure": ["base", "data", "kernels", "program", "comm", "model", "optim", "timeline", "parallel",
                "step", "run", "predict", "exec/executor.h"],
    "report": ["base", "program", "timeline", "runlog"],
    "app": ["base", "data", "kernels", "program", "comm", "exec", "model", "optim", "formats",
            "timeline", "runlog", "parallel", "step", "infer", "run", "predict", "measure", "report"],
}

# What only some places may contain: a pattern, the places, and what to say elsewhere.
DIRECTIVES = [
    (r"#\s*include\s*[<\"]omp\.h|#\s*pragma\s+omp\b|_Pragma\s*\(\s*\"\s*omp\b", ["exec"],
     "OpenMP outside exec/"),
    (r"#\s*include\s*[<\"]mpi\.h", ["comm/mpi.cc"], "MPI outside comm/mpi.cc"),
]
CALLS = [
    (r"\bstd::(cout|cerr|clog)\b|\bfmt::print(ln)?\b"
     r"|\b(v?[fd]?printf|f?puts|f?putc|putchar|perror)\s*\(", ["app"], "printing outside app/"),
    (r"\b(_?exit|_Exit|quick_exit|abort)\s*\(", ["app"], "exiting outside app/"),
]

INCLUDE = re.compile(r"#\s*include\s*([<\"])([^>\"]+)[>\"]")

# Comments and literals, raw strings first. A quote after a digit separates digits: 1'000.
PROSE = re.compile(r"""(?P<comment>//[^\n]*|/\*.*?\*/)
    |R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)"
    |"(?:\\.|[^"\\\n])*"
    |(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'""", re.DOTALL | re.VERBOSE)


def is_one_of(file, places):
    """True if `file` (a path inside src/) is one of the places or lies in one that is a folder."""
    return any(file == place or file.startswith(place + "/") for place in places)


def lines_of(text, keep_literals):
    """The lines of C++ without comments (`do not printf(x)` is no call), and without literals."""
    def blank(match):
        if keep_literals and not match["comment"]:
            return match[0]
        return " " + "\n" * match[0].count("\n")
    return enumerate(PROSE.sub(blank, text).splitlines(), start=1)


def include_problem(file, line):
    """Why `file` may not have this line, or None."""
    include = INCLUDE.search(line)
    if not include:
        return None
    quote, target = include.groups()
    if target.startswith(".") or (quote == '"' and "/" not in target):
        return f"write {target} as a path from src/ on, or as <library.h>"
    folder, top = file.split("/")[0], target.split("/")[0]
    if top not in MAY_INCLUDE or top == folder or is_one_of(target, MAY_INCLUDE[folder]):
        return None
    return f"{folder}/ may not include {target}"


def misplaced(file, line, rules):
    """What to say of the rules that this line of `file` breaks."""
    return [message for pattern, places, message in rules
            if re.search(pattern, line) and not is_one_of(file, places)]


def offences(file, text):
    """Sorted (line number, what is wrong) of a file of src/, named by its path inside src/."""
    if file.split("/")[0] not in MAY_INCLUDE:
        return [(1, "in no folder of the architecture")]
    found = []
    for number, line in lines_of(text, keep_literals=True):
        problem = include_problem(file, line)
        found += [(number, problem)] if problem else []
        found += [(number, message) for message in misplaced(file, line, DIRECTIVES)]
    for number, line in lines_of(text, keep_literals=False):
        found += [(number, message) for message in misplaced(file, line, CALLS)]
    return sorted(found)


# Each of these must be an offence ...
OFFENDERS = [
    ("base/arena.cc", '#include "data/tokenizer.h"'),
    ("base/arena.cc", "#  include <data/tokenizer.h>"),
    ("data/batches.cc", '#include "kernels/gemm.h"'),
    ("kernels/gemm.cc", '#include "program/program.h"'),
    ("program/program.cc", '#include "exec/executor.h"'),
    ("comm/mpi.cc", '#include "program/program.h"'),
    ("exec/tasks.cc", '#include "kernels/gemm.h"'),
    ("exec/tasks.cc", '/* x */ #include "model/config.h"'),
    ("model/gpt2.cc", '#include "exec/executor.h"'),
    ("model/gpt2.cc", '#include "step/training_step.h"'),
    ("formats/json.cc", '#include "model/gpt2.h"'),
    ("formats/json.cc", '#include "data/batches.h"'),
    ("timeline/recorder.cc", '#include "model/config.h"'),
    ("step/training_step.cc", '#include "exec/tasks.h"'),
    ("step/training_step.cc", '#include "app/cli/options.h"'),
    ("step/nested/step.cc", '#include "exec/tasks.h"'),
    ("data/bpe.cc", '#include "tokenizer.h"'),
    ("data/bpe.cc", '#include "../kernels/gemm.h"'),
    ("utilities/strings.cc", "int x;"),
    ("kernels/gemm.cc", "#include <omp.h>"),
    ("kernels/gemm.cc", "  #pragma omp parallel for"),
    ("app/main.cc", "#  pragma  omp parallel"),
    ("kernels/gemm.cc", 'for (;;) _Pragma("omp simd") {}'),
    ("step/training_step.cc", "#include <mpi.h>"),
    ("comm/single_process.cc", '#include "mpi.h"'),
    ("step/training_step.cc", "std::cout << loss;"),
    ("step/training_step.cc", "std::cerr << loss;"),
    ("step/training_step.cc", 'std::printf("%f", loss);'),
    ("step/training_step.cc", 'fprintf (stderr, "no");'),
    ("step/training_step.cc", 'fmt::print("{}", loss);'),
    ("step/training_step.cc", 'puts("done");'),
    ("base/error.cc", "std::exit(1);"),
    ("base/error.cc", "int x = 1'000; exit(2); int y = 1'000;"),
    ("base/error.cc", 'f("quoted \\" // not a comment"); abort();'),
]

# ... and none of these.
INNOCENTS = [
    ("data/batches.cc", '#include "base/view.h"\n#include "data/batches.h"\n#include <vector>'),
    ("exec/tasks.cc", '#include <omp.h>\n#include "program/program.h"\n#pragma omp task'),
    ("formats/hf.cc", '#include "model/config.h"\n#include "nlohmann/json.hpp"'),
    ("step/training_step.cc", '#include "exec/executor.h"\n#include "comm/communicator.h"'),
    ("app/main.cc", '#include "exec/tasks.h"\nstd::cout << 1; std::exit(1);'),
    ("comm/mpi.cc", "#include <mpi.h>"),
    ("base/files.cc", "std::snprintf(text, size, format, x); on_exit_handler(); MPI_Abort(c, 1);"),
    ("base/error.cc", "// printf(x) and exit(1) are for app/\n/* std::cout\n #pragma omp */"),
    ("base/error.cc", 'return "call exit(2)";\nauto s = R"x(std::cout << ")")x";'),
    ("base/error.cc", '// #include "app/cli/options.h"'),
]


def self_test():
    """What is wrong with the rules above, if anything."""
    missed = [f"self-test: allowed {text!r} in {file}" for file, text in OFFENDERS
              if not offences(file, text)]
    wrong = [f"self-test: {offences(file, text)} in {file}: {text!r}" for file, text in INNOCENTS
             if offences(file, text)]
    return missed + wrong


def check_tree(root):
    """Every offence of the sources under root/src, as lines to print."""
    src = root / "src"
    files = sorted(path for path in src.rglob("*") if path.suffix in (".h", ".cc"))
    if not files:
        return [f"{src}: no sources found"]
    return [f"{path}:{number}: {problem}" for path in files
            for number, problem in offences(path.relative_to(src).as_posix(), path.read_text())]


def main():
    arguments = sys.argv[1:]
    problems = self_test()
    if arguments != ["--self-test"]:
        root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
        problems += check_tree(root)
    print("\n".join(problems) or "includes: all in order")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
