#!/usr/bin/env python3
"""Checks that each kernel is counted, and takes no more instructions than it did.

What it took is in tests/golden/kernel_instructions.json.

    tests/kernel_instructions_test.py build/tests/kernel_instructions
    tests/kernel_instructions_test.py build/tests/kernel_instructions --update    rewrites the table

Times on a busy machine say little; callgrind counts the same instructions every time. It knows no
AVX-512: what is guarded are the kernels as they run on AVX2. The table is for one compiler and kind
of build; with another, or without valgrind, the test skips (exit status 77). The exit status is the
verdict. Needs Python 3 and valgrind.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parent
TABLE = TESTS / "golden" / "kernel_instructions.json"
CASES = TESTS / "kernels" / "instruction_cases.cc"
SKIPPED = 77  # SKIP_RETURN_CODE in CMakeLists.txt

# Counts themselves do not vary. What does is the compiler: one patch release, or another version of
# the C library, schedules or inlines a little differently. An extra pass over the data, a lost
# vectorization or a spill in an inner loop costs more.
MARGIN = 0.05

# Fewer are no kernel at work: it was not called, or not counted.
FEWEST = 10_000

NOTE = ("Instructions of one call of each kernel, counted by callgrind. To rewrite them, with a "
        "release build of g++: "
        "tests/kernel_instructions_test.py build/tests/kernel_instructions --update")

# What a header of src/kernels declares: functions, and classes whose objects are called.
KERNEL = re.compile(r"^(?:void|float|double) (\w+)\(|^class (\w+) \{", re.MULTILINE)

# What needs no case of its own, by header or name, and why.
WITHOUT_CASE = {
    "attention_tiles.h": "counted as parts of attention",
    "gemm.h": "counted as a part of linear",
    "PackedProduct": "counted as a part of linear",
    "row_prefetch.h": "counted as a part of attention",
    "gemm_bf16.h": "valgrind knows neither AVX512-BF16 nor AMX",
    "product.h": "counted as a part of linear",
    "attention_products.h": "counted as a part of attention",
    "scratch_cutter.h": "no kernel",
    "gemm_bf16_blocks.h": "a part of gemm_bf16",
    "simd-inl.h": "counted as a part of all kernels",
    "bf16_peak.h": "no part of a step",
    "fma_peak.h": "no part of a step",
}

# A dump of callgrind's: the name that the program gave it, and the instructions.
NAME = re.compile(r"^desc: Trigger: Client Request: (.+)$", re.MULTILINE)
TOTAL = re.compile(r"^totals: (\d+)$", re.MULTILINE)


class Skip(Exception):
    pass


class Failed(Exception):
    pass


def output_of(command):
    done = subprocess.run(command, encoding="utf-8", errors="replace", capture_output=True)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}: exit status {done.returncode}: {done.stderr}")
    return done.stdout.strip()


def kind_of(build):
    """A build without the compiler's minor version: "GNU 12.2.0 Release" is a "GNU 12 Release"."""
    return re.sub(r"^(\S+ \d+)[\d.]*", r"\1", build)


def require_release_of_gcc(build):
    if not re.fullmatch(r"GNU \d+ Release", kind_of(build)):
        raise Skip(f"the table is for release builds of g++, and this is {build!r}")


def require_kind_of_table(build, table):
    if kind_of(build) != kind_of(table["build"]):
        raise Skip(f"the table is for {table['build']!r}, and this is {build!r}")


def require_valgrind():
    if shutil.which("valgrind") is None:
        raise Skip("valgrind is not installed")


def require_avx2():
    """What valgrind shows to a program is at most what the CPU has."""
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split()
    if not {"avx2", "fma"} <= set(cpu):
        raise Skip("the table is for AVX2, which this CPU lacks")


def uncounted(declarations, cases):
    """The kernels of {header: text} that the text of the cases does not name, one line each."""
    return [f"{header}: {name} is in no case of {CASES.name}, and WITHOUT_CASE gives no reason"
            for header, text in sorted(declarations.items()) if header not in WITHOUT_CASE
            for name in map("".join, KERNEL.findall(text))  # one of the two groups is empty
            if name not in WITHOUT_CASE and not re.search(rf"\b{name}\b", cases)]


def check_cases():
    headers = sorted((TESTS.parent / "src" / "kernels").glob("*.h"))
    return uncounted({path.name: path.read_text(encoding="utf-8") for path in headers},
                     CASES.read_text(encoding="utf-8"))


def count(program):
    """What the kernels ran on, and {name: instructions}."""
    with tempfile.TemporaryDirectory(prefix="weft_callgrind_") as directory:
        runs_on = output_of(["valgrind", "--tool=callgrind", "--collect-atstart=no",
                             f"--callgrind-out-file={directory}/out", str(program)])
        dumps = [path.read_text(encoding="utf-8") for path in Path(directory).glob("out.*")]
    counted = sorted((NAME.search(dump)[1], int(TOTAL.search(dump)[1])) for dump in dumps)
    if len(dict(counted)) < len(counted):
        raise Failed("two kernels have the same name")
    return runs_on, dict(counted)


def verdict(name, expected, counted):
    """What is wrong with a kernel, and what is worth knowing of it: one line each, or None."""
    if expected is None:
        return f"{name}: not in the table: add it with --update", None
    if counted is None:
        return f"{name}: in the table but not in the program: remove it with --update", None
    if counted < FEWEST:
        return f"{name}: only {counted} instructions: make its case larger", None
    ratio = counted / expected
    change = f"{name}: {counted} instructions, expected {expected}: {ratio:.3f} times as many"
    if ratio > 1 + MARGIN:
        return f"{change}; if a measurement finds it faster all the same, --update", None
    if ratio < 1 - MARGIN:
        return None, f"{change}; --update the table, so that it stays so"
    return None, None


def compare(expected, counted):
    """The verdicts on all kernels: problems, and warnings."""
    verdicts = [verdict(name, expected.get(name), counted.get(name))
                for name in sorted(expected.keys() | counted.keys())]
    return [[line for line in lines if line] for lines in zip(*verdicts)]


# Expected counts, counts, and how many problems and warnings there are.
EXAMPLES = [
    ({"a": 100_000}, {"a": 105_000}, [0, 0]),
    ({"a": 100_000}, {"a": 105_001}, [1, 0]),
    ({"a": 100_000}, {"a": 95_000}, [0, 0]),
    ({"a": 100_000}, {"a": 94_999}, [0, 1]),
    ({"a": 100_000}, {"a": 0}, [1, 0]),
    ({"a": 100_000, "b": 100_000}, {"a": 200_000, "b": 50_000}, [1, 1]),
    ({"a": 100_000, "b": 100_000}, {"a": 100_000}, [1, 0]),
    ({"a": 100_000}, {"a": 100_000, "b": 100_000}, [1, 0]),
    ({"a": 100_000}, {"b": 100_000}, [2, 0]),
]


def self_test():
    wrong = [f"self-test: {counted} against {expected}" for expected, counted, found in EXAMPLES
             if list(map(len, compare(expected, counted))) != found]
    declarations = {"a.h": "void f(int);\nclass G {\nvoid f_g(int);", "gemm.h": "void h(int);"}
    if len(uncounted(declarations, "f(1); // f_g2")) != 2:
        wrong.append("self-test: f has a case, G and f_g have none, and gemm.h needs none")
    return wrong


def check(program, build):
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    require_kind_of_table(build, table)
    runs_on, counted = count(program)
    problems, warnings = compare(table["instructions"], counted)
    if runs_on != table["runs_on"]:
        problems = [f"the kernels ran on {runs_on!r}, and the table is for {table['runs_on']!r}: "
                    "if that is meant, --update"]
    for line in warnings:
        print(f"warning: {line}")
    print(f"counted: {len(counted)} kernels on {runs_on}, margin {MARGIN:.0%}")
    print(f"not counted: gemm_bf16.h: {WITHOUT_CASE['gemm_bf16.h']}")
    return problems


def update(program, build):
    runs_on, counted = count(program)
    table = {"note": NOTE, "build": build, "runs_on": runs_on, "instructions": counted}
    TABLE.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")


def run(arguments):
    """The problems found. Raises Skip where nothing can be said."""
    if not Path(arguments.program).is_file():
        raise Skip("kernel_instructions was not built: valgrind's header is missing")
    require_valgrind()
    require_avx2()
    build = output_of([arguments.program, "--build"])
    require_release_of_gcc(build)
    if arguments.update:
        update(arguments.program, build)
        return []
    return check(arguments.program, build)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="for example build/tests/kernel_instructions")
    parser.add_argument("--update", action="store_true", help="rewrite the table")
    try:
        problems = self_test() or check_cases() or run(parser.parse_args())
    except Skip as reason:
        print(f"skipped: {reason}")
        return SKIPPED
    except Failed as failure:
        problems = [str(failure)]
    print("\n".join(problems) or "instructions: all in order")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
