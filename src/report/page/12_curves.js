// The charts of all runs, which share one axis and one window.

const kAxes = { step: 'step', tokens: 'tokens', elapsed_s: 'seconds' };
const kSmoothings = [1, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];

class Curves {
  constructor(runs) {
    this.runs = runs;
    this.axis = 'step';
    this.smoothing = 1;
    this.logarithmic = false;
    this.zoomed = null;  // [from, to]; null: everything
    this.charts = kCharts.map((spec) => new Chart(spec, this));
  }

  xs(run) {
    return run[this.axis];
  }

  // The places of these steps' updates on the axis: a validation follows the step that it names.
  xsOfSteps(run, steps) {
    if (this.axis === 'step') return steps;
    return steps.map((step) => this.xs(run)[nearest(run.step, step)] ?? NaN);
  }

  whole() {
    const used = this.runs.filter((run) => run.shown && run.step.length > 0).map((run) => this.xs(run));
    if (used.length === 0) return [0, 1];
    const from = Math.min(...used.map((xs) => xs[0]));
    const to = Math.max(...used.map((xs) => xs[xs.length - 1]));
    const pad = from < to ? 0.008 * (to - from) : 1;  // so that points at the ends are whole
    return [from - pad, to + pad];
  }

  window() {
    return this.zoomed ?? this.whole();
  }

  draw() {
    this.charts.forEach((chart) => chart.draw());
    if (this.reset !== undefined) this.reset.disabled = this.zoomed === null;
  }

  point(x) {
    this.charts.forEach((chart) => chart.point(x));
  }

  zoomTo(from, to) {
    const [first, last] = this.whole();
    const span = Math.min(Math.max(to - from, (last - first) * 1e-5), last - first);
    const begin = Math.min(Math.max(from, first), last - span);
    this.zoomed = span >= last - first ? null : [begin, begin + span];
    this.draw();
  }

  zoomBy(factor, x) {
    const [from, to] = this.window();
    const middle = x ?? (from + to) / 2;
    this.zoomTo(middle - (middle - from) * factor, middle + (to - middle) * factor);
  }

  moveBy(part) {
    const [from, to] = this.window();
    this.zoomTo(from + part * (to - from), to + part * (to - from));
  }

  zoomOut() {
    this.zoomed = null;
    this.draw();
  }

  // The window keeps its place among the steps of the longest run.
  setAxis(axis) {
    const longest = this.runs.reduce((a, b) => (b.step.length > a.step.length ? b : a));
    const places = this.zoomed?.map((x) => nearest(this.xs(longest), x));
    this.axis = axis;
    this.zoomed = places === undefined ? null : places.map((i) => this.xs(longest)[i]);
    if (this.zoomed !== null && !(this.zoomed[0] < this.zoomed[1])) this.zoomed = null;
    this.draw();
  }

  setSmoothing(steps) {
    this.smoothing = steps;
    this.draw();
  }

  // The axes for which every run has numbers.
  axes() {
    return Object.entries(kAxes).filter(([name]) =>
      this.runs.every((run) => run[name].every(Number.isFinite)));
  }

  tools() {
    const shownSmoothing = make('output', {}, 'off');
    const smoothing = make('input', {
      type: 'range', id: 'smoothing', min: 0, max: kSmoothings.length - 1, value: 0,
      oninput: (event) => {
        const steps = kSmoothings[event.target.value];
        shownSmoothing.value = steps === 1 ? 'off' : `${steps} steps`;
        this.setSmoothing(steps);
      },
    });
    const logarithmic = make('input', {
      type: 'checkbox', id: 'logarithmic',
      onchange: (event) => { this.logarithmic = event.target.checked; this.draw(); },
    });
    this.reset = make('button', { type: 'button', disabled: '', onclick: () => this.zoomOut() }, 'All');
    const zoom = (label, factor) => make('button', {
      type: 'button', 'aria-label': factor < 1 ? 'Zoom in' : 'Zoom out', onclick: () => this.zoomBy(factor),
    }, label);
    return make('div', { class: 'tools' },
      choiceOf('Against', this.axes(), this.axis, (axis) => this.setAxis(axis)),
      make('label', {}, 'Smoothing', smoothing, shownSmoothing),
      make('label', {}, logarithmic, 'Logarithmic'),
      make('span', { class: 'group', role: 'group', 'aria-label': 'Zoom' }, zoom('−', 2), zoom('+', 0.5), this.reset));
  }

  // Which runs are drawn.
  legend() {
    const entries = this.runs.map((run, r) => make('label', { class: 'run-name' },
      make('input', {
        type: 'checkbox', checked: '',
        onchange: (event) => { run.shown = event.target.checked; this.draw(); },
      }),
      swatch(runColor(r)), run.name));
    return make('div', { class: 'legend' }, ...entries);
  }

  // Names the runs that are equal; '' if all differ.
  equalRuns() {
    return this.runs.map((run, r) => {
      const equal = this.runs.slice(0, r).find((other) =>
        run.loss.length > 0 && equalNumbers(run.step, other.step) && equalNumbers(run.loss, other.loss));
      return equal === undefined ? '' : ` The losses of ${run.name} are those of ${equal.name} at every step.`;
    }).join('');
  }

  show() {
    const dashed = this.runs.some((run) => run.validations.length > 0);
    show('curves', this.tools(), this.legend(),
      make('p', { class: 'hint' }, `Drag across a chart to zoom all of them, double-click for all.${
        dashed ? ' Dotted with points: validation.' : ''} Smoothed curves keep the raw one behind them.${this.equalRuns()}`),
      ...this.charts.map((chart) => chart.figure));
    this.draw();
  }
}
