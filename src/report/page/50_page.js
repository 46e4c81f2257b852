// Puts the page together.

const kThemes = ['auto', 'light', 'dark'];

// Sets the chosen colour scheme, or the system's, and redraws the canvases.
function takeTheme(redraw) {
  const button = document.getElementById('theme');
  let theme = 0;
  const apply = () => {
    if (theme === 0) delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = kThemes[theme];
    button.textContent = `◐ ${kThemes[theme]}`;
    button.setAttribute('aria-label', `Colour scheme: ${kThemes[theme]}`);
    redraw();
  };
  button.addEventListener('click', () => { theme = (theme + 1) % kThemes.length; apply(); });
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  apply();
}

// Each section that shows a trace has a chooser, and all of them share one choice.
function showTraces(traces, state) {
  const places = ['timeline', 'time'].map((id) => ({ id, node: make('div'), select: null }));
  const views = traces.map(() => null);
  const choose = (index) => {
    state.trace = index;
    if (views[index] === null) {
      views[index] = { timeline: new Timeline(traces[index]), time: timeView(traces[index]) };
    }
    state.timeline = views[index].timeline;
    const nodes = { timeline: state.timeline.node, time: views[index].time };
    for (const place of places) {
      place.node.replaceChildren(nodes[place.id]);
      if (place.select !== null) place.select.value = index;
    }
    state.timeline.draw();
  };
  for (const place of places) {
    if (traces.length > 1) {
      place.select = make('select', {
        'aria-label': 'Trace', onchange: (event) => choose(Number(event.target.value)),
      }, ...traces.map((trace, i) => make('option', { value: i }, trace.name)));
    }
    show(place.id, ...(place.select === null ? [] : [make('div', { class: 'tools' }, make('label', {}, 'Trace', place.select))]),
      place.node);
  }
  choose(0);
}

function showContents() {
  const sections = [...document.querySelectorAll('main > section:not([hidden])')];
  const short = { setup: 'Setup', time: 'Time' };
  document.getElementById('contents').append(...sections.map((section) =>
    make('a', { href: `#${section.id}` }, short[section.id] ?? section.querySelector('h2').textContent)));
}

function showReport() {
  const report = readReport();
  const state = { report };
  if (report.notes.length > 0) show('notes', ...report.notes.map((note) => make('p', {}, note)));
  if (report.runs.length > 0) {
    showOverview(report.runs);
    state.curves = new Curves(report.runs);
    if (report.runs.some((run) => run.step.length > 0)) state.curves.show();
    showSamples(report.runs);
    showSetup(report.runs);
  }
  if (report.traces.length > 0) {
    showTraces(report.traces, state);
    showEfficiency(report.traces);
  }
  showContents();
  document.getElementById('made').textContent = `Made by weft ${report.version}.`;
  const redraw = () => {
    if (state.curves !== undefined) state.curves.draw();
    if (state.timeline !== undefined) state.timeline.draw();
  };
  takeTheme(redraw);
  let width = window.innerWidth;
  window.addEventListener('resize', () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    state.curves?.charts.forEach((chart) => chart.dygraph?.resize());
    redraw();
  });
  return state;
}

// For tests, and for scripts that want the numbers.
window.weftReport = showReport();
