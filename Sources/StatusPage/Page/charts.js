// Curves over time, in SVG: a few series on one scale, with a cursor that tells their values.

import { element, setText, showTip, hideTip, clock, duration } from "./dom.js";

const NS = "http://www.w3.org/2000/svg";

function svg(tag, attributes = {}, text) {
  const made = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** Milliseconds without a value after which there is none. */
const SILENCE = 20000;

/** Round numbers that span `low` to `high`, about four of them. */
function ticks(low, high) {
  const rough = Math.max(high - low, 1e-9) / 3.2;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const first = Math.floor(low / step + 1e-9), last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}

export class Chart {
  /**
   * @param figure the element to fill
   * @param options title; unit; series: [{name, column, ink, minor}]; format(value); fromZero; top: the scale's end, if fixed
   */
  constructor(figure, options) {
    this.options = options;
    this.points = [];
    const legend = element("span", { class: "legend" });
    this.values = options.series.map((series) => {
      const value = element("b");
      legend.append(element("span", { class: `ink-${series.ink}` }, element("i"), `${series.name} `, value));
      return value;
    });
    figure.append(
      element("figcaption", {}, options.title, element("span", { class: "unit" }, options.unit ?? ""), legend));
    this.svg = svg("svg", { role: "img", "aria-label": options.title });
    figure.append(this.svg);
    new ResizeObserver(() => this.draw()).observe(this.svg);
    this.svg.addEventListener("pointermove", (event) => this.point(event));
    this.svg.addEventListener("pointerleave", () => { this.at = null; this.cursor?.remove(); hideTip(); });
  }

  /** Shows other points: [time in milliseconds, values …]. */
  show(points) {
    this.points = points;
    this.options.series.forEach((series, index) => {
      const last = points.findLast((point) => typeof point[series.column] === "number");
      const isFresh = last && points.at(-1)[0] - last[0] < SILENCE;
      setText(this.values[index], isFresh ? this.options.format(last[series.column]) : "");
    });
    this.draw();
  }

  draw() {
    const { width, height } = this.svg.getBoundingClientRect();
    if (width < 10 || document.hidden) return;
    const { series, format, fromZero, top } = this.options;
    const left = 44, right = 6, above = 8, below = 22;
    const shown = this.points;
    const values = shown.flatMap((point) => series.map((s) => point[s.column])).filter((v) => typeof v === "number");
    if (values.length === 0) {
      this.scale = null;
      this.svg.replaceChildren(
        svg("text", { class: "nothing", x: width / 2, y: height / 2 }, this.options.nothing ?? "Nothing yet"));
      return;
    }
    let low = fromZero ? 0 : Math.min(...values);
    let high = top ?? Math.max(...values);
    if (high - low < 1e-9) { low = fromZero ? 0 : low - 0.5; high = fromZero ? Math.max(high, low + 1) : high + 0.5; }
    const marks = ticks(low, high);
    // As many decimals as the steps between the marks need.
    const step = marks[1] - marks[0];
    const decimals = Number.isInteger(step) ? 0 : Number.isInteger(Math.round(step * 1e6) / 1e5) ? 1 : 2;
    const axis = this.options.axis ?? ((mark) => mark.toFixed(decimals));
    low = Math.min(low, marks[0]);
    high = Math.max(high, marks.at(-1));
    const begin = shown[0][0], end = Math.max(shown.at(-1)[0], begin + 20000);
    const x = (time) => left + ((time - begin) / (end - begin)) * (width - left - right);
    const y = (value) => height - below - ((value - low) / (high - low)) * (height - above - below);
    this.scale = { x, y, width, height, above, below, left, right };

    const parts = marks.flatMap((mark) => [
      svg("line", { class: "grid", x1: left, x2: width - right, y1: y(mark), y2: y(mark) }),
      svg("text", { x: left - 8, y: y(mark) + 4, "text-anchor": "end" }, mark === 0 ? "0" : axis(mark)),
    ]);
    parts.push(
      svg("text", { x: left, y: height - 5 }, `${duration((Date.now() - begin) / 1000)} ago`),
      svg("text", { x: width - right, y: height - 5, "text-anchor": "end" }, "now"));
    for (const one of [...series].reverse()) {
      // A step may take longer than the time between two points; a longer silence is a gap.
      const patience = Math.max(SILENCE, (3 * (end - begin)) / shown.length);
      let path = "", drawnAt = -Infinity;
      for (const point of shown) {
        const value = point[one.column];
        if (typeof value !== "number") continue;
        path += `${point[0] - drawnAt > patience ? "M" : "L"}${x(point[0]).toFixed(1)} ${y(value).toFixed(1)}`;
        drawnAt = point[0];
      }
      // A single point is a dot: a line of no length with round ends.
      if (path && !path.includes("L")) path += "h0.01";
      parts.push(svg("path", { class: `curve ink-${one.ink}${one.minor ? " minor" : ""}`, d: path }));
    }
    this.svg.replaceChildren(...parts);
    if (this.at) this.mark();
  }

  point(event) {
    if (!this.scale) return;
    const box = this.svg.getBoundingClientRect();
    const at = event.clientX - box.left;
    this.at = this.points.reduce((best, point) =>
      Math.abs(this.scale.x(point[0]) - at) < Math.abs(this.scale.x(best[0]) - at) ? point : best);
    this.mark();
    const rows = this.options.series.filter((s) => typeof this.at[s.column] === "number").map((s) =>
      element("tr", {}, element("td", { class: `ink-${s.ink}` }, element("i"), s.name),
        element("td", {}, this.options.format(this.at[s.column]))));
    showTip(event.clientX, event.clientY, element("p", { class: "soft" }, clock(this.at[0])), element("table", {}, ...rows));
  }

  mark() {
    this.cursor?.remove();
    const { x, height, above, below } = this.scale;
    this.cursor = svg("line", { class: "cursor", x1: x(this.at[0]), x2: x(this.at[0]), y1: above, y2: height - below });
    this.svg.append(this.cursor);
  }
}
