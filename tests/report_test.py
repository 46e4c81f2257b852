#!/usr/bin/env python3
"""Opens the page of `weft report` in Chromium, without a network, and looks at what it shows.

    tests/report_test.py WEFT [--screenshots DIR]

Needs PyPI's playwright and a chromium on the path; without them it says so and exits 77.
"""

import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

try:
    from playwright.sync_api import sync_playwright
except ImportError:
    sync_playwright = None

HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror=\"window.hacked = 1\">&amp;"
LONG = 100_000  # steps
# Seconds; generous, because tests run beside each other on slow machines.
LOAD_LIMIT, DRAW_LIMIT = 30.0, 3.0


def weft_command(weft, *arguments):
    subprocess.run([weft, *map(str, arguments)], check=True, capture_output=True, timeout=120)


def make_runs(weft, directory):
    """Two runs of a small model, and a trace of each."""
    text = directory / "stories.txt"
    weft_command(weft, "stories", "--bytes", 20_000, "--out", text)
    runs, traces = [], []
    for executor in ("tasks", "fork-join"):
        runs.append(directory / executor)
        traces.append(directory / f"{executor}.json")
        weft_command(weft, "train", "--data", text, "--model", "L=2,NH=2,C=32,T=32", "--steps", 30,
                     "--val-every", 10, "--val-steps", 2, "--sample-every", 15, "--threads", 2,
                     "--exec", executor, "--out", runs[-1], "--trace", traces[-1],
                     "--trace-steps", "11:13")
    return runs, traces


def make_long_run(directory, steps):
    """A run that nobody trained, with texts that try to be markup, and one peak."""
    directory.mkdir()
    lines = [{"kind": "run", "model": HOSTILE, "executor": HOSTILE, "steps": steps, HOSTILE: HOSTILE}]
    for i in range(1, steps + 1):
        loss = 4 * i ** -0.1 + 0.2 * math.sin(i) * math.sin(0.1 * i * i)
        lines.append({"kind": "train", "step": i, "loss": 9.5 if i == 77_777 else loss, "lr": 1e-3,
                      "grad_norm": abs(math.sin(i)), "tokens": 512 * i, "elapsed_s": 0.01 * i,
                      "tokens_per_s": 51_200 + 1000 * math.cos(i), "mfu": 0.4})
    lines.append({"kind": "sample", "step": steps, "text": HOSTILE})
    with (directory / "metrics.jsonl").open("w") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    (directory / "config.toml").write_text(f"# {HOSTILE}\n")


def records(run, kind):
    lines = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    return [line for line in lines if line["kind"] == kind]


def smoothed(values, steps):
    """As the page should smooth: an exponential mean whose weights add up to one."""
    keep = 1 - 2 / (steps + 1)
    result, total, weight = [], 0.0, 0.0
    for value in values:
        total = keep * total + (1 - keep) * value
        weight = keep * weight + (1 - keep)
        result.append(total / weight)
    return result


def close(a, b):
    return abs(a - b) <= 2e-5 * max(abs(a), abs(b), 1e-30)


class Page:
    """A report in a browser that has no network. Whatever goes wrong in it is kept."""

    def __init__(self, browser, path, width=1400, height=1000, scheme="light", touch=False):
        self.problems = []
        self.context = browser.new_context(viewport={"width": width, "height": height},
                                           color_scheme=scheme, has_touch=touch, offline=True)
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.problems.append(f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        self.page.on("request", self.note_request)
        self.page.goto(path.as_uri())

    def note_request(self, request):
        if not request.is_navigation_request() and request.url != "data:,":
            self.problems.append(f"request: {request.url}")

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.context.close()

    def js(self, expression):
        return self.page.evaluate(expression)

    def series(self, chart, label):
        """The points of a series as dygraphs has them."""
        return self.js(f"""(() => {{
            const g = weftReport.curves.charts.find((c) => c.spec.key === '{chart}').dygraph;
            const column = g.getLabels().indexOf('{label}');
            const points = [];
            for (let row = 0; row < g.numRows(); ++row) {{
              const y = g.getValue(row, column);
              if (y !== null) points.push([g.getValue(row, 0), y]);
            }}
            return points;
          }})()""")

    def dygraph(self, chart, call):
        return self.js(f"weftReport.curves.charts.find((c) => c.spec.key === '{chart}').dygraph.{call}")

    def labels(self, chart):
        return self.dygraph(chart, "getLabels()")

    def window(self, chart="loss"):
        return self.dygraph(chart, "xAxisRange()")

    def drag(self, selector, begin, end):
        """With the mouse, from one part of the width to another."""
        self.page.locator(selector).first.scroll_into_view_if_needed()
        box = self.page.locator(selector).first.bounding_box()
        y = box["y"] + box["height"] / 2
        self.page.mouse.move(box["x"] + begin * box["width"], y)
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + end * box["width"], y, steps=5)
        self.page.mouse.up()


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def check_curves(page, runs):
    for r, run in enumerate(runs):
        steps = records(run, "train")
        for key in ("loss", "lr", "grad_norm", "tokens_per_s"):
            points = page.series(key, f"curve{r}")
            check(len(points) == len(steps), f"{key} of run {r} has {len(points)} points")
            check(all(x == s["step"] and close(y, s[key]) for (x, y), s in zip(points, steps)),
                  f"{key} of run {r} is not that of the log")
        check([x for x, _ in page.series("loss", f"validation{r}")] == [10, 20, 30],
              "validations are at their steps")
    page.page.get_by_role("button", name="tokens", exact=True).click()
    points = page.series("loss", "curve0")
    check([x for x, _ in points] == [s["tokens"] for s in records(runs[0], "train")],
          "the loss is drawn against tokens")
    tokens = {s["step"]: s["tokens"] for s in records(runs[0], "train")}
    check([x for x, _ in page.series("loss", "validation0")] == [tokens[s] for s in (10, 20, 30)],
          "validations are drawn against tokens")
    page.page.get_by_role("button", name="step", exact=True).click()


def check_zoom(page):
    whole = page.window()
    page.drag(".touch", 0.5, 0.75)
    zoomed = page.window()
    check(whole[0] < zoomed[0] < zoomed[1] < whole[1], f"dragging zooms: {zoomed} of {whole}")
    check(page.window("lr") == zoomed, "all charts zoom together")
    page.page.locator(".touch").first.dblclick()
    check(page.window() == whole, "a double click shows everything")
    page.page.get_by_role("button", name="Zoom in").first.click()
    check(page.window()[0] > whole[0], "the button zooms")
    page.page.locator(".touch").first.press("0")
    check(page.window() == whole, "a key shows everything")


def check_smoothing(page, run):
    page.page.locator("#smoothing").fill("3")  # the fourth choice: over 10 steps
    expected = smoothed([s["loss"] for s in records(run, "train")], 10)
    points = page.series("loss", "curve0")
    check(all(close(y, e) for (_, y), e in zip(points, expected)), "the curve is smoothed")
    check(len(page.series("loss", "faint0")) == len(expected), "the raw curve stays")
    check(page.labels("lr") == ["x", "curve0", "curve1"], "the learning rate is never smoothed")
    page.page.locator("#smoothing").fill("0")


def check_readout(page, run):
    page.page.locator(".touch").first.scroll_into_view_if_needed()
    box = page.page.locator(".touch").first.bounding_box()
    at = page.dygraph("loss", "toDomXCoord(17)")
    page.page.mouse.move(box["x"] + at, box["y"] + box["height"] / 2)
    text = page.page.locator(".readout").first.inner_text()
    loss = next(s["loss"] for s in records(run, "train") if s["step"] == 17)
    check("step 17" in text and f"{loss:.4g}" in text, f"the pointer names step 17: {text}")


def slices_of(trace):
    events = json.loads(trace.read_text())["traceEvents"]
    return [event for event in events if event["ph"] == "X"]


def check_timeline(page, trace):
    slices = slices_of(trace)
    check(page.js("weftReport.timeline.timeline.begin.length") == len(slices), "every slice is there")
    longest = max((s for s in slices if s["cat"] != "program"), key=lambda s: s["dur"])
    page.page.locator("#timeline select[aria-label=Step]").select_option("-1")
    middle = 1e3 * (longest["ts"] + longest["dur"] / 2)
    page.js(f"weftReport.timeline.setView({middle} - 1e5, {middle} + 1e5)")
    place = page.js(f"""(() => {{
        const t = weftReport.timeline;
        const track = t.timeline.tracks.findIndex((track) => track.thread === {longest["tid"]});
        return [t.painter.x({middle}), t.layout.lanes[track].y + 8];
      }})()""")
    canvas = page.page.locator(".lanes canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.page.mouse.move(box["x"] + place[0], box["y"] + place[1])
    tooltip = page.page.locator(".tooltip").inner_text()
    check(longest["name"] in tooltip and longest["cat"] in tooltip, f"tooltip: {tooltip}")
    before = page.js("weftReport.timeline.view")
    page.drag(".lanes canvas", 0.7, 0.5)
    after = page.js("weftReport.timeline.view")
    check(after[0] > before[0] or before[1] == page.js("weftReport.timeline.whole[1]"),
          "dragging moves the timeline")
    page.page.keyboard.down("Control")
    page.page.mouse.wheel(0, -200)
    page.page.keyboard.up("Control")
    page.page.wait_for_function(f"weftReport.timeline.view[1] - weftReport.timeline.view[0] < {after[1] - after[0]}")
    check_painted(page, canvas)


def check_painted(page, canvas):
    colors = canvas.evaluate("""(c) => new Set(
        new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size""")
    check(colors > 3, f"the timeline has {colors} colours")


def check_efficiency(page, trace, threads):
    useful, wall = {}, 0.0
    for s in slices_of(trace):
        if s["cat"] == "program":
            wall += s["dur"]
        else:
            useful[s["tid"]] = useful.get(s["tid"], 0.0) + s["dur"]
    parallel = sum(useful.values()) / threads / wall
    shown = page.page.locator("#efficiency tbody tr").first.locator("td").first.inner_text()
    check(shown.strip() == f"{100 * parallel:.1f} %", f"parallel efficiency {shown}, not {parallel}")


def check_samples(page, run):
    shown = page.page.locator(".sample pre").first
    samples = records(run, "sample")
    check(shown.text_content() == samples[-1]["text"], "the last sample is shown")
    page.page.locator("#sample").fill("0")
    check(shown.text_content() == samples[0]["text"], "the slider shows the first one")


def check_fits(page, name):
    wide = page.js("[document.documentElement.scrollWidth, window.innerWidth]")
    check(wide[0] <= wide[1], f"{name}: the page is {wide[0]} pixels wide, the window {wide[1]}")
    # Nothing but what scrolls by itself reaches beyond the column, or is cut off.
    beyond = page.js("""(() => {
        const right = document.body.getBoundingClientRect().right
            - parseFloat(getComputedStyle(document.body).paddingRight) + 0.5;
        return [...document.querySelectorAll('main *, header, header button, footer *')].filter((node) =>
            !node.closest('.scroll, pre, .chart, nav') && (node.getBoundingClientRect().right > right ||
            node.clientWidth > 0 && node.scrollWidth > node.clientWidth + 1))
            .map((node) => node.outerHTML.slice(0, 80));
      })()""")
    check(not beyond, f"{name}: too wide: {beyond}")


def background(page):
    return page.js("getComputedStyle(document.body).backgroundColor")


def check_schemes(browser, path, screenshots):
    seen = {}
    for scheme in ("light", "dark"):
        for width in (1400, 390):
            with Page(browser, path, width, 900, scheme, touch=width < 500) as page:
                check_fits(page, f"{scheme}, {width}")
                seen[scheme] = background(page)
                if screenshots:
                    page.page.screenshot(path=screenshots / f"{scheme}_{width}.png", full_page=True)
                check(not page.problems, page.problems)
    check(seen["light"] != seen["dark"], "the page follows the scheme of the system")
    with Page(browser, path) as page:
        for expected in ("light", "dark", "light"):  # chosen light, chosen dark, of the system
            page.page.locator("#theme").click()
            check(background(page) == seen[expected], f"the button chooses {expected}")


def check_runs(browser, weft, directory, screenshots):
    runs, traces = make_runs(weft, directory)
    path = directory / "page.html"
    weft_command(weft, "report", *runs, "--trace", *traces, "--out", path)
    with Page(browser, path) as page:
        check_curves(page, runs)
        check_zoom(page)
        check_smoothing(page, runs[0])
        check_readout(page, runs[0])
        check_timeline(page, traces[0])
        check_efficiency(page, traces[0], 2)
        check_samples(page, runs[0])
        check(not page.problems, page.problems)
    check_schemes(browser, path, screenshots)


def milliseconds(page, action):
    """Of the action and the drawing after it."""
    return page.js(f"""new Promise((done) => {{
        const begin = performance.now();
        {action};
        requestAnimationFrame(() => setTimeout(() => done(performance.now() - begin)));
      }})""")


def check_long_run(browser, weft, directory):
    """Many steps stay smooth, no peak is lost, zoom is exact, and hostile texts stay texts."""
    run = directory / HOSTILE.replace("/", "|")
    make_long_run(run, LONG)
    weft_command(weft, "report", run)
    path = run / "report.html"
    print(f"{LONG} steps: {path.stat().st_size / 1e6:.1f} MB")
    begin = time.monotonic()
    with Page(browser, path) as page:
        loading = time.monotonic() - begin
        check(page.js("window.hacked") is None, "a text became a script")
        check(page.page.locator("img").count() == 0, "a text became an element")
        check(HOSTILE in page.page.locator(".sample pre").text_content(), "the text is shown")
        overview = page.series("loss", "curve0")
        check(len(overview) < 5000, f"{len(overview)} points are drawn")
        check([77_777, 9.5] in overview, "the peak is drawn")
        draw = milliseconds(page, "weftReport.curves.draw()")
        smooth = milliseconds(page, "weftReport.curves.setSmoothing(100)")
        page.js("weftReport.curves.setSmoothing(1)")
        zoom = milliseconds(page, "weftReport.curves.zoomTo(40000, 40200)")
        shown = [x for x, _ in page.series("loss", "curve0")]
        check(shown == list(range(39_999, 40_202)), f"zoomed in, every step is drawn: {len(shown)}")
        print(f"loading {1e3 * loading:.0f} ms; drawing four charts {draw:.0f} ms, smoothing "
              f"{smooth:.0f} ms, zooming {zoom:.0f} ms")
        check(loading < LOAD_LIMIT, "loading is slow")
        check(max(draw, smooth, zoom) < 1e3 * DRAW_LIMIT, "drawing is slow")
        check_fits(page, "long run")
        check(not page.problems, page.problems)


def main():
    weft = Path(sys.argv[1]).resolve()
    screenshots = Path(sys.argv[3]) if sys.argv[2:3] == ["--screenshots"] else None
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if sync_playwright is None or chromium is None:
        print("skipped: needs PyPI's playwright and a chromium")
        return 77
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium,
                                             args=["--no-sandbox", "--headless"])
        check_runs(browser, weft, Path(directory), screenshots)
        check_long_run(browser, weft, Path(directory))
        browser.close()
    print("report: all in order")
    return 0


if __name__ == "__main__":
    sys.exit(main())
