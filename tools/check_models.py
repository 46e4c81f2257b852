#!/usr/bin/env python3
"""Checks that weft and Hugging Face's transformers mean the same model by the same files.

    pip install torch transformers safetensors numpy
    tools/check_models.py build/weft

Three parts, each a list of lines `ok` or `FAILED` with the figures:

    load      models that transformers saved (one file, shards, without prefix, bf16, fp16) have in
              weft the loss that PyTorch computes
    train     a model that weft trained opens in transformers, tokenizer included: the same tokens,
              the same losses of sequences of every length, the same greedy text
    convert   every chain of formats gives back every byte

The exit status is 1 if a check failed. The models are random and tiny; nothing is downloaded.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import numpy as np
import safetensors
import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, GPT2LMHeadModel

# Both sides sum in float32, in another order; losses are near 5.
LOSS_TOLERANCE = 1e-5
TOKEN_SHARD_MAGIC, TOKEN_SHARD_VERSION = 20240520, 1
TEXT = ("The cat sat on the mat. The dog sat on the cat. The mat sat still.\n"
        "It's a café; 1,234 naïve mice ate 56 pies \u2014 \u4f60\u597d \U0001f600 tab\tend\n")
PROMPT = "The cat sat on the"


class Checks:
    def __init__(self):
        self.failed = 0

    def expect(self, holds, what):
        print(f"{'ok    ' if holds else 'FAILED'} {what}", flush=True)
        self.failed += not holds


def weft(*arguments):
    """Standard output of weft; ends the script with weft's message where it fails."""
    done = subprocess.run([WEFT, *map(str, arguments)], capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"weft {' '.join(map(str, arguments))}\n{done.stderr.decode(errors='replace')}")
    return done.stdout


def write_shard(path, tokens):
    header = np.zeros(256, np.int32)
    header[:3] = TOKEN_SHARD_MAGIC, TOKEN_SHARD_VERSION, len(tokens)
    path.write_bytes(header.tobytes() + np.asarray(tokens, np.uint16).tobytes())
    return path


def read_shard(path):
    return np.frombuffer(path.read_bytes()[1024:], np.uint16).tolist()


def weft_loss(model, shard, length):
    return json.loads(weft("eval", "--model", model, "--data", shard, "--batch-size", 1,
                           "--seq-len", length))["loss"]


@torch.no_grad()
def torch_loss(model, tokens, length):
    """The mean over all sequences of `length` tokens that lie end to end in the list."""
    count = (len(tokens) - 1) // length
    flat = torch.tensor(tokens)
    inputs = flat[: count * length].view(count, length)
    targets = flat[1 : count * length + 1]
    logits = model(inputs).logits
    return F.cross_entropy(logits.view(-1, logits.shape[-1]).double(), targets).item()


# ---- load --------------------------------------------------------------------------------------


def random_gpt2(vocabulary):
    torch.manual_seed(vocabulary)
    # Eleven layers, because h.10 sorts before h.2; weights wide enough for every layer to matter.
    config = GPT2Config(vocab_size=vocabulary, n_positions=17, n_embd=24, n_layer=11, n_head=3,
                        initializer_range=0.2, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0,
                        bos_token_id=vocabulary - 1, eos_token_id=vocabulary - 1)
    model = GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name.endswith("bias"):
                value.normal_(std=0.1)
    return model


def save_every_way(model, directory):
    """(what, directory, the model that PyTorch computes with)."""
    model.save_pretrained(directory / "one")
    yield "one file", directory / "one", model
    model.save_pretrained(directory / "shards", max_shard_size="40KB")
    shards = len(list((directory / "shards").glob("model-*.safetensors")))
    yield f"{shards} shards", directory / "shards", model
    model.transformer.save_pretrained(directory / "base")
    yield "base model, no prefix", directory / "base", model
    for dtype in (torch.bfloat16, torch.float16):
        path = directory / str(dtype)
        half = GPT2LMHeadModel(model.config)
        half.load_state_dict(model.state_dict())
        half.to(dtype).save_pretrained(path)
        yield f"{dtype}", path, half.float().eval()


def check_load(checks, directory):
    for vocabulary in (211, 256, 257):
        tokens = np.random.default_rng(vocabulary).integers(0, vocabulary, 17 * 5 + 1).tolist()
        shard = write_shard(directory / f"{vocabulary}.bin", tokens)
        model = random_gpt2(vocabulary)
        for what, path, reference in save_every_way(model, directory / str(vocabulary)):
            ours, theirs = weft_loss(path, shard, 17), torch_loss(reference, tokens, 17)
            checks.expect(abs(ours - theirs) < LOSS_TOLERANCE,
                          f"load: V={vocabulary}, {what}: weft {ours:.7f}, PyTorch {theirs:.7f}")


# ---- train -------------------------------------------------------------------------------------


def byte_alphabet():
    """GPT-2's spelling of the 256 bytes: printable ones as they are, the others from U+0100 on."""
    plain = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    return [chr(byte) for byte in plain] + [chr(0x100 + i) for i in range(len(others))]


def write_tokenizer(directory):
    merges = ["\u0120 t", "h e", "\u0120t he", "a t", "\u0120 s", "\u0120s at", "c at", "o n"]
    tokens = byte_alphabet() + [merge.replace(" ", "") for merge in merges] + ["<|endoftext|>"]
    directory.mkdir()
    vocabulary = {token: i for i, token in enumerate(tokens)}
    (directory / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    lines = "\n".join(["#version: 0.2", *merges]) + "\n"
    (directory / "merges.txt").write_text(lines, encoding="utf-8")
    return directory


def train(directory):
    text = directory / "text.txt"
    text.write_text(TEXT * 50, encoding="utf-8")
    weft("train", "--data", text, "--tokenizer", write_tokenizer(directory / "tokenizer"),
         "--model", "L=2,NH=2,C=32,T=32", "--steps", 300, "--lr", "1e-2", "--batch-size", 8,
         "--out", directory / "run")
    return directory / "run/checkpoints/step_00000300"


def check_tokens(checks, directory, checkpoint, tokenizer):
    text = directory / "tokens.txt"
    text.write_text(TEXT, encoding="utf-8")
    weft("tokenize", text, "--tokenizer", checkpoint, "--eot", "none", "--out",
         directory / "tokens.bin")
    ours, theirs = read_shard(directory / "tokens.bin"), tokenizer(TEXT)["input_ids"]
    checks.expect(ours == theirs, f"train: {len(ours)} tokens, {len(theirs)} of AutoTokenizer")
    checks.expect(tokenizer.decode(ours) == TEXT, "train: AutoTokenizer decodes them to the text")
    return ours


def check_losses(checks, directory, checkpoint, model, tokens):
    """Sequences of every length: n loss_n - (n-1) loss_(n-1) is the loss of the n-th token."""
    worst = 0.0
    for start in (0, 7, 20):
        for length in range(1, 33):
            part = tokens[start : start + length + 1]
            shard = write_shard(directory / "part.bin", part)
            difference = weft_loss(checkpoint, shard, length) - torch_loss(model, part, length)
            worst = max(worst, abs(difference))
    checks.expect(worst < LOSS_TOLERANCE,
                  f"train: 96 sequences of 1 to 32 tokens: losses differ by at most {worst:.1e}")


def check_greedy_text(checks, checkpoint, model, tokenizer):
    prompt = tokenizer(PROMPT, return_tensors="pt")
    room = 32 - prompt["input_ids"].shape[1]
    output = model.generate(**prompt, max_new_tokens=room, do_sample=False)[0]
    for count in range(1, room + 1):
        ours = weft("generate", "--model", checkpoint, "--prompt", PROMPT, "--tokens", count,
                    "--temperature", 0).decode("utf-8")
        theirs = tokenizer.decode(output[: prompt["input_ids"].shape[1] + count],
                                  skip_special_tokens=True) + "\n"
        if ours != theirs:
            return checks.expect(False, f"train: greedy token {count}: {ours!r}, not {theirs!r}")
    return checks.expect(True, f"train: {room} greedy tokens agree one by one: {theirs!r}")


def check_train(checks, directory):
    checkpoint = train(directory)
    model, loading = AutoModelForCausalLM.from_pretrained(checkpoint, output_loading_info=True)
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    keys = {key: list(found) for key, found in loading.items() if found}
    checks.expect(not keys, f"train: transformers takes every tensor and misses none {keys or ''}")
    dropouts = [getattr(model.config, name) for name in ("attn_pdrop", "embd_pdrop", "resid_pdrop")]
    checks.expect(dropouts == [0, 0, 0], f"train: dropouts are {dropouts}")
    tokens = check_tokens(checks, directory, checkpoint, tokenizer)
    check_losses(checks, directory, checkpoint, model.eval(), tokens)
    check_greedy_text(checks, checkpoint, model, tokenizer)
    return checkpoint


# ---- convert -----------------------------------------------------------------------------------


def check_chain(checks, source, directory, steps):
    """Converts along the steps, from each to the next; two equal names must hold equal bytes."""
    weights, here = {}, source
    for i, kind in enumerate(steps):
        target = directory / f"{i}_{kind}"
        target.mkdir(parents=True)
        file = {"bin": "m.bin", "safetensors": "m.safetensors", "directory": "hf"}[kind]
        weft("convert", "--from", here, "--to", target / file)
        here = target / file
        content = (here / "model.safetensors" if kind == "directory" else here).read_bytes()
        if content != weights.setdefault("bin" if kind == "bin" else "safetensors", content):
            return checks.expect(False, f"convert: {here} differs from its predecessor")
    checks.expect(True, f"convert: {' -> '.join([source.name, *steps])}: every byte comes back")
    return here


def check_convert(checks, directory, checkpoint):
    kinds = ("bin", "safetensors", "directory")
    # A walk over every pair of formats, each format to itself included.
    walk = ("bin", "bin", "safetensors", "safetensors", "directory", "directory", "bin",
            "directory", "safetensors", "bin")
    pairs = set(zip(walk, walk[1:]))
    checks.expect(len(pairs) == len(kinds) ** 2, f"convert: {len(pairs)} pairs of formats")
    for name, source in (("trained", checkpoint), ("211", directory / "211/one"),
                         ("256", directory / "256/shards"), ("bf16", directory / "257/torch.bfloat16")):
        check_chain(checks, source, directory / f"convert_{name}", walk)
        check_opens(checks, source, directory / f"convert_{name}/5_directory/hf")
    check_tokenizer_follows(checks, checkpoint, directory / "convert_trained")


def check_opens(checks, source, converted):
    before = AutoModelForCausalLM.from_pretrained(source).state_dict()
    after = AutoModelForCausalLM.from_pretrained(converted).state_dict()
    same = before.keys() == after.keys() and all(torch.equal(before[k], after[k]) for k in before)
    checks.expect(same, f"convert: transformers opens {converted.parent.parent.name}, bit for bit")
    dtypes = {str(tensor.dtype) for tensor in load_file(converted / "model.safetensors").values()}
    checks.expect(len(dtypes) == 1, f"convert: its tensors are {dtypes}")


def check_tokenizer_follows(checks, source, directory):
    weft("convert", "--from", source, "--to", directory / "hf1")
    weft("convert", "--from", directory / "hf1", "--to", directory / "hf2")
    before, after = map(AutoTokenizer.from_pretrained, (source, directory / "hf2"))
    checks.expect(before(TEXT)["input_ids"] == after(TEXT)["input_ids"],
                  "convert: the tokenizer follows from directory to directory")


def main():
    global WEFT
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weft", type=Path, help="the program, for example build/weft")
    parser.add_argument("--keep", type=Path, help="a new directory for the files, kept")
    arguments = parser.parse_args()
    WEFT = arguments.weft.resolve()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    print(f"{weft('--version').decode().splitlines()[0]}, Python {platform.python_version()}, "
          f"torch {torch.__version__}, transformers {transformers.__version__}, "
          f"safetensors {safetensors.__version__}")
    checks = Checks()
    with tempfile.TemporaryDirectory() as temporary:
        directory = arguments.keep or Path(temporary)
        directory.mkdir(parents=True, exist_ok=arguments.keep is None)
        check_load(checks, directory)
        checkpoint = check_train(checks, directory)
        check_convert(checks, directory, checkpoint)
    print(f"{checks.failed} checks failed" if checks.failed else "all checks passed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
