// Elements, colours, and numbers for people.

// Children that are strings become text.
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name === 'color') node.style.setProperty('--color', value);
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

function swatch(color) {
  return make('span', { class: 'swatch', color });
}

// The text as nodes that may wrap after commas and slashes, and that are copied unchanged.
function breakable(text) {
  return text.split(/(?<=[,/])/).flatMap((part) => [part, make('wbr')]);
}

// Fills a section and shows it.
function show(id, ...children) {
  const section = document.getElementById(id);
  section.append(...children);
  section.hidden = false;
  return section;
}

// A row of buttons, one of which is pressed. choices: [value, label].
function choiceOf(label, choices, chosen, onchoose) {
  const buttons = choices.map(([value, text]) => make('button', {
    type: 'button',
    'aria-pressed': String(value === chosen),
    onclick: (event) => {
      buttons.forEach((b) => b.setAttribute('aria-pressed', String(b === event.currentTarget)));
      onchoose(value);
    },
  }, text));
  return make('span', { class: 'group', role: 'group', 'aria-label': label }, ...buttons);
}

function runColor(index) {
  return `var(--run-${index % 8})`;
}

const kPhases = ['forward', 'backward', 'update', 'communication', 'data'];

function phaseOrder(phase) {
  return kPhases.includes(phase) ? kPhases.indexOf(phase) : kPhases.length;
}

function phaseColor(phase) {
  const known = kPhases.includes(phase) || phase === 'program';
  return `var(--phase-${known ? phase : 'other'})`;
}

// The colour for a canvas: "var(--x)" resolved in the present scheme.
function resolved(color) {
  const name = color.slice(4, -1);
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function formatCount(n) {
  return Number.isFinite(n) ? Math.round(n).toLocaleString('en-US') : '–';
}

// Four digits.
function formatNumber(x) {
  if (!Number.isFinite(x)) return '–';
  if (x === 0) return '0';
  const size = Math.abs(x);
  if (size >= 1e4 && size < 1e15) return formatCount(x);
  if (size >= 1e-3 && size < 1e4) return String(Number(x.toPrecision(4)));
  return x.toExponential(2);
}

// 1.25 M
function formatLarge(x) {
  if (!Number.isFinite(x)) return '–';
  const units = ['', ' k', ' M', ' G', ' T', ' P'];
  let unit = 0;
  let rest = x;
  for (; Math.abs(rest) >= 1000 && unit < units.length - 1; rest /= 1000) ++unit;
  return Number(rest.toPrecision(3)) + units[unit];
}

function formatPercent(share) {
  return Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : '–';
}

function formatNanoseconds(ns) {
  const units = [[1e9, 's'], [1e6, 'ms'], [1e3, 'µs']];
  for (const [size, unit] of units) {
    if (Math.abs(ns) >= size) return `${Number((ns / size).toPrecision(4))} ${unit}`;
  }
  return `${Math.round(ns)} ns`;
}

function formatSeconds(seconds) {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 1) return formatNanoseconds(1e9 * seconds);
  if (seconds < 60) return `${formatNumber(seconds)} s`;
  const whole = Math.round(seconds);
  const two = (n) => String(n).padStart(2, '0');
  const rest = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return whole < 3600 ? `${rest} min` : `${Math.floor(whole / 3600)}:${rest} h`;
}
