// The map: recent pictures as points, near each other where the network sees likeness. Asked for only while it is on screen.

import { $, element, get, setText, clusterColour, pictureTip, hideTip, describe } from "./dom.js";

const PERIOD = 5000;

export class PictureMap {
  constructor() {
    this.canvas = $("map-canvas");
    this.points = [];
    this.chosen = -1;
    this.isVisible = false;
    new IntersectionObserver(([entry]) => {
      this.isVisible = entry.isIntersecting;
      if (this.isVisible) this.refresh();
    }, { rootMargin: "100px" }).observe(this.canvas);
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    this.canvas.addEventListener("pointermove", (event) => this.hover(event));
    this.canvas.addEventListener("pointerdown", (event) => this.hover(event));
    this.canvas.addEventListener("pointerleave", () => this.choose(-1));
    this.canvas.addEventListener("blur", () => this.choose(-1));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    setInterval(() => this.refresh(), PERIOD);
  }

  async refresh() {
    if (!this.isVisible || document.hidden || !this.isConnected || this.isAsking) return;
    this.isAsking = true;
    try {
      this.show((await get("/api/map")).points);
    } catch { /* The stream says that the daemon is gone. */ } finally {
      this.isAsking = false;
    }
  }

  show(points) {
    const chosen = this.points[this.chosen]?.id;
    this.points = points;
    this.chosen = points.findIndex((point) => point.id === chosen);
    $("map-empty").hidden = points.length > 0;
    const clusters = [...new Set(points.map((point) => point.cluster))].sort((a, b) => a - b);
    $("map-legend").replaceChildren(...clusters.slice(0, 16).map((cluster) => {
      const swatch = element("span", { class: "swatch" });
      swatch.style.setProperty("--swatch", clusterColour(cluster));
      return element("span", {}, swatch, `${cluster}`);
    }), ...(clusters.length > 16 ? [`and ${clusters.length - 16} more`] : []));
    this.canvas.setAttribute("aria-label", `Map of ${points.length} recent pictures in ${clusters.length} clusters`);
    this.draw();
  }

  /** Where the middle 98% of the points lie; what is beyond goes to the rim. */
  place() {
    const range = (values) => {
      const sorted = [...values].sort((a, b) => a - b);
      const low = sorted[Math.floor(sorted.length * 0.01)], high = sorted[Math.ceil(sorted.length * 0.99) - 1];
      return [low, Math.max(high - low, 1e-9)];
    };
    const { width, height } = this.canvas.getBoundingClientRect();
    const [left, across] = range(this.points.map((p) => p.x)), [bottom, up] = range(this.points.map((p) => p.y));
    const fit = (value, low, span, size) => 16 + Math.min(1.03, Math.max(-0.03, (value - low) / span)) * (size - 32);
    this.places = this.points.map((p) => [fit(p.x, left, across, width), height - fit(p.y, bottom, up, height)]);
  }

  draw() {
    const { width, height } = this.canvas.getBoundingClientRect();
    if (width < 10) return;
    const scale = devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * scale) || this.canvas.height !== Math.round(height * scale)) {
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(height * scale);
    }
    const pen = this.canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    if (this.points.length === 0) return;
    this.place();
    const style = getComputedStyle(document.documentElement);
    const colours = new Map();
    const radius = this.points.length > 250 ? 4.2 : 5;
    this.points.forEach((point, index) => {
      if (!colours.has(point.cluster)) colours.set(point.cluster, clusterColour(point.cluster, style));
      pen.globalAlpha = 0.35 + 0.6 * point.confidence;
      pen.fillStyle = colours.get(point.cluster);
      pen.beginPath();
      pen.arc(this.places[index][0], this.places[index][1], radius, 0, 7);
      pen.fill();
    });
    pen.globalAlpha = 1;
    if (this.chosen >= 0) {
      const [x, y] = this.places[this.chosen];
      pen.lineWidth = 2.5;
      pen.strokeStyle = getComputedStyle(this.canvas).color;
      pen.fillStyle = colours.get(this.points[this.chosen].cluster);
      pen.beginPath();
      pen.arc(x, y, radius + 3, 0, 7);
      pen.fill();
      pen.stroke();
    }
  }

  hover(event) {
    if (!this.places || this.points.length === 0) return;
    const box = this.canvas.getBoundingClientRect();
    const x = event.clientX - box.left, y = event.clientY - box.top;
    let best = -1, nearest = 20 ** 2;
    this.places.forEach(([px, py], index) => {
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance < nearest) { nearest = distance; best = index; }
    });
    this.choose(best);
  }

  choose(index) {
    if (index === this.chosen && index >= 0) return;
    this.chosen = index;
    this.draw();
    const point = this.points[index];
    if (!point) return hideTip();
    const box = this.canvas.getBoundingClientRect();
    pictureTip(box.left + this.places[index][0], box.top + this.places[index][1], point, point.cluster);
    setText($("map-hint"), `Cluster ${point.cluster}: ${describe(point)}`);
  }

  /** The nearest point in the direction of an arrow key. */
  key(event) {
    const directions = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const direction = directions[event.key];
    if (event.key === "Escape") return this.choose(-1);
    if (!direction || !this.places?.length) return;
    event.preventDefault();
    if (this.chosen < 0) return this.choose(0);
    const [x, y] = this.places[this.chosen];
    let best = -1, least = Infinity;
    this.places.forEach(([px, py], index) => {
      const along = (px - x) * direction[0] + (py - y) * direction[1];
      const aside = Math.abs((px - x) * direction[1]) + Math.abs((py - y) * direction[0]);
      if (along > 0.5 && along + 2 * aside < least) { least = along + 2 * aside; best = index; }
    });
    if (best >= 0) this.choose(best);
  }
}
