// Another photo whose colours a photo leans to: sent to the server, and shown where it is chosen.

import { Refused, send } from "./api.js";

/** One file, which several photos may share. */
export class Reference {
  constructor(file) { [this.file, this.asked] = [file, null]; }

  /** Waits until the server has it; what that knows of it. Throws Refused. */
  ready() {
    this.asked ??= this.send().catch((error) => { this.asked = null; throw error; });
    return this.asked;
  }

  async send() {
    this.seen = (await send("/api/v1/previews", {}, this.file, "json")).response;
    return this.seen;
  }

  /** The server may have forgotten it: it is sent again when it is needed. */
  forget() { this.asked = null; }
}

/** Asks for one photo's file. */
export function chooseFile(chosen) {
  const input = document.getElementById("other-photo");
  input.value = "";
  input.onchange = () => { if (input.files.length) chosen(input.files[0]); };
  input.click();
}

/** The row of a photo's controls in which its reference is chosen, weighed and taken away. */
export class ReferenceRow {
  /** `changed()` is called when the picture must be made anew. */
  constructor(row, changed) {
    [this.row, this.changed, this.reference, this.influence] = [row, changed, null, 1];
    this.part(".lean").addEventListener("click", () => chooseFile((file) => this.take(new Reference(file))));
    this.part(".unlean").addEventListener("click", () => { this.take(null); this.part(".lean").focus(); });
    this.part(".influence").addEventListener("input", (event) => {
      this.influence = Number(event.target.value);
      this.changed();
    });
  }

  part(name) { return this.row.querySelector(name); }

  /** Leans to it once the server has it; null: to none. */
  async take(reference) {
    this.wanted = reference;
    this.part(".error").hidden = true;
    try {
      const seen = await reference?.ready();
      if (this.wanted !== reference) return;
      this.reference = reference;
      this.draw(seen);
      this.changed();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (this.wanted === reference) this.fail(error.message);
    }
  }

  draw(seen) {
    for (const name of ["img", ".influence-field", ".unlean"]) this.part(name).hidden = !seen;
    this.part(".lean").hidden = Boolean(seen);
    if (!seen) return;
    const { name } = this.reference.file;
    Object.assign(this.part("img"), { src: seen.before, alt: `${name}, whose colours these lean to`, title: name });
  }

  fail(words) {
    this.part(".error").textContent = words;
    this.part(".error").hidden = false;
  }
}
