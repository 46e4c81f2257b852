// The timeline of a trace: zoom, pan, and the facts of each slice.

class Timeline {
  constructor(trace) {
    this.timeline = trace.timeline;
    this.layout = lanesOf(trace.timeline);
    this.steps = stepsOf(trace.timeline);
    this.whole = [...this.steps.values()].reduce((a, b) => [Math.min(a[0], b[0]), Math.max(a[1], b[1])]);
    if (!(this.whole[0] < this.whole[1])) this.whole = [this.whole[0], this.whole[0] + 1];
    this.view = this.whole;
    this.chosen = -1;
    this.canvas = make('canvas', {
      tabindex: '0', role: 'img',
      'aria-label': 'Timeline: drag to move, Ctrl and wheel to zoom; arrow keys, + and -, 0 for all',
    });
    this.painter = new LanePainter(this.canvas, this.timeline, this.layout);
    this.tooltip = make('div', { class: 'tooltip', hidden: '' });
    takeTimelinePointer(this);
    this.node = make('div', {}, this.tools(), make('div', { class: 'lanes' }, this.canvas),
      this.legend(), this.tooltip);
  }

  draw() {
    this.painter.draw(this.view, this.chosen);
  }

  setView(begin, end) {
    const [first, last] = this.whole;
    const span = Math.min(Math.max(end - begin, 100), last - first);
    const from = Math.min(Math.max(begin, first), last - span);
    this.view = [from, from + span];
    this.draw();
  }

  zoomBy(factor, ns) {
    const [from, to] = this.view;
    const middle = ns ?? (from + to) / 2;
    this.setView(middle - (middle - from) * factor, middle + (to - middle) * factor);
  }

  moveBy(part) {
    const [from, to] = this.view;
    this.setView(from + part * (to - from), to + part * (to - from));
  }

  // Shows the step, or the whole trace if there is none.
  showStep(step) {
    const span = this.steps.get(step) ?? this.whole;
    this.setView(span[0], span[1]);
  }

  timeAt(pixel) {
    return this.view[0] + (pixel - kLane.gutter) / this.painter.scale;
  }

  // The slice at a point of the canvas; -1 if there is none.
  sliceAt(x, y) {
    const lane = this.layout.lanes.find((l) => y >= l.y && y < l.y + this.layout.laneHeight);
    if (lane === undefined || x < kLane.gutter) return -1;
    return sliceAt(this.timeline, lane, this.timeAt(x), 3 / this.painter.scale);
  }

  // Shows the facts of the slice beside a point of the window.
  choose(slice, clientX, clientY) {
    if (slice !== this.chosen) {
      this.chosen = slice;
      this.draw();
    }
    this.tooltip.hidden = slice < 0;
    if (slice < 0) return;
    const { timeline } = this;
    const track = timeline.tracks[timeline.track[slice]];
    this.tooltip.replaceChildren(
      make('b', {}, timeline.names[timeline.name[slice]]),
      make('span', {}, [timeline.categories[timeline.category[slice]], `step ${timeline.step[slice]}`,
        track.process_name, track.name,
        timeline.critical[slice] ? 'on the critical path' : ''].filter(Boolean).join(' · ')), make('br'),
      `${formatNanoseconds(timeline.duration[slice])}, from ${formatNanoseconds(timeline.begin[slice])}`);
    const { width, height } = this.tooltip.getBoundingClientRect();
    const left = Math.min(Math.max(clientX + 14, 6), window.innerWidth - width - 6);
    const below = clientY + 18 + height < window.innerHeight;
    this.tooltip.style.left = `${left}px`;
    this.tooltip.style.top = `${below ? clientY + 18 : clientY - height - 12}px`;
  }

  tools() {
    const last = [...this.steps.keys()].pop();
    const [begin, end] = this.steps.get(last);
    this.view = begin < end ? [begin, end] : this.whole;
    const steps = make('select', {
      'aria-label': 'Step', onchange: (event) => this.showStep(Number(event.target.value)),
    }, ...[...this.steps.keys()].map((step) => make('option', { value: step }, `step ${step}`)));
    if (this.steps.size > 1) steps.prepend(make('option', { value: -1 }, 'all steps'));
    steps.value = last;
    const button = (label, name, action) =>
      make('button', { type: 'button', 'aria-label': name, onclick: action }, label);
    return make('div', { class: 'tools' }, steps,
      make('span', { class: 'group', role: 'group', 'aria-label': 'View' },
        button('◀', 'Earlier', () => this.moveBy(-0.4)), button('▶', 'Later', () => this.moveBy(0.4)),
        button('−', 'Zoom out', () => this.zoomBy(2)), button('+', 'Zoom in', () => this.zoomBy(0.5)),
        button('All', 'All of it', () => this.setView(...this.whole))));
  }

  legend() {
    const used = this.timeline.categories.filter((phase) => phase !== 'program')
      .sort((a, b) => phaseOrder(a) - phaseOrder(b));
    const critical = this.timeline.critical.some(Boolean)
      ? [make('span', {}, make('span', { class: 'critical' }), 'on the critical path')] : [];
    return make('div', { class: 'legend' }, ...used.map((phase) =>
      make('span', {}, swatch(phaseColor(phase)), phase || 'other')), ...critical);
  }
}

function takeTimelinePointer(timeline) {
  const { canvas } = timeline;
  let last = null;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const look = (event) => timeline.choose(timeline.sliceAt(...place(event)), event.clientX, event.clientY);
  const away = () => { last = null; canvas.classList.remove('moving'); timeline.choose(-1); };

  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    last = event.clientX;
    canvas.setPointerCapture(event.pointerId);
    look(event);
  });
  canvas.addEventListener('pointermove', (event) => {
    if (last === null) {
      look(event);
    } else if (event.clientX !== last) {
      canvas.classList.add('moving');
      timeline.choose(-1);
      const [from, to] = timeline.view;
      const shift = (last - event.clientX) / timeline.painter.scale;
      last = event.clientX;
      timeline.setView(from + shift, to + shift);
    }
  });
  canvas.addEventListener('pointerup', () => { last = null; canvas.classList.remove('moving'); });
  canvas.addEventListener('pointercancel', away);
  canvas.addEventListener('pointerleave', () => { if (last === null) away(); });
  canvas.addEventListener('dblclick', (event) => timeline.zoomBy(0.4, timeline.timeAt(place(event)[0])));
  canvas.addEventListener('wheel', (event) => {
    if (!event.ctrlKey && !event.metaKey) return;  // the page scrolls
    event.preventDefault();
    timeline.choose(-1);
    timeline.zoomBy(Math.exp(event.deltaY / 300), timeline.timeAt(place(event)[0]));
  }, { passive: false });
  canvas.addEventListener('keydown', (event) => {
    const actions = {
      ArrowLeft: () => timeline.moveBy(-0.2), ArrowRight: () => timeline.moveBy(0.2),
      '+': () => timeline.zoomBy(0.5), '=': () => timeline.zoomBy(0.5), '-': () => timeline.zoomBy(2),
      0: () => timeline.setView(...timeline.whole), Escape: () => timeline.choose(-1),
    };
    if (actions[event.key] === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    actions[event.key]();
  });
}
