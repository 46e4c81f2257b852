// The samples that the models wrote, one step at a time.

function showSamples(runs) {
  const steps = [...new Set(runs.flatMap((run) => run.samples.map(([step]) => step)))].sort((a, b) => a - b);
  if (steps.length === 0) return;
  const samples = make('div', { class: 'samples' });
  const shownStep = make('output', {});
  const draw = (step) => {
    shownStep.value = `step ${formatCount(step)}`;
    samples.replaceChildren(...runs.flatMap((run, r) => {
      const past = run.samples.filter(([at]) => at <= step);
      if (past.length === 0) return [];
      const [at, text] = past[past.length - 1];
      return [make('article', { class: 'sample' },
        make('h3', { class: 'run-name' }, swatch(runColor(r)), run.name,
          make('span', { class: 'hint' }, `step ${formatCount(at)}`)),
        make('pre', {}, text))];
    }));
  };
  const slider = make('input', {
    type: 'range', id: 'sample', min: 0, max: steps.length - 1, value: steps.length - 1,
    'aria-label': 'Sample', oninput: (event) => draw(steps[event.target.value]),
  });
  show('samples', make('div', { class: 'tools' }, make('label', {}, 'Written at', slider, shownStep)), samples);
  draw(steps[steps.length - 1]);
}
