#!/usr/bin/env python3
"""Writes tests/golden/tiny_gpt2.safetensors: what PyTorch computes for ten steps of a tiny GPT-2.

    pip install torch numpy safetensors
    tools/make_golden.py                 # overwrites the golden file
    tools/make_golden.py --check         # recomputes it and compares, writes nothing

The committed file was made with torch 2.15.0 (CPU) and numpy 2.4.6. Only rounding should change
with another version: `--check` allows a relative difference of 1e-6.

The model is written out in plain PyTorch (pre-LayerNorm, causal attention, tanh GELU, tied
classifier, biases everywhere, no dropout) and autograd differentiates it. Its sizes are odd and
the vocabulary is smaller than its padding (31 < 128), so that a wrong stride or a forgotten tail
shows. Weights are drawn wider than GPT-2's, and biases and layernorm weights are not 0 and 1, so
that every gradient matters.

The truth is computed in float64 and rounded to float32. The script also runs in float32, prints
how far that is from the truth, and fails where it is too far for a test to ask for TOLERANCE.

Tensors of the file (float32, int32 where said; names of parameters as in src/model/architecture.h):
    initial/<parameter>       weights before the first step; wte is (V, C), without padding
    logits                    (B, T, V) of the first micro-batch, before the first step
    loss                      (1) of that micro-batch
    gradients/<parameter>     of that loss, not clipped
    accum<N>/tokens           int32 (steps, N, B, T), N micro-batches a step, N = 1 and 4
    accum<N>/targets          int32 (steps, N, B, T)
    accum<N>/losses           (steps) mean over the step's tokens, before its update
    accum<N>/grad_norms       (steps) global norm before clipping
    accum<N>/final/<parameter>  weights after the last step
"hyper_parameters" in __metadata__ is a JSON object of the constants below.
"""

import argparse
import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.numpy import save

L, NH, C, MAX_T, V, B, T = 3, 3, 15, 11, 31, 3, 7
STEPS, ACCUMULATIONS = 10, (1, 4)
LR, BETA1, BETA2, WEIGHT_DECAY, GRAD_CLIP = 1e-3, 0.9, 0.95, 0.1, 1.0
# Not the usual 1e-8: softmax does not see the biases of the keys, so their true gradient is 0 and
# what is computed is rounding noise near 1e-9, which AdamW would blow up to steps of 0.1 lr.
EPS = 1e-5
LAYERNORM_EPS = 1e-5
SEED = 28

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden" / "tiny_gpt2.safetensors"
TOLERANCE = 2e-4  # what the C++ test may ask of a float32 implementation

HYPER_PARAMETERS = {
    "L": L, "NH": NH, "C": C, "maxT": MAX_T, "V": V, "B": B, "T": T, "steps": STEPS,
    "lr": LR, "beta1": BETA1, "beta2": BETA2, "eps": EPS, "weight_decay": WEIGHT_DECAY,
    "grad_clip": GRAD_CLIP,
}


def draw_weights(random):
    """Initial weights by name, in the order of the parameter table."""
    def normal(mean, std, *shape):
        return random.normal(mean, std, shape).astype(np.float32)

    weights = {"wte": normal(0, 0.3, V, C), "wpe": normal(0, 0.3, MAX_T, C)}
    for layer in range(L):
        weights |= {f"block{layer}/{name}": value for name, value in {
            "ln1w": normal(1, 0.3, C), "ln1b": normal(0, 0.3, C),
            "qkvw": normal(0, 0.3, 3 * C, C), "qkvb": normal(0, 0.3, 3 * C),
            "attprojw": normal(0, 0.3, C, C), "attprojb": normal(0, 0.3, C),
            "ln2w": normal(1, 0.3, C), "ln2b": normal(0, 0.3, C),
            "fcw": normal(0, 0.3, 4 * C, C), "fcb": normal(0, 0.3, 4 * C),
            "fcprojw": normal(0, 0.3, C, 4 * C), "fcprojb": normal(0, 0.3, C),
        }.items()}
    # Narrower than the others: keeps gradient norms on both sides of GRAD_CLIP.
    return weights | {"lnfw": normal(0.4, 0.3, C), "lnfb": normal(0, 0.1, C)}


def draw_batches(random, accumulation):
    """Tokens and targets (steps, accumulation, B, T), targets shifted by one."""
    # Some tokens are more frequent than others, as in text. Uniform tokens would leave four
    # micro-batches with so small a mean gradient that no step of accumulation 4 clips.
    frequency = 1 / np.sqrt(np.arange(1, V + 1))
    sequences = random.choice(V, (STEPS, accumulation, B, T + 1), p=frequency / frequency.sum())
    sequences = sequences.astype(np.int32)
    return sequences[..., :-1].copy(), sequences[..., 1:].copy()


def layernorm(x, weights, name):
    return F.layer_norm(x, (C,), weights[f"{name}w"], weights[f"{name}b"], LAYERNORM_EPS)


def linear(x, weights, name):
    return x @ weights[f"{name}w"].T + weights[f"{name}b"]


def attention(x, weights, block):
    """softmax(Q K^T / sqrt(HS), causal) V for each head, then the projection."""
    batch, time, _ = x.shape
    q, k, v = (part.view(batch, time, NH, C // NH).transpose(1, 2)
               for part in linear(x, weights, f"{block}/qkv").split(C, dim=2))
    scores = q @ k.transpose(2, 3) / math.sqrt(C // NH)
    future = torch.ones(time, time, dtype=torch.bool).triu(1)
    heads = scores.masked_fill(future, -math.inf).softmax(dim=3) @ v
    return linear(heads.transpose(1, 2).reshape(batch, time, C), weights, f"{block}/attproj")


def forward(weights, tokens):
    """Logits (B, T, V) of tokens (B, T)."""
    x = weights["wte"][tokens] + weights["wpe"][: tokens.shape[1]]
    for layer in range(L):
        block = f"block{layer}"
        x = x + attention(layernorm(x, weights, f"{block}/ln1"), weights, block)
        hidden = linear(layernorm(x, weights, f"{block}/ln2"), weights, f"{block}/fc")
        x = x + linear(F.gelu(hidden, approximate="tanh"), weights, f"{block}/fcproj")
    return layernorm(x, weights, "lnf") @ weights["wte"].T


def mean_loss(weights, tokens, targets):
    logits = forward(weights, tokens)
    return logits, F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def to_parameters(initial, dtype):
    return {name: torch.tensor(value, dtype=dtype, requires_grad=True)
            for name, value in initial.items()}


def first_gradients(initial, tokens, targets, dtype):
    weights = to_parameters(initial, dtype)
    logits, loss = mean_loss(weights, tokens, targets)
    loss.backward()
    return {"logits": logits, "loss": loss[None],
            **{f"gradients/{name}": weight.grad for name, weight in weights.items()}}


def make_optimizer(weights):
    groups = [
        {"params": [w for w in weights.values() if w.dim() == 2], "weight_decay": WEIGHT_DECAY},
        {"params": [w for w in weights.values() if w.dim() == 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=LR, betas=(BETA1, BETA2), eps=EPS, foreach=False)


def train(initial, tokens, targets, dtype):
    """Losses, gradient norms and final weights of one run over tokens (steps, micro, B, T)."""
    weights = to_parameters(initial, dtype)
    optimizer = make_optimizer(weights)
    losses, grad_norms = [], []
    for step_tokens, step_targets in zip(tokens, targets):
        optimizer.zero_grad()
        step_loss = 0.0
        for micro_tokens, micro_targets in zip(step_tokens, step_targets):
            loss = mean_loss(weights, micro_tokens, micro_targets)[1] / len(step_tokens)
            loss.backward()
            step_loss += loss.detach()
        grad_norms.append(torch.nn.utils.clip_grad_norm_(weights.values(), GRAD_CLIP))
        losses.append(step_loss)
        optimizer.step()
    return {"losses": torch.stack(losses), "grad_norms": torch.stack(grad_norms),
            **{f"final/{name}": weight for name, weight in weights.items()}}


def compute(initial, batches, dtype):
    """Everything that PyTorch computes, as float64 arrays by the file's names."""
    tensors = {accumulation: tuple(torch.from_numpy(ids).long() for ids in pair)
               for accumulation, pair in batches.items()}
    tokens, targets = tensors[1]
    results = first_gradients(initial, tokens[0, 0], targets[0, 0], dtype)
    for accumulation, (tokens, targets) in tensors.items():
        run = train(initial, tokens, targets, dtype)
        results |= {f"accum{accumulation}/{name}": value for name, value in run.items()}
    return {name: value.detach().double().numpy() for name, value in results.items()}


def difference(actual, expected):
    """Largest difference, relative to the largest element."""
    return np.abs(actual - expected).max() / max(np.abs(expected).max(), 1e-30)


def report(truth, single):
    for accumulation in ACCUMULATIONS:
        norms = truth[f"accum{accumulation}/grad_norms"]
        losses = truth[f"accum{accumulation}/losses"]
        print(f"accumulation {accumulation}: {(norms > GRAD_CLIP).sum()} of {STEPS} steps clip,"
              f" norms {norms.min():.3f} to {norms.max():.3f},"
              f" loss {losses[0]:.4f} to {losses[-1]:.4f}")
    worst = sorted(((difference(single[name], value), name) for name, value in truth.items()),
                   reverse=True)
    print("float32 is farthest from the truth at:")
    for off, name in worst[:4]:
        print(f"    {name:28} {off:.1e} relative")
    if worst[0][0] > TOLERANCE / 10:
        sys.exit(f"{worst[0][1]}: float32 is too far from float64 to be tested to {TOLERANCE}")


def build():
    """All tensors of the file, in its element types."""
    # RandomState's streams are frozen: the same numbers with every version of numpy.
    random = np.random.RandomState(SEED)
    initial = draw_weights(random)
    batches = {accumulation: draw_batches(random, accumulation) for accumulation in ACCUMULATIONS}
    truth = compute(initial, batches, torch.float64)
    report(truth, compute(initial, batches, torch.float32))
    tensors = {f"initial/{name}": value for name, value in initial.items()}
    for accumulation, (tokens, targets) in batches.items():
        tensors[f"accum{accumulation}/tokens"] = tokens
        tensors[f"accum{accumulation}/targets"] = targets
    return tensors | {name: value.astype(np.float32) for name, value in truth.items()}


def check(tensors):
    """Exits unless the golden file holds these tensors, up to rounding."""
    with safe_open(GOLDEN, "numpy") as golden:
        if set(golden.keys()) != set(tensors):
            sys.exit(f"{GOLDEN}: other tensors than this script writes")
        for name, value in tensors.items():
            off = difference(value.astype(np.float64), golden.get_tensor(name).astype(np.float64))
            if off > 1e-6:
                sys.exit(f"{GOLDEN}: {name} differs by {off:.1e}")
    print(f"{GOLDEN} holds what torch {torch.__version__} computes")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    arguments = parser.parse_args()
    torch.set_num_threads(1)

    tensors = build()
    if arguments.check:
        check(tensors)
    else:
        GOLDEN.parent.mkdir(parents=True, exist_ok=True)
        # One key, because the library writes several in an order that changes with each run.
        GOLDEN.write_bytes(save(tensors, {"hyper_parameters": json.dumps(HYPER_PARAMETERS)}))
        print(f"wrote {GOLDEN}, {GOLDEN.stat().st_size} bytes")


if __name__ == "__main__":
    main()
