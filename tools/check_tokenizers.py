#!/usr/bin/env python3
"""Compares weft's tokenizer with tiktoken's and Hugging Face's: ids, and the training of a BPE.

    pip install tiktoken tokenizers
    tools/check_tokenizers.py VOCABULARY_DIR [--weft build/weft] [--megabytes 2] [--seed 1]

VOCABULARY_DIR holds GPT-2's encoder.json and vocab.bpe, or its vocab.json and merges.txt. Checked:
  - ids that the tests of tiktoken and llama.cpp publish;
  - ids of a random text of all planes of Unicode: letters, marks, white space, contractions;
  - a vocabulary that `weft tokenizer train` and Hugging Face's BpeTrainer learn from one text;
  - ids of that text under the tokenizer.json that weft writes, opened by Hugging Face.
Prints a line for each check; the exit status is 0 if all agree, else 1.

Which characters are letters depends on the version of Unicode: weft has 15.0, and the libraries
have their own. Characters that are not in this Python's tables are left out (a Python whose tables
are newer than 15.0 takes those of Unicode 3.2), and so are surrogates, which UTF-8 cannot hold.
"""

import argparse
import array
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import unicodedata

try:
    import tiktoken
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers, trainers
except ImportError as error:
    sys.exit(f"{error}: run `pip install tiktoken tokenizers`")

END_OF_TEXT = "<|endoftext|>"
GPT2_PATTERN = (r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
TRAINED_SIZE = 3000
SHARD_HEADER_BYTES = 1024

# From tiktoken's tests/test_encoding.py and llama.cpp's models/ggml-vocab-gpt-2.gguf.inp and .out.
PUBLISHED = [
    ("hello world", "31373 995"),
    ("0", "15"), ("00", "405"), ("000", "830"), ("0000", "2388"), ("00000", "20483"),
    ("000000", "10535"), ("0000000", "24598"), ("00000000", "8269"), ("000000000", "10535 830"),
    ("0" * 16, "25645"), ("0" * 17, "8269 10535 830"),
    ("ied 4 ½ months", "798 604 25208 1933"),
    ("Führer", "37 9116 71 11751"),
    (" ", "220"), ("  ", "220 220"), ("   ", "220 220 220"), ("\t", "197"), ("\n", "198"),
    ("\n\n", "628"), ("\n\n\n", "628 198"), ("\t\n", "197 198"),
    ("Hello world", "15496 995"),
    (" Hello World!", "18435 2159 0"),
    ("Hello, world!", "15496 11 995 0"),
    (" this is 🦙.cpp", "428 318 12520 99 247 13 20322"),
    ("w048 7tuijk dsdfhu", "86 47202 767 28047 45961 288 82 7568 13415"),
    ("нещо на Български", "22177 16843 141 231 15166 12466 121 16142 12466 239 141 232 30143 140 "
     "111 16142 21169 21727 31583 18849"),
    ("    Hello", "220 220 220 18435"),
    ("    Hello\n    Hello", "220 220 220 18435 198 220 220 220 18435"),
    (" (", "357"), ("\n =", "198 796"), ("' era", "6 6980"),
    ("33333", "2091 20370"), ("3333333", "24840 20370"), ("333333333", "24840 2091 20370"),
    ("Hello, y'all! How are you 😁 ?我想在apple工作1314151天～",
     "15496 11 331 6 439 0 1374 389 345 30325 223 5633 22755 239 46349 111 28839 101 18040 32432 98 "
     "43291 1485 1415 24309 25465 171 121 252"),
]

# --- The tokenizers -------------------------------------------------------------------------------


class Weft:
    """weft's command line, in a directory for its files."""

    def __init__(self, program, directory):
        self.program = program
        self.directory = pathlib.Path(directory)

    def run(self, *arguments):
        command = [self.program, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}\n{done.stderr}")
        return done.stdout

    def write(self, text):
        """The path of a file that holds the text, byte for byte."""
        path = self.directory / "text.txt"
        path.write_bytes(text.encode())
        return path

    def encode(self, text, tokenizer):
        shard = self.directory / "ids.bin"
        self.run("tokenize", self.write(text), "--tokenizer", tokenizer, "--eot", "none",
                 "--out", shard)
        return array.array("H", shard.read_bytes()[SHARD_HEADER_BYTES:]).tolist()


def read_vocabulary(directory):
    """(spellings to ids, merges as pairs of spellings)"""
    for vocab, merges in (("encoder.json", "vocab.bpe"), ("vocab.json", "merges.txt")):
        if (directory / vocab).exists():
            lines = (directory / merges).read_text(encoding="utf-8").split("\n")
            pairs = [tuple(line.split(" ")) for line in lines if line and "#version" not in line]
            return json.loads((directory / vocab).read_text(encoding="utf-8")), pairs
    sys.exit(f"{directory} holds neither encoder.json nor vocab.json")


def byte_alphabet():
    """The byte that each character of the vocabulary files stands for."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return ({chr(byte): byte for byte in printable} |
            {chr(256 + k): byte for k, byte in enumerate(others)})


def make_tiktoken(vocab):
    alphabet = byte_alphabet()
    ranks = {bytes(alphabet[c] for c in token): rank for token, rank in vocab.items()
             if token != END_OF_TEXT}
    return tiktoken.Encoding("gpt2-from-files", pat_str=GPT2_PATTERN, mergeable_ranks=ranks,
                             special_tokens={END_OF_TEXT: vocab[END_OF_TEXT]})


def make_hugging_face(vocab, merges):
    tokenizer = tokenizers.Tokenizer(models.BPE(vocab=vocab, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


# --- The texts ------------------------------------------------------------------------------------


def character_table():
    """The tables of a Unicode version up to 15.0: Python's own or, if they are newer, its old ones."""
    version = tuple(int(part) for part in unicodedata.unidata_version.split("."))
    return unicodedata if version <= (15, 0, 0) else unicodedata.ucd_3_2_0


def known_characters():
    """Lists of characters, one for each kind that tokenizers may treat differently."""
    category = character_table().category
    kinds = {"L": [], "N": [], "M": [], "Z": [], "other": []}
    for c in map(chr, range(0x110000)):
        if category(c) not in ("Cn", "Cs"):
            kinds.get(category(c)[0], kinds["other"]).append(c)
    kinds["Z"] += list("\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u180e\u200b\ufeff")
    return kinds


def random_text(size, seed):
    """A text of at least `size` bytes in UTF-8."""
    rng = random.Random(seed)
    kinds = list(known_characters().values())
    ascii_text = "the of and in to a is it's don't I've we'll you're I'm he'd 's 'S  0123 (x) ...\n\t"
    makers = [
        lambda: rng.choice(ascii_text.split(" ")),
        lambda: " ",
        lambda: rng.choice(" \t\n\r\u00a0\u2003\u3000") * rng.randint(1, 4),
        lambda: chr(rng.randint(0, 127)),
        lambda: "'" + rng.choice(["s", "t", "re", "ve", "m", "ll", "d", "S", "T", "x"]),
        lambda: "".join(rng.choices(rng.choice(kinds), k=rng.randint(1, 6))),
        lambda: rng.choice(kinds[0]) + "".join(rng.choices(kinds[2], k=rng.randint(1, 3))),
        lambda: str(rng.randint(0, 10**rng.randint(1, 12))),
    ]
    parts, length = [], 0
    while length < size:
        parts.append(rng.choice(makers)())
        length += len(parts[-1].encode())
    return "".join(parts)


# --- The checks -----------------------------------------------------------------------------------


def agree(what, expected, actual, decode=None):
    """Says whether two lists are equal and, if not, where they part."""
    if expected == actual:
        print(f"ok      {what}: {len(actual):,} equal")
        return True
    at = next((i for i, pair in enumerate(zip(expected, actual)) if pair[0] != pair[1]),
              min(len(expected), len(actual)))
    print(f"DIFFER  {what}: {len(expected):,} and {len(actual):,}, from {at:,} on")
    for name, values in (("  expected", expected), ("  weft", actual)):
        shown = values[max(at - 3, 0):at + 5]
        print(name, shown, repr(decode(shown)) if decode else "")
    return False


def check_published(weft, directory):
    expected = [[int(i) for i in ids.split()] for _, ids in PUBLISHED]
    actual = [weft.encode(text, directory) for text, _ in PUBLISHED]
    return agree("published ids", expected, actual)


def check_random(weft, directory, size, seed):
    vocab, merges = read_vocabulary(directory)
    text = random_text(size, seed)
    actual = weft.encode(text, directory)
    what = f"ids of {len(text.encode()):,} random bytes"
    gpt2 = make_tiktoken(vocab)
    from_tiktoken = agree(f"{what}, tiktoken", gpt2.encode_ordinary(text), actual, gpt2.decode)
    hugging_face = make_hugging_face(vocab, merges)
    from_hugging_face = agree(f"{what}, Hugging Face", hugging_face.encode(text).ids, actual,
                              hugging_face.decode)
    return from_tiktoken and from_hugging_face


def check_training(weft, size, seed):
    text = weft.run("stories", "--bytes", size, "--seed", seed) + random_text(size // 4, seed + 1)
    out = weft.directory / "trained"
    weft.run("tokenizer", "train", weft.write(text), "--vocab-size", TRAINED_SIZE, "--out", out)
    _, merges = read_vocabulary(out)

    learned = tokenizers.Tokenizer(models.BPE())
    learned.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    learned.train_from_iterator([text], trainers.BpeTrainer(
        vocab_size=TRAINED_SIZE - 1, min_frequency=2, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    expected = [tuple(m.split(" ") if isinstance(m, str) else m)
                for m in json.loads(learned.to_str())["model"]["merges"]]
    same_merges = agree(f"merges learned from {len(text.encode()):,} bytes", expected, merges)

    opened = tokenizers.Tokenizer.from_file(str(out / "tokenizer.json"))
    same_ids = agree("ids under the tokenizer.json that weft writes", opened.encode(text).ids,
                     weft.encode(text, out), opened.decode)
    recognised = opened.encode(END_OF_TEXT).ids == [TRAINED_SIZE - 1]
    print(f"{'ok    ' if recognised else 'DIFFER'}  {END_OF_TEXT} is the last id")
    return same_merges and same_ids and recognised


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("vocabulary", type=pathlib.Path, metavar="VOCABULARY_DIR")
    parser.add_argument("--weft", default="build/weft", help="the program (default: build/weft)")
    parser.add_argument("--megabytes", type=float, default=2., help="size of the random text")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    size = int(arguments.megabytes * 1e6)

    print(f"tiktoken {tiktoken.__version__}, tokenizers {tokenizers.__version__}, "
          f"characters of Unicode {character_table().unidata_version}")
    with tempfile.TemporaryDirectory() as directory:
        weft = Weft(arguments.weft, directory)
        results = [check_published(weft, arguments.vocabulary),
                   check_random(weft, arguments.vocabulary, size, arguments.seed),
                   check_training(weft, size, arguments.seed)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
