// The colours of a palette that all photos lean to.

const MOST = 12;
const FIRST = "#b08a5a";

const list = document.getElementById("palette");
const add = document.getElementById("add-colour");

export function palette() { return [...list.querySelectorAll("input")].map((input) => input.value); }

/** `changed()` is called with every change. */
export function listenToPalette(changed) {
  add.addEventListener("click", () => {
    const pick = document.getElementById("pick").content.firstElementChild.cloneNode(true);
    const [input, remove] = [pick.querySelector("input"), pick.querySelector("button")];
    input.value = palette().at(-1) ?? FIRST;
    input.addEventListener("input", changed);
    remove.addEventListener("click", () => {
      pick.remove();
      (list.querySelector("input") ?? add).focus();
      name();
      changed();
    });
    list.append(pick);
    input.focus();
    name();
    changed();
  });
}

function name() {
  for (const [index, pick] of [...list.children].entries()) {
    pick.querySelector("input").setAttribute("aria-label", `Colour ${index + 1} of the palette`);
    pick.querySelector("button").setAttribute("aria-label", `Remove colour ${index + 1} of the palette`);
  }
  add.hidden = list.children.length >= MOST;
}
