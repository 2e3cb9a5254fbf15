// A photo's card: from its upload to its download.

import { Refused, limited, proposedName, send } from "./api.js";
import { comparable, newest } from "./compare.js";
import { Colours } from "./colours.js";
import { modelsKnown, settings } from "./settings.js";

const inTurn = limited(3);
const oneByOne = limited(1); // thumbnails: a large photo takes its memory
const SMALL = 480; // pixels
const CARD_SIDE = 640; // pixels, of what the server gives for a card
const CARD_SHAPE = 4 / 3; // width to height, as in cards.css
const CUT = 0.1; // of a photo that is nearly of the card's shape: less than bars at its sides would disturb

export class Card {
  /** `on` has changed, enlarge, removed, and recoloured, which says whether the picture is shown elsewhere. `mayPass`: it failed for a reason that is not the photo's own. */
  constructor(file, on) {
    [this.file, this.on, this.mayPass] = [file, on, false];
    this.status = "waiting";
    this.element = document.getElementById("card").content.firstElementChild.cloneNode(true);
    this.part = (name) => this.element.querySelector(name);
    this.part(".name strong").textContent = file.name;
    this.part(".name strong").title = file.name;
    this.showAfter = newest(this.part(".after"));
    this.part(".after").addEventListener("gone", () => this.gone());
    this.colours = new Colours(this.part(".steer"), () => this.recolour());
    this.listen();
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
  }

  /** Shows the picture with other colours. */
  recolour() {
    if (!this.seen || this.status !== "done") return;
    this.tellColours();
    if (!this.on.recoloured(this)) this.showAfter(this.afterAddress());
  }

  /** Takes its controls back from where it was enlarged, and shows what became of it. */
  putBack() {
    this.part(".foot").insertBefore(this.colours.box, this.part(".foot > .buttons"));
    if (this.status === "done") this.showAfter(this.afterAddress());
    this.part(".enlarge").focus();
  }

  /** Takes the hints in a file; what is wrong with it is said on the card. */
  async loadHints(file) {
    try {
      await this.colours.load(file);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.colours.row.fail(error.message);
    }
  }

  /** The server has forgotten the photo, or its reference: both are sent again. */
  gone() {
    this.colours.row.reference?.forget();
    return this.preview();
  }

  /** Of the result in these colours; smaller where it need not be larger, since then it comes sooner. */
  afterAddress(width = this.part(".compare").clientWidth * devicePixelRatio) {
    const query = settings().task === "colorize" ? this.colours.query() : "";
    return `${this.seen.after}?${width > CARD_SIDE * 1.1 ? "" : "card&"}${query}`;
  }

  /** The options of this photo's result, as the server takes them. */
  options() {
    const { task, model, format, quality } = settings();
    const chosen = { model, format };
    if (quality && (format === "jpg" || format === "webp" || format === "avif" || format === "same")) chosen.quality = quality;
    return task === "colorize" ? { ...chosen, ...this.colours.options() } : chosen;
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
      await this.colours.ready();
      await this.showPictures();
      this.show("done", "");
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (turn === this.turn) this.fail(error);
    }
  }

  async sendForPreview() {
    const { task, model } = settings();
    if (this.file.type.startsWith("video/")) {
      throw new Refused(400, `${this.file.name}: a film; the command line colours it: img2img colorize ${this.file.name}`);
    }
    this.show("working", "sending");
    const told = (share) => {
      this.part("progress").value = 90 * share;
      if (share === 1) this.show("working", task === "colorize" ? "colouring" : "translating");
    };
    return send("/api/v1/previews", { task, model }, this.file, "json", { told });
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
    const unlike = this.seen.unlike ? " · unlike the training pictures" : "";
    this.part(".facts span").textContent = `${this.seen.width} x ${this.seen.height}${score}${unlike}`;
    this.part(".facts").title = score && "The share of the model's own training pictures that look stranger to it";
    this.colours.offer();
    this.tellColours();
  }

  /** How many colours were set at places of it. */
  tellColours() {
    const count = settings().steerable ? this.colours.hints.all.length : 0;
    this.part(".set").textContent = count ? ` · ${count} ${count === 1 ? "colour" : "colours"} set` : "";
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
    this.colours.box.hidden = true;
    this.mayPass = error.mayPass;
    this.on.changed(this);
  }

  /** The result in full: its bytes and its name. */
  async result(options = this.options()) {
    const parts = settings().task === "colorize" ? this.colours.parts(this.file.name) : {};
    const answer = await inTurn(() => send(`/api/v1/${settings().task}`, options, this.file, "blob", { parts }));
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
