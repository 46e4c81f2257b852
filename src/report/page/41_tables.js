// Tables with a column for each run or trace.

// columns: [name, colour or null]. rows: [label, values]; values are texts, nodes or undefined.
function comparison(columns, rows, marksDifferences) {
  const head = make('tr', {}, make('td'), ...columns.map(([name, color]) =>
    make('th', { scope: 'col' }, make('span', { class: 'run-name' }, ...(color ? [swatch(color)] : []), name))));
  const body = rows.map(([label, values]) => {
    const differs = marksDifferences && new Set(values).size > 1;
    return make('tr', {}, make('th', { scope: 'row' }, label), ...values.map((value) =>
      make('td', differs ? { class: 'differs' } : {}, ...(typeof value === 'string' ? breakable(value) : [value ?? '–']))));
  });
  return make('div', { class: 'scroll' },
    make('table', {}, make('thead', {}, head), make('tbody', {}, ...body)));
}

function columnsOf(runs) {
  return runs.map((run, r) => [run.name, runColor(r)]);
}

function lastOf(list) {
  return list.length === 0 ? NaN : list[list.length - 1];
}

function bestValidation(run) {
  const finite = run.validations.filter(([, loss]) => Number.isFinite(loss));
  if (finite.length === 0) return undefined;
  const [step, loss] = finite.reduce((a, b) => (b[1] < a[1] ? b : a));
  return `${formatNumber(loss)} at step ${formatCount(step)}`;
}

function showOverview(runs) {
  const of = (read) => runs.map((run) => {
    const value = read(run);
    return value === undefined || value === null ? undefined : String(value);
  });
  const workers = ({ ranks, threads }) => (ranks === undefined ? undefined : `${ranks} × ${threads}`);
  show('overview', comparison(columnsOf(runs), [
    ['Model', of((run) => run.facts.model)],
    ['Executor', of((run) => run.facts.executor)],
    ['Ranks × threads', of((run) => workers(run.facts))],
    ['Precision', of((run) => run.facts.precision)],
    ['Steps', of((run) => (run.facts.steps === undefined ? formatCount(lastOf(run.step))
      : `${formatCount(lastOf(run.step))} of ${formatCount(run.facts.steps)}`))],
    ['Tokens', of((run) => formatLarge(lastOf(run.tokens)))],
    ['Training loss, last', of((run) => formatNumber(lastOf(run.loss)))],
    ['Validation loss, best', of(bestValidation)],
    ['Tokens/s, median', of((run) => formatCount(median(run.tokens_per_s)))],
    ['MFU, median', of((run) => formatPercent(median(run.mfu)))],
    ['Elapsed time', of((run) => formatSeconds(lastOf(run.elapsed_s)))],
  ]));
}

function meter(share) {
  const filled = make('i');
  filled.style.width = `${Math.min(100 * share, 100)}%`;
  return make('span', {}, formatPercent(share), make('span', { class: 'meter' }, filled));
}

function showEfficiency(traces) {
  const columns = traces.map((trace) => [trace.name, trace.run >= 0 ? runColor(trace.run) : null]);
  const of = (read) => traces.map((trace) => read(trace.efficiency, trace));
  show('efficiency', comparison(columns, [
    ['Parallel efficiency', of((e) => meter(e.parallel))],
    ['= load balance', of((e) => meter(e.load_balance))],
    ['× communication efficiency', of((e) => meter(e.communication))],
    ['Threads', of((e) => formatCount(e.threads))],
    ['Time of a step', of((e, trace) => formatSeconds(e.wall_s / trace.steps))],
    ['in ops, by thread', of((e, trace) => formatSeconds(e.average_useful_s / trace.steps))],
    ['in ops, busiest thread', of((e, trace) => formatSeconds(e.greatest_useful_s / trace.steps))],
  ]), make('p', { class: 'hint' }, 'From the slices of the traced steps. Load balance: average over busiest '
    + 'thread. Communication efficiency: busiest thread over wall time; what it lacks is waiting for scheduling '
    + 'and dependences. Parallel efficiency is their product. Above 80 % is good.'));
}

function factText(value) {
  if (typeof value === 'number') {
    return Number.isInteger(value) && Math.abs(value) < 1e9 ? formatCount(value) : formatLarge(value);
  }
  return String(value);
}

function showSetup(runs) {
  const names = [...new Set(runs.flatMap((run) => Object.keys(run.facts)))].filter((name) => name !== 'parts');
  const rows = names.map((name) => [name.replaceAll('_', ' '),
    runs.map((run) => (run.facts[name] === undefined ? undefined : factText(run.facts[name])))]);
  if (runs.some((run) => run.facts.parts > 1)) {
    rows.push(['started', runs.map((run) => `${run.facts.parts} times`)]);
  }
  show('setup', comparison(columnsOf(runs), rows, runs.length > 1),
    ...runs.filter((run) => run.config !== '').map((run) => make('details', {},
      make('summary', {}, `config.toml of ${run.name}`), make('pre', {}, run.config))));
}
