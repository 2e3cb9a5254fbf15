// One photo in the whole window, at its full resolution; while its colours change, at that of a preview.

import { Refused, send } from "./api.js";
import { colour, colourNoMore, redrawHints } from "./colouring.js";
import { newest } from "./compare.js";
import { stageFor } from "./stage.js";

const PAUSE = 1500; // milliseconds without a change, after which the full size is fetched

const viewer = document.getElementById("viewer");
const part = (name) => viewer.querySelector(name);
const showAfter = newest(part(".after"));
let opened = null;
let urls = [];
let turn = 0; // grows with every change of the colours
let pause = null;

/** The card whose photo is shown, or null. */
export function openedCard() { return opened; }

export function enlarge(card) {
  if (card.status !== "done") return;
  opened = card;
  part("h2").textContent = card.file.name;
  picture(".before", card.seen.before);
  picture(".after", card.afterAddress(Infinity));
  part(".tools").append(card.colours.box);
  viewer.showModal();
  stageFor(card.seen.width, card.seen.height);
  colour(card);
  fetchInFull(card, [fullBefore(card), fullAfter(card)]);
}

/** Shows other colours of the photo, if it is open: whether it is. */
export function recoloured(card) {
  if (card !== opened) return false;
  turn += 1;
  redrawHints();
  showAfter(card.afterAddress(Infinity));
  part(".state").textContent = "Preview";
  clearTimeout(pause);
  pause = setTimeout(() => fetchInFull(card, [fullAfter(card)]), PAUSE);
  return true;
}

async function fetchInFull(card, pictures) {
  const now = turn;
  part(".state").textContent = "Fetching it at full size";
  try {
    await Promise.all(pictures);
    if (opened === card && now === turn) part(".state").textContent = `${card.seen.width} x ${card.seen.height}, full size`;
  } catch (error) {
    if (opened === card && now === turn) part(".state").textContent = error.message;
    if (!(error instanceof Refused)) throw error;
  }
}

async function fullBefore(card) {
  const blob = card.seen.shown ? card.file : (await send("/api/v1/view", {}, card.file, "blob")).response;
  await exchange(".before", blob, () => opened === card);
}

/** As the result's file where a browser can show it, else as a JPEG of it. */
async function fullAfter(card) {
  const now = turn;
  const options = card.options();
  const shown = options.format !== "tiff" && (options.format !== "same" || card.seen.shown);
  const { blob } = await card.result(shown ? options : { ...options, format: "jpg", quality: "92" });
  await exchange(".after", blob, () => opened === card && now === turn);
}

async function exchange(name, blob, wanted) {
  const url = URL.createObjectURL(blob);
  urls.push(url);
  const ahead = new Image();
  ahead.src = url;
  await ahead.decode();
  if (wanted()) picture(name, url);
}

function picture(name, address) { part(name).src = address; }

part(".after").addEventListener("gone", async () => {
  const card = opened;
  await card?.gone();
  if (card && opened === card && card.status === "done") picture(".after", card.afterAddress(Infinity));
});
part(".close").addEventListener("click", () => viewer.close());
viewer.addEventListener("close", () => {
  clearTimeout(pause);
  colourNoMore();
  opened.putBack();
  opened = null;
  urls.forEach(URL.revokeObjectURL);
  urls = [];
});
