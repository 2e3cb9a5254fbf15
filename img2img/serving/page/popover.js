// What pops up at a place of the photo: likely colours, any colour, grey, and a way to take the colour away.

const SHOWN = 5;
const GREY = "#808080";
const APART = 22; // pixels from the place
const EDGE = 8; // pixels to the window's

const box = document.getElementById("colours");
const part = (name) => box.querySelector(name);
let on = { chosen() {}, removed() {}, closed() {} };

/** `on.chosen(color, isFinal)`, `on.removed()`, and `on.closed()` however it was closed. */
export function listenToPopover(listeners) { on = listeners; }

/** Opens at a point of the window. `color`: what is set there, or null. */
export function openPopover({ left, top }, color) {
  part(".any input").value = GREY;
  part(".words").textContent = "";
  part(".swatches").replaceChildren(...Array.from({ length: SHOWN }, () => swatch(null)));
  markChosen(color);
  box.showPopover();
  if (matchMedia("(max-width: 40rem)").matches) sheetAway(top);
  else putBeside(left, top);
  box.focus(); // until there are colours
}

export function closePopover() { if (isPopoverOpen()) box.hidePopover(); }

export function isPopoverOpen() { return box.matches(":popover-open"); }

/** Likely colours, the likeliest first: rows of `color` and `probability`; `chosen` is the one that is set, or null. */
export function offerColours(rows, chosen) {
  const hadFocus = part(".swatches").contains(document.activeElement);
  part(".swatches").replaceChildren(...rows.map((row) => swatch(row)));
  markChosen(chosen);
  if (hadFocus || document.activeElement === box) part(".swatch")?.focus();
}

export function markChosen(color) {
  for (const each of box.querySelectorAll(".swatch")) each.setAttribute("aria-pressed", String(each.dataset.color === color));
  part(".grey").setAttribute("aria-pressed", String(color === GREY));
  part(".take-away").hidden = color === null;
  part("h3").textContent = color === null ? "Set a colour here" : "Change this colour";
  if (color !== null) part(".any input").value = color;
}

export function tellInPopover(words) {
  part(".swatches").replaceChildren();
  part(".words").textContent = words;
}

function swatch(row) {
  const made = document.getElementById("swatch").content.firstElementChild.cloneNode(true);
  made.disabled = !row;
  if (!row) return made;
  const share = `${Math.round(100 * row.probability)}%`;
  made.dataset.color = row.color;
  made.querySelector(".chip").style.backgroundColor = row.color;
  made.querySelector(".share").textContent = share;
  made.setAttribute("aria-label", `${row.color}, ${share} likely`);
  made.addEventListener("click", () => on.chosen(row.color, true));
  return made;
}

/** On a small window it takes the lower edge, or the upper one where the place is below. */
function sheetAway(top) {
  const below = top > innerHeight - box.offsetHeight - APART;
  Object.assign(box.style, { left: "0", right: "0", width: "auto", top: below ? "0" : "auto", bottom: below ? "auto" : "0" });
}

function putBeside(left, top) {
  const [width, height] = [box.offsetWidth, box.offsetHeight];
  const x = left + APART + width > innerWidth - EDGE ? left - APART - width : left + APART;
  const y = Math.min(Math.max(EDGE, top - height / 2), innerHeight - EDGE - height);
  Object.assign(box.style, { left: `${Math.max(EDGE, x)}px`, top: `${Math.max(EDGE, y)}px`, right: "auto", bottom: "auto", width: "" });
}

part(".any input").addEventListener("input", (event) => on.chosen(event.target.value, false));
part(".any input").addEventListener("change", (event) => on.chosen(event.target.value, true));
part(".grey").addEventListener("click", () => on.chosen(GREY, true));
part(".take-away").addEventListener("click", () => on.removed());
part(".shut").addEventListener("click", () => box.hidePopover());
box.addEventListener("toggle", (event) => { if (event.newState === "closed") on.closed(); });
