#!/usr/bin/env python3
"""Checks that weft leaves the bits that it left when tests/golden/bits.json was recorded.

    tests/golden_bits_test.py build/weft                              as this CPU runs it
    tests/golden_bits_test.py build/weft --launcher mpirun.openmpi    on several ranks
    tests/golden_bits_test.py build/weft --as SSE4 --lower build/tests/liblower_target.so
    tests/golden_bits_test.py build/weft [...] --update               records instead

A few of the configurations that tools/record_bits.py has. Bits depend on the instruction set, so
the file has a part for each, and --as takes the kernels of an older CPU: the bits of these are
checked on every newer one. Without bits for this set the test skips (exit status 77) and says how
to add them. A change that is meant to change bits updates the file, and says why in its message:
run the lines above with --update, --as with AVX2, SSE4 and PORTABLE. Needs Python 3 only.
"""

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tools"))

import record_bits  # noqa: E402  (found by the line above)

GOLDEN = ROOT / "tests" / "golden" / "bits.json"
SKIPPED = 77  # SKIP_RETURN_CODE in CMakeLists.txt

ALONE = ["train/sequential-1", "train/fork-join-3,block,no-clip,accumulated",
         "train/tasks-3,block,no-clip,accumulated", "train/omp-tasks-2,no-clip", "tiles/tasks-2",
         "sizes/vocabulary-2500,clip-1", "sizes/one-sequence-of-one-head", "settings/wsd",
         "data/own-tokenizer", "init/llmc-bf16", "resume/tasks-2", "generate/greedy,tasks",
         "generate/sampled,top", "generate/bf16-weights", "eval/stride", "convert/llmc-bf16",
         "convert/hugging-face-and-back", "tokenize/own,val", "tokenizer/train", "stories"]
# The order of these sums is weft's own: every MPI library must give the same.
ON_RANKS = ["ranks/2,all-reduce", "ranks/3,sharded", "ranks/2,server,one-micro-step",
            "ranks/3,dedicated-server"]

# What an older CPU would run: Highway's names of its vector kernels, and the libraries' variables.
OLDER = {"AVX2": (["AVX2"], {"LIBXSMM_TARGET": "hsw"}),
         "SSE4": (["SSE4"], {"LIBXSMM_TARGET": "wsm", "OPENBLAS_CORETYPE": "Nehalem"}),
         "PORTABLE": (["SCALAR", "EMU128"], {"LIBXSMM_TARGET": "wsm", "OPENBLAS_CORETYPE": "Nehalem"})}


def skip(why):
    print(f"skipped: {why}")
    return SKIPPED


def vector_target(weft):
    return weft.machine["target"].split(",")[0]


def update(weft, names):
    bits, failures = record_bits.record(weft, names)
    if record_bits.print_failures(failures):
        return 1
    recordings = record_bits.read(GOLDEN) if GOLDEN.exists() else {}
    old = recordings.get(weft.machine["target"], {"bits": {}})["bits"]
    kept = {name: old[name] for name in ALONE + ON_RANKS if name in old}
    record_bits.write(GOLDEN, weft.machine, dict(sorted({**kept, **bits}.items())))
    print(f"{GOLDEN.name} has {len(bits)} configurations of {weft.machine['target']}")
    return 0


def compare(weft, names, flags):
    recordings = record_bits.read(GOLDEN)
    recording = recordings.get(weft.machine["target"], {"bits": {}})
    names = [name for name in names if name in recording["bits"]]
    if not names:
        return skip(f"tests/golden/bits.json has no bits of {weft.machine['target']} for this. To add them, "
                    f"with a weft that you trust: tests/golden_bits_test.py {' '.join(flags)} --update")
    return record_bits.compare_with(recording, weft, names)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weft", type=Path)
    parser.add_argument("--launcher", help="of several ranks")
    parser.add_argument("--as", dest="older", choices=OLDER, help="run what an older CPU would")
    parser.add_argument("--lower", type=Path, help="the library of tests/kernels/lower_target.cc")
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()
    targets, variables = OLDER.get(arguments.older, ([], {}))
    with tempfile.TemporaryDirectory(prefix="weft_golden_") as directory:
        if arguments.older:
            if vector_target(record_bits.Weft(arguments.weft, directory)) in targets:
                return skip("this CPU runs these kernels without --as, and there they are tested")
            variables = dict(variables, LD_PRELOAD=str(arguments.lower.resolve()),
                             WEFT_TEST_TARGET=arguments.older)
        weft = record_bits.Weft(arguments.weft, directory, arguments.launcher, variables)
        if arguments.older and vector_target(weft) not in targets:
            return skip(f"runs {vector_target(weft)}: an older CPU, or Highway is no shared library")
        names = ON_RANKS if arguments.launcher else ALONE
        return update(weft, names) if arguments.update else compare(weft, names, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
