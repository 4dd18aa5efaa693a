// The checkpoints on disk, and the buttons: save, reload, roll back.

import { $, element, get, act, working, ask, count, bytes, ago, setText } from "./dom.js";

export class Checkpoints {
  constructor() {
    this.list = [];
    $("save").addEventListener("click", (event) => working(event.currentTarget, async () => {
      const { checkpoint } = await act("save");
      await this.refresh();
      return checkpoint ? `Saved ${checkpoint.id}.` : "There is nothing to save yet.";
    }));
    $("rollback").addEventListener("click", async (event) => {
      const button = event.currentTarget;
      const isMeant = await ask("Roll back?",
        "The model before the last reload or rollback takes over. Cluster numbers are matched with the present ones.",
        "Roll back");
      if (isMeant) working(button, async () => this.tell(await act("rollback"), "Rolled back to"));
    });
  }

  /** What is served, and the newest checkpoint: where they are others than before, the list is too. */
  show({ model, checkpoint, t }) {
    const newest = checkpoint?.id ?? null;
    const serving = model?.id ?? null;
    const isOther = newest !== this.newest || serving !== this.serving;
    this.newest = newest;
    this.serving = serving;
    this.now = t;
    if (isOther) this.refresh();
    for (const row of this.rows ?? []) setText(row.time, ago((t - row.written) / 1e9));
  }

  async refresh() {
    try {
      this.list = (await get("/api/checkpoints")).checkpoints;
      this.draw();
    } catch { /* The stream says that the daemon is gone; it is asked for again with its next word. */
      this.newest = undefined;
    }
  }

  async tell(answer, words) {
    await this.refresh();
    const failure = answer.save_failure ? ` It could not be saved: ${answer.save_failure}` : "";
    return `${words} step ${count(answer.model.step)}.${failure}`;
  }

  draw() {
    if (this.list.length === 0) {
      this.rows = [];
      $("checkpoint-rows").replaceChildren(
        element("tr", {}, element("td", { colSpan: 5, class: "empty" }, "None yet: one is written after some steps, or now if you like.")));
      return;
    }
    this.rows = this.list.map((checkpoint) => {
      const button = element("button", { type: "button", class: "button", "data-id": checkpoint.id,
        "aria-label": `Reload ${checkpoint.id}` }, "Reload");
      button.addEventListener("click", async () => {
        const isMeant = await ask(`Reload ${checkpoint.id}?`,
          "It is checked and tried, then it takes over between two batches, for assigning and for training. If anything is wrong with it, the present model stays.",
          "Reload");
        if (isMeant) working(button, async () => this.tell(await act("reload", { id: checkpoint.id }), "Now serving"));
      });
      const serves = checkpoint.id === this.serving ? element("span", { class: "chip good" }, "in use") : null;
      const time = element("td", { class: "number" }, ago(((this.now ?? checkpoint.t) - checkpoint.t) / 1e9));
      const node = element("tr", {}, element("td", {}, element("code", {}, checkpoint.id), " ", serves),
        element("td", { class: "number wide" }, count(checkpoint.step)),
        element("td", { class: "number wide" }, bytes(checkpoint.bytes)), time, element("td", {}, button));
      return { node, time, written: checkpoint.t };
    });
    $("checkpoint-rows").replaceChildren(...this.rows.map((row) => row.node));
  }
}
