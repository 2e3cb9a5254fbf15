// The page: photos in, cards, and what is said of all of them.

import { Card, save } from "./card.js";
import { dropped } from "./dropped.js";
import { SUFFIX, stem } from "./hints.js";
import { Reference, chooseFile } from "./reference.js";
import { listenToSettings, modelsKnown, settings } from "./settings.js";
import { enlarge, openedCard, recoloured } from "./viewer.js";
import { zipped } from "./zip.js";

const at = (id) => document.getElementById(id);
const FEW = 1;
const ON_THIS_MACHINE = ["localhost", "127.0.0.1", "[::1]"];
const cards = [];
let reference = null; // of all photos

const on = {
  changed(card) {
    if (card.status === "done") say(`${card.file.name}: done`);
    summarise();
  },
  enlarge,
  recoloured,
  removed(card) {
    const index = cards.indexOf(card);
    cards.splice(index, 1);
    card.element.remove();
    (cards[index] ?? cards[index - 1])?.part(".remove").focus();
    if (!cards.length) at("choose").focus();
    say(`${card.file.name}: removed`);
    summarise();
  },
};

function add(files) {
  for (const file of files) {
    const card = new Card(file, on);
    cards.push(card);
    at("cards").append(card.element);
    if (reference) card.colours.row.take(reference);
    card.thumbnail();
    card.preview();
  }
  summarise();
}

/** What was chosen or dropped, on a card perhaps: photos become cards, or that card's reference; hints go to theirs. */
function take(files, onto = null) {
  const photos = files.filter((file) => !file.name.endsWith(SUFFIX));
  if (onto && photos.length === 1 && settings().steerable) onto.colours.row.take(new Reference(photos[0]));
  else add(photos);
  for (const file of files.filter((each) => each.name.endsWith(SUFFIX))) {
    const card = onto ?? cards.findLast((each) => stem(each.file.name) === stem(file.name)) ?? (cards.length === 1 ? cards[0] : null);
    if (card) card.loadHints(file);
    else at("summary").textContent = `${file.name}: drop it on its photo; none of these is called ${stem(file.name)}`;
  }
}

function leanAllTo(file) {
  reference = file ? new Reference(file) : null;
  at("reference-all").textContent = file ? `Not ${file.name} any more` : "Another photo's colours for all…";
  for (const card of cards) card.colours.row.take(reference);
}

function say(words) { at("news").textContent = words; }

function summarise() {
  const count = (status) => cards.filter((card) => card.status === status).length;
  const [done, failed] = [count("done"), count("failed")];
  const verb = settings().task === "colorize" ? "coloured" : "translated";
  const going = cards.length - done - failed;
  at("summary").textContent = [`${done} ${verb}`, failed && `${failed} failed`, going && `${going} to go`].filter(Boolean).join(", ");
  at("bar").hidden = !cards.length;
  at("retry").hidden = !cards.some((card) => card.mayPass);
  at("zip").disabled = !done || going > 0 || at("zip").dataset.busy === "yes";
  document.body.classList.toggle("filled", cards.length > 0);
  document.body.classList.toggle("few", cards.length <= FEW && cards.length > 0);
}

async function downloadAll() {
  const wanted = cards.filter((card) => card.status === "done");
  at("zip").dataset.busy = "yes";
  summarise();
  try {
    let ready = 0;
    const results = await Promise.all(wanted.map(async (card) => {
      const result = await card.result();
      ready += 1;
      say(`${ready} of ${wanted.length} photos ready for the zip`);
      at("zip").textContent = `${ready} of ${wanted.length}`;
      return result;
    }));
    const notes = wanted.map((card) => card.colours.parts(card.file.name).hints).filter((file) => file && settings().steerable);
    save(await zipped([...results, ...notes.map((file) => ({ blob: file, name: file.name }))]), "img2img.zip");
    say("The zip is ready");
  } catch (error) {
    say(error.message);
    at("summary").textContent = error.message;
  } finally {
    at("zip").dataset.busy = "";
    at("zip").textContent = "Download all as a zip";
    at("zip").disabled = false;
  }
}

function listen() {
  at("choose").addEventListener("click", () => at("files").click());
  at("choose-folder").addEventListener("click", () => at("folder").click());
  for (const id of ["files", "folder"]) {
    at(id).addEventListener("change", (event) => { take([...event.target.files].filter((file) => !file.name.startsWith("."))); event.target.value = ""; });
  }
  listenToSettings({
    otherModel() { for (const card of cards) card.preview(); },
    palette() { for (const card of cards) card.recolour(); },
    slid(name, value) {
      for (const card of cards) {
        card.colours[name] = value;
        card.recolour();
      }
    },
  });
  at("retry").addEventListener("click", () => { for (const card of cards) if (card.mayPass) card.preview(); });
  at("zip").addEventListener("click", downloadAll);
  at("reference-all").addEventListener("click", () => (reference ? leanAllTo(null) : chooseFile(leanAllTo)));
  at("clear").addEventListener("click", () => { for (const card of [...cards]) on.removed(card); });
  window.addEventListener("paste", (event) => add([...event.clipboardData.files]));
  listenToDrops();
}

function listenToDrops() {
  let depth = 0;
  const mark = (change) => { depth = Math.max(0, depth + change); document.body.classList.toggle("dragged", depth > 0); };
  window.addEventListener("dragenter", (event) => {
    event.preventDefault();
    mark(1);
  });
  window.addEventListener("dragleave", (event) => { mark(-1); if (depth === 0) aim(null); });
  window.addEventListener("dragover", (event) => {
    event.preventDefault();
    aim(below(event));
  });
  window.addEventListener("drop", async (event) => {
    event.preventDefault();
    const onto = below(event);
    depth = 0;
    mark(0);
    aim(null);
    take(await dropped(event.dataTransfer), onto);
  });
}

/** The card that one file is dragged over, which will be its photo's reference or its hints. */
function below({ target, dataTransfer }) {
  if (dataTransfer.items.length !== 1) return null;
  return openedCard() ?? cards.find((card) => card.element.contains(target)) ?? null;
}

function aim(card) {
  for (const each of cards) each.element.classList.toggle("aimed", each === card && settings().steerable);
  at("viewer").classList.toggle("aimed", card !== null && card === openedCard() && settings().steerable);
}

if (!ON_THIS_MACHINE.includes(location.hostname)) at("private-words").textContent = `Photos go to ${location.hostname} and nowhere else`;
listen();
modelsKnown().catch(() => {}); // said where models are chosen; a photo asks again
