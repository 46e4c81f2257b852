"""The configurations of tools/record_bits.py: for each name a function that runs it on a Weft.

A Weft is the program with a directory of its own (record_bits.py). The function returns what the
configuration left, as {file or kind of result: its SHA-256}. Sizes are small and mostly odd: every
configuration should take well under a second, and meet tiles, blocks and batches that are cut short.
"""

import itertools
import struct

# What a run of `weft train` has where a configuration says nothing else. 257 bytes are more than one
# block of 128 tokens, and end in the middle of one.
TRAINING = {"data": "text.txt", "model": "L=3,NH=3,C=48,T=24", "batch_size": 3, "steps": 6, "lr": "1e-3",
            "val_every": 2, "val_steps": 2, "sample_every": 3, "checkpoint_every": 3, "exec": "tasks",
            "threads": 2}
ROWS = 3 * 24  # of a micro-step
EXECUTORS = [("sequential", 1), ("fork-join", 2), ("tasks", 2), ("omp-tasks", 2)]
OTHER_THREADS = [(executor, threads) for executor in ("fork-join", "tasks", "omp-tasks")
                 for threads in (1, 3)]
# More rows than a tile of a layer (1024), positions than a tile (128), tokens than a tile of
# attention (64), outputs and inputs than a tile of a weight (384 and 768).
TILES = {"model": "L=1,NH=5,C=200,T=130", "batch_size": 9, "steps": 2, "val_steps": 1,
         "sample_every": None, "checkpoint_every": None}
# Micro-batches of one sequence, twelve of a step, which 1, 2 and 3 ranks can share. With so small a
# bucket there are several.
RANKS = {"batch_size": 1, "total_batch_tokens": 12 * 24, "threads": 1, "bucket_mb": 0.05,
         "sample_every": None}
STRATEGIES = ["all-reduce", "sharded", "server"]

CONFIGURATIONS = {}


def add(name, run):
    if name in CONFIGURATIONS:
        raise ValueError(f"two configurations are called {name}")
    CONFIGURATIONS[name] = run


def add_training(name, ranks=0, **flags):
    add(name, lambda weft: weft.train(ranks, **flags))


def named(name, *words):
    return ",".join([name, *filter(None, words)])


def add_executors():
    choices = [({}, {"recompute": "block"}), ({}, {"grad_clip": 0}), ({}, {"total_batch_tokens": 3 * ROWS})]
    words = {"recompute": "block", "grad_clip": "no-clip", "total_batch_tokens": "accumulated"}
    for executor, threads in EXECUTORS + OTHER_THREADS:
        for chosen in itertools.product(*choices):
            flags = {name: value for choice in chosen for name, value in choice.items()}
            if (executor, threads) in EXECUTORS or len(flags) in (0, 3):
                name = named(f"train/{executor}-{threads}", *(words[flag] for flag in flags))
                add_training(name, exec=executor, threads=threads, **flags)


def add_bf16():
    for executor, threads in EXECUTORS:
        add_training(f"bf16/{executor}-{threads}", exec=executor, threads=threads, precision="bf16")
    add_training("bf16/block,no-clip,accumulated", precision="bf16", recompute="block", grad_clip=0,
                 total_batch_tokens=3 * ROWS)
    add_training("bf16/tiles", precision="bf16", **TILES)
    add_training("bf16/sharded-2-ranks", 2, precision="bf16", dist="sharded", reproducible=True, **RANKS)


def add_sizes():
    for executor, threads in EXECUTORS + [("tasks", 3)]:
        add_training(f"tiles/{executor}-{threads}", exec=executor, threads=threads, **TILES)
    add_training("tiles/tasks-2,block,no-clip", recompute="block", grad_clip=0, **TILES)
    add_training("tiles/tasks-2,accumulated", total_batch_tokens=2 * 9 * 130, **TILES)
    # Many blocks of the vocabulary, and a model so small that all else is one tile.
    for clip in (1, 0):
        add_training(f"sizes/vocabulary-2500,clip-{clip}", model="L=1,NH=2,C=32,T=16,V=2500", grad_clip=clip)
    add_training("sizes/smallest", model="L=1,NH=1,C=1,T=1", batch_size=1)
    add_training("sizes/one-sequence-of-one-head", model="L=2,NH=1,C=40,T=33", batch_size=1)
    add_training("sizes/shorter-sequences", seq_len=17, batch_size=5)


def add_settings():
    add_training("settings/linear-warmup", schedule="linear", warmup=2, final_lr_frac=0.2)
    add_training("settings/constant", schedule="constant", beta1=0.8, beta2=0.99, eps="1e-6")
    add_training("settings/wsd", schedule="wsd", warmup=1)
    add_training("settings/no-decay", weight_decay=0)
    add_training("settings/in-order", no_shuffle=True)
    add_training("settings/seed", seed=7)
    add_training("settings/epochs", steps=None, epochs=0.03)
    add_training("settings/every-step", val_every=1, val_steps=0, checkpoint_every=1, keep=2)
    add_training("settings/watched", trace="trace.json", tensorboard=True)


def add_data():
    add("data/shards", lambda weft: weft.train(
        data=weft.shard("shard.bin", "bytes"), val=weft.shard("other.bin", "bytes", eot="none"),
        model="L=3,NH=3,C=48,T=24,V=257", sample_every=None))
    add("data/raw-u16", lambda weft: weft.train(
        data=weft.shard("raw.bin", "bytes", data_format="raw-u16"), data_format="raw-u16",
        model="L=3,NH=3,C=48,T=24,V=257", sample_every=None))
    add("data/own-tokenizer", lambda weft: weft.train(tokenizer=weft.tokenizer()))


def add_init():
    def init(name, target, **flags):
        add(f"init/{name}", lambda weft: weft.train(
            init=weft.converted(target, flags.get("dtype")), model=None, tokenizer="bytes"))

    add("init/run", lambda weft: weft.train(init=weft.model(), model=None))
    init("llmc-fp32", "model_fp32.bin", dtype="fp32")
    init("llmc-bf16", "model_bf16.bin", dtype="bf16")
    init("safetensors", "model_only.safetensors")
    init("hugging-face", "hugging_face")


def add_resume():
    for executor, threads in EXECUTORS:
        add(f"resume/{executor}-{threads}", lambda weft, executor=executor, threads=threads:
            weft.train_and_resume(exec=executor, threads=threads, keep=0))
    add("resume/no-clip,block,accumulated", lambda weft: weft.train_and_resume(
        grad_clip=0, recompute="block", total_batch_tokens=3 * ROWS, again={"exec": "fork-join"}))
    add("resume/stopped-by-a-signal", lambda weft: weft.stop_and_resume(
        steps=300, val_every=0, sample_every=None, checkpoint_every=None))
    for dist in STRATEGIES:
        add(f"resume/{dist}-2-ranks", lambda weft, dist=dist: weft.train_and_resume(
            2, dist=dist, reproducible=True, **RANKS))
    add("resume/on-other-ranks", lambda weft: weft.train_and_resume(
        3, resumed_on=2, dist="sharded", again={"dist": "server"}, reproducible=True, **RANKS))


def add_ranks():
    for dist in STRATEGIES:
        for ranks in (1, 2, 3):
            add_training(f"ranks/{ranks},{dist}", ranks, dist=dist, reproducible=True, **RANKS)
        add_training(f"ranks/3,{dist},no-overlap", 3, dist=dist, reproducible=True, no_overlap=True, **RANKS)
        add_training(f"ranks/3,{dist},no-clip", 3, dist=dist, reproducible=True, grad_clip=0, **RANKS)
        add_training(f"ranks/2,{dist},one-micro-step", 2, dist=dist, reproducible=True,
                     **{**RANKS, "batch_size": 3, "total_batch_tokens": None, "sample_every": 3})
        add_training(f"ranks/2,{dist},sums-of-the-library", 2, dist=dist, **RANKS)
    for executor, threads in (("sequential", 1), ("fork-join", 2), ("tasks", 2), ("omp-tasks", 1)):
        add_training(f"ranks/2,sharded,{executor}-{threads}", 2, dist="sharded", reproducible=True,
                     **{**RANKS, "exec": executor, "threads": threads, "recompute": "block"})
    server = {"dist": "server", "dedicated_server": True}
    add_training("ranks/3,dedicated-server", 3, reproducible=True, **server, **RANKS)
    add_training("ranks/3,dedicated-server,no-overlap", 3, reproducible=True, no_overlap=True, **server, **RANKS)
    add_training("ranks/3,dedicated-server,no-clip", 3, reproducible=True, grad_clip=0, **server, **RANKS)
    add_training("ranks/3,dedicated-server,sums-of-the-library", 3, **server, **RANKS)
    add_training("ranks/2,all-reduce,no-overlap,sums-of-the-library", 2, no_overlap=True, **RANKS)
    add_training("ranks/2,all-reduce,no-clip,sums-of-the-library", 2, grad_clip=0, **RANKS)


def add_generate():
    def generate(name, *words, executor="tasks", threads=2):
        add(f"generate/{name}", lambda weft: weft.printed(
            "generate", "--model", weft.model(), "--exec", executor, "--threads", threads, *words))

    sampled = ["--prompt", "Nori ", "--tokens", 60, "--num-samples", 2, "--seed", 7]
    for executor, threads in EXECUTORS:
        generate(f"greedy,{executor}", "--temperature", 0, "--prompt", "Ba", "--tokens", 40,
                 executor=executor, threads=threads)
    generate("sampled", *sampled)
    generate("sampled,top", *sampled, "--top-k", 20, "--top-p", 0.9, "--temperature", 0.7)
    generate("long-prompt", "--prompt", "Bari lumel " * 9, "--tokens", 30)
    generate("bf16-weights", *sampled, "--precision", "bf16")


def questions(weft):
    """Three questions of HellaSwag's, in llm.c's format."""
    def example(index):
        texts = [[40 + index, 50, 60]] + [[70 + k + index] * (2 + k) for k in range(4)]
        body = struct.pack("<HHH", index, index, 4) + b"".join(
            struct.pack(f"<{1 + len(text)}H", len(text), *text) for text in texts)
        return struct.pack("<HH", 65535, 4 + len(body)) + body

    examples = [example(index) for index in range(3)]
    header = struct.pack("<256i", 20240522, 1, len(examples), max(map(len, examples)), *[0] * 252)
    (weft.directory / "questions.bin").write_bytes(header + b"".join(examples))
    return "questions.bin"


def add_eval():
    def evaluate(name, *words):
        add(f"eval/{name}", lambda weft: weft.printed(
            "eval", "--model", weft.model(), "--data", "text.txt", "--threads", 2, *words))

    evaluate("whole")
    evaluate("stride", "--stride", 7)
    evaluate("fork-join", "--exec", "fork-join", "--batch-size", 3, "--seq-len", 17)
    add("eval/questions", lambda weft: weft.printed(
        "eval", "--model", weft.model(), "--hellaswag", questions(weft), "--threads", 2))


def add_convert():
    def convert(name, source, target, dtype=None):
        add(f"convert/{name}", lambda weft: weft.written(
            "convert", "--from", source(weft), "--to", target, *(["--dtype", dtype] if dtype else []),
            files=[target]))

    def model(weft):
        return weft.model()

    for dtype in ("fp32", "bf16"):
        convert(f"llmc-{dtype}", model, f"to_{dtype}.bin", dtype)
        convert(f"safetensors-{dtype}", model, f"to_{dtype}.safetensors", dtype)
        convert(f"hugging-face-{dtype}", model, f"to_{dtype}", dtype)
        convert(f"llmc-{dtype}-and-back", lambda weft, dtype=dtype: weft.converted(f"model_{dtype}.bin", dtype),
                "back")
    convert("hugging-face-and-back", lambda weft: weft.converted("hugging_face"), "back.bin")


def add_tokens():
    def tokenize(name, tokenizer, files, *words):
        add(f"tokenize/{name}", lambda weft: weft.written(
            "tokenize", "text.txt", "--tokenizer", tokenizer(weft), "--threads", 2, *words, files=files))

    def single_bytes(_weft):
        return "bytes"

    def own(weft):
        return weft.tokenizer()

    out, val = ["--out", "tokens.bin"], ["--val-fraction", 0.2, "--val-out", "held.bin"]
    tokenize("bytes", single_bytes, ["tokens.bin"], *out)
    tokenize("bytes,val", single_bytes, ["tokens.bin", "held.bin"], *out, *val)
    tokenize("own", own, ["tokens.bin"], *out)
    tokenize("own,val", own, ["tokens.bin", "held.bin"], *out, *val)
    tokenize("own,lines", own, ["tokens.bin"], *out, "--separator", "\\n", "--eot", "after")
    tokenize("own,raw-u16", own, ["tokens.bin"], *out, "--data-format", "raw-u16")
    tokenize("own,shards", own, [f"tokens_{i:06}.bin" for i in range(3)], *out, "--shard-tokens", 2500)
    add("tokenize/decoded", lambda weft: weft.printed(
        "tokenize", "--decode", weft.shard("own.bin", weft.tokenizer()), "--tokenizer", weft.tokenizer()))
    add("tokenizer/train", lambda weft: weft.written(
        "tokenizer", "train", "text.txt", "--vocab-size", 290, "--out", "learnt", files=["learnt"]))
    add("stories", lambda weft: weft.printed("stories", "--bytes", 5000, "--seed", 3))


add_executors()
add_bf16()
add_sizes()
add_settings()
add_data()
add_init()
add_resume()
add_ranks()
add_generate()
add_eval()
add_convert()
add_tokens()
