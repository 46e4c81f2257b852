#!/usr/bin/env python3
"""Checks the gradients that docs/model.md derives: against central differences of its equations.

    docs/check_gradients.py      prints the largest error of each, relative to the largest element

Exits 1 if one is above 1e-6. Plain Python in double precision, on tensors of a few random numbers:
slow, and short enough to be read beside the page.
"""

import math
import random
import sys

random.seed(7)
T, C, HS, V = 4, 5, 3, 6  # tokens, channels, channels of a head, words


def matrix(rows, cols):
    return [[random.gauss(0, 1) for _ in range(cols)] for _ in range(rows)]


def product(a, b):
    return [[sum(x * y for x, y in zip(row, col)) for col in zip(*b)] for row in a]


def transposed(a):
    return [list(col) for col in zip(*a)]


def dot(a, b):
    """The loss of every check: the sum of a output times a given gradient."""
    return sum(x * y for row_a, row_b in zip(a, b) for x, y in zip(row_a, row_b))


def error(loss, x, dx, h=1e-5):
    """The largest difference between dx and (loss(x + h) - loss(x - h)) / 2h, relative."""
    largest = max(abs(g) for row in dx for g in row)
    worst = 0.0
    for r, row in enumerate(x):
        for c, value in enumerate(row):
            row[c] = value + h
            above = loss()
            row[c] = value - h
            below = loss()
            row[c] = value
            worst = max(worst, abs((above - below) / (2 * h) - dx[r][c]))
    return worst / largest


def embedding():
    tokens, dy = [2, 0, 2, 5], matrix(T, C)
    wte, wpe = matrix(V, C), matrix(T, C)

    def loss():
        return dot([[a + b for a, b in zip(wte[v], wpe[t])] for t, v in enumerate(tokens)], dy)

    dwte = [[sum(dy[i][c] for i in range(T) if tokens[i] == v) for c in range(C)] for v in range(V)]
    yield "embedding: dwte", error(loss, wte, dwte)
    yield "embedding: dwpe", error(loss, wpe, dy)


def layernorm():
    x, w, b, dy = matrix(T, C), matrix(1, C), matrix(1, C), matrix(T, C)

    def normalized(row):
        mean = sum(row) / C
        rstd = (sum((v - mean) ** 2 for v in row) / C + 1e-5) ** -0.5
        return [(v - mean) * rstd for v in row], rstd

    def loss():
        return dot(
            [[wc * v + bc for wc, v, bc in zip(w[0], normalized(row)[0], b[0])] for row in x], dy
        )

    dx = []
    for row, dy_row in zip(x, dy):
        xhat, rstd = normalized(row)
        g = [wc * d for wc, d in zip(w[0], dy_row)]
        mean_g, mean_gx = sum(g) / C, sum(a * v for a, v in zip(g, xhat)) / C
        dx.append([rstd * (a - mean_g - v * mean_gx) for a, v in zip(g, xhat)])
    dw = [[sum(d[c] * normalized(row)[0][c] for row, d in zip(x, dy)) for c in range(C)]]
    yield "layernorm: dx", error(loss, x, dx)
    yield "layernorm: dweight", error(loss, w, dw)
    yield "layernorm: dbias", error(loss, b, [[sum(col) for col in zip(*dy)]])


def linear():
    x, W, b, dy = matrix(T, C), matrix(V, C), matrix(1, V), matrix(T, V)

    def loss():
        return dot([[v + bj for v, bj in zip(row, b[0])] for row in product(x, transposed(W))], dy)

    yield "linear: dx", error(loss, x, product(dy, W))
    yield "linear: dW", error(loss, W, product(transposed(dy), x))
    yield "linear: db", error(loss, b, [[sum(col) for col in zip(*dy)]])


def gelu():
    x, dy = [[-3.0, -0.7, -0.1, 0.0, 0.4, 1.3, 2.9]], matrix(1, 7)
    k = 2 * math.sqrt(2 / math.pi)

    def loss():
        return dot([[0.5 * v * (1 + math.tanh(k / 2 * (v + 0.044715 * v**3))) for v in x[0]]], dy)

    def slope(v):
        s = 1 / (1 + math.exp(-k * (v + 0.044715 * v**3)))
        return s + v * s * (1 - s) * k * (1 + 3 * 0.044715 * v * v)

    yield "gelu: dx", error(loss, x, [[d * slope(v) for d, v in zip(dy[0], x[0])]])


def attention():
    q, k, v, dout = (matrix(T, HS) for _ in range(4))
    scale = 1 / math.sqrt(HS)

    def weights():
        rows = []
        for t, row in enumerate(product(q, transposed(k))):
            lse = math.log(sum(math.exp(scale * s) for s in row[: t + 1]))
            rows.append([math.exp(scale * s - lse) if i <= t else 0.0 for i, s in enumerate(row)])
        return rows

    def loss():
        return dot(product(weights(), v), dout)

    P, dP = weights(), product(dout, transposed(v))
    D = [sum(a * b for a, b in zip(*rows)) for rows in zip(dout, product(P, v))]
    dS = [[scale * p * (dp - D[t]) for p, dp in zip(P[t], dP[t])] for t in range(T)]
    yield "attention: dq", error(loss, q, product(dS, k))
    yield "attention: dk", error(loss, k, product(transposed(dS), q))
    yield "attention: dv", error(loss, v, product(transposed(P), dout))
    yield "attention: tiles", max(
        abs(a - b) for x, y in zip(in_tiles(q, k, v, scale), product(P, v)) for a, b in zip(x, y)
    )


def in_tiles(q, k, v, scale, tile=2):
    """The output of attention as the kernel computes it: tile by tile, the diagonal first."""
    outputs = []
    for t in range(T):
        own = t // tile
        reference, total, out = None, 0.0, [0.0] * HS
        for j in [own, *range(own)]:
            keys = [s for s in range(j * tile, (j + 1) * tile) if s <= t]
            scores = [scale * sum(a * b for a, b in zip(q[t], k[s])) for s in keys]
            new = max(scores) if reference is None else max(reference, *scores)
            factor = 0.0 if reference is None else math.exp(reference - new)
            reference, total = new, factor * total + sum(math.exp(s - new) for s in scores)
            out = [
                factor * o + sum(math.exp(s - new) * v[i][c] for s, i in zip(scores, keys))
                for c, o in enumerate(out)
            ]
        outputs.append([o / total for o in out])
    return outputs


def shared_embedding_and_loss():
    """Cross-entropy of logits = encoded wte^T, with encoded from the same wte."""
    wte, tokens, targets = matrix(V, C), [2, 0, 2, 5], [0, 2, 5, 1]

    def softmax(row):
        exps = [math.exp(z - max(row)) for z in row]
        return [e / sum(exps) for e in exps]

    def loss():
        logits = product([wte[i] for i in tokens], transposed(wte))
        return -sum(math.log(softmax(row)[i]) for row, i in zip(logits, targets)) / T

    x = [list(wte[i]) for i in tokens]
    logits = product(x, transposed(wte))
    dlogits = [
        [(p - (v == i)) / T for v, p in enumerate(softmax(row))] for row, i in zip(logits, targets)
    ]
    dwte, dx = product(transposed(dlogits), x), product(dlogits, wte)
    for i, token in enumerate(tokens):
        dwte[token] = [a + b for a, b in zip(dwte[token], dx[i])]
    yield "loss and shared embedding: dwte", error(loss, wte, dwte)


def main():
    results = [
        result
        for check in (embedding, layernorm, linear, gelu, attention, shared_embedding_and_loss)
        for result in check()
    ]
    for name, worst in results:
        print(f"{name:<34} {worst:.1e}")
    return 1 if any(not worst < 1e-6 for _, worst in results) else 0


if __name__ == "__main__":
    sys.exit(main())
