#!/usr/bin/env python3
"""Checks the timelines of small runs with tools/check_trace.py, and that it sees what is broken.

    tests/timelines_test.py WEFT ROOT [LAUNCHER]

With a launcher of MPI, the runs have two ranks, and only whole timelines are checked.
"""

import copy
import gzip
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace

WEFT = ROOT = LAUNCHER = RANKS = DIRECTORY = CHECKER = None
WORKERS, STEPS = 2, (3, 4, 5)  # the last step of all, which has an `update` more

# As in tests/ranks_test.py: Open MPI starts as root, and more threads than cores.
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                   OMPI_MCA_rmaps_base_oversubscribe="1", OMPI_MCA_hwloc_base_binding_policy="none",
                   OMP_WAIT_POLICY="passive")


def load_checker():
    spec = importlib.util.spec_from_file_location("check_trace", ROOT / "tools" / "check_trace.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def setUpModule():
    global DIRECTORY, CHECKER
    temporary = tempfile.TemporaryDirectory(prefix="weft_timelines_")
    unittest.addModuleCleanup(temporary.cleanup)
    DIRECTORY = Path(temporary.name)
    (DIRECTORY / "text.txt").write_text(
        "".join(f"Over {i % 7}, under {i % 11}, and back.\n" for i in range(400)))
    CHECKER = load_checker()


def record(name, executor="tasks"):
    """The path of a timeline; recorded once."""
    path = DIRECTORY / executor / name
    if path.exists():
        return path
    path.parent.mkdir(exist_ok=True)
    launched = [LAUNCHER, "-np", str(RANKS)] if LAUNCHER else []
    done = subprocess.run(
        [*launched, WEFT, "train", "--data", DIRECTORY / "text.txt", "--model",
         "L=2,NH=2,C=32,T=32", "--batch-size", "2", "--total-batch-tokens", "256", "--steps", "5",
         "--threads", str(WORKERS), "--exec", executor, "--bucket-mb", "0.02", "--out",
         path.parent / f"run-{name}", "--trace", path, "--trace-steps", f"{STEPS[0]}:{STEPS[-1]}"],
        env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return path


class Timelines(unittest.TestCase):
    def problems(self, path, ops=None, workers=WORKERS):
        options = SimpleNamespace(ops=ops, ranks=RANKS, workers=workers)
        return CHECKER.check(path, options)[1]

    def broken(self, path, said):
        """The checker finds something wrong, and says this."""
        found = self.problems(path)
        self.assertTrue(any(said in line for line in found), (said, found[:5]))

    def exit_status(self, path):
        return subprocess.run([sys.executable, ROOT / "tools" / "check_trace.py", path],
                              capture_output=True, timeout=60).returncode


class TimelinesAreWhole(Timelines):
    def test_of_every_executor(self):
        others = () if LAUNCHER else ("fork-join", "omp-tasks")
        for executor in ("sequential", "tasks", *others):
            for name in ("t.json", "t.prv"):
                with self.subTest(executor=executor, name=name):
                    workers = 1 if executor == "sequential" else WORKERS
                    self.assertEqual(self.problems(record(name, executor), workers=workers), [])

    def test_compressed(self):
        path = record("t.json.gz")
        self.assertEqual(self.problems(path), [])
        self.assertEqual(self.exit_status(path), 0)

    def test_what_weft_inspect_counts_is_what_the_file_holds(self):
        for name in ("t.json", "t.json.gz", "t.prv"):
            with self.subTest(name=name):
                path = record(name)
                said = json.loads(subprocess.run([WEFT, "inspect", path, "--json"], check=True,
                                                 capture_output=True, timeout=60).stdout)
                options = SimpleNamespace(ops=None, ranks=None, workers=None)
                self.assertEqual(f"{said['ranks']} ranks, {said['threads']} workers, "
                                 f"{said['steps']} steps, {said['ops']} ops",
                                 CHECKER.check(path, options)[0])

    def test_transfers_are_under_way_on_lanes_of_their_own(self):
        events = json.loads(record("t.json").read_text())["traceEvents"]
        lanes = {(e["pid"], e["tid"]) for e in events
                 if e["ph"] == "M" and e["args"].get("name") == "under way"}
        inside = {e["name"] for e in events if e["ph"] == "X" and (e["pid"], e["tid"]) in lanes}
        if not LAUNCHER:
            self.assertEqual(lanes, set())
            return
        self.assertEqual({process for process, _ in lanes}, {1, 2})
        self.assertIn("exchange0/sum", inside)
        self.assertNotIn("exchange0/sum/start", inside)

    def test_the_ops_of_a_step_are_those_that_a_file_names(self):
        path, names = record("t.json"), DIRECTORY / "ops.txt"
        events = json.loads(path.read_text())["traceEvents"]
        ops = [e["name"] for e in events if e["ph"] == "X" and e["cat"] != "program"
               and e["args"]["step"] == STEPS[0] and e["pid"] == 1]
        names.write_text("\n".join(ops) + "\n")
        self.assertEqual(self.problems(path, ops=names), [])
        names.write_text("\n".join(ops[1:]) + "\n")
        self.assertIn(ops[0], self.problems(path, ops=names)[0])


class BrokenJsonIsSeen(Timelines):
    def setUp(self):
        self.events = json.loads(record("t.json").read_text())["traceEvents"]

    def expect(self, said, events=None):
        path = DIRECTORY / "broken.json"
        path.write_text(json.dumps({"traceEvents": self.events if events is None else events}))
        self.broken(path, said)

    def first(self, kind, **wanted):
        return next(e for e in self.events if e["ph"] == kind
                    and all(e.get(key) == value for key, value in wanted.items()))

    def ops(self):
        return [e for e in self.events if e["ph"] == "X" and e["cat"] != "program"]

    def test_the_file_as_it_is_passes(self):
        path = DIRECTORY / "same.json"
        path.write_text(json.dumps({"traceEvents": self.events}))
        self.assertEqual(self.problems(path), [])

    def test_slices_that_overlap(self):
        by_track = {}
        for op in self.ops():
            by_track.setdefault((op["pid"], op["tid"]), []).append(op)
        busiest = sorted(max(by_track.values(), key=len), key=lambda op: op["ts"])
        busiest[0]["dur"] = busiest[1]["ts"] - busiest[0]["ts"] + 0.001
        self.expect("overlap")

    def test_numbers_that_perfetto_would_change(self):
        self.first("X", cat="program")["tid"] = 0
        self.expect("wrong ['tid']")

    def test_a_track_without_a_name(self):
        self.events.remove(self.first("M", name="thread_name"))
        self.expect("has no name")

    def test_ops_that_are_not_there_or_there_twice(self):
        op = self.ops()[5]
        without = [e for e in self.events if e is not op]
        self.expect(f"{op['name']} is not as often", without)
        twice = copy.deepcopy(op)
        twice["tid"], twice["dur"] = 99, 0.001
        self.expect(f"ran {op['name']} 2 times", self.events + [twice])

    def test_a_step_that_lacks_a_program(self):
        program = self.first("X", cat="program")
        def is_part(event):
            return event["ph"] == "X" and event["pid"] == program["pid"] and (
                program["ts"] <= event["ts"] < program["ts"] + program["dur"])
        self.expect("has other programs", [e for e in self.events if not is_part(e)])

    def test_an_op_outside_of_its_run(self):
        last = max(self.ops(), key=lambda op: op["ts"] + op["dur"])
        last["dur"] += 1.0
        self.expect("is not within")

    def test_arguments_that_the_name_does_not_say(self):
        op = next(op for op in self.ops() if "layer" in op["args"])
        op["args"]["layer"] += 1
        self.expect("has other parts")
        op["args"]["layer"] -= 1
        op["args"]["flops"] = -1
        self.expect("has -1 FLOPs")

    def test_arrows_without_an_end_or_out_of_a_slice(self):
        begin = self.first("s")
        self.expect("lack an end", [e for e in self.events if e is not begin])
        self.expect("two ends of one kind", self.events + [begin])
        begin["ts"] += 0.001  # its slice has ended, and another one may have begun
        self.expect(f"arrow ({begin['id']}")

    def test_an_arrow_that_binds_to_the_next_slice(self):
        self.first("f")["bp"] = "x"
        self.expect("bound to what follows")

    def test_a_critical_path_that_is_no_chain(self):
        begin = self.first("s")
        self.expect("no chain", [e for e in self.events
                                 if e["ph"] not in "sf" or e["id"] != begin["id"]])

    def test_counters_that_are_wrong(self):
        last = [e for e in self.events if e["ph"] == "C" and e["name"] == "ready ops"][-1]
        last["args"]["ops"] = 1
        self.expect("ends at 1")
        last["args"]["ops"] = -1
        self.expect("has the value -1")
        self.expect("not 2", [e for e in self.events if e["ph"] != "C"])

    def test_files_that_break_off(self):
        whole = record("t.json.gz").read_bytes()
        cut = DIRECTORY / "cut.json.gz"
        for data in (whole[:-1], whole[: len(whole) // 2], b"", gzip.compress(b"{}")):
            cut.write_bytes(data)
            self.assertEqual(self.exit_status(cut), 1)


class BrokenParaverIsSeen(Timelines):
    def setUp(self):
        path = record("t.prv")
        self.lines = path.read_text().splitlines()
        self.labels = path.with_suffix(".pcf").read_text()
        self.names = path.with_suffix(".row").read_text()

    def write(self):
        path = DIRECTORY / "broken.prv"
        path.write_text("\n".join(self.lines) + "\n")
        path.with_suffix(".pcf").write_text(self.labels)
        path.with_suffix(".row").write_text(self.names)
        return path

    def expect(self, said):
        self.broken(self.write(), said)

    def first(self, begins, holds=":"):
        return next(i for i, line in enumerate(self.lines)
                    if line.startswith(begins) and holds in line)

    def with_fields(self, number, change):
        fields = self.lines[number].split(":")
        change(fields)
        self.lines[number] = ":".join(fields)

    def test_the_file_as_it_is_passes(self):
        self.assertEqual(self.problems(self.write()), [])

    def test_records_out_of_order(self):
        times = [int(line.split(":")[5]) for line in self.lines[1:]]
        place = next(i for i in range(1, len(times)) if times[i] != times[i - 1])
        self.lines[place], self.lines[place + 1] = self.lines[place + 1], self.lines[place]
        self.expect("order of time")

    def test_threads_that_are_not_there(self):
        self.with_fields(self.first("1:"), lambda fields: fields.__setitem__(4, "9"))
        self.expect("of no thread")

    def test_states_with_holes_and_overlaps(self):
        state = self.first("1:")
        line = self.lines[state]
        for by in (-1, +1):
            self.lines[state] = line
            self.with_fields(state, lambda f, by=by: f.__setitem__(6, str(int(f[6]) + by)))
            self.expect("overlap or leave a hole")

    def test_states_that_are_not_what_ran(self):
        state = next(i for i, line in enumerate(self.lines) if line[:2] == "1:" and line.endswith(":1"))
        self.lines[state] = self.lines[state][:-1] + "0"
        self.expect("does not run when its ops do")

    def test_events_that_never_end(self):
        ends = {}
        for number, line in enumerate(self.lines):
            if ":1001:0:" in line:
                ends.setdefault(line.split(":")[4], []).append(number)
        busiest = max(ends.values(), key=len)
        line = self.lines.pop(busiest[0])
        self.expect("type 1001 begins twice")
        self.lines.insert(busiest[0], line)
        del self.lines[busiest[-1]]
        self.expect("never ends")

    def test_an_op_that_is_not_there(self):
        begin = self.first("2:", ":1001:")
        where = ":".join(self.lines[begin].split(":")[:5]) + ":"
        end = next(i for i in range(begin, len(self.lines))
                   if self.lines[i].startswith(where) and ":1001:0:" in self.lines[i])
        del self.lines[end], self.lines[begin]
        self.expect("is not as often")

    def test_values_and_types_without_labels(self):
        labels = self.labels
        self.labels = "\n".join(line for line in labels.split("\n") if not line.endswith(" update"))
        self.expect("has no label")
        self.labels = labels.replace("1004    Step", "1999    Step")
        self.expect("type 1004 has no label")

    def test_names_that_are_missing(self):
        self.names = "\n".join(self.names.split("\n")[:-2]) + "\n"
        self.expect("lines")

    def test_headers_that_are_wrong(self):
        header = self.lines[0]
        for wrong in (header.replace("_ns", ""), header.replace("#Paraver", "#paraver"), header + ":"):
            self.lines[0] = wrong
            self.expect("line 1 is no header")
        self.lines[0] = header.replace(f"({WORKERS}:1", f"({WORKERS}:1,1:1")
        self.expect("other tasks than it counts")

    def test_files_that_break_off(self):
        path = self.write()
        path.write_text(path.read_text()[:-3])
        self.assertEqual(self.exit_status(path), 1)
        del self.lines[-1]
        self.assertNotEqual(self.problems(self.write()), [])
        path.with_suffix(".row").unlink()
        self.assertEqual(self.exit_status(path), 1)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    WEFT, ROOT = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    LAUNCHER = sys.argv[3] if len(sys.argv) > 3 else None
    RANKS = 2 if LAUNCHER else 1
    unittest.main(argv=sys.argv[:1], defaultTest="TimelinesAreWhole" if LAUNCHER else None)
