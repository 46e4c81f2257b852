#!/usr/bin/env python3
"""Checks that the documentation is true: its worked examples, its links, and the files it names.

    tests/docs_test.py WEFT [ROOT]      checks itself, then the documents of ROOT (this repository)

The fenced blocks of docs/formats.md with words behind their language are followed from first to
last, in one temporary directory:

    ```hex file=NAME      a file: `1f` is a byte, `00*12` twelve, 'abc' three, and `# ...` a comment
    ```text file=NAME     a file: these lines; `<256 bytes>` stands for a vocabulary's single bytes
    ```sh run             commands that must succeed, `weft` among them

`weft inspect` must find each file whole, and the document must name the kind that it says. More
words change what is checked:

    check="COMMAND"       this command, with the file's name behind it, must succeed instead
    part                  nothing: the file is of use only with others
    cut                   also: without its last byte, the file must be refused with exit status 2
    like=FILE             also: its JSON must have the keys and types of FILE, which weft wrote

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

BLOCK = re.compile(r"^```(\w+) +(\S[^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEX = re.compile(r"#.*|'([^'\n]*)'|([0-9A-Fa-f]{2})(?:\*(\d+))?|(\S+)")
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
FOLDERS = ["src", "tests", "docs", "tools", "scripts", "bench", "cmake", ".ci"]


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
            raise ValueError(f"{junk!r} is no byte")
        data += text.encode() or bytes.fromhex(byte) * int(times or 1)
    return data


def shape(value):
    """What two JSON values must have in common: keys, types, and which kinds of record there are."""
    if isinstance(value, dict):
        return frozenset((key, v if key in ("kind", "ph") else shape(v))
                         for key, v in value.items())
    if isinstance(value, list):
        return frozenset(map(shape, value))
    return "number" if type(value) in (int, float) else type(value).__name__


def read_json(path):
    text = path.read_text()
    return [json.loads(s) for s in text.splitlines()] if path.suffix == ".jsonl" else json.loads(text)


class Follower:
    """Follows the worked examples of one document."""

    def __init__(self, weft, directory, document):
        self.directory = directory
        self.document = document
        self.environment = {**os.environ, "PATH": f"{weft.parent}:{os.environ['PATH']}"}

    def run(self, command):
        return subprocess.run(command, cwd=self.directory, env=self.environment, text=True,
                              errors="replace", capture_output=True, timeout=120)

    def problem(self, language, words, body):
        """Why this block is wrong, or None."""
        if words == ["run"]:
            done = self.run(["bash", "-euo", "pipefail", "-c", body])
            return f"exit status {done.returncode}: {done.stderr}" if done.returncode else None
        options = dict(word.partition("=")[::2] for word in words)
        unknown = options.keys() - {"file", "check", "part", "cut", "like"}
        if unknown or "file" not in options:
            return f"cannot follow {words}"
        return self.file_problem(options, content(language, options["file"], body), language)

    def file_problem(self, options, data, language):
        path = self.directory / options["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        check = shlex.split(options.get("check", "weft inspect")) + [options["file"]]
        if "cut" in options:
            path.write_bytes(data[:-1] if language == "hex" else data.rstrip(b"\n")[:-1])
            if self.run(check).returncode != 2:
                return "is not refused without its last byte"
        path.write_bytes(data)
        if "like" in options:
            if shape(read_json(path)) != shape(read_json(self.directory / options["like"])):
                return f"has other keys than {options['like']}"
        if "part" in options:
            return None
        done = self.run(check)
        if done.returncode != 0:
            return f"exit status {done.returncode}: {done.stderr}"
        kind = done.stdout.partition("\n")[0].partition(": ")[2]
        if check[1] == "inspect" and f"`{kind}`" not in self.document:
            return f"the document does not name the kind {kind}"
        return None


def wrong_examples(weft, document):
    """(line number, what is wrong) of each worked example that is."""
    with tempfile.TemporaryDirectory() as directory:
        follower = Follower(weft, Path(directory), document)
        for block in BLOCK.finditer(document):
            language, words, body = block.groups()
            try:
                problem = follower.problem(language, shlex.split(words), body)
            except (OSError, ValueError, subprocess.TimeoutExpired) as error:
                problem = str(error)
            if problem:
                yield document.count("\n", 0, block.start()) + 1, f"{words}: {problem}"


def headings(path):
    """The anchors of a document's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken_references(root, path, document):
    """(line number, what is wrong) of links and names of files that lead nowhere."""
    folders = FOLDERS + [folder.name for folder in (root / "src").iterdir()]
    for number, line in enumerate(document.splitlines(), start=1):
        for link in LINK.findall(line):
            file, _, anchor = link.partition("#")
            target = path.parent / file if file else path
            if "://" not in link and not (target.exists()
                                          and (not anchor or anchor in headings(target))):
                yield number, f"the link {link} leads nowhere"
        for word in " ".join(CODE.findall(line)).split():
            prefix, _, rest = re.sub(r"[.,:;]+$", "", word).partition("{")
            names, _, suffix = rest.partition("}")
            for name in [prefix + name + suffix for name in names.split(",")]:
                is_path = re.fullmatch(r"[\w.*-]+(/[\w.*-]+)*/?", name) and "/" in name
                if is_path and name.split("/")[0] in folders:
                    if not any(root.glob(name)) and not any((root / "src").glob(name)):
                        yield number, f"there is no file {name}"


# Each of these documents must be found wrong, in as many places as it has lines that say so.
WRONG_EXAMPLES = [
    "```hex file=a.bin\n00 zz\n```",
    "```hex file=a.bin\n88 D8 34 01\n```",
    "```text file=a.toml cut\nsteps = 10\n```",
    "```text file=a.toml\nsteps = 1\n```",  # a kind that this document does not name
    "```text file=a.json part\n{\"x\": 1}\n```\n```text file=b.json part like=a.json\n{\"y\": 1}\n```",
    "```sh run\nweft nonsense\n```",
    "```text file=a.txt prat\n```",
]
WRONG_REFERENCES = ["[a](nowhere.md)", "[a](#nowhere)", "`src/nowhere.h`", "`base/{files,nowhere}.h`"]


def self_test(weft, root):
    for document in WRONG_EXAMPLES:
        if not list(wrong_examples(weft, document)):
            yield f"self-test: found nothing wrong with {document!r}"
    for document in WRONG_REFERENCES:
        if not list(broken_references(root, root / "README.md", document)):
            yield f"self-test: found nothing wrong with {document!r}"


def main():
    weft = Path(sys.argv[1]).resolve()
    root = Path(sys.argv[2] if len(sys.argv) > 2 else Path(__file__).parent.parent).resolve()
    problems = list(self_test(weft, root))
    for path in [root / "README.md", root / "CONTRIBUTING.md", *sorted(root.glob("docs/**/*.md"))]:
        document = path.read_text()
        found = list(broken_references(root, path, document))
        if path == root / "docs" / "formats.md":
            found += wrong_examples(weft, document)
        problems += [f"{path}:{number}: {problem}" for number, problem in sorted(found)]
    print("\n".join(problems) or "documents: all in order")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
