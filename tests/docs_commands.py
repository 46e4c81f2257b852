"""The commands in the documents' fenced blocks: each `weft COMMAND --flag` must exist."""

import re
import shlex
import subprocess

BLOCK = re.compile(r"^```[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WEFT = re.compile(r"^(?:\$ )?(?:\S*/)?weft (.+)$")


def commands(body):
    """The words of each weft command in a block, after `weft`."""
    for line in body.replace("\\\n", " ").splitlines():
        found = WEFT.match(line.strip())
        if not found:
            continue
        try:
            yield shlex.split(found.group(1), comments=True)
        except ValueError:
            continue  # output that only looks like a command


class Flags:
    """The flags of weft's commands, as --help tells them. Asks for each command once."""

    def __init__(self, weft):
        self.weft, self.known = weft, {}

    def help(self, *words):
        if words not in self.known:
            done = subprocess.run(
                [self.weft, *words, "--help"], capture_output=True, encoding="utf-8", timeout=60
            )
            self.known[words] = done.stdout if done.returncode == 0 else None
        return self.known[words]

    def command(self, words):
        """The command, of one word or two, that the words begin with; None if there is none."""
        plain = [word for word in words[:2] if re.fullmatch(r"[a-z]+", word)]
        for n in (2, 1):
            if len(plain) >= n and self.help(*plain[:n]) is not None:
                text = self.help(*plain[:n])
                if n == 1 or text != self.help(plain[0]):
                    return plain[:n]
        return None

    def wrong(self, words):
        """What is wrong with the words of a command."""
        if words[0].startswith("-"):
            known, name = self.help(), "weft"
        else:
            command = self.command(words)
            if command is None:
                yield f"there is no command weft {words[0]}"
                return
            known, name = self.help(*command), " ".join(["weft", *command])
        for word in words:
            flag = word.split("=")[0]
            if re.match(r"--\w", flag) and not re.search(
                rf"(?<![\w-]){re.escape(flag)}(?![\w-])", known
            ):
                yield f"{name} has no flag {flag}"


def wrong_commands(flags, document):
    """(line number, what is wrong) of commands in the fenced blocks."""
    for block in BLOCK.finditer(document):
        number = document.count("\n", 0, block.start()) + 1
        for words in commands(block.group(1)):
            for problem in flags.wrong(words):
                yield number, problem
