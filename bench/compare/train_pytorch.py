#!/usr/bin/env python3
"""Times GPT-2 training steps in PyTorch on the CPU, as a peer to measure weft against.

    pip install torch
    bench/compare/train_pytorch.py --threads 2 -B 4 -T 64                     eager, fp32
    bench/compare/train_pytorch.py --threads 2 -B 4 -T 64 --compile --bf16

The model is GPT-2 as weft trains it: 124M parameters, tied classifier, tanh GELU, no dropout. A
step is forward, loss, backward, clipping to a norm of 1 and fused AdamW, on random tokens (speed
does not depend on them). Each step reads the loss, so that it reports progress as a trainer does.
Prints one line of JSON: each step, the median and its tokens/s, and the process's peak memory.
"""

import argparse
import json
import re
import resource
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

L, NH, C, MAX_T, V = 12, 12, 768, 1024, 50257


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(C, 3 * C)
        self.proj = nn.Linear(C, C)

    def forward(self, x):
        batch, time_steps, _ = x.shape
        q, k, v = (part.view(batch, time_steps, NH, C // NH).transpose(1, 2)
                   for part in self.qkv(x).split(C, dim=2))
        heads = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.proj(heads.transpose(1, 2).reshape(batch, time_steps, C))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln1, self.attention = nn.LayerNorm(C), Attention()
        self.ln2, self.fc, self.fcproj = nn.LayerNorm(C), nn.Linear(C, 4 * C), nn.Linear(4 * C, C)

    def forward(self, x):
        x = x + self.attention(self.ln1(x))
        return x + self.fcproj(F.gelu(self.fc(self.ln2(x)), approximate="tanh"))


class GPT2(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(V, C), nn.Embedding(MAX_T, C)
        self.blocks = nn.ModuleList(Block() for _ in range(L))
        self.lnf = nn.LayerNorm(C)
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, 0.0, 0.02)

    def forward(self, tokens, targets):
        x = self.wte(tokens) + self.wpe.weight[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        logits = F.linear(self.lnf(x), self.wte.weight)
        return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())


def make_optimizer(model):
    parameters = list(model.parameters())
    groups = [{"params": [p for p in parameters if p.dim() == 2], "weight_decay": 0.1},
              {"params": [p for p in parameters if p.dim() == 1], "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=3e-4, betas=(0.9, 0.95), fused=True)


def train_step(model, raw_model, optimizer, tokens, targets, bf16):
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        loss = model(tokens, targets)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(raw_model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


def time_steps(arguments):
    """Seconds of each step after the warm-up, and the last loss."""
    raw_model = GPT2()
    model = torch.compile(raw_model) if arguments.compile else raw_model
    optimizer = make_optimizer(raw_model)
    seconds = []
    for _ in range(arguments.warmup + arguments.steps):
        sequences = torch.randint(V, (arguments.B, arguments.T + 1))
        start = time.perf_counter()
        loss = train_step(model, raw_model, optimizer, sequences[:, :-1].contiguous(),
                          sequences[:, 1:].contiguous(), arguments.bf16)
        seconds.append(time.perf_counter() - start)
        print(f"step {len(seconds):3}  loss {loss:.4f}  {seconds[-1] * 1e3:.0f} ms",
              file=sys.stderr)
    return seconds[arguments.warmup:]


def blas():
    """The library of matrix products that this build is linked with."""
    found = re.search(r"BLAS_INFO=(\w+)", torch.__config__.show())
    return found[1] if found else "unknown"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-B", type=int, default=4, help="sequences per step")
    parser.add_argument("-T", type=int, default=64, help="tokens per sequence")
    parser.add_argument("--steps", type=int, default=10, help="steps that count")
    parser.add_argument("--warmup", type=int, default=3, help="steps before them")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--attention", choices=["flash", "math"], default="flash")
    parser.add_argument("--compile", action="store_true", help="torch.compile instead of eager")
    parser.add_argument("--bf16", action="store_true", help="bf16 autocast instead of fp32")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    torch.manual_seed(42)
    torch.set_num_threads(arguments.threads)
    backends = {"flash": SDPBackend.FLASH_ATTENTION, "math": SDPBackend.MATH}
    with sdpa_kernel(backends[arguments.attention]):
        seconds = time_steps(arguments)
    median_s = statistics.median(seconds)
    print(json.dumps({
        "torch": torch.__version__, "blas": blas(), "threads": arguments.threads,
        "mode": "compile" if arguments.compile else "eager",
        "precision": "bf16" if arguments.bf16 else "fp32", "attention": arguments.attention,
        "B": arguments.B, "T": arguments.T, "steps": arguments.steps,
        "steps_ms": [round(1e3 * s, 1) for s in seconds], "step_ms": round(median_s * 1e3, 1),
        "tokens_per_s": round(arguments.B * arguments.T / median_s, 1),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }))


if __name__ == "__main__":
    main()
