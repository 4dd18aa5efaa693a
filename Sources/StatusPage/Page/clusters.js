// The galleries: a card a cluster, with its size, its share and its pictures. A picture keeps its place while it is shown;
// new ones come where old ones went, so that the eye can follow.

import { $, element, setText, count, percent, picture, describe, clusterColour, pictureTip, hideTip } from "./dom.js";

const FEW = 24;
/** Places of a gallery. */
const PLACES = 24;

class Card {
  constructor(cluster) {
    this.cluster = cluster;
    this.slots = [];
    this.size = element("b");
    this.share = element("span");
    this.bar = element("span");
    this.list = element("ul", { class: "gallery" });
    const title = element("h3", { id: `cluster-${cluster}` }, `Cluster ${cluster}`);
    this.swatch = element("span", { class: "swatch", "aria-hidden": "true" });
    this.node = element("article", { class: "card cluster", "aria-labelledby": title.id, "data-cluster": cluster },
      element("div", { class: "cluster-head" }, this.swatch, title,
        element("span", { class: "cluster-size" }, this.size, " · ", this.share)),
      element("div", { class: "share", "aria-hidden": "true" }, this.bar), this.list);
    this.paint();
    this.setPictures([], false);
  }

  paint() { this.node.style.setProperty("--swatch", clusterColour(this.cluster)); }

  setSize(size, share) {
    setText(this.size, count(size));
    setText(this.share, percent(share));
    this.node.style.setProperty("--share", share.toFixed(4));
  }

  setPictures(pictures, animate) {
    const wanted = new Map(pictures.map((one) => [one.id, one]));
    // Those that stay keep their places.
    this.slots = this.slots.map((slot) => (slot && wanted.has(slot.id) ? slot : null)).slice(0, pictures.length);
    const placed = new Set(this.slots.filter(Boolean).map((slot) => slot.id));
    const fresh = pictures.filter((one) => !placed.has(one.id));
    while (this.slots.length < pictures.length) this.slots.push(null);
    this.slots = this.slots.map((slot) => slot ?? this.slot(fresh.shift(), animate));
    const nodes = this.slots.map((slot) => slot.node);
    this.vacant ??= Array.from({ length: PLACES }, () => element("li", { class: "vacant", "aria-hidden": "true" }));
    nodes.push(...this.vacant.slice(nodes.length));
    nodes.forEach((node, index) => {
      if (this.list.children[index] !== node) this.list.insertBefore(node, this.list.children[index] ?? null);
    });
    while (this.list.children.length > nodes.length) this.list.lastChild.remove();
  }

  slot(shown, animate) {
    const node = element("li", { class: animate ? "fresh" : null },
      picture(shown.id, { alt: describe(shown), lazy: true }));
    node.addEventListener("pointerenter", (event) => pictureTip(event.clientX, event.clientY, shown, this.cluster));
    node.addEventListener("pointerleave", hideTip);
    return { id: shown.id, node };
  }
}

export class Clusters {
  constructor() {
    this.cards = new Map();
    this.pictures = new Map();
    this.sizes = [];
    this.recent = [];
    this.isWhole = false;
    this.orderedAt = 0;
    $("clusters-order").addEventListener("change", () => this.arrange(true));
    $("clusters-more").addEventListener("click", () => { this.isWhole = !this.isWhole; this.arrange(true); });
  }

  repaint() { for (const card of this.cards.values()) card.paint(); }

  showSizes({ sizes, recent }) {
    this.sizes = sizes;
    this.recent = recent;
    this.total = recent.reduce((sum, size) => sum + size, 0);
    this.arrange(false);
    for (const [cluster, card] of this.cards) card.setSize(sizes[cluster] ?? 0, this.shareOf(cluster));
  }

  shareOf(cluster) { return this.total ? (this.recent[cluster] ?? 0) / this.total : 0; }

  showPictures({ all, clusters }) {
    if (all) {
      for (const cluster of [...this.pictures.keys()]) if (!(cluster in clusters)) clusters[cluster] = [];
    }
    for (const [cluster, pictures] of Object.entries(clusters)) {
      this.pictures.set(Number(cluster), pictures);
      this.cards.get(Number(cluster))?.setPictures(pictures, !all);
    }
  }

  /** Which cards there are, and in which order; now and then, for they should not move under one's eyes. */
  arrange(isAsked) {
    const isEmpty = !this.sizes.some((size) => size > 0);
    $("clusters-empty").hidden = !isEmpty;
    $("cluster-grid").hidden = isEmpty;
    const isNew = this.cards.size === 0 || this.cards.size > this.sizes.length;
    if (!isAsked && !isNew && performance.now() - this.orderedAt < 15000) return;
    if (!isAsked && $("cluster-grid").matches(":hover")) return;
    if (isEmpty) return;
    this.orderedAt = performance.now();
    const order = this.sizes.map((_, cluster) => cluster);
    if (this.sizes.length > FEW || $("clusters-order").value === "size") {
      order.sort((a, b) => this.sizes[b] - this.sizes[a] || a - b);
    }
    const shown = this.isWhole ? order.slice(0, 400) : order.slice(0, FEW);
    if ($("clusters-order").value === "number") shown.sort((a, b) => a - b);
    const more = $("clusters-more");
    more.hidden = this.sizes.length <= FEW;
    setText(more, this.isWhole ? `Show the ${FEW} largest` : `Show all ${count(this.sizes.length)} clusters`);
    for (const cluster of [...this.cards.keys()]) if (!shown.includes(cluster)) this.cards.delete(cluster);
    const nodes = shown.map((cluster) => {
      let card = this.cards.get(cluster);
      if (!card) {
        card = new Card(cluster);
        this.cards.set(cluster, card);
        card.setSize(this.sizes[cluster] ?? 0, this.shareOf(cluster));
        const pictures = this.pictures.get(cluster);
        if (pictures) card.setPictures(pictures, false);
      }
      return card.node;
    });
    const grid = $("cluster-grid");
    nodes.forEach((node, index) => { if (grid.children[index] !== node) grid.insertBefore(node, grid.children[index] ?? null); });
    while (grid.children.length > nodes.length) grid.lastChild.remove();
  }
}
