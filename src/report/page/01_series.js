// Curves as columns of numbers: how they are searched, smoothed and thinned for drawing.

// The first index whose number is at least x. numbers: not falling.
function lowerBound(numbers, x) {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] < x) low = middle + 1; else high = middle;
  }
  return low;
}

// The index of the number nearest to x; -1 if there are no numbers.
function nearest(numbers, x) {
  const after = lowerBound(numbers, x);
  if (after === 0) return numbers.length - 1 < 0 ? -1 : 0;
  if (after === numbers.length) return after - 1;
  return x - numbers[after - 1] <= numbers[after] - x ? after - 1 : after;
}

// The exponential mean over about `steps` numbers, without a bias to the first value: the weights of
// the numbers so far add up to one. NaN stays NaN, and has no weight.
function smoothed(numbers, steps) {
  if (steps <= 1) return numbers;
  const keep = 1 - 2 / (steps + 1);
  const result = new Float64Array(numbers.length);
  let sum = 0;
  let weight = 0;
  numbers.forEach((x, i) => {
    if (Number.isFinite(x)) {
      sum = keep * sum + (1 - keep) * x;
      weight = keep * weight + (1 - keep);
    }
    result[i] = Number.isFinite(x) ? sum / weight : NaN;
  });
  return result;
}

// The points [x, y] of a curve in [from, to], and one beyond on each side. If there are more than
// 2 * parts, only those of each part of the window where y is least and greatest, since a line of
// that many pixels can show no more.
function pointsToDraw(xs, ys, from, to, parts) {
  const begin = Math.max(lowerBound(xs, from) - 1, 0);
  let end = lowerBound(xs, to);
  while (end < xs.length && xs[end] === to) ++end;
  end = Math.min(end + 1, xs.length);
  const points = [];
  const add = (i) => { if (Number.isFinite(xs[i] + ys[i])) points.push([xs[i], ys[i]]); };
  if (end - begin <= 2 * parts) {
    for (let i = begin; i < end; ++i) add(i);
    return points;
  }
  add(begin);
  const width = (to - from) / parts;
  for (let i = begin + 1; i < end - 1;) {
    const part = Math.floor((xs[i] - from) / width);
    let least = i;
    let greatest = i;
    for (; i < end - 1 && Math.floor((xs[i] - from) / width) === part; ++i) {
      if (!Number.isFinite(ys[i])) continue;
      if (!(ys[least] <= ys[i])) least = i;
      if (!(ys[greatest] >= ys[i])) greatest = i;
    }
    add(Math.min(least, greatest));
    if (least !== greatest) add(Math.max(least, greatest));
  }
  add(end - 1);
  return points;
}

// Rows [x, y of series 0, y of series 1, ..]; y is null if the series has no point at x.
function mergedRows(series) {
  const all = [];
  series.forEach((points, s) => points.forEach(([x, y]) => all.push([x, s, y])));
  all.sort((a, b) => a[0] - b[0]);
  const rows = [];
  for (const [x, s, y] of all) {
    const last = rows[rows.length - 1];
    // A second point of a series at the same x needs another row.
    if (last !== undefined && last[0] === x && last[s + 1] === null) {
      last[s + 1] = y;
    } else {
      const row = new Array(series.length + 1).fill(null);
      row[0] = x;
      row[s + 1] = y;
      rows.push(row);
    }
  }
  return rows;
}

function equalNumbers(a, b) {
  return a.length === b.length && a.every((x, i) => Object.is(x, b[i]));
}

function median(numbers) {
  const sorted = numbers.filter(Number.isFinite).sort();
  return sorted.length === 0 ? NaN : sorted[sorted.length >> 1];
}
