// Who sends: a card a sender, with its last picture, its rate and what went wrong.

import { $, element, setText, count, short, ago, bytes, picture } from "./dom.js";

const MOST = 40;
const sum = (counts) => Object.values(counts).reduce((total, value) => total + value, 0);
const reasons = (counts) => Object.entries(counts).map(([reason, value]) => `${count(value)} ${reason}`).join(", ");

class SourceCard {
  constructor(name) {
    this.frame = element("div", { class: "source-picture" }, "no picture");
    this.chip = element("span", { class: "chip" });
    this.rate = element("p", { class: "rate" });
    this.facts = element("p", { class: "facts" });
    this.trouble = element("p", { class: "facts" }, element("span", { class: "trouble" }));
    this.node = element("article", { class: "card source", "data-source": name }, this.frame,
      element("div", {}, element("h3", {}, element("span", { class: "name", title: name }, name), this.chip),
        this.rate, this.facts, this.trouble));
    this.name = name;
  }

  show(health, now) {
    const silence = health.last_image === null ? null : (now - health.last_image) / 1e9;
    const [word, tone] =
      health.state === "ended" ? ["ended", ""]
      : silence === null ? ["no picture yet", "warn"]
      : silence < 5 ? ["sending", "good"] : ["quiet", "warn"];
    setText(this.chip, word);
    this.chip.className = `chip ${tone}`;
    setText(this.rate, `${short(health.images_per_second)} images/s` + (silence === null ? "" : ` · last ${ago(silence)}`));
    setText(this.facts, `${count(health.admitted)} taken · ${bytes(health.bytes)} · through ${health.socket}`);
    const troubles = [];
    if (sum(health.rejected)) troubles.push(`rejected: ${reasons(health.rejected)}`);
    if (sum(health.dropped)) troubles.push(`dropped: ${reasons(health.dropped)}`);
    if (health.missing) troubles.push(`${count(health.missing)} missing on the way`);
    this.trouble.hidden = troubles.length === 0;
    setText(this.trouble.firstChild, troubles.join(" · "));
  }

  showPicture(id) {
    if (this.shown === id) return;
    this.shown = id;
    const image = picture(id, { alt: `The last picture of ${this.name}`, enlarged: true });
    // In place of the one before only once it is there, so that nothing flickers.
    image.addEventListener("load", () => { if (this.shown === id) this.frame.replaceChildren(image); });
  }
}

export class Sources {
  constructor() {
    this.cards = new Map();
    this.pictures = {};
  }

  show(sources, now) {
    const names = Object.keys(sources).sort((a, b) => (sources[b].last_image ?? 0) - (sources[a].last_image ?? 0))
      .slice(0, MOST).sort();
    const list = $("source-list");
    if (names.length === 0) {
      if (this.cards.size || !list.firstElementChild) {
        this.cards.clear();
        list.replaceChildren(element("p", { class: "empty" }, "Nobody has sent anything yet."));
      }
      return;
    }
    for (const name of [...this.cards.keys()]) if (!names.includes(name)) this.cards.delete(name);
    for (const name of names) {
      if (!this.cards.has(name)) this.cards.set(name, new SourceCard(name));
      this.cards.get(name).show(sources[name], now);
    }
    const nodes = names.map((name) => this.cards.get(name).node);
    if (nodes.some((node, index) => list.children[index] !== node) || list.children.length !== nodes.length) {
      list.replaceChildren(...nodes);
    }
    this.showPictures(this.pictures);
  }

  showPictures(last) {
    this.pictures = last;
    for (const [name, id] of Object.entries(last)) this.cards.get(name)?.showPicture(id);
  }
}
