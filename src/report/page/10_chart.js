// A chart of one quantity. dygraphs draws its curves, and a layer over them handles the pointer, so
// that the numbers shown are the run's own, not the thinned ones that are drawn.

// Without the library's legend, which would write markup.
Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => plugin !== Dygraph.Plugins.Legend);

const kCharts = [
  { key: 'loss', title: 'Loss', unit: 'nats a token', smooth: true, logarithmic: true, tall: true },
  { key: 'lr', title: 'Learning rate', unit: '' },
  { key: 'grad_norm', title: 'Gradient norm', unit: 'before clipping', smooth: true, logarithmic: true },
  { key: 'tokens_per_s', title: 'Throughput', unit: 'tokens a second', smooth: true },
];

class Chart {
  // curves: the state that all charts share.
  constructor(spec, curves) {
    this.spec = spec;
    this.curves = curves;
    this.smoothed = new Map();  // by run: the values that `smoothing` made of its own
    this.readout = make('div', { class: 'readout' });
    this.plot = make('div', { class: 'plot' });
    this.layer = make('div', {
      class: 'touch', tabindex: '0', role: 'img',
      'aria-label': `${spec.title}: drag to zoom, arrow keys to move, + and - to zoom, 0 for all`,
    });
    this.figure = make('figure', {},
      make('figcaption', {}, make('h3', {}, spec.title), make('span', { class: 'hint' }, spec.unit)),
      this.readout,
      make('div', { class: spec.tall ? 'chart tall' : 'chart' }, this.plot, this.layer));
    takePointer(this);
  }

  // The curves of a run in this chart, as [xs, ys, kind].
  curvesOf(run) {
    const { spec, curves } = this;
    const xs = curves.xs(run);
    const values = this.values(run);
    const all = [[xs, values, 'curve']];
    if (values !== run[spec.key]) all.unshift([xs, run[spec.key], 'faint']);
    if (spec.key === 'loss' && run.validations.length > 0) {
      const [steps, losses] = [0, 1].map((i) => fromColumn(run.validations.map((v) => v[i])));
      all.push([curves.xsOfSteps(run, steps), losses, 'validation']);
    }
    return all;
  }

  draw() {
    const { curves, spec } = this;
    const [from, to] = curves.window();
    const parts = Math.max(this.plot.clientWidth, 100);
    const points = [];
    const labels = ['x'];
    const series = {};
    curves.runs.forEach((run, r) => {
      if (!run.shown) return;
      for (const [xs, ys, kind] of this.curvesOf(run)) {
        const label = `${kind}${r}`;
        labels.push(label);
        series[label] = lineStyle(kind, resolved(runColor(r)), this.equalsBefore(r));
        points.push(pointsToDraw(xs, ys, from, to, parts));
      }
    });
    const rows = mergedRows(points);
    this.figure.hidden = rows.length === 0;
    if (rows.length === 0) return;
    const options = {
      file: rows, labels, series,
      dateWindow: [from, to],
      logscale: Boolean(spec.logarithmic && curves.logarithmic),
      axisLineColor: resolved('var(--rule)'),
      gridLineColor: resolved('var(--grid)'),
    };
    if (this.dygraph === undefined) {
      const { file, ...others } = options;
      this.dygraph = new Dygraph(this.plot, file, { ...kFixedOptions, ...others });
    } else {
      this.dygraph.updateOptions(options);
    }
    this.point(null);
  }

  // Shows the numbers of each run at x, or the last ones if there is no x.
  point(x) {
    this.layer.querySelectorAll('.cursor, .dot').forEach((node) => node.remove());
    this.readout.replaceChildren();
    if (this.dygraph === undefined || this.figure.hidden) return;
    const { curves, spec } = this;
    if (x !== null) {
      const at = `${this.dygraph.toDomXCoord(x)}px`;
      const cursor = make('span', { class: 'cursor' });
      cursor.style.left = at;
      this.layer.append(cursor);
    }
    curves.runs.forEach((run, r) => {
      if (!run.shown || run.step.length === 0) return;
      const xs = curves.xs(run);
      const i = x === null ? xs.length - 1 : nearest(xs, x);
      const past = spec.key === 'loss' ? run.validations.filter(([step]) => step <= run.step[i]) : [];
      const validation = past.length > 0 ? ` · validation ${formatNumber(past[past.length - 1][1])}` : '';
      this.readout.append(make('span', {}, swatch(runColor(r)),
        make('span', {}, make('b', {}, formatNumber(run[spec.key][i])),
          `${validation} · step ${formatCount(run.step[i])}`)));
      if (x !== null) this.addDot(xs[i], this.values(run)[i], runColor(r));
    });
  }

  // The number of shown runs before this one that have the same numbers, as runs of equal bits do.
  equalsBefore(r) {
    const { runs } = this.curves;
    return runs.slice(0, r).filter((run) => run.shown && equalNumbers(run[this.spec.key], runs[r][this.spec.key])).length;
  }

  // The width of the strong curve.
  values(run) {
    const { smoothing } = this.curves;
    if (!this.spec.smooth || smoothing <= 1) return run[this.spec.key];
    const known = this.smoothed.get(run);
    if (known?.smoothing === smoothing) return known.values;
    const values = smoothed(run[this.spec.key], smoothing);
    this.smoothed.set(run, { smoothing, values });
    return values;
  }

  addDot(x, y, color) {
    const [from, to] = this.curves.window();
    if (!Number.isFinite(y) || x < from || x > to) return;
    const dot = make('span', { class: 'dot', color });
    dot.style.left = `${this.dygraph.toDomXCoord(x)}px`;
    dot.style.top = `${this.dygraph.toDomYCoord(y)}px`;
    this.layer.append(dot);
  }
}

const kFixedOptions = {
  connectSeparatedPoints: true,
  highlightCircleSize: 0,
  interactionModel: {},
  rightGap: 26,
  yRangePad: 8,
  axes: {
    x: { axisLabelFormatter: formatTick, pixelsPerLabel: 80 },
    y: { axisLabelFormatter: formatTick, axisLabelWidth: 58, pixelsPerLabel: 36 },
  },
};

function formatTick(x) {
  const size = Math.abs(x);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) {
    return size < 1 ? Number(x.toPrecision(3)).toExponential() : formatLarge(x);
  }
  return Number(x.toPrecision(6)).toLocaleString('en-US', { maximumFractionDigits: 6 });
}

// equals: the number of equal curves below this one, which show between its dashes and around its
// points.
function lineStyle(kind, color, equals) {
  if (kind === 'faint') return { color: `${color}55`, strokeWidth: 1 };
  const dash = 8;
  const strokePattern = equals > 0 ? [dash, equals * dash] : null;
  if (kind === 'curve') return { color, strokeWidth: 1.6, strokePattern };
  return { color, strokeWidth: 1.5, strokePattern: [2, 4], drawPoints: true, pointSize: equals > 0 ? 2 : 4 };
}
