#!/usr/bin/env python3
"""Where training stops scaling on a cluster that need not be here, by `weft simulate`.

    bench/simulate/study.py --weft build/weft --json docs/figures/scaling_study.json

Measures what ops cost here at the shapes of each model (of two of its layers: the others are alike), simulates the
models on 1, 2, 4, .. nodes with each strategy and executor, and prints a Markdown table for each. Weak scaling: each node gets
--batch-size sequences of --seq-len tokens, one rank a node. --global-batch N adds a table of strong scaling for the first
model: N sequences over all nodes. docs/simulation.md says what is assumed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
MODELS = {  # what is simulated, and what is measured for it
    "gpt2": "L=2,NH=12,C=768,T=1024",
    "gpt2-medium": "L=2,NH=16,C=1024,T=1024",
    "gpt2-large": "L=2,NH=20,C=1280,T=1024",
    "gpt2-xl": "L=2,NH=25,C=1600,T=1024",
}
STRATEGIES = ["all-reduce", "sharded", "server"]
STOPPED = 0.5  # of the tokens per second and core of one node


def run(*words):
    words = [str(word) for word in words]
    print("+", " ".join(words), file=sys.stderr, flush=True)
    return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True).stdout


def costs_of(o, model, directory):
    """The costs file of a model's shapes; measured unless --costs-dir has one."""
    path = (o.costs_dir or directory) / f"{model}.costs.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        run(o.weft, "bench", "tasks", "--model", MODELS[model], "--batch-size", o.batch_size, "--seq-len", o.seq_len,
            "--threads", o.threads, "--steps", o.steps, "--costs", path)
    return path


def simulate(o, model, costs, nodes, batch_size):
    return json.loads(run(
        o.weft, "simulate", "--model", model, "--batch-size", batch_size, "--seq-len", o.seq_len, "--nodes",
        ",".join(map(str, nodes)), "--cores", o.cores, "--dist", "all", "--exec", "all", "--bandwidth-gbps",
        o.bandwidth_gbps, "--latency-us", o.latency_us, "--memory-gb-per-s", o.memory_gb_per_s, "--costs", costs, "--json"))


def series(predictions):
    """{(dist, executor): predictions by rising nodes}; one node has no strategy and begins each of them."""
    all_series = {}
    alone = {p["executor"]: p for p in predictions if p["ranks"] == 1}
    for dist in STRATEGIES:
        for executor in ("sequential", "fork-join", "tasks"):
            rest = [p for p in predictions if p["dist"] == dist and p["executor"] == executor]
            all_series[dist, executor] = ([alone[executor]] if executor in alone else []) + rest
    return all_series


def share_of_first(p, first):
    """Tokens per second and node, against the first of the series."""
    return p["tokens_per_s"] / p["nodes"] / (first["tokens_per_s"] / first["nodes"])


def reason(p, first):
    """What the step lost against the first of its series."""
    exposed = p["comm_ms"] - p["hidden_comm_ms"]
    lost = p["step_ms"] - first["step_ms"]
    if lost <= 0.05 * first["step_ms"]:
        return "nothing"
    return f"{exposed:.0f} ms of {p['comm_ms']:.0f} ms of transfers are not hidden"


def weak_table(predictions, nodes):
    yield "| strategy | executor | " + " | ".join(f"{n}" for n in nodes) + " | below half from | why, at the most nodes |"
    yield "|---|---|" + "---|" * (len(nodes) + 2)
    for (dist, executor), points in series(predictions).items():
        first = points[0]
        shares = [share_of_first(p, first) for p in points]
        stops = next((p["nodes"] for p, share in zip(points, shares) if share < STOPPED), None)
        cells = [f"{p['step_ms']:.0f} ms, {100 * share:.0f} %" for p, share in zip(points, shares)]
        yield (f"| `{dist}` | `{executor}` | " + " | ".join(cells)
               + f" | {f'{stops} nodes' if stops else '-'} | {reason(points[-1], first)} |")


def node_table(predictions):
    """What one node makes of its cores."""
    yield "| executor | step, ms | tokens/s | cores busy | longest path, ms | memory of a rank, GB |"
    yield "|---|---|---|---|---|---|"
    seen = set()
    for p in predictions:
        if p["ranks"] > 1 or p["executor"] in seen:
            continue
        seen.add(p["executor"])
        yield (f"| `{p['executor']}` | {p['step_ms']:.0f} | {p['tokens_per_s']:.0f} | {100 * p['efficiency']:.0f} % "
               f"| {p['critical_path_ms']:.0f} | {p['memory_bytes']['all'] / 1e9:.1f} |")


def strong_table(o, costs):
    """The first model with a fixed global batch: (nodes, tokens/s) of each strategy under tasks."""
    rows = {}
    nodes = [n for n in o.nodes if o.global_batch % n == 0]
    for n in nodes:
        for p in simulate(o, o.models[0], costs, [n], o.global_batch // n)["predictions"]:
            for dist in [p["dist"]] if p["dist"] else STRATEGIES:
                rows[dist, p["executor"], n] = p
    yield "| strategy | executor | " + " | ".join(f"{n}" for n in nodes) + " |"
    yield "|---|---|" + "---|" * len(nodes)
    for dist in STRATEGIES:
        for executor in ("fork-join", "tasks"):
            first = rows[dist, executor, nodes[0]]
            cells = [f"{rows[dist, executor, n]['step_ms']:.0f} ms, "
                     f"{100 * share_of_first(rows[dist, executor, n], first):.0f} %" for n in nodes]
            yield f"| `{dist}` | `{executor}` | " + " | ".join(cells) + " |"


def parse(arguments):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--weft", type=Path, default=ROOT / "build" / "weft")
    p.add_argument("--models", type=lambda text: text.split(","), default=["gpt2", "gpt2-xl"])
    p.add_argument("--nodes", type=lambda text: [int(n) for n in text.split(",")],
                   default=[1, 2, 4, 8, 16, 32, 64, 128, 256])
    p.add_argument("--cores", type=int, default=112, help="of a node [112]")
    p.add_argument("--bandwidth-gbps", type=float, default=100.)
    p.add_argument("--latency-us", type=float, default=2.)
    p.add_argument("--memory-gb-per-s", type=float, default=450., help="of a node [450]")
    p.add_argument("--batch-size", type=int, default=4, help="sequences of a node [4]")
    p.add_argument("--seq-len", type=int, default=1024)
    p.add_argument("--global-batch", type=int, help="sequences of all nodes, for strong scaling")
    p.add_argument("--threads", type=int, default=2, help="with which costs are measured [2]")
    p.add_argument("--steps", type=int, default=4, help="that are measured [4]")
    p.add_argument("--costs-dir", type=Path, help="keeps the costs, and takes those that are there")
    p.add_argument("--json", type=Path, help="write the predictions, for docs/figures/make.py")
    o = p.parse_args(arguments)
    for model in o.models:
        if model not in MODELS:
            p.error(f"--models: {model} is none of {', '.join(MODELS)}")
    return o


def main(arguments):
    o = parse(arguments)
    study = {"batch_size": o.batch_size, "seq_len": o.seq_len, "cores": o.cores, "bandwidth_gbps": o.bandwidth_gbps,
             "models": {}}
    with tempfile.TemporaryDirectory() as name:
        for model in o.models:
            costs = costs_of(o, model, Path(name))
            result = simulate(o, model, costs, o.nodes, o.batch_size)
            predictions = result["predictions"]
            print(f"### {model}: {o.batch_size} x {o.seq_len} tokens on each node of {o.cores} cores\n")
            print("\n".join(node_table(predictions)), "\n")
            print("\n".join(weak_table(predictions, o.nodes)), "\n")
            kept = ("nodes", "step_ms", "tokens_per_s", "comm_ms", "hidden_comm_ms")
            study["models"][model] = {
                f"{dist} {executor}": [{key: round(p[key], 3) for key in kept} for p in points]
                for (dist, executor), points in series(predictions).items()}
        if o.global_batch:
            costs = costs_of(o, o.models[0], Path(name))
            print(f"### {o.models[0]}: {o.global_batch} x {o.seq_len} tokens over all nodes\n")
            print("\n".join(strong_table(o, costs)))
    if o.json:
        o.json.write_text(json.dumps(study, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
