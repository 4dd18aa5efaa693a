// How clusters and labels go together: the scores over time, and a table of which label went to which cluster.

import { $, element, get, clusterColour, count, percent } from "./dom.js";

const MOST = 40;
const PERIOD = 5000;

export class Labels {
  constructor() {
    this.isVisible = false;
    new IntersectionObserver(([entry]) => {
      this.isVisible = entry.isIntersecting;
      this.refresh();
    }, { rootMargin: "100px" }).observe($("labels"));
    setInterval(() => this.refresh(), PERIOD);
  }

  /** There are labels, or there are none. */
  setPresent(isPresent) {
    if ($("labels").hidden !== isPresent) return;
    $("labels").hidden = !isPresent;
  }

  async refresh() {
    if (!this.isVisible || document.hidden || !this.isConnected || $("labels").hidden) return;
    try {
      this.show(await get("/api/labels"));
    } catch { /* The stream says that the daemon is gone. */ }
  }

  show({ labels, counts }) {
    const rows = labels.map((label, index) => ({ label: String(label), counts: counts[index] ?? [] }))
      .filter((row) => row.counts.some((value) => value > 0))
      .sort((a, b) => a.label.localeCompare(b.label, undefined, { numeric: true })).slice(0, MOST);
    const used = (counts[0] ?? []).map((_, cluster) => cluster).filter((cluster) => rows.some((row) => row.counts[cluster] > 0));
    // Each cluster below the label that it mostly has, so that agreement lies on the diagonal.
    const main = (cluster) => rows.reduce((best, row, index) => (row.counts[cluster] > rows[best].counts[cluster] ? index : best), 0);
    const columns = used.sort((a, b) => main(a) - main(b) || a - b).slice(0, MOST);
    const head = element("tr", {}, element("th", { scope: "col" }, "Label"), ...columns.map((cluster) => {
      const swatch = element("span", { class: "swatch", "aria-hidden": "true" });
      swatch.style.setProperty("--swatch", clusterColour(cluster));
      return element("th", { scope: "col", title: `Cluster ${cluster}` }, swatch, `${cluster}`);
    }));
    const body = rows.map((row) => {
      const total = row.counts.reduce((sum, value) => sum + value, 0);
      return element("tr", {}, element("th", { scope: "row", title: row.label }, row.label), ...columns.map((cluster) => {
        const part = row.counts[cluster] / total;
        const cell = element("td", {
          class: part > 0.8 ? "much" : part < 0.005 ? "little" : null,
          title: `${row.label}: ${count(row.counts[cluster])} in cluster ${cluster}, ${percent(part)}`,
        }, part < 0.005 ? "·" : `${Math.round(part * 100)}`);
        cell.style.setProperty("--part", part.toFixed(3));
        return cell;
      }));
    });
    $("matrix").replaceChildren(
      element("caption", { class: "visually-hidden" }, "Of each label, how many per cent went to each cluster"),
      element("thead", {}, head), element("tbody", {}, ...body));
  }
}
