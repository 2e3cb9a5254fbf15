// Colours set at places of the photo in the viewer: clicks, handles, what pops up, and the row of buttons.

import { Refused, ask } from "./api.js";
import { save } from "./card.js";
import { Handles } from "./handles.js";
import { hintAt, placeOf } from "./hints.js";
import { closePopover, isPopoverOpen, listenToPopover, markChosen, offerColours, openPopover, tellInPopover } from "./popover.js";
import { settings } from "./settings.js";
import { listenToStage, middle, onStage, placeBelow, reveal, sizeOnStage } from "./stage.js";

const viewer = document.getElementById("viewer");
const part = (name) => viewer.querySelector(name);
const spot = part(".spot");
let card = null;
let open = null; // what the popover is for: the place, and the index of its hint, or null
let asking = null;

const hints = () => card.colours.hints;
const handles = new Handles(part(".handles"), { onStage, placeBelow }, {
  moved(index, place) {
    closePopover();
    hints().show(hints().with(index, hintAt(place.x, place.y, hints().all[index].color)));
  },
  settled() { if (hints().all !== hints().settled) settle("colour moved"); },
  opened(index) { openAt(placeOf(hints().all[index], sizeOnStage()), index); },
  removed: remove,
});

/** Begins with a card's photo on the stage. */
export function colour(ofCard) {
  card = ofCard;
  part(".hint-tools").hidden = !settings().steerable;
  part(".stage").classList.toggle("takes-colours", Boolean(settings().steerable));
  redrawHints();
}

export function colourNoMore() {
  closePopover();
  handles.draw([], null);
  card = null;
}

export function redrawHints() {
  if (!card || !settings().steerable) return;
  const { all, past, future } = hints();
  const marks = all.map((hint, index) => {
    const place = placeOf(hint, sizeOnStage());
    const words = `${Math.round(place.x)}% from the left, ${Math.round(place.y)}% from the top`;
    return { place, color: hint.color, label: `Colour ${index + 1} of ${all.length}: ${hint.color}, ${words}` };
  });
  handles.draw(marks, open?.index ?? null);
  part(".undo").disabled = !past.length;
  part(".redo").disabled = !future.length;
  for (const name of [".clear", ".save-hints"]) part(name).disabled = !all.length;
}

function openAt(place, index = null) {
  if (!card || !settings().steerable) return;
  if (index === null && hints().full) {
    say("as many colours are set as one photo can have");
    return;
  }
  settleWhatIsShown();
  open = { place, index };
  const { left, top } = onStage(place);
  Object.assign(spot.style, { left: `${left}px`, top: `${top}px` });
  spot.hidden = index !== null;
  reveal(place);
  const edges = part(".stage").getBoundingClientRect();
  openPopover({ left: edges.left + left, top: edges.top + top }, colorOf(open));
  redrawHints();
  suggest(place);
}

function colorOf({ index }) { return index === null ? null : hints().all[index]?.color ?? null; }

async function suggest({ x, y }) {
  asking?.abort();
  const mine = (asking = new AbortController());
  const query = card.colours.query();
  query.delete("hint");
  query.set("x", `${Number(x.toFixed(4))}%`);
  query.set("y", `${Number(y.toFixed(4))}%`);
  try {
    const rows = await ask(`/api/v1/previews/${card.seen.id}/suggestions?${query}`, mine.signal);
    if (open && mine === asking) offerColours(rows, colorOf(open));
  } catch (error) {
    if (mine.signal.aborted) return;
    if (!(error instanceof Refused)) throw error;
    tellInPopover(error.message);
    if (error.status === 404) card.gone();
  }
}

function choose(color, isFinal) {
  if (!open) return;
  const { all } = hints();
  if (open.index === null) {
    open.index = all.length;
    hints().show([...all, hintAt(open.place.x, open.place.y, color)]);
  } else {
    hints().show(hints().with(open.index, { ...all[open.index], color }));
  }
  spot.hidden = true;
  if (isFinal) settle("colour set");
  markChosen(color);
}

function remove(index) {
  closePopover();
  hints().settle(hints().without(index));
  say("colour removed");
  if (hints().all.length) handles.focus(Math.min(index, hints().all.length - 1));
  else part(".stage").focus();
}

function settle(words) {
  hints().settle();
  say(words);
}

/** A colour that was still being looked for, when its popover closed. */
function settleWhatIsShown() { if (hints().all !== hints().settled) settle("colour set"); }

function step(way) {
  closePopover();
  if (hints()[way]()) say(way === "undo" ? "undone" : "done again");
}

function say(words) {
  const line = part(".said");
  line.textContent = line.textContent === words ? `${words}.` : words; // a line that stays the same is not read again
}

listenToStage({ clicked: (place) => openAt(place), placed: () => handles.place() });
listenToPopover({
  chosen: choose,
  removed() { if (open?.index !== null) remove(open.index); },
  closed() {
    const index = open?.index ?? null;
    [open, spot.hidden] = [null, true];
    asking?.abort();
    if (!card) return;
    settleWhatIsShown();
    redrawHints();
    if ([document.body, viewer, part(".stage")].includes(document.activeElement)) { // else one has gone on to something
      if (index === null) part(".stage").focus();
      else handles.focus(index);
    }
  },
});
part(".stage").addEventListener("keydown", (event) => { if (event.key === "Enter") openAt(middle()); });
part(".set-one").addEventListener("click", () => openAt(middle()));
part(".undo").addEventListener("click", () => step("undo"));
part(".redo").addEventListener("click", () => step("redo"));
part(".clear").addEventListener("click", () => { closePopover(); hints().settle([]); say("all colours removed"); });
part(".save-hints").addEventListener("click", () => { const file = hints().file(card.file.name); save(file, file.name); });
viewer.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || !card || isTyping(event.target)) return;
  const key = event.key.toLowerCase();
  if (key === "z") step(event.shiftKey ? "redo" : "undo");
  else if (key === "y") step("redo");
  else return;
  event.preventDefault();
});
viewer.addEventListener("cancel", (event) => { if (isPopoverOpen()) event.preventDefault(); }); // Escape closes one of them

function isTyping(element) { return element.matches?.("input[type='number'], input[type='text']"); }
