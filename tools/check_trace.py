#!/usr/bin/env python3
"""Checks a timeline that `weft train --trace` wrote, against what its format asks for.

    tools/check_trace.py FILE [--ops NAMES] [--ranks N] [--workers N]

FILE ends in .json, .json.gz or .prv (its .pcf and .row lie beside it). This program knows the formats,
not the code that writes them:

    .json   processes and tracks are numbered from 1 and named; slices of a track do not overlap; an
            arrow has one begin and one end, each within a slice, and does not lead back in time; the
            slices on a chain of arrows are the critical ones; values of counters are numbers, 0 or
            more, and end at 0
    .prv    header and records are of the form; tasks, threads and times are in range; records are in
            the order of time; the states of a thread fill its time without overlaps; what begins
            ends; values have labels; .row names every task and thread

and for both that each op of a run ran once, within the run; that runs of one program have the same ops;
and that all steps have the same programs. The program `update` is left out of that: it runs after the
steps whose weights something reads. --ops: a file that names the ops of the other programs of a step,
one a line, as often as they run; a .prv has their kinds for names (qkv/forward, norm).

Prints what it counted. The exit status is 1 if something is wrong: then each line of standard error
says what, at most 20 of them.
"""

import argparse
import bisect
import gzip
import json
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

MOST_LINES = 20


class Problems:
    def __init__(self):
        self.lines = []

    def check(self, holds, text):
        if not holds:
            self.lines.append(text)
        return holds


# ---- What both formats share: runs of programs, and the ops in them.


class Run:
    """A run of a program on a rank. Ops are (name, begin, end)."""

    def __init__(self, rank, step, program, begin, end):
        self.rank, self.step, self.program = rank, step, program
        self.begin, self.end = begin, end
        self.ops = []

    def __str__(self):
        return f"rank {self.rank}, step {self.step}, {self.program} at {self.begin}"


def sort_into_runs(runs, ops, problems):
    """ops: (rank, name, begin, end). Each must lie in one of the runs of its rank."""
    by_rank = defaultdict(list)
    for run in sorted(runs, key=lambda run: run.begin):
        by_rank[run.rank].append(run)
    for rank, of_rank in by_rank.items():
        for before, after in zip(of_rank, of_rank[1:]):
            problems.check(before.end <= after.begin, f"runs overlap: {before} and {after}")
    places = Counter()
    for rank, name, begin, end in sorted(ops, key=lambda op: op[2]):
        of_rank = by_rank[rank]
        while places[rank] + 1 < len(of_rank) and of_rank[places[rank] + 1].begin <= begin:
            places[rank] += 1
        if not problems.check(of_rank, f"rank {rank} has ops and no run"):
            continue
        run = of_rank[places[rank]]
        problems.check(run.begin <= begin and end <= run.end, f"{name} is not within {run}")
        run.ops.append((name, begin, end))


def check_runs(runs, expected, once, problems):
    """expected: names of the ops of a step, or None. once: names are of single ops, not of kinds."""
    of_program, of_step = {}, defaultdict(Counter)
    step_ops = defaultdict(Counter)
    for run in runs:
        names = Counter(name for name, _, _ in run.ops)
        problems.check(names, f"{run} has no ops")
        if once:
            for name, times in names.items():
                problems.check(times == 1, f"{run} ran {name} {times} times")
        first = of_program.setdefault((run.rank, run.program), (run, names))
        for name in (names - first[1]) + (first[1] - names):
            problems.check(False, f"{name} is not as often in {run} as in {first[0]}")
        if run.program != "update":
            of_step[run.rank, run.step][run.program] += 1
            step_ops[run.rank, run.step] += names
    firsts = {}
    for (rank, step), programs in sorted(of_step.items()):
        first = firsts.setdefault(rank, (step, programs))
        problems.check(programs == first[1],
                       f"rank {rank}: step {step} has other programs than step {first[0]}")
    if expected is not None:
        for (rank, step), names in sorted(step_ops.items()):
            for name in (names - expected) + (expected - names):
                problems.check(False, f"rank {rank}, step {step}: {name} ran {names[name]} times, "
                                      f"not {expected[name]}")
    ranks = sorted({run.rank for run in runs})
    steps = sorted({run.step for run in runs})
    problems.check(not steps or steps == list(range(steps[0], steps[-1] + 1)), f"steps are {steps}")
    for rank in ranks:
        mine = sorted({run.step for run in runs if run.rank == rank})
        problems.check(mine == steps, f"rank {rank} has other steps than others: {mine}")
    return ranks, steps


# ---- Chrome trace JSON, as Perfetto reads it.


def nanoseconds(value):
    """Times are microseconds with three digits behind the point; a float has them to a fraction."""
    return round(value * 1000)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def read_events(path, problems):
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    document = json.loads(data.decode("utf-8"))
    events = document.get("traceEvents") if isinstance(document, dict) else None
    if not problems.check(isinstance(events, list), "there are no traceEvents"):
        return []
    needed = {"X": "name cat ts dur pid tid args", "s": "name cat id ts pid tid",
              "f": "name cat id ts pid tid bp", "C": "name ts pid args", "M": "name pid args"}
    good = []
    for number, event in enumerate(events):
        where = f"event {number}"
        if not problems.check(isinstance(event, dict) and event.get("ph") in needed,
                              f"{where} is of no kind that belongs here"):
            continue
        missing = [key for key in needed[event["ph"]].split() if key not in event]
        wrong = [key for key in ("ts", "dur") if key in event
                 and not (is_number(event[key]) and event[key] >= 0)]
        # 0 is Perfetto's idle process, and track 0 is renumbered to the process.
        wrong += [key for key in ("pid", "tid") if key in event
                  and not (type(event[key]) is int and 1 <= event[key] < 2**32)]
        if problems.check(not missing, f"{where} lacks {missing}") and problems.check(
                not wrong, f"{where} has a wrong {wrong}"):
            good.append(event)
    return good


class Slices:
    """The slices of all tracks."""

    def __init__(self, events, problems):
        self.by_track = defaultdict(list)
        for event in events:
            if event["ph"] == "X":
                begin = nanoseconds(event["ts"])
                event["begin"], event["end"] = begin, begin + nanoseconds(event["dur"])
                self.by_track[event["pid"], event["tid"]].append(event)
        for track, slices in self.by_track.items():
            slices.sort(key=lambda slice: (slice["begin"], slice["end"]))
            for before, after in zip(slices, slices[1:]):
                problems.check(before["end"] <= after["begin"],
                               f"track {track}: {before['name']} and {after['name']} overlap")

    def at(self, track, ns):
        """The slice that is open; it is no longer at its end."""
        of_track = self.by_track[track]
        place = bisect.bisect_right(of_track, ns, key=lambda slice: slice["begin"]) - 1
        return of_track[place] if place >= 0 and ns < of_track[place]["end"] else None


def check_names(events, slices, problems):
    """Every process and track has one name. Returns the names of tracks."""
    names = defaultdict(list)
    for event in events:
        if event["ph"] != "M":
            continue
        value = event["args"].get("sort_index" if event["name"].endswith("sort_index") else "name")
        problems.check(value not in (None, ""), f"a {event['name']} of {event['pid']} says nothing")
        names[event["name"], event["pid"], event.get("tid")].append(value)
    for key, values in names.items():
        problems.check(len(values) == 1, f"{key} occurs {len(values)} times")
    tracks = {key[1:]: values[0] for key, values in names.items() if key[0] == "thread_name"}
    for process, track in slices.by_track:
        problems.check(("process_name", process, None) in names, f"process {process} has no name")
        problems.check((process, track) in tracks, f"track {process}, {track} has no name")
    return tracks


def check_tracks(tracks, slices, problems):
    """Programs on the first track, then workers in their order, then what is under way."""
    for process in {process for process, _ in tracks}:
        mine = sorted((track, name) for (p, track), name in tracks.items() if p == process)
        workers = sum(name.startswith("worker ") for _, name in mine)
        expected = ["programs", *(f"worker {i}" for i in range(workers))]
        expected += ["under way"] * (len(mine) - len(expected))
        problems.check(mine == list(enumerate(expected, start=1)),
                       f"the tracks of process {process} are {mine}")
    for track, of_track in slices.by_track.items():
        for slice in of_track:
            problems.check((slice["cat"] == "program") == (tracks.get(track) == "programs"),
                           f"{slice['name']} is on track {tracks.get(track)}")
            args = slice["args"]
            problems.check(args.get("phase") == slice["cat"], f"{slice['name']} has another phase")
            problems.check(type(args.get("step")) is int and args["step"] >= 1,
                           f"{slice['name']} is of no step")
            check_name(slice, problems)


def check_name(slice, problems):
    """The arguments are the parts of the name."""
    name, args = slice["name"], slice["args"]
    if slice["cat"] == "program":
        problems.check(not args.keys() & {"kind", "layer", "tiles"}, f"the program {name} has parts of an op")
        return
    first, slash, rest = args["kind"].partition("/")
    parts = [f"block{args['layer']}"] if "layer" in args else []
    parts += [args["parameter"]] if "parameter" in args else []
    parts.append(f"{first}{args.get('index', '')}{slash}{rest}")
    tiles = f"[{args['tiles']}]" if "tiles" in args else ""
    problems.check(name == "/".join(parts) + tiles, f"{name} has other parts: {args}")
    flops = args.get("flops", 1)
    problems.check(is_number(flops) and flops > 0, f"{name} has {flops} FLOPs")


def check_arrows(events, slices, problems):
    """Arrows have both ends in slices of one rank, and join the critical ops of a run to one path."""
    begins, ends = {}, {}
    for event in events:
        if event["ph"] not in "sf":
            continue
        side = begins if event["ph"] == "s" else ends
        key = event["id"], event["cat"], event["name"]
        problems.check(key not in side, f"arrow {key} has two ends of one kind")
        problems.check(event["ph"] == "s" or event["bp"] == "e", f"arrow {key} is bound to what follows")
        side[key] = event
    problems.check(begins.keys() == ends.keys(), "some arrows lack an end")
    leaving, arriving = Counter(), Counter()
    for key in begins.keys() & ends.keys():
        found = []
        for event in (begins[key], ends[key]):
            slice = slices.at((event["pid"], event["tid"]), nanoseconds(event["ts"]))
            problems.check(slice, f"arrow {key} has an end in no slice")
            found.append(slice)
        if None in found:
            continue
        before, after = found
        problems.check(key[2] in ("dependence", "same worker"), f"arrow {key} says nothing")
        problems.check(before["pid"] == after["pid"], f"arrow {key} leads to another rank")
        problems.check(before["end"] <= after["begin"], f"arrow {key} leads back in time")
        if key[2] == "same worker" and "under way" not in (before["lane"], after["lane"]):
            problems.check(before["tid"] == after["tid"], f"arrow {key} leads to another worker")
        for slice in (before, after):
            problems.check(slice["args"].get("critical") is True, f"arrow {key} at a slice that is not critical")
        leaving[id(before)] += 1
        arriving[id(after)] += 1
    return leaving, arriving


def check_paths(slices, programs, leaving, arriving, problems):
    """In each run, the critical ops are one chain that ends with the op that ended last."""
    for process, run in programs:
        inside = [slice for (p, _), of_track in slices.by_track.items() if p == process
                  for slice in of_track
                  if slice["cat"] != "program" and run.begin <= slice["begin"] < run.end]
        critical = [slice for slice in inside if slice["args"].get("critical")]
        if not problems.check(critical, f"{run} has no critical path"):
            continue
        last = max(slice["end"] for slice in inside)
        problems.check(any(slice["end"] == last for slice in critical), f"the path of {run} does not reach its end")
        starts = sum(arriving[id(slice)] == 0 for slice in critical)
        stops = sum(leaving[id(slice)] == 0 for slice in critical)
        problems.check((starts, stops) == (1, 1), f"the critical ops of {run} are no chain")


def check_counters(events, problems):
    last = {}
    for event in events:
        if event["ph"] != "C":
            continue
        problems.check(len(event["args"]) == 1, f"counter {event['name']} has several series")
        for series, value in event["args"].items():
            key = event["pid"], event["name"], series
            problems.check(is_number(value) and value >= 0, f"counter {key} has the value {value}")
            problems.check(last.get(key, (0,))[0] <= event["ts"], f"counter {key} goes back in time")
            last[key] = event["ts"], value
    for key, (_, value) in last.items():
        problems.check(value == 0, f"counter {key} ends at {value}")
    return len({key[1:] for key in last})


def check_json(path, problems):
    events = read_events(path, problems)
    slices = Slices(events, problems)
    tracks = check_names(events, slices, problems)
    check_tracks(tracks, slices, problems)
    runs, ops, programs = [], [], []
    for (process, track), of_track in slices.by_track.items():
        for slice in of_track:
            slice["lane"] = tracks.get((process, track))
            if slice["cat"] == "program":
                run = Run(process - 1, slice["args"].get("step"), slice["name"], slice["begin"],
                          slice["end"])
                runs.append(run)
                programs.append((process, run))
            else:
                ops.append((process - 1, slice["name"], slice["begin"], slice["end"]))
    leaving, arriving = check_arrows(events, slices, problems)
    check_paths(slices, programs, leaving, arriving, problems)
    counters = check_counters(events, problems)
    problems.check(counters == 2, f"there are {counters} counters, not 2")
    sort_into_runs(runs, ops, problems)
    workers = Counter(process - 1 for (process, _), name in tracks.items()
                      if name.startswith("worker "))
    return runs, workers, True


# ---- Paraver.

HEADER = re.compile(r"#Paraver \(\d\d/\d\d/\d{4} at \d\d:\d\d\):(\d+)_ns:0:1:(\d+)\(([\d:,]*)\)")
IDLE, RUNNING, COMMUNICATION = 0, 1, 13
KIND, PHASE, LAYER, STEP, PROGRAM, UNDER_WAY, TRANSFER, MPI = 1001, 1002, 1003, 1004, 1005, 1006, 1007, 50000002


def read_labels(path, problems):
    """Type of events -> its values' labels, or None if it has none; and the labelled states."""
    types, states, section = {}, {}, ""
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split(maxsplit=2)
        if re.fullmatch(r"[A-Z_]+", line):
            section = line
        elif section == "STATES" and words:
            states[int(words[0])] = line.split(maxsplit=1)[1]
        elif section == "EVENT_TYPE" and words:
            current = int(words[1])
            problems.check(current not in types, f"{path.name}: type {current} is there twice")
            types[current] = None
        elif section == "VALUES" and words:
            if types[current] is None:
                types[current] = {}
            value, label = line.split(maxsplit=1)
            problems.check(int(value) not in types[current], f"{path.name}: two labels for {value}")
            types[current][int(value)] = label
    return types, states


def check_names_file(path, threads, problems):
    """LEVEL blocks, each with as many lines as it says."""
    sizes = {}
    for block in path.read_text(encoding="utf-8").strip().split("\n\n"):
        head, *lines = block.splitlines()
        level = re.fullmatch(r"LEVEL (\w+) SIZE (\d+)", head)
        if problems.check(level, f"{path.name}: {head!r} begins no level"):
            problems.check(len(lines) == int(level[2]), f"{path.name}: {head} has {len(lines)} lines")
            sizes[level[1]] = int(level[2])
    problems.check(sizes == {"TASK": len(threads), "THREAD": sum(threads)},
                   f"{path.name} names {sizes}")


class Thread:
    """What the records say of one thread, and what is open on it."""

    def __init__(self):
        self.states = []  # (begin, end, state)
        self.open = {}  # type -> (value, since)
        self.kinds, self.waits = [], []  # (value, begin, end)
        self.changes = []  # (time, count) of transfers

    def event(self, time, type_, value, where, problems):
        if type_ in (UNDER_WAY, TRANSFER):
            return
        if value:
            problems.check(type_ not in self.open, f"{where}: type {type_} begins twice")
            self.open[type_] = value, time
            return
        if type_ == LAYER and type_ not in self.open:
            return  # of what belongs to no layer
        if problems.check(type_ in self.open, f"{where}: type {type_} ends and has not begun"):
            began, since = self.open.pop(type_)
            if type_ in (KIND, MPI):
                (self.kinds if type_ == KIND else self.waits).append((began, since, time))


def check_states(threads, length, states, problems):
    for key, thread in threads.items():
        at = 0
        for begin, end, state in thread.states:
            problems.check(begin == at, f"thread {key}: between {at} and {begin}, states overlap or leave a hole")
            problems.check(state in states, f"thread {key}: state {state} has no label")
            at = max(at, end)
        problems.check(at == length, f"thread {key}: states end at {at}, not {length}")
        of = {state: [(b, e) for b, e, s in thread.states if s == state]
              for state in (RUNNING, COMMUNICATION)}
        problems.check(of[RUNNING] == [(b, e) for _, b, e in thread.kinds],
                       f"thread {key} does not run when its ops do")
        problems.check(of[COMMUNICATION] == [(b, e) for _, b, e in thread.waits],
                       f"thread {key} does not wait when it is in MPI")


def check_prv(path, problems):
    """Names of ops are those of their kinds: this format has no others."""
    types, states = read_labels(path.with_suffix(".pcf"), problems)
    text = path.read_text(encoding="utf-8")
    problems.check(text.endswith("\n"), "the last line breaks off")
    header, *lines = text.splitlines()
    head = HEADER.fullmatch(header)
    if not problems.check(head, f"line 1 is no header: {header!r}"):
        return [], Counter(), False
    length, tasks = int(head[1]), int(head[2])
    sizes = [tuple(map(int, entry.split(":"))) for entry in head[3].split(",")] if head[3] else []
    problems.check(len(sizes) == tasks and all(len(s) == 2 and s[0] > 0 for s in sizes),
                   "the header lists other tasks than it counts")
    workers = [size[0] for size in sizes]
    check_names_file(path.with_suffix(".row"), workers, problems)

    threads = {(task, thread): Thread() for task, n in enumerate(workers, start=1)
               for thread in range(1, n + 1)}
    runs, open_runs, transfers, before = [], {}, [], 0
    for number, line in enumerate(lines, start=2):
        where = f"line {number}"
        if not problems.check(re.fullmatch(r"[12](:\d+){7,}", line), f"{where} is no record: {line!r}"):
            continue
        kind, cpu, application, task, thread, time, *rest = map(int, line.split(":"))
        if not problems.check(cpu == 0 and application == 1 and (task, thread) in threads,
                              f"{where} is of no thread"):
            continue
        problems.check(before <= time <= length, f"{where} is not in the order of time")
        before = time
        of = threads[task, thread]
        if kind == 1:
            if problems.check(len(rest) == 2 and time < rest[0] <= length, f"{where} is no state"):
                of.states.append((time, *rest))
            continue
        if not problems.check(len(rest) % 2 == 0, f"{where} lacks a value"):
            continue
        events = dict(zip(rest[::2], rest[1::2]))
        for type_, value in events.items():
            if problems.check(type_ in types, f"{where}: type {type_} has no label"):
                problems.check(types[type_] is None or value in types[type_],
                               f"{where}: value {value} of type {type_} has no label")
            of.event(time, type_, value, where, problems)
        if UNDER_WAY in events:
            of.changes.append((time, events[UNDER_WAY], TRANSFER in events))
            if TRANSFER in events:
                transfers.append((task - 1, types[TRANSFER].get(events[TRANSFER]), time, time))
        if thread == 1 and STEP in events:
            if events[STEP]:
                open_runs[task] = Run(task - 1, events[STEP],
                                      types[PROGRAM].get(events.get(PROGRAM)), time, None)
            elif task in open_runs:
                run = open_runs.pop(task)
                run.end = time
                runs.append(run)
    for key, thread in threads.items():
        problems.check(not thread.open, f"thread {key}: never ends: {thread.open}")
        count = 0
        for time, now, begins in thread.changes:
            count += 1 if begins else -1
            problems.check(now == count, f"thread {key}: {now} transfers under way at {time}, not {count}")
        problems.check(count == 0, f"thread {key}: {count} transfers never end")
    check_states(threads, length, states, problems)
    ops = [(task - 1, types[KIND][value], begin, end) for (task, _), thread in threads.items()
           for value, begin, end in thread.kinds if value in types[KIND]]
    sort_into_runs(runs, ops + transfers, problems)
    return runs, Counter(dict(enumerate(workers))), False


# ---- The whole.


def check(path, options):
    """Returns what it counted, and the problems."""
    problems = Problems()
    if path.suffix == ".prv":
        runs, workers, once = check_prv(path, problems)
    else:
        runs, workers, once = check_json(path, problems)
    problems.check(runs, "there are no runs")
    expected = None
    if options.ops:
        expected = Counter(options.ops.read_text(encoding="utf-8").split("\n"))
        del expected[""]
    ranks, steps = check_runs(runs, expected, once, problems)
    problems.check(ranks == list(range(len(ranks))), f"ranks are {ranks}")
    if options.ranks is not None:
        problems.check(len(ranks) == options.ranks, f"there are {len(ranks)} ranks, not {options.ranks}")
    if options.workers is not None:
        problems.check(all(workers[rank] == options.workers for rank in ranks),
                       f"ranks have {dict(workers)} workers, not {options.workers}")
    ops = sum(len(run.ops) for run in runs)
    return f"{len(ranks)} ranks, {sum(workers.values())} workers, {len(steps)} steps, {ops} ops", problems.lines


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--ops", type=Path, help="names of the ops of each step")
    parser.add_argument("--ranks", type=int, help="how many there must be")
    parser.add_argument("--workers", type=int, help="how many each rank must have")
    options = parser.parse_args()
    try:
        counted, lines = check(options.file, options)
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        counted, lines = "", [f"cannot be read: {type(error).__name__}: {error}"]
    for line in lines[:MOST_LINES]:
        print(f"{options.file}: {line}", file=sys.stderr)
    if lines:
        sys.exit(1)
    print(f"{options.file}: {counted}")


if __name__ == "__main__":
    main()
