// One photo in the whole window, at its full resolution, zoomed and moved by pointer, wheel and keys.

import { send } from "./api.js";

const STEP = 1.25;
const MOST = 16;
const PAN = 80; // pixels for an arrow key

const viewer = document.getElementById("viewer");
const part = (name) => viewer.querySelector(name);
const [stage, sheet, range] = [part(".stage"), part(".sheet"), part(".split")];
let view = { scale: 1, x: 0, y: 0, width: 1, height: 1 };
let opened = null;
let urls = [];

export async function enlarge(card) {
  if (card.status !== "done") return;
  opened = card;
  part("h2").textContent = card.file.name;
  range.value = "50";
  [view.width, view.height] = [card.seen.width, card.seen.height];
  picture(".before", card.seen.before);
  picture(".after", card.afterAddress(Infinity));
  viewer.showModal();
  stage.focus();
  fit();
  part(".state").textContent = "Fetching it at full size";
  try {
    await Promise.all([fullBefore(card), fullAfter(card)]);
    if (opened === card) part(".state").textContent = `${view.width} x ${view.height}, full size`;
  } catch (error) {
    if (opened === card) part(".state").textContent = error.message;
  }
}

async function fullBefore(card) {
  const blob = card.seen.shown ? card.file : (await send("/api/v1/view", {}, card.file, "blob")).response;
  if (opened === card) await exchange(".before", blob);
}

/** As the result's file where a browser can show it, else as a JPEG of it. */
async function fullAfter(card) {
  const options = card.options();
  const shown = options.format !== "tiff" && (options.format !== "same" || card.seen.shown);
  const { blob } = await card.result(shown ? options : { ...options, format: "jpg", quality: "92" });
  if (opened === card) await exchange(".after", blob);
}

async function exchange(name, blob) {
  const url = URL.createObjectURL(blob);
  urls.push(url);
  const ahead = new Image();
  ahead.src = url;
  await ahead.decode();
  picture(name, url);
}

function picture(name, address) { part(name).src = address; }

function fit() {
  const scale = Math.min(stage.clientWidth / view.width, stage.clientHeight / view.height);
  view.least = Math.min(scale, 1);
  place(scale, (stage.clientWidth - scale * view.width) / 2, (stage.clientHeight - scale * view.height) / 2);
}

function place(scale, x, y) {
  Object.assign(view, { scale, x: held(x, scale * view.width, stage.clientWidth), y: held(y, scale * view.height, stage.clientHeight) });
  sheet.style.width = `${view.width}px`;
  sheet.style.height = `${view.height}px`;
  sheet.style.transform = `translate(${view.x}px, ${view.y}px) scale(${scale})`;
  sheet.classList.toggle("crisp", scale > 3);
  part(".zoom").textContent = `${Math.round(100 * scale)}%`;
  split();
}

/** Centred where there is room, else never away from the window's edge. */
function held(at, size, room) { return size <= room ? (room - size) / 2 : Math.min(0, Math.max(room - size, at)); }

function split() {
  const at = (stage.clientWidth * range.value) / 100;
  stage.style.setProperty("--at", `${at}px`);
  const cut = (at - view.x) / (view.scale * view.width);
  sheet.style.setProperty("--cut", `${100 * Math.min(1, Math.max(0, cut))}%`);
}

function zoom(factor, x = stage.clientWidth / 2, y = stage.clientHeight / 2) {
  const scale = Math.min(MOST, Math.max(view.least, view.scale * factor));
  const grown = scale / view.scale;
  place(scale, x - (x - view.x) * grown, y - (y - view.y) * grown);
}

const KEYS = {
  "+": () => zoom(STEP), "=": () => zoom(STEP), "-": () => zoom(1 / STEP), 0: fit, 1: () => zoom(1 / view.scale),
  ArrowLeft: () => place(view.scale, view.x + PAN, view.y), ArrowRight: () => place(view.scale, view.x - PAN, view.y),
  ArrowUp: () => place(view.scale, view.x, view.y + PAN), ArrowDown: () => place(view.scale, view.x, view.y - PAN),
};

stage.addEventListener("keydown", (event) => {
  if (!KEYS[event.key] || event.ctrlKey || event.metaKey) return;
  KEYS[event.key]();
  event.preventDefault();
});
stage.addEventListener("wheel", (event) => {
  event.preventDefault();
  const edges = stage.getBoundingClientRect();
  zoom(Math.exp(-event.deltaY / 400), event.clientX - edges.left, event.clientY - edges.top);
}, { passive: false });

const fingers = new Map();
let onLine = false;
stage.addEventListener("pointerdown", (event) => {
  stage.setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, event);
  onLine = event.target.closest(".line") !== null;
});
stage.addEventListener("pointermove", (event) => {
  const before = fingers.get(event.pointerId);
  if (!before) return;
  const other = [...fingers.values()].find((each) => each.pointerId !== event.pointerId);
  if (onLine) moveLine(event);
  else if (other) pinch(before, event, other);
  else place(view.scale, view.x + event.clientX - before.clientX, view.y + event.clientY - before.clientY);
  fingers.set(event.pointerId, event);
});
for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, (event) => fingers.delete(event.pointerId));

function moveLine(event) {
  range.value = String((100 * (event.clientX - stage.getBoundingClientRect().left)) / stage.clientWidth);
  split();
}

/** One of two fingers moves: what is between them stays between them. */
function pinch(before, now, other) {
  const apart = (event) => Math.hypot(event.clientX - other.clientX, event.clientY - other.clientY);
  const edges = stage.getBoundingClientRect();
  place(view.scale, view.x + (now.clientX - before.clientX) / 2, view.y + (now.clientY - before.clientY) / 2);
  zoom(apart(now) / Math.max(1, apart(before)), (now.clientX + other.clientX) / 2 - edges.left, (now.clientY + other.clientY) / 2 - edges.top);
}

range.addEventListener("input", split);
part(".in").addEventListener("click", () => zoom(STEP));
part(".out").addEventListener("click", () => zoom(1 / STEP));
part(".fit").addEventListener("click", fit);
part(".full").addEventListener("click", () => zoom(1 / view.scale));
part(".close").addEventListener("click", () => viewer.close());
window.addEventListener("resize", () => viewer.open && fit());
viewer.addEventListener("close", () => {
  opened?.part(".enlarge").focus();
  opened = null;
  urls.forEach(URL.revokeObjectURL);
  urls = [];
});
