// What is chosen for all photos: the task, its model, strength, warmth, palette, format and quality.

import { ask } from "./api.js";
import { listenToPalette, palette } from "./palette.js";

const at = (id) => document.getElementById(id);
let known = [];
let asked = null;

export function settings() {
  const form = at("settings").elements;
  return {
    task: form.task.value, model: at("model").value, strength: Number(at("strength").value),
    warmth: Number(at("warmth").value), palette: palette(), influence: Number(at("influence").value), format: at("format").value,
    quality: at("quality").value, steerable: form.task.value === "colorize" && Boolean(chosenModel()?.steerable),
  };
}

/** Waits until the server has said what models there are; asks again where it could not. Throws Refused. */
export function modelsKnown() {
  asked ??= askForModels().catch((error) => { asked = null; throw error; });
  return asked;
}

async function askForModels() {
  try {
    known = (await ask("/api/v1/models")).models;
    offerModels();
  } catch (error) {
    at("about").textContent = error.message;
    throw error;
  }
}

function chosenModel() { return known.find((model) => model.name === at("model").value); }

function offerModels() {
  const { task } = settings();
  at("model").replaceChildren(...known.filter((model) => model.task === task).map((model) => new Option(model.name, model.name)));
  at("strength-field").hidden = task !== "colorize";
  offerColours();
}

/** What only some models can be asked for. */
function offerColours() {
  const { steerable } = settings();
  for (const each of document.querySelectorAll("#settings .steers")) each.hidden = !steerable;
  at("influence-field").hidden = !steerable || !palette().length;
  showAbout();
}

/** What the model is good and bad at, where its card says so; else what it learnt from. */
function showAbout() {
  const model = chosenModel();
  if (!model) return;
  const from = model.notes.indexOf("Good at");
  at("about").textContent = from >= 0 ? model.notes.slice(from) : `It learnt from ${model.data}. Photos of anything else come out odd; the page says so of photos that look strange to it.`;
}

/** `on.otherModel()` is called when all must be converted anew, `on.slid(name, value)` with another strength or warmth, `on.palette()` when that has changed. */
export function listenToSettings(on) {
  at("settings").addEventListener("submit", (event) => event.preventDefault());
  for (const radio of at("settings").elements.task) radio.addEventListener("change", () => { offerModels(); on.otherModel(); });
  at("model").addEventListener("change", () => { offerColours(); on.otherModel(); });
  at("format").addEventListener("change", () => { at("quality-field").hidden = ["png", "tiff"].includes(at("format").value); });
  for (const name of ["strength", "warmth"]) {
    at(name).addEventListener("input", () => {
      at(`${name}-value`).textContent = Number(at(name).value).toFixed(2);
      on.slid(name, at(name).value);
    });
  }
  listenToPalette(() => { offerColours(); on.palette(); });
  at("influence").addEventListener("input", on.palette);
}
