"use strict";

/* Headings sort: click, Enter or Space sorts by one, once more turns the order round; empty cells stay last. */
function compare(a, b) {
  const [left, right] = [a, b].map(value => value === null || value === "" ? null : value);
  if (left === null || right === null) return null;
  return isNaN(left) || isNaN(right) ? String(left).localeCompare(String(right)) : left - right;
}
function inOrder(down, a, b) {
  const order = compare(a, b);
  if (order === null) return (a === null || a === "") - (b === null || b === "");
  return down ? -order : order;
}
function turn(heading) {
  const down = heading.getAttribute("aria-sort") === "ascending";
  for (const other of heading.parentNode.children) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  return down;
}
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  table.querySelectorAll("th").forEach((heading, place) => heading.firstChild.addEventListener("click", () => {
    const down = turn(heading), key = row => row.cells[place].dataset.sort;
    body.append(...[...body.rows].sort((one, other) => inOrder(down, key(one), key(other))));
  }));
}

/* All runs: filters, a scatter of any two columns, and a table. */
const { columns, rows } = JSON.parse(document.getElementById("run-data").textContent);
const SVG = "http://www.w3.org/2000/svg", PAGE = 25, FEW = 8;
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#a35a85", "#9a7400", "#2f8fc4", "var(--ink)", "#767676"];
const MARKS = ["M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0", "M-4-4h8v8h-8z", "M0-5L5 4H-5z", "M0-5.5L5.5 0L0 5.5L-5.5 0z", "M0 5L5-4H-5z",
  "M-5-2h3v-3h4v3h3v4h-3v3h-4v-3h-3z", "M-4.5-2.5l2-2L0-2l2.500-2.500l2 2L2 0l2.500 2.500l-2 2L0 2l-2.500 2.500l-2-2L-2 0z", "M-5-1.500h10v3h-10z"];
const find = id => document.getElementById(id);
const fixed = (value, digits) => value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const shown = (place, value) => value === null ? "–" : columns[place].levels ? columns[place].levels[value]
  : typeof value === "number" ? fixed(value, columns[place].decimals) : value;
const number = (place, value) => value !== null && columns[place].values ? columns[place].values[value] : value;

function element(parent, name, attributes = {}, text = "") {
  const made = parent.namespaceURI === SVG || name === "svg" ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== "") made.textContent = text;
  parent.append(made);
  return made;
}
function choice(parent, label, options, chosen, changed) {
  const select = element(element(parent, "label", {}, label + " "), "select");
  for (const [value, text] of options) element(select, "option", { value }, text);
  select.value = chosen;
  select.addEventListener("change", changed);
  return select;
}
function bound(parent, label, changed) {
  const input = element(element(parent, "label", {}, label + " "), "input", { type: "number", step: "any" });
  input.addEventListener("input", changed);
  return input;
}

const filters = columns.map((column, place) => {
  const parent = find("run-filters");
  if (!column.levels || column.levels.length < 2) return () => true;
  if (column.values && column.levels.length > 12) {
    const range = element(parent, "span", { class: "range" });
    const low = bound(range, column.label + " from", update), high = bound(range, " to", update);
    return row => (low.value === "" || number(place, row[place]) >= +low.value) && (high.value === "" || number(place, row[place]) <= +high.value);
  }
  const select = choice(parent, column.label, [["", "all"], ...column.levels.entries()], "", update);
  return row => select.value === "" || row[place] === +select.value;
});
const names = columns.map((column, place) => [place, column.label]).slice(0, -1);
const metric = columns.findIndex(column => "decimals" in column), factors = columns.findIndex(column => column.label === "seed");
const along = columns.reduce((most, column, place) => place < factors && column.levels.length > columns[most].levels.length ? place : most, 0);
const axes = {
  y: choice(find("run-axes"), "Vertical", names, Math.max(metric, 0), update),
  x: choice(find("run-axes"), "Horizontal", names, along, update),
  colour: choice(find("run-axes"), "Colour", names.filter(([place]) => columns[place].levels), factors > 1 && along === 0 ? 1 : 0, update),
};

/* Where values stand between 0 and 1, and the ticks: [share, text]. */
function scaleOf(place, values) {
  const column = columns[place];
  if (column.levels && !column.values) {
    const count = column.levels.length, step = Math.ceil(count / 12);
    return { at: value => (value + 0.5) / count, spread: 0.3 / count,
      ticks: column.levels.map((text, i) => [(i + 0.5) / count, text]).filter((_, i) => i % step === 0) };
  }
  const numbers = values.map(value => number(place, value)), log = column.log && Math.min(...numbers) > 0;
  const to = log ? Math.log10 : value => value;
  let low = to(Math.min(...numbers)), high = to(Math.max(...numbers));
  const margin = (high - low || Math.abs(high) || 1) * 0.06;
  low -= margin; high += margin;
  const at = value => (to(number(place, value)) - low) / (high - low), share = value => (to(value) - low) / (high - low);
  let marks = [];
  if (column.values && column.values.length <= 8) marks = column.values;
  else if (log && high - low > 1) {
    for (let power = Math.floor(low); power <= high; power++) for (const digit of high - low > 3 ? [1] : [1, 3]) marks.push(digit * 10 ** power);
  } else {
    const [first, last] = log ? [10 ** low, 10 ** high] : [low, high], rough = (last - first) / 7, ten = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].find(digit => digit * ten >= rough) * ten;
    for (let mark = Math.ceil(first / step) * step; mark <= last; mark += step) marks.push(mark);
  }
  const text = value => Math.abs(value) >= 1e6 || (value && Math.abs(value) < 1e-4) ? value.toExponential() : String(+value.toPrecision(6));
  const ticks = [];
  for (const tick of marks.map(value => [share(value), text(value)]).filter(([where]) => where >= 0 && where <= 1)) {
    if (!ticks.length || tick[0] - ticks[ticks.length - 1][0] > 0.05) ticks.push(tick);
  }
  const places = (column.values || []).map(share), gaps = places.slice(1).map((place, i) => place - places[i]);
  return { at, spread: places.length && places.length <= 12 ? Math.min(0.03, ...gaps.map(gap => 0.3 * gap)) : 0, ticks };
}

function drawScatter(visible) {
  const svg = find("run-scatter"), width = Math.max(svg.clientWidth || 640, 280), height = Math.min(440, Math.max(300, width * 0.6));
  const [x, y, colour] = [axes.x, axes.y, axes.colour].map(select => +select.value);
  const points = visible.filter(row => row[x] !== null && row[y] !== null);
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  find("run-count").textContent = `${visible.length} of ${rows.length} runs` + (points.length < visible.length ? `; ${visible.length - points.length} have no value to be drawn` : "");
  find("run-legend").replaceChildren();
  if (!points.length) return;
  const across = scaleOf(x, points.map(row => row[x])), up = scaleOf(y, points.map(row => row[y]));
  const longest = Math.max(...up.ticks.map(([, text]) => text.length)), left = Math.min(30 + 7 * longest, width / 3), right = 14, top = 10;
  const room = (width - left - right) / Math.max(across.ticks.length, 1);
  const slanted = across.ticks.some(([, text]) => text.length * 7.5 > room), bottom = slanted ? 110 : 48;
  const px = share => left + share * (width - left - right), py = share => height - bottom - share * (height - bottom - top);
  const short = text => text.length > 16 ? text.slice(0, 15) + "…" : text;
  for (const [share, text] of up.ticks) {
    element(svg, "line", { class: "grid", x1: left, x2: width - right, y1: py(share), y2: py(share) });
    element(svg, "text", { x: left - 6, y: py(share) + 4, "text-anchor": "end" }, short(text));
  }
  for (const [share, text] of across.ticks) {
    element(svg, "line", { class: "grid", x1: px(share), x2: px(share), y1: top, y2: height - bottom });
    const place = `translate(${px(share)} ${height - bottom + 16})` + (slanted ? " rotate(-40)" : "");
    element(svg, "text", { transform: place, "text-anchor": slanted ? "end" : "middle" }, short(text));
  }
  element(svg, "text", { class: "title", x: (left + width - right) / 2, y: height - 8, "text-anchor": "middle" }, columns[x].label);
  element(svg, "text", { class: "title", transform: `translate(13 ${(top + height - bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, columns[y].label);
  const levels = columns[colour].levels, few = levels.length <= FEW;
  const look = level => few ? [MARKS[level], COLOURS[level]] : [MARKS[0], `hsl(${270 - 210 * level / (levels.length - 1)} 65% 48%)`];
  points.forEach((row, i) => {
    const aside = ((i * 0.618034) % 1 - 0.5) * 2;  // the same at every drawing
    const place = `translate(${px(across.at(row[x]) + aside * across.spread).toFixed(1)} ${py(up.at(row[y]) + aside * up.spread).toFixed(1)})`;
    const [d, fill] = look(row[colour]), mark = element(svg, "path", { d, transform: place, class: "point" });
    mark.style.fill = fill;
    element(mark, "title", {}, columns.map((column, at) => column.levels || at === x || at === y ? `${column.label}: ${shown(at, row[at])}` : "").filter(Boolean).join("\n"));
  });
  for (const level of few ? levels.keys() : [0, levels.length >> 1, levels.length - 1]) {
    const entry = element(find("run-legend"), "span"), key = element(entry, "svg", { viewBox: "-7 -7 14 14", width: 14, height: 14, "aria-hidden": "true" });
    const [d, fill] = look(level);
    element(key, "path", { d }).style.fill = fill;
    entry.append(` ${columns[colour].label} ${levels[level]}`);
  }
}

let most = PAGE, sorted = null;
function drawTable(visible) {
  const table = find("run-table"), body = table.tBodies[0];
  if (sorted) visible = [...visible].sort((one, other) => inOrder(sorted.down, number(sorted.place, one[sorted.place]), number(sorted.place, other[sorted.place])));
  body.replaceChildren();
  for (const row of visible.slice(0, most)) {
    const line = element(body, "tr", { role: "row" });
    row.forEach((value, place) => element(line, "td", { role: "cell", "data-label": columns[place].label, class: table.tHead.rows[0].cells[place].className }, shown(place, value)));
  }
  find("run-more").hidden = visible.length <= most;
  find("run-more").textContent = `Show more (${Math.max(visible.length - most, 0)} are not shown)`;
}
function update() {
  const visible = rows.filter(row => filters.every((passes, place) => passes(row)));
  drawScatter(visible);
  drawTable(visible);
}
columns.forEach((column, place) => {
  const kind = column.values || "decimals" in column ? "number" : column.levels ? "name" : "code";
  const heading = element(find("run-table").tHead.rows[0], "th", { scope: "col", role: "columnheader", class: kind });
  element(heading, "button", { type: "button" }, column.label).addEventListener("click", () => {
    sorted = { place, down: turn(heading) };
    update();
  });
});
find("run-more").addEventListener("click", () => { most *= 4; update(); });
addEventListener("resize", update);
update();
