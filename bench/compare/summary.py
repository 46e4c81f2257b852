"""From step times to tables: medians, ratios, shares of the machine's peak, peak memory."""

import statistics
from collections import defaultdict

# GPT-2 124M, the vocabulary padded as llm.c and weft store it.
L, C, MAX_T, PADDED_V = 12, 768, 1024, 50304

# What weft is to reach in fp32, by T; None stands for every other T.
LEAST_PEAK_SHARE = {64: 0.75, 256: 0.80, 1024: 0.75}
LEAST_RATIO = {"PyTorch": {None: 1.4}, "llm.c": {64: 5.0, 1024: 12.0}}


def parameter_count():
    per_layer = 12 * C * C + 13 * C  # qkv 3, attproj 1, fc and fcproj 4 C^2 each; biases, norms
    return (PADDED_V + MAX_T) * C + L * per_layer + 2 * C


def flops_per_token(T):
    """As llm.c counts them: 6 per parameter, and 6 L C T for attention."""
    return 6 * parameter_count() + 6 * L * C * T


def peak_share(tokens_per_s, T, peak_flops):
    """Model FLOPs utilization (MFU), 0 to 1."""
    return tokens_per_s * flops_per_token(T) / peak_flops


class Comparison:
    """The runs of all programs at one B, by program and T."""

    def __init__(self, programs, B, lengths):
        self.programs, self.B, self.lengths = programs, B, lengths
        self.runs = defaultdict(list)  # by (name, T)
        self.left_out = {}  # reasons, by (name, T)

    def tokens_per_s(self, name, T):
        """Of the median over the steps of all rounds; None without a run."""
        steps = [ms for run in self.runs[name, T] for ms in run.step_ms]
        return self.rate(steps, T) if steps else None

    def rate(self, step_ms, T):
        return 1e3 * self.B * T / statistics.median(step_ms)

    def rounds_tokens_per_s(self, name, T):
        """The medians of the single rounds, slowest first."""
        return sorted(self.rate(run.step_ms, T) for run in self.runs[name, T])

    def peak_bytes(self, name, T):
        return max((run.peak_bytes for run in self.runs[name, T]), default=None)

    def best(self, family, precision, T):
        """The fastest program of a family at this T, or None."""
        rivals = [program for program in self.programs
                  if (program.family, program.precision) == (family, precision)
                  and self.tokens_per_s(program.name, T)]
        return max(rivals, key=lambda program: self.tokens_per_s(program.name, T), default=None)

    def ratio(self, family, precision, T):
        """weft's tokens/s by those of the family's fastest; None if one of them is missing."""
        weft, rival = self.best("weft", precision, T), self.best(family, precision, T)
        if not weft or not rival:
            return None
        return self.tokens_per_s(weft.name, T) / self.tokens_per_s(rival.name, T)


ABSENT = "-"


def table(head, lengths, rows):
    """Markdown; rows are (name, function of T that gives the cell)."""
    lines = [[head, *(f"T={T}" for T in lengths)], ["---"] * (len(lengths) + 1)]
    lines += [[name, *(cell(T) for T in lengths)] for name, cell in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def verdict(value, least, show):
    """The value, and how it stands to what it should reach at least, if that is set."""
    if value is None:
        return ABSENT
    if least is None:
        return show(value)
    return f"{show(value)}, {'reaches' if value >= least else 'below'} {show(least)}"


def percent(share):
    return f"{100 * share:.1f} %"


def times(ratio):
    return f"{ratio:.2f}"


def speed_cell(comparison, name, T):
    rate = comparison.tokens_per_s(name, T)
    if rate is None:
        return ABSENT
    rounds = comparison.rounds_tokens_per_s(name, T)
    spread = f" ({rounds[0]:,.0f} to {rounds[-1]:,.0f})" if len(rounds) > 1 else ""
    return f"{rate:,.0f}{spread}"


def speed_table(comparison):
    return table("tokens/s", comparison.lengths, [
        (program.name, lambda T, name=program.name: speed_cell(comparison, name, T))
        for program in comparison.programs])


def memory_table(comparison):
    def cell(name, T):
        peak = comparison.peak_bytes(name, T)
        return ABSENT if peak is None else f"{peak / 1e9:.2f}"
    return table("GB", comparison.lengths, [
        (program.name, lambda T, name=program.name: cell(name, T))
        for program in comparison.programs])


def ratio_row(comparison, family, precision):
    def cell(T):
        least = LEAST_RATIO[family].get(T, LEAST_RATIO[family].get(None))
        ratio = comparison.ratio(family, precision, T)
        return verdict(ratio, least if precision == "fp32" else None, times)
    return f"weft / {'best PyTorch' if family == 'PyTorch' else family}, {precision}", cell


def share_row(comparison, precision, peak_flops):
    def cell(T):
        weft = comparison.best("weft", precision, T)
        share = weft and peak_share(comparison.tokens_per_s(weft.name, T), T, peak_flops)
        return verdict(share, LEAST_PEAK_SHARE.get(T) if precision == "fp32" else None, percent)
    return f"weft's share of the {precision} peak", cell


def standing_table(comparison, peaks):
    """weft against its peers and, by precision, against the machine's peak in FLOP/s."""
    rows = []
    for precision, peak in peaks.items():
        rows.append(ratio_row(comparison, "PyTorch", precision))
        rows += [ratio_row(comparison, "llm.c", precision)] if precision == "fp32" else []
        rows += [share_row(comparison, precision, peak)] if peak else []
    return table("", comparison.lengths, rows)


def left_out_lines(comparison):
    """Every program without a figure, with the reason, those of one reason together."""
    lengths = defaultdict(list)
    for (name, T), reason in comparison.left_out.items():
        lengths[name, reason].append(str(T))
    return [f"- Left out: {name} at T={', '.join(Ts)}: {reason}"
            for (name, reason), Ts in lengths.items()]


def machine_lines(machine, versions):
    """From what `weft doctor --json` says, and the versions of the programs."""
    def giga(value, unit):
        return f"{value / 1e9:,.0f} {unit}" if value else "unknown"
    yield f"- Machine: {machine['cpu']}, {machine['cores']} cores, {machine['usable_cpus']} CPUs " \
          f"usable, {' '.join(machine['vector_units'])}, {giga(machine['memory_bytes'], 'GB')}"
    yield f"- Measured with {machine['threads']} threads: fp32 peak " \
          f"{giga(machine['peak_fp32'], 'GFLOP/s')}, bf16 peak " \
          f"{giga(machine['peak_bf16'], 'GFLOP/s')}, memory {giga(machine['bandwidth'], 'GB/s')}"
    yield f"- weft {machine['version']}, commit {machine['commit']}, {machine['gemm']}, " \
          f"{machine['openmp']}"
    yield from (f"- {name} {version}" for name, version in versions.items() if version)
    yield from (f"- Warning: {warning['what']}" for warning in machine["warnings"])
