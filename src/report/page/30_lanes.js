// A traced run as lanes of slices, and how they are drawn on a canvas.

const kLane = { height: 20, gap: 3, head: 22, axis: 22, gutter: 78 };
const kMostHeight = 9000;  // of all lanes: canvases have their limits
const kLeastNamed = 11;    // pixels

// By track: its slices [first, last) and where it is drawn. And the height of all, in pixels.
function lanesOf(timeline) {
  const lanes = timeline.tracks.map((track) => ({ ...track, first: 0, last: 0 }));
  timeline.track.forEach((track, i) => {
    const lane = lanes[track];
    if (lane.last === 0) lane.first = i;
    lane.last = i + 1;
  });
  const several = new Set(lanes.map((lane) => lane.process)).size > 1;
  const pitch = Math.min(kLane.height + kLane.gap, Math.max(Math.floor(kMostHeight / lanes.length), 2));
  const height = pitch - (pitch > 6 ? kLane.gap : 0);
  let y = kLane.axis;
  let process = null;
  for (const lane of lanes) {
    if (several && lane.process !== process) {
      lane.head = { y, text: lane.process_name || `process ${lane.process}` };
      y += kLane.head;
    }
    process = lane.process;
    lane.y = y;
    y += pitch;
  }
  return { lanes, laneHeight: height, height: y + kLane.gap };
}

// [begin, end] of each step, by step.
function stepsOf(timeline) {
  const steps = new Map();
  timeline.begin.forEach((begin, i) => {
    const end = begin + timeline.duration[i];
    const known = steps.get(timeline.step[i]);
    if (known === undefined) steps.set(timeline.step[i], [begin, end]);
    else steps.set(timeline.step[i], [Math.min(known[0], begin), Math.max(known[1], end)]);
  });
  return new Map([...steps].sort((a, b) => a[0] - b[0]));
}

// The slice of a lane at this time, or the nearest one within `slack`; -1 if there is none.
function sliceAt(timeline, lane, ns, slack) {
  const begins = timeline.begin.subarray(lane.first, lane.last);
  const after = lane.first + lowerBound(begins, ns);
  let best = -1;
  let distance = slack;
  for (let i = Math.max(after - 1, lane.first); i < Math.min(after + 1, lane.last); ++i) {
    const end = timeline.begin[i] + timeline.duration[i];
    const away = Math.max(timeline.begin[i] - ns, ns - end, 0);
    if (away <= distance) [best, distance] = [i, away];
  }
  return best;
}

// Round distances between marks of the axis.
function tickDistance(span, most) {
  const least = span / most;
  const power = 10 ** Math.floor(Math.log10(least));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= least);
}

class LanePainter {
  constructor(canvas, timeline, layout) {
    this.canvas = canvas;
    this.timeline = timeline;
    this.layout = layout;
  }

  // view: [begin, end] in nanoseconds. chosen: the slice to frame, or -1.
  draw(view, chosen) {
    const { canvas, layout } = this;
    const width = canvas.clientWidth;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(layout.height * ratio);
    canvas.style.height = `${layout.height}px`;
    const context = canvas.getContext('2d');
    context.scale(ratio, ratio);
    context.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    context.textBaseline = 'middle';
    this.context = context;
    this.width = width;
    this.view = view;
    this.scale = (width - kLane.gutter) / (view[1] - view[0]);
    this.colors = this.timeline.categories.map((phase) => resolved(phaseColor(phase)));
    this.text = resolved('var(--text)');
    this.muted = resolved('var(--muted)');
    this.mark = resolved('var(--mark)');
    this.drawAxis();
    context.save();
    context.beginPath();
    context.rect(kLane.gutter, 0, width - kLane.gutter, layout.height);
    context.clip();
    layout.lanes.forEach((lane) => this.drawSlices(lane));
    if (chosen >= 0) this.frame(chosen);
    context.restore();
    layout.lanes.forEach((lane) => this.drawNames(lane));
  }

  x(ns) {
    return kLane.gutter + (ns - this.view[0]) * this.scale;
  }

  drawAxis() {
    const { context, view, layout } = this;
    const distance = tickDistance(view[1] - view[0], Math.max((this.width - kLane.gutter) / 110, 1));
    for (let ns = Math.ceil(view[0] / distance) * distance; ns <= view[1]; ns += distance) {
      const x = Math.round(this.x(ns)) + 0.5;
      context.fillStyle = resolved('var(--grid)');
      context.fillRect(x, kLane.axis - 4, 1, layout.height);
      const label = formatNanoseconds(ns);
      context.fillStyle = this.muted;
      const most = this.width - context.measureText(label).width - 2;
      context.fillText(label, Math.min(x + 3, most), kLane.axis / 2);
    }
  }

  drawNames(lane) {
    const { context, layout } = this;
    if (lane.head !== undefined) {
      context.fillStyle = this.text;
      context.fillText(lane.head.text, 0, lane.head.y + kLane.head / 2);
    }
    if (layout.laneHeight < kLeastNamed) return;
    context.fillStyle = this.muted;
    context.fillText(lane.name || `track ${lane.thread}`, 0, lane.y + layout.laneHeight / 2, kLane.gutter - 6);
  }

  // Draws slices of at least a pixel one by one. For smaller ones, each pixel shows how much of it
  // they fill, in the colour of the phase that fills most.
  drawSlices(lane) {
    const { timeline, layout, context } = this;
    const [first, last] = this.visible(lane);
    let pixel = -1;
    let filled = new Map();
    const flush = () => {
      let all = 0;
      let most = [0, 0];
      for (const [category, part] of filled) {
        all += part;
        if (part > most[1]) most = [category, part];
      }
      if (all === 0) return;
      context.globalAlpha = Math.min(all, 1);
      context.fillStyle = this.colors[most[0]];
      context.fillRect(pixel, lane.y, 1, layout.laneHeight);
      context.globalAlpha = 1;
      filled = new Map();
    };
    for (let i = first; i < last; ++i) {
      const width = timeline.duration[i] * this.scale;
      const x = this.x(timeline.begin[i]);
      if (width >= 1.5) {
        this.drawSlice(lane, i, x, width);
        continue;
      }
      if (Math.floor(x) !== pixel) {
        flush();
        pixel = Math.floor(x);
      }
      const category = timeline.category[i];
      filled.set(category, (filled.get(category) ?? 0) + width);
    }
    flush();
  }

  // The slices [first, last) of a lane in the view. Slices of a lane do not overlap.
  visible(lane) {
    const { timeline, view } = this;
    const begins = timeline.begin.subarray(lane.first, lane.last);
    return [Math.max(lowerBound(begins, view[0]) - 1, 0) + lane.first,
      lowerBound(begins, view[1]) + lane.first];
  }

  drawSlice(lane, i, x, width) {
    const { context, timeline, layout } = this;
    const left = Math.max(x, kLane.gutter);
    const right = Math.min(x + width, this.width);
    if (right <= left) return;
    const gap = right - left > 4 ? 0.7 : 0;
    context.fillStyle = this.colors[timeline.category[i]];
    context.fillRect(left, lane.y, right - left - gap, layout.laneHeight);
    if (timeline.critical[i]) {
      context.fillStyle = this.mark;
      context.fillRect(left, lane.y + layout.laneHeight - 3, right - left - gap, 3);
    }
    if (right - left < 46 || layout.laneHeight < kLeastNamed) return;
    context.save();
    context.beginPath();
    context.rect(left + 3, lane.y, right - left - 7, layout.laneHeight);
    context.clip();
    context.fillStyle = '#15161a';
    context.fillText(this.label(i), left + 4, lane.y + layout.laneHeight / 2 + 0.5);
    context.restore();
  }

  label(i) {
    const { timeline } = this;
    const name = timeline.names[timeline.name[i]];
    return timeline.categories[timeline.category[i]] === 'program' ? `${name} ${timeline.step[i]}` : name;
  }

  frame(i) {
    const { context, timeline, layout } = this;
    const lane = layout.lanes[timeline.track[i]];
    context.strokeStyle = this.text;
    context.lineWidth = 2;
    const width = Math.max(timeline.duration[i] * this.scale, 2);
    context.strokeRect(this.x(timeline.begin[i]), lane.y, width, layout.laneHeight);
  }
}
