// A photo zoomed and moved by pointer, wheel and keys, with a line between before and after.

const STEP = 1.25;
const MOST = 16;
const PAN = 80; // pixels for an arrow key
const STILL = 5; // pixels that a click may move

const stage = document.querySelector(".stage");
const part = (name) => document.querySelector(`#viewer ${name}`);
const [sheet, range] = [part(".sheet"), part(".split")];
let view = { scale: 1, x: 0, y: 0, width: 1, height: 1 };
let on = { clicked() {}, placed() {} };

/** `on.clicked(place)`: at a place of the photo, in percent; `on.placed()`: the photo was zoomed or moved. */
export function listenToStage(listeners) { on = listeners; }

/** A photo of this size, as large as fits, half of it as it was. */
export function stageFor(width, height) {
  [view.width, view.height, range.value] = [width, height, "50"];
  stage.focus();
  fit();
}

export function sizeOnStage() { return { width: view.width, height: view.height }; }

/** Where a place of the photo, in percent, is on the stage, in pixels. */
export function onStage({ x, y }) {
  return { left: view.x + (view.scale * view.width * x) / 100, top: view.y + (view.scale * view.height * y) / 100 };
}

/** The place of the photo, in percent, below a point of the window. */
export function placeBelow(clientX, clientY) {
  const edges = stage.getBoundingClientRect();
  return inPercent(clientX - edges.left, clientY - edges.top);
}

/** The place in the middle of what is seen of the photo. */
export function middle() { return inPercent(stage.clientWidth / 2, stage.clientHeight / 2); }

function inPercent(left, top) {
  return { x: (100 * (left - view.x)) / (view.scale * view.width), y: (100 * (top - view.y)) / (view.scale * view.height) };
}

/** Has a place seen as it becomes: moves the line to its left. */
export function reveal(place) {
  if (onStage(place).left > (stage.clientWidth * range.value) / 100) return;
  range.value = "0";
  split();
}

function fit() {
  const scale = Math.min(stage.clientWidth / view.width, stage.clientHeight / view.height);
  view.least = Math.min(scale, 1);
  place(scale, (stage.clientWidth - scale * view.width) / 2, (stage.clientHeight - scale * view.height) / 2);
  view.fits = true;
}

function place(scale, x, y) {
  Object.assign(view, { scale, x: held(x, scale * view.width, stage.clientWidth), y: held(y, scale * view.height, stage.clientHeight), fits: false });
  sheet.style.width = `${view.width}px`;
  sheet.style.height = `${view.height}px`;
  sheet.style.transform = `translate(${view.x}px, ${view.y}px) scale(${scale})`;
  sheet.classList.toggle("crisp", scale > 3);
  part(".zoom").textContent = `${Math.round(100 * scale)}%`;
  split();
  on.placed();
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
let start = null; // of what may become a click
stage.addEventListener("pointerdown", (event) => {
  stage.setPointerCapture(event.pointerId);
  start = fingers.size === 0 && event.button === 0 ? event : null;
  fingers.set(event.pointerId, event);
  onLine = event.target.closest(".line") !== null;
  if (onLine) start = null;
});
stage.addEventListener("pointermove", (event) => {
  const before = fingers.get(event.pointerId);
  if (!before) return;
  if (start && Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) <= STILL) return;
  start = null;
  const other = [...fingers.values()].find((each) => each.pointerId !== event.pointerId);
  if (onLine) moveLine(event);
  else if (other) pinch(before, event, other);
  else place(view.scale, view.x + event.clientX - before.clientX, view.y + event.clientY - before.clientY);
  fingers.set(event.pointerId, event);
});
for (const end of ["pointerup", "pointercancel"]) {
  stage.addEventListener(end, (event) => {
    fingers.delete(event.pointerId);
    if (end === "pointercancel") start = null;
  });
}
stage.addEventListener("click", (event) => {
  if (!start) return;
  const place = placeBelow(start.clientX, start.clientY);
  start = null;
  if (Math.min(place.x, place.y) >= 0 && Math.max(place.x, place.y) <= 100) on.clicked(place, event);
});

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
new ResizeObserver(() => {
  if (!stage.clientWidth) return;
  if (view.fits) fit();
  else place(view.scale, view.x, view.y);
}).observe(stage);
