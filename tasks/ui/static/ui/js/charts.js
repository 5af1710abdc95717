// Draws a chart from the table behind it, with uPlot. Without this the table is all there is, and it is enough.

import { gettext, language } from "./words.js";

const HEIGHT = 190;
const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1], ["ms", 0.001]];

function seconds(value) {
  if (value === null) return "–";
  if (value === 0) return "0";
  const [unit, size] = UNITS.find(([, size]) => value >= size) ?? UNITS.at(-1);
  return `${+(value / size).toPrecision(3)} ${unit}`;
}

// From which distance of ticks on, how they are written, and what stands below the first of a year and of a day.
const DATE = gettext("D MMM").replace(/[DM]+/g, "{$&}");
const DAY = `\n${DATE}`;
const TIMES = [
  [86400, DATE, null, null, null, null, null, null, 1],
  [60, "{HH}:{mm}", DAY, null, DAY, null, null, null, 1],
];

const WRITE = {
  count: (value) => (value === null ? "–" : value.toLocaleString(language)),
  percent: (value) => (value === null ? "–" : `${+value.toPrecision(3)} %`),
  seconds,
};

function colour(name) {
  // Of this theme: a canvas knows no custom properties.
  const probe = document.createElement("span");
  probe.className = `chart-${name}`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function read(table) {
  const rows = [...table.tBodies[0].rows].reverse();
  const columns = [...table.tHead.rows[0].cells].slice(1);
  const value = (cell) => (cell.dataset.value === "" ? null : Number(cell.dataset.value));
  return {
    columns,
    data: [
      rows.map((row) => Number(row.dataset.at)),
      ...columns.map((_, place) => rows.map((row) => value(row.cells[place + 1]))),
    ],
  };
}

function draw(place) {
  const { columns, data } = read(document.getElementById(place.dataset.chart));
  const write = WRITE[place.dataset.kind];
  const axis = { stroke: colour("muted"), grid: { stroke: colour("grid"), width: 1 }, ticks: { show: false } };
  const bars = place.dataset.kind === "count" ? window.uPlot.paths.bars({ size: [0.8, 40] }) : undefined;
  place.replaceChildren();
  return new window.uPlot(
    {
      width: place.clientWidth,
      height: HEIGHT,
      cursor: { y: false, drag: { x: false, y: false } },
      scales: { y: { range: (_, least, most) => [0, most > 0 ? most * 1.05 : 1] } },
      axes: [{ ...axis, values: TIMES }, { ...axis, size: 64, values: (_, ticks) => ticks.map(write) }],
      series: [
        { value: `${DATE} {HH}:{mm}` },
        ...columns.map((column) => ({
          label: column.textContent,
          stroke: colour(column.dataset.tone),
          fill: bars && colour(column.dataset.tone),
          width: bars ? 0 : 2,
          paths: bars,
          points: bars ? { show: false } : { show: true, size: 5 },
          value: (_, value) => write(value),
        })),
      ],
    },
    data,
    place,
  );
}

export function startCharts() {
  const places = [...document.querySelectorAll("[data-chart]")];
  if (!places.length || !window.uPlot) return;
  for (const place of places) place.hidden = false;
  for (const table of document.querySelectorAll("[data-chart-table]")) table.open = false;
  let drawn = places.map(draw);
  const again = () => {
    for (const chart of drawn) chart.destroy();
    drawn = places.map(draw);
  };
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    again();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  new MutationObserver(again).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}
