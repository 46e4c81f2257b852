#!/usr/bin/env python3
"""Checks that the documentation is true: its worked examples, its links, and what it names.

    tests/docs_test.py WEFT [ROOT]      checks itself, then the documents of ROOT (this repository)

The fenced blocks of a document with words behind their language are followed from first to last,
in one temporary directory:

    ```hex file=NAME      a file: `1f` is a byte, `00*12` twelve, 'abc' three, and `# ...` a comment
    ```text file=NAME     a file: these lines; `<256 bytes>` stands for a vocabulary's single bytes
    ```sh run             commands that must succeed, `weft` among them
    ```text shows=COMMAND what the command prints, run in the repository

`weft inspect` must find each file whole, and the document must name the kind that it says. More
words change what is checked:

    check="COMMAND"       this command, with the file's name behind it, must succeed instead
    part                  nothing: the file is of use only with others
    cut                   also: without its last byte, the file must be refused with exit status 2
    like=FILE             also: its JSON must have the keys and types of FILE, which weft wrote

In every other block, the flags of weft's commands must exist (docs_commands.py). Links that name a
function lead to its definition, comments in the code lead back (docs_links.py), and the guide,
docs/model.md, reaches every kernel and every kind of op of a step, which weft itself lists.

Prints `file:line: what is wrong` for each problem and exits 1 if there is one.
"""

import base64
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import docs_links
from docs_commands import Flags, wrong_commands

BLOCK = re.compile(r"^```(\w+) +(\S[^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEX = re.compile(r"#.*|'([^'\n]*)'|([0-9A-Fa-f]{2})(?:\*(\d+))?|(\S+)")
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
FOLDERS = ["src", "tests", "docs", "tools", "scripts", "bench", "cmake", ".ci"]


class Wrong(Exception):
    """What is wrong with a worked example."""


def single_bytes(name):
    """The 256 single bytes in the order of GPT-2's ids, as the file spells them."""
    own = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in own]
    if name.endswith(".tiktoken"):
        lines = [base64.b64encode(bytes([byte])).decode() for byte in own + others]
        return "\n".join(f"{line} {rank}" for rank, line in enumerate(lines))
    alphabet = [chr(byte) for byte in own] + [chr(256 + i) for i in range(len(others))]
    return ", ".join(f"{json.dumps(c)}: {token}" for token, c in enumerate(alphabet))


def content(language, name, body):
    """The bytes of a worked example."""
    if language != "hex":
        return body.replace("<256 bytes>", single_bytes(name)).encode()
    data = b""
    for text, byte, times, junk in HEX.findall(body):
        if junk:
            raise Wrong(f"{junk!r} is no byte")
        data += text.encode() or bytes.fromhex(byte) * int(times or 1)
    return data


def shape_of(value):
    """What two JSON values must share: keys, types, and which kinds of record there are. The kind of
    an op, in an event of a trace, is no kind of record."""
    if isinstance(value, dict):
        kinds = ("ph",) if "phase" in value else ("ph", "kind")
        return frozenset((key, item if key in kinds else shape_of(item)) for key, item in value.items())
    if isinstance(value, list):
        return frozenset(map(shape_of, value))
    return float if type(value) is int else type(value)


def shape(path):
    text = path.read_text(encoding="utf-8")
    lines = path.suffix == ".jsonl"
    return shape_of([json.loads(line) for line in text.splitlines()] if lines else json.loads(text))


class Follower:
    """Follows the worked examples of a document, in a directory."""

    def __init__(self, weft, root, directory):
        self.root = root
        self.directory = directory
        self.environment = {**os.environ, "PATH": f"{weft.parent}:{os.environ['PATH']}"}
        self.kinds = []  # that `weft inspect` said

    def run(self, command, expected=0, directory=None):
        """Returns what the command prints."""
        done = subprocess.run(command, cwd=directory or self.directory, env=self.environment,
                              encoding="utf-8", errors="replace", capture_output=True, timeout=120)
        if done.returncode != expected:
            raise Wrong(f"exit status {done.returncode}, not {expected}: {done.stderr}")
        return done.stdout

    def follow(self, language, words, body):
        if words == ["run"]:
            self.run(["bash", "-euo", "pipefail", "-c", body])
            return
        options = dict(word.partition("=")[::2] for word in words)
        if options.keys() == {"shows"}:
            if self.run(shlex.split(options["shows"]), directory=self.root) != body:
                raise Wrong("the command prints something else")
            return
        if "file" not in options or options.keys() - {"file", "check", "part", "cut", "like"}:
            raise Wrong("unknown words")
        name = options["file"]
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        check = [*shlex.split(options.get("check", "weft inspect")), name]
        data = content(language, name, body)
        if "cut" in options:
            path.write_bytes((data if language == "hex" else data.rstrip(b"\n"))[:-1])
            self.run(check, expected=2)
        path.write_bytes(data)
        if "like" in options and shape(path) != shape(self.directory / options["like"]):
            raise Wrong("its JSON has other keys or types")
        if "part" not in options:
            printed = self.run(check)
            if check[1] == "inspect":
                self.kinds.append(printed.partition("\n")[0].partition(": ")[2])


def wrong_examples(weft, root, document):
    """(line number, what is wrong) of each worked example that is."""
    with tempfile.TemporaryDirectory() as directory:
        follower = Follower(weft, root, Path(directory))
        for block in BLOCK.finditer(document):
            language, words, body = block.groups()
            number = document.count("\n", 0, block.start()) + 1
            try:
                follower.follow(language, shlex.split(words), body)
            except (Wrong, OSError, ValueError, subprocess.TimeoutExpired) as error:
                yield number, f"{words}: {error}"
        for kind in follower.kinds:
            if f"`{kind}`" not in document:
                yield 1, f"the kind {kind} is not named"


def leads_somewhere(link, path):
    file, _, anchor = link.partition("#")
    target = path.parent / file if file else path
    return "://" in link or target.exists() and (not anchor or anchor in docs_links.anchors(target))


def named_files(line, folders):
    """The paths among the words in code quotes, with braces expanded; they may hold a `*`. The guide's
    examples call a run directory `run`, like a folder of src/: there, only sources count."""
    for word in " ".join(CODE.findall(line)).split():
        before, names, after = re.fullmatch(r"([^{]*)\{?([^}]*)\}?(.*)", word).groups()
        for name in [before + name + after for name in names.split(",")]:
            in_run_directory = name.startswith("run/") and not name.endswith((".h", ".cc"))
            is_path = re.fullmatch(r"[\w.*-]+(/[\w.*-]+)+/?", name) and name.split("/")[0] in folders
            if is_path and not in_run_directory:
                yield name


def broken_references(root, path, document):
    """(line number, what is wrong) of links and names of files that lead nowhere."""
    folders = FOLDERS + [folder.name for folder in (root / "src").iterdir()]
    for number, line in enumerate(document.splitlines(), start=1):
        for link in LINK.findall(line):
            if not leads_somewhere(link, path):
                yield number, f"the link {link} leads nowhere"
        yield from docs_links.wrong_symbols(path, number, line)
        for name in named_files(line, folders):
            if not any(root.glob(name)) and not any((root / "src").glob(name)):
                yield number, f"there is no file {name}"


# Each of these documents must be found wrong.
WRONG_EXAMPLES = [
    "```hex file=a.bin\n00 zz\n```",
    "```hex file=a.bin\n88 D8 34 01\n```",
    "```text file=a.toml cut\nsteps = 10\n```",
    "```text file=a.toml\nsteps = 1\n```",  # of a kind that the document does not name
    "```text file=a.json part\n{}\n```\n```text file=b.json part like=a.json\n{\"x\": 1}\n```",
    "```sh run\nweft nonsense\n```",
    "```text file=a.txt prat\n```",
    "```text shows=\"echo a\"\nb\n```",
]
WRONG_REFERENCES = [
    "[a](nowhere.md)", "[a](#nowhere)", "`src/nowhere.h`", "`base/{files,nowhere}.h`",
    "[`layernorm`](src/kernels/layernorm.cc)",          # part of a name
    "[`layernorm_forward`](src/model/layers/norm.cc)",      # called there
    "[`rethrow_failure`](src/exec/fork_join.cc)",
    "[`Op`](src/exec/executor.h)",
    "[`TrainingStep::built`](src/step/training_step.cc)",
]
RIGHT_REFERENCES = [
    "[`layernorm_forward`](src/kernels/layernorm.cc)",
    "[`Attention::forward`](src/kernels/attention.cc)",
    "[`TrainingStep::build`](src/step/training_step.cc)",
    "[`Op`](src/program/program.h)",
    "[`kFlopsPerOp`](src/model/tiling.cc)",
]
WRONG_COMMANDS = ["```\nweft train --dato x\n```", "```\nbuild/weft bench stop --steps 1\n```",
                  "```\n$ weft bench step --model a \\\n  --stops 1\n```", "```sh\nweft trian\n```"]


def self_test(weft, root, flags):
    def references(document):
        return list(broken_references(root, root / "README.md", document))
    found = [(document, list(wrong_examples(weft, root, document))) for document in WRONG_EXAMPLES]
    found += [(document, references(document)) for document in WRONG_REFERENCES]
    found += [(document, list(wrong_commands(flags, document))) for document in WRONG_COMMANDS]
    return [f"self-test: {document!r} passed" for document, problems in found if not problems] + \
           [f"self-test: {document!r} is right, but {problems}" for document in RIGHT_REFERENCES
            if (problems := references(document))]


def step_kinds(weft, model, batch_size, seq_len, *flags):
    """The kinds of ops of a step and how many there are of each, as weft says."""
    sizes = ["--model", model, "--batch-size", str(batch_size), "--seq-len", str(seq_len)]
    done = subprocess.run([weft, "bench", "step", "--json", "--steps", "1", "--threads", "1",
                           *sizes, *flags],
                          check=True, capture_output=True, encoding="utf-8", timeout=120)
    return {op["kind"]: op["ops"] for op in json.loads(done.stdout)["ops"]}


def wrong_guide(weft, root):
    """What the guide leaves out of the code, or says of it that is not so."""
    # Sizes that divide by nothing, more rows than one tile has, and enough layers to recompute one.
    model, batch_size, seq_len = "L=3,NH=3,C=48,T=450,V=300", 3, 431
    kinds = step_kinds(weft, model, batch_size, seq_len)
    again = step_kinds(weft, model, batch_size, seq_len, "--recompute", "block")
    yield from docs_links.unreachable(root)
    yield from docs_links.unnamed_ops(root, kinds.keys() | again.keys())
    yield from docs_links.undrawn(root)
    sys.path.insert(0, str(root / "docs" / "figures"))
    import code_shapes
    sizes = {name: int(value) for name, value in (field.split("=") for field in model.split(","))}
    if code_shapes.Tiling(code_shapes.Config(**sizes), batch_size, seq_len).ops() != kinds:
        yield "docs/figures/code_shapes.py cuts a step into other ops than weft"


def main():
    weft = Path(sys.argv[1]).resolve()
    root = Path(sys.argv[2] if len(sys.argv) > 2 else Path(__file__).parent.parent).resolve()
    sys.dont_write_bytecode = True
    flags = Flags(weft)
    problems = self_test(weft, root, flags)
    for path in [root / "README.md", root / "CONTRIBUTING.md", *sorted(root.glob("docs/**/*.md"))]:
        document = path.read_text(encoding="utf-8")
        found = [*broken_references(root, path, document), *wrong_commands(flags, document),
                 *wrong_examples(weft, root, document)]
        problems += [f"{path}:{number}: {problem}" for number, problem in sorted(found)]
    for path in docs_links.source_files(root):
        problems += [f"{path}:{number}: {problem}"
                     for number, problem in docs_links.wrong_sections(root, path)]
    problems += wrong_guide(weft, root)
    print("\n".join(problems) or "documents: all in order")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
