"""Figures as SVG text: rectangles, arrows and labels that look the same on light and dark pages."""

import re
from html import escape

# Name: (light, dark). A figure paints its own background, so it never stands on a foreign one.
COLOURS = {
    "paper": ("#ffffff", "#0d1117"),
    "ink": ("#1f2328", "#e6edf3"),
    "soft": ("#59636e", "#9198a1"),
    "rule": ("#8c959f", "#656c76"),
    "faint": ("#eaeef2", "#21262d"),
    "blue": ("#0969da", "#58a6ff"),
    "orange": ("#bc4c00", "#f0883e"),
    "green": ("#1a7f37", "#3fb950"),
    "purple": ("#8250df", "#bc8cff"),
    "red": ("#cf222e", "#ff7b72"),
    "grey": ("#6e7781", "#8b949e"),
}
FILL_OPACITY = (0.16, 0.26)  # of a coloured area, light and dark

STYLE = """
text { font: 13px system-ui, "Segoe UI", Helvetica, Arial, "DejaVu Sans", sans-serif; }
.small { font-size: 11px; }
.tiny { font-size: 9.5px; }
.big { font-size: 15px; font-weight: 600; }
.bold { font-weight: 600; }
.code { font: 11.5px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.line { fill: none; stroke-width: 1.2; }
.thick { stroke-width: 2.2; }
.dash { stroke-dasharray: 4 3; }
"""


# What a class does with a colour: text, stroke, tinted area with a border, plain area.
LOOKS = {
    "t": "fill: {0};",
    "s": "stroke: {0};",
    "f": "fill: {0}; fill-opacity: {1}; stroke: {0};",
    "p": "fill: {0}; stroke: none;",
}


def rules(theme, body):
    """The CSS rules of one theme (0 light, 1 dark) that a figure's body uses."""
    used = set(re.findall(r"\b([tsfp]-[a-z]+)\b", body))
    return "\n".join(
        f".{look}-{name} {{ {words.format(shades[theme], FILL_OPACITY[theme])} }}"
        for name, shades in COLOURS.items()
        for look, words in LOOKS.items()
        if f"{look}-{name}" in used
    )


def number(x):
    """Coordinates with at most one decimal, so that files do not change with the machine."""
    text = f"{x:.1f}"
    return text[:-2] if text.endswith(".0") else text


class Figure:
    """A picture of `width` by `height`. The title and the description say it in words."""

    def __init__(self, width, height, title, description):
        self.width, self.height = width, height
        self.title, self.description = title, description
        self.parts = []

    def rect(self, x, y, width, height, look, rx=2, extra=""):
        self.parts.append(
            f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" '
            f'height="{number(height)}" rx="{number(rx)}" class="{look}"{extra}/>'
        )

    def text(self, x, y, words, look="t-ink", anchor="middle"):
        self.parts.append(
            f'<text x="{number(x)}" y="{number(y)}" text-anchor="{anchor}" '
            f'class="{look}">{escape(words)}</text>'
        )

    def vertical(self, x, y, words, look="t-ink"):
        """Words that read upwards, centred on (x, y)."""
        self.parts.append(
            f'<text transform="translate({number(x)} {number(y)}) rotate(-90)" '
            f'text-anchor="middle" class="{look}">{escape(words)}</text>'
        )

    def lines(self, x, y, rows, look="t-ink", anchor="middle", leading=16):
        for i, row in enumerate(rows):
            self.text(x, y + i * leading, row, look, anchor)

    def path(self, d, look="line s-rule"):
        self.parts.append(f'<path d="{d}" class="{look}"/>')

    def polyline(self, points, look="line s-rule"):
        self.path("M" + " L".join(f"{number(x)} {number(y)}" for x, y in points), look)

    def arrow(self, points, colour="rule", look=""):
        """A line along the points with a head at the last one."""
        (x0, y0), (x1, y1) = points[-2], points[-1]
        length = max(abs(x1 - x0) + abs(y1 - y0), 1e-9)
        ux, uy = (x1 - x0) / length, (y1 - y0) / length
        if ux and uy:
            length = (ux * ux + uy * uy) ** 0.5
            ux, uy = ux / length, uy / length
        base = (x1 - 7 * ux, y1 - 7 * uy)
        self.polyline([*points[:-1], base], f"line s-{colour} {look}".strip())
        head = [
            (x1, y1),
            (base[0] - 3.5 * uy, base[1] + 3.5 * ux),
            (base[0] + 3.5 * uy, base[1] - 3.5 * ux),
        ]
        self.path(
            "M" + " L".join(f"{number(x)} {number(y)}" for x, y in head) + " Z", f"p-{colour}"
        )

    def matrix(
        self, x, y, width, height, colour, name="", rows="", cols="", rows_cut=1, cols_cut=1
    ):
        """A matrix with its name inside, its number of rows at the left and of columns above."""
        self.rect(x, y, width, height, f"f-{colour} line")
        for i in range(1, rows_cut):
            at = y + height * i / rows_cut
            self.polyline([(x, at), (x + width, at)], f"line s-{colour}")
        for i in range(1, cols_cut):
            at = x + width * i / cols_cut
            self.polyline([(at, y), (at, y + height)], f"line s-{colour}")
        if name:
            self.text(x + width / 2, y + height / 2 + 4.5, name, "t-ink bold")
        if rows:
            self.vertical(x - 6, y + height / 2, rows, "t-soft small")
        if cols:
            self.text(x + width / 2, y - 6, cols, "t-soft small")

    def svg(self):
        body = (
            f'<rect width="{self.width}" height="{self.height}" rx="6" class="p-paper"/>\n'
            + "\n".join(self.parts)
            + "\n</svg>\n"
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}" '
            f'viewBox="0 0 {self.width} {self.height}" role="img">\n'
            f"<title>{escape(self.title)}</title>\n<desc>{escape(self.description)}</desc>\n"
            f"<style>{STYLE}{rules(0, body)}\n"
            f"@media (prefers-color-scheme: dark) {{\n{rules(1, body)}\n}}\n</style>\n"
            + body
        )
