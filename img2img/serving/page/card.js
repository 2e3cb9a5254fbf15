// A photo's card: from its upload to its download.

import { Refused, limited, proposedName, send } from "./api.js";
import { comparable, newest } from "./compare.js";
import { modelsKnown, settings } from "./settings.js";

const inTurn = limited(3);
const oneByOne = limited(1); // thumbnails: a large photo takes its memory
const SMALL = 480; // pixels
const CARD_SIDE = 640; // pixels, of what the server gives for a card
const CARD_SHAPE = 4 / 3; // width to height, as in cards.css
const CUT = 0.1; // of a photo that is nearly of the card's shape: less than bars at its sides would disturb

export class Card {
  /** `on` has changed, enlarge and removed. `mayPass`: it failed for a reason that is not the photo's own. */
  constructor(file, on) {
    [this.file, this.on, this.mayPass] = [file, on, false];
    this.status = "waiting";
    this.element = document.getElementById("card").content.firstElementChild.cloneNode(true);
    this.part = (name) => this.element.querySelector(name);
    this.part(".name strong").textContent = file.name;
    this.part(".name strong").title = file.name;
    this.showAfter = newest(this.part(".after"));
    this.part(".after").addEventListener("gone", () => this.preview());
    this.listen();
    this.strength = settings().strength;
  }

  listen() {
    comparable(this.part(".compare"), () => this.on.enlarge(this));
    this.part(".split").setAttribute("aria-label", `${this.file.name}: how much is shown as it was`);
    this.part(".enlarge").addEventListener("click", () => this.on.enlarge(this));
    this.part(".download").addEventListener("click", () => this.download());
    this.part(".remove").addEventListener("click", () => this.on.removed(this));
    for (const name of ["enlarge", "download", "remove"]) {
      const button = this.part(`.${name}`);
      button.setAttribute("aria-label", `${button.textContent.trim()} ${this.file.name}`);
    }
    this.part(".one-strength input").addEventListener("input", (event) => { this.strength = event.target.value; });
  }

  get strength() { return this.ownStrength; }

  set strength(value) {
    this.ownStrength = Number(value);
    this.part(".one-strength input").value = String(value);
    this.part(".one-strength output").textContent = this.ownStrength.toFixed(2);
    if (this.seen) this.showAfter(this.afterAddress());
  }

  /** Of the result at this strength; smaller where it need not be larger, since then it comes sooner. */
  afterAddress(width = this.part(".compare").clientWidth * devicePixelRatio) {
    return `${this.seen.after}?${width > CARD_SIDE * 1.1 ? "" : "card&"}strength=${this.strength}`;
  }

  /** The options of this photo's result, as the server takes them. */
  options() {
    const { task, model, format, quality } = settings();
    const chosen = { model, format };
    if (quality && (format === "jpg" || format === "webp" || format === "avif" || format === "same")) chosen.quality = quality;
    return task === "colorize" ? { ...chosen, strength: String(this.strength) } : chosen;
  }

  /** Shows the photo small while it waits, where the browser can. */
  async thumbnail() {
    const size = { resizeWidth: SMALL, resizeQuality: "medium" };
    const bitmap = await oneByOne(() => createImageBitmap(this.file, size)).catch(() => null);
    const canvas = this.part(".thumb");
    if (!bitmap || this.status === "done") return;
    [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    canvas.hidden = false;
  }

  async preview() {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    this.show("waiting", "waiting");
    try {
      await modelsKnown();
      const answer = await inTurn(() => this.sendForPreview());
      if (turn !== this.turn) return;
      this.seen = answer.response;
      await this.showPictures();
      this.show("done", "");
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (turn === this.turn) this.fail(error);
    }
  }

  async sendForPreview() {
    const { task, model, scores } = settings();
    if (this.file.type.startsWith("video/")) {
      throw new Refused(400, `${this.file.name}: a film; the command line colours it: img2img colorize ${this.file.name}`);
    }
    this.show("working", "sending");
    const told = (share) => {
      this.part("progress").value = 90 * share;
      if (share === 1) this.show("working", task === "colorize" ? "colouring" : "translating");
    };
    const options = task === "translate" && scores ? { task, model, score: "true" } : { task, model };
    return send("/api/v1/previews", options, this.file, "json", told);
  }

  async showPictures() {
    const { task } = settings();
    const [before, after] = [this.part(".before"), this.part(".after")];
    this.part(".compare").style.setProperty("--shape", `${this.seen.width} / ${this.seen.height}`);
    this.part(".compare").classList.toggle("fills", Math.abs(Math.log(this.seen.width / this.seen.height / CARD_SHAPE)) < CUT);
    before.src = this.seen.before;
    after.src = this.afterAddress();
    await Promise.allSettled([before.decode(), after.decode()]);
    before.alt = `${this.file.name} as it was`;
    after.alt = `${this.file.name}, ${task === "colorize" ? "coloured" : "translated"}`;
    const score = this.seen.score === null ? "" : ` · score ${this.seen.score.toFixed(2)}`;
    this.part(".facts").textContent = `${this.seen.width} x ${this.seen.height}${score}`;
    this.part(".facts").title = score && "The share of the model's own training pictures that look stranger to it";
    this.part(".one-strength").hidden = task !== "colorize";
  }

  show(status, words) {
    [this.status, this.mayPass] = [status, false];
    const done = status === "done";
    this.element.classList.remove("failed");
    this.part(".error").hidden = true;
    this.part(".compare").classList.toggle("waiting", !done);
    for (const name of [".before", ".after", ".split", ".enlarge", ".download"]) this.part(name).hidden = !done;
    this.part(".working .state").textContent = words;
    if (status === "waiting") this.part("progress").value = 0;
    this.on.changed(this);
  }

  fail(error) {
    this.show("failed", "");
    this.element.classList.add("failed");
    this.part(".error").textContent = error.message;
    this.part(".error").hidden = false;
    this.part(".one-strength").hidden = true;
    this.mayPass = error.mayPass;
    this.on.changed(this);
  }

  /** The result in full: its bytes and its name. */
  async result(options = this.options()) {
    const answer = await inTurn(() => send(`/api/v1/${settings().task}`, options, this.file, "blob"));
    return { blob: answer.response, name: proposedName(answer, this.file.name) };
  }

  async download() {
    const button = this.part(".download");
    button.disabled = true;
    try {
      const { blob, name } = await this.result();
      save(blob, name);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.fail(error);
    } finally {
      button.disabled = false;
    }
  }
}

export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
