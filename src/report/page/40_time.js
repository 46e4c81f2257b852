// Where the threads' time goes: bars by kind of op and by layer, compared with the time that their
// arithmetic would take at the machine's peak.

const kMostBars = 14;

function secondsOf(part) {
  return part.phases.reduce((sum, [, seconds]) => sum + seconds, 0);
}

// The least thread seconds of the known arithmetic; NaN if the peak or all FLOPs are unknown.
function leastSeconds(part, trace) {
  return part.flops > 0 && trace.thread_peak > 0 ? part.flops / trace.thread_peak : NaN;
}

function barRow(part, trace, longest, all) {
  const seconds = secondsOf(part);
  const bar = make('span', { class: 'bar' });
  let left = 0;
  for (const [phase, of] of [...part.phases].sort((a, b) => phaseOrder(a[0]) - phaseOrder(b[0]))) {
    const segment = make('i');
    segment.style.left = `${100 * left / longest}%`;
    segment.style.width = `${100 * of / longest}%`;
    segment.style.background = phaseColor(phase);
    bar.append(segment);
    left += of;
  }
  const least = leastSeconds(part, trace);
  if (Number.isFinite(least)) {
    const mark = make('i', { class: 'least' });
    mark.style.width = `${Math.min(100 * least / longest, 100)}%`;
    bar.append(mark);
  }
  const milliseconds = 1e3 * seconds / trace.steps;
  const rate = part.counted_s > 0 ? part.flops / part.counted_s : NaN;
  const share = rate / trace.thread_peak;
  const reached = !(rate > 0) ? '' : trace.thread_peak > 0
    ? `${formatPercent(share)} of peak` : `${formatLarge(rate)}FLOP/s`;
  return make('div', { class: 'bar-row' },
    make('span', { class: 'label' }, ...breakable(part.label)),
    make('span', { class: 'value' },
      make('b', {}, formatMilliseconds(milliseconds)),
      make('span', {}, formatPercent(seconds / all)),
      make('span', {}, reached)),
    bar);
}

// Three digits, with zeros at the end, so that columns line up.
function formatMilliseconds(ms) {
  return `${ms >= 100 ? formatCount(ms) : ms.toFixed(ms >= 10 ? 1 : ms >= 1 ? 2 : 3)} ms`;
}

function bars(parts, trace, all) {
  const longest = Math.max(...parts.map((part) => Math.max(secondsOf(part), leastSeconds(part, trace) || 0)), 1e-12);
  const rows = parts.map((part) => barRow(part, trace, longest, all));
  const shown = make('div', { class: 'bars' }, ...rows.slice(0, kMostBars));
  if (rows.length <= kMostBars) return [shown];
  return [shown, make('details', {}, make('summary', { class: 'hint' }, `${rows.length - kMostBars} more`),
    make('div', { class: 'bars' }, ...rows.slice(kMostBars)))];
}

// Explains the line inside the bars.
function roofOf(trace) {
  const memory = 'The memory roof is not drawn: neither the log nor the trace has the bandwidth, so of what '
    + 'moves bytes rather than computes (layernorm, GELU, updates) only the time is shown.';
  if (trace.thread_peak > 0) {
    return `Arithmetic roof: ${formatLarge(trace.thread_peak)}FLOP/s a thread, measured when the run began. The `
      + `line inside a bar is the time that its matrix products and attention take at that roof. ${memory}`;
  }
  return 'No roof is drawn: a trace without its run names no peak. Give the run directory, and the trace with '
    + '--trace.';
}

function timeView(trace) {
  const { threads, wall_s: wall, parallel } = trace.efficiency;
  const all = wall * threads;
  const used = kPhases.filter((phase) => trace.kinds.some((part) => part.phases.some(([p]) => p === phase)));
  const steps = trace.steps === 1 ? '1 step' : `${trace.steps} steps`;
  return make('div', {},
    make('p', {}, `Ops fill ${formatPercent(parallel)} of the time of ${formatCount(threads)} threads, over ${steps} `
      + `of ${formatSeconds(wall / trace.steps)}; the rest is idle. Milliseconds are of all threads together, a step.`),
    make('p', { class: 'hint' }, roofOf(trace)),
    make('h3', {}, 'By kind of op'),
    make('div', { class: 'legend' }, ...used.map((phase) => make('span', {}, swatch(phaseColor(phase)), phase))),
    ...bars(trace.kinds, trace, all),
    make('h3', {}, 'By layer'),
    ...bars(trace.layers, trace, all));
}
