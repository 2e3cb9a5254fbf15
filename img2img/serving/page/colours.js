// What steers the colours of one photo: strength, warmth, another photo, hints; and its controls.

import { Hints, hintsIn } from "./hints.js";
import { ReferenceRow } from "./reference.js";
import { settings } from "./settings.js";

export class Colours {
  /** `box` holds the controls; `changed()` is called when the picture must be made anew. */
  constructor(box, changed) {
    [this.box, this.changed] = [box, changed];
    this.hints = new Hints(changed);
    this.row = new ReferenceRow(box.querySelector(".reference"), changed);
    [this.strength, this.warmth] = [settings().strength, settings().warmth];
    for (const name of ["strength", "warmth"]) {
      this.range(name).addEventListener("input", (event) => {
        this[name] = event.target.value;
        this.changed();
      });
    }
  }

  range(name) { return this.box.querySelector(`.one-${name} input`); }

  get strength() { return Number(this.range("strength").value); }

  set strength(value) { this.write("strength", value); }

  get warmth() { return Number(this.range("warmth").value); }

  set warmth(value) { this.write("warmth", value); }

  write(name, value) {
    this.range(name).value = String(value);
    this.box.querySelector(`.one-${name} output`).textContent = this[name].toFixed(2);
  }

  /** Shows the controls that the chosen task and model have. */
  offer() {
    const { task, steerable } = settings();
    this.box.hidden = task !== "colorize";
    for (const each of this.box.querySelectorAll(".steers")) each.hidden = !steerable;
  }

  /** As the server takes them, but for hints and reference. */
  options() {
    const { palette, influence, steerable } = settings();
    const chosen = { strength: String(this.strength) };
    if (!steerable) return chosen;
    if (this.warmth) chosen.warmth = String(this.warmth);
    if (palette.length) chosen.palette = palette.join(",");
    if (this.row.reference) chosen.influence = String(this.row.influence);
    else if (palette.length) chosen.influence = String(influence);
    return chosen;
  }

  /** All of it for a preview's address. */
  query() {
    const query = new URLSearchParams(this.options());
    if (!settings().steerable) return query;
    if (this.row.reference) query.set("reference", this.row.reference.seen.id);
    for (const text of this.hints.texts()) query.append("hint", text);
    return query;
  }

  /** What is sent beside a photo of this name. */
  parts(name) {
    const parts = {};
    if (!settings().steerable) return parts;
    if (this.row.reference) parts.reference = this.row.reference.file;
    if (this.hints.all.length) parts.hints = this.hints.file(name);
    return parts;
  }

  /** Waits until the server has all that `query` names. Throws Refused. */
  async ready() { await this.row.reference?.ready(); }

  /** Takes the hints of a file. Throws Refused. */
  async load(file) { this.hints.settle(hintsIn(await file.text(), file.name)); }
}
