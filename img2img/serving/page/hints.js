// Colours set at places of a photo: as they are, as they were before, as a file.

import { Refused } from "./api.js";

const MOST = 256; // as in one file
const CODE = /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i;
const PERCENT = /^(\d{1,3}(?:\.\d{1,20})?)%$/;
export const SUFFIX = ".hints.json";

/** Hints are `{ x, y, color }`, never changed in place: x and y as in the file, "52%" or the number of a pixel. */
export class Hints {
  /** `changed()` is called when they have changed. */
  constructor(changed) {
    [this.changed, this.all, this.past, this.future] = [changed, [], [], []];
    this.settled = this.all;
  }

  /** Shows hints that may go on changing, while one is dragged. */
  show(all) {
    this.all = all;
    this.changed();
  }

  /** Makes what is shown, or `all`, a step that can be undone. */
  settle(all = this.all) {
    if (JSON.stringify(all) !== JSON.stringify(this.settled)) {
      this.past.push(this.settled);
      this.future = [];
    }
    this.settled = all;
    this.show(all);
  }

  undo() { this.step(this.past, this.future); }

  redo() { this.step(this.future, this.past); }

  step(from, to) {
    if (!from.length) return false;
    to.push(this.settled);
    this.settled = from.pop();
    this.show(this.settled);
    return true;
  }

  get full() { return this.all.length >= MOST; }

  with(index, hint) { return this.all.map((each, at) => (at === index ? hint : each)); }

  without(index) { return this.all.filter((_, at) => at !== index); }

  /** As in an address. */
  texts() { return this.all.map(({ x, y, color }) => `${x},${y}=${color}`); }

  /** As the file that belongs to a photo of this name. */
  file(name) {
    const content = { img2img: "hints", version: 1, hints: this.all };
    return new File([`${JSON.stringify(content, null, 1)}\n`], stem(name) + SUFFIX, { type: "application/json" });
  }
}

/** A hint at a place in percent of the upright photo. */
export function hintAt(x, y, color) { return { x: percentText(x), y: percentText(y), color }; }

function percentText(value) { return `${Number(Math.min(100, Math.max(0, value)).toFixed(2))}%`; }

/** Where a hint is, in percent; `size` is the photo's in pixels. */
export function placeOf(hint, { width, height }) { return { x: percent(hint.x, width), y: percent(hint.y, height) }; }

function percent(value, side) { return typeof value === "number" ? (100 * (value + 0.5)) / side : Number(value.slice(0, -1)); }

/** The hints in a file's text. Throws Refused with the file's name. */
export function hintsIn(text, name) {
  const content = parsed(text);
  if (content?.img2img !== "hints" || content.version !== 1 || !Array.isArray(content.hints)) {
    throw new Refused(422, `${name}: holds no hints that this page reads; take a file that img2img saved`);
  }
  if (content.hints.length > MOST) throw new Refused(422, `${name}: more than ${MOST} hints`);
  return content.hints.map((hint, index) => {
    const code = CODE.exec(hint?.color);
    if (!code || !isPlace(hint.x) || !isPlace(hint.y)) throw new Refused(422, `${name}: hint ${index + 1} has no x, y and color`);
    return { x: hint.x, y: hint.y, color: `#${inFull(code[1].toLowerCase())}` };
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isPlace(value) {
  if (typeof value === "number") return Number.isInteger(value) && value >= 0;
  return typeof value === "string" && Number(PERCENT.exec(value)?.[1] ?? 101) <= 100;
}

function inFull(digits) { return digits.length === 6 ? digits : [...digits].map((digit) => digit + digit).join(""); }

/** A photo's name, or that of its hints, without what follows its stem. */
export function stem(name) { return name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : name.replace(/(?!^)\.[^.]*$/, ""); }
