'use strict';
// Unpacks the report's data, which src/report/report_data.cc wrote. Its texts come from files that
// are not trusted, so they reach the page as text, never as markup.

// Decodes [d, n, d, n, ..]: each d, n stands for n numbers, each larger by d than the one before.
function fromDifferences(pairs) {
  let length = 0;
  for (let i = 1; i < pairs.length; i += 2) length += pairs[i];
  const numbers = new Float64Array(length);
  let at = 0;
  let last = 0;
  for (let i = 0; i < pairs.length; i += 2) {
    for (let n = pairs[i + 1]; n > 0; --n) numbers[at++] = last += pairs[i];
  }
  return numbers;
}

// null stands for a number that was not finite.
function fromColumn(list) {
  return Float64Array.from(list, (x) => (x === null ? NaN : x));
}

// Decodes differences: each number is added to the sum of those before it.
function fromSteps(list) {
  const numbers = new Float64Array(list.length);
  let last = 0;
  list.forEach((difference, i) => { numbers[i] = last += difference; });
  return numbers;
}

function unpackRun(run) {
  for (const name of ['step', 'tokens']) run[name] = fromDifferences(run[name]);
  for (const name of ['elapsed_s', 'loss', 'lr', 'grad_norm', 'tokens_per_s', 'mfu']) {
    run[name] = fromColumn(run[name]);
  }
  run.shown = true;
  return run;
}

function unpackTrace(trace) {
  const timeline = trace.timeline;
  for (const name of ['track', 'step', 'category', 'critical']) timeline[name] = fromDifferences(timeline[name]);
  timeline.begin = fromSteps(timeline.begin);
  timeline.duration = fromColumn(timeline.duration);
  return trace;
}

function readReport() {
  const report = JSON.parse(document.getElementById('data').textContent);
  report.runs.forEach(unpackRun);
  report.traces.forEach(unpackTrace);
  return report;
}
