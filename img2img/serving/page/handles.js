// Round handles over the photo, one for each hint: dragged, moved by arrow keys, opened, removed.

const STILL = 3; // pixels that a click may move
const [STEP, LEAP] = [0.5, 5]; // percent for an arrow key, and with Shift
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const within = (value) => Math.min(100, Math.max(0, value));

export class Handles {
  /**
   * `geometry` has onStage(place) and placeBelow(x, y). `on.moved(index, place)` while one moves, `on.settled()` when it
   * stays, `on.opened(index)`, `on.removed(index)`.
   */
  constructor(layer, geometry, on) { [this.layer, this.geometry, this.on, this.marks] = [layer, geometry, on, []]; }

  get buttons() { return [...this.layer.querySelectorAll(".handle")]; }

  /** `marks`: place, color and label of each; `current`: the one that is open, or null. */
  draw(marks, current) {
    this.marks = marks;
    while (this.buttons.length > marks.length) this.buttons.at(-1).remove();
    while (this.buttons.length < marks.length) this.layer.append(this.made(this.buttons.length));
    for (const [index, button] of this.buttons.entries()) {
      button.style.backgroundColor = marks[index].color;
      button.setAttribute("aria-label", marks[index].label);
      button.classList.toggle("current", index === current);
    }
    this.place();
  }

  place() {
    for (const [index, button] of this.buttons.entries()) {
      const { left, top } = this.geometry.onStage(this.marks[index].place);
      Object.assign(button.style, { left: `${left}px`, top: `${top}px` });
    }
  }

  focus(index) { this.buttons[index]?.focus(); }

  made(index) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "handle" });
    button.setAttribute("aria-describedby", "handle-keys");
    this.listenToPointer(button, index);
    button.addEventListener("keydown", (event) => this.pressed(event, index));
    button.addEventListener("keyup", (event) => { if (ARROWS[event.key]) this.on.settled(); });
    return button;
  }

  listenToPointer(button, index) {
    let start = null;
    let dragged = false;
    button.addEventListener("pointerdown", (event) => {
      event.stopPropagation(); // the photo stays
      if (event.button !== 0) return;
      const { left, top, width, height } = button.getBoundingClientRect();
      start = { event, x: left + width / 2, y: top + height / 2 };
      dragged = false;
      button.setPointerCapture(event.pointerId);
    });
    button.addEventListener("pointermove", (event) => {
      if (!start) return;
      const [right, down] = [event.clientX - start.event.clientX, event.clientY - start.event.clientY];
      dragged ||= Math.hypot(right, down) > STILL;
      if (dragged) this.move(index, this.geometry.placeBelow(start.x + right, start.y + down));
    });
    for (const end of ["pointerup", "pointercancel"]) {
      button.addEventListener(end, () => {
        if (start && dragged) this.on.settled();
        start = null;
      });
    }
    button.addEventListener("click", (event) => {
      event.stopPropagation();
      if (!dragged) this.on.opened(index);
      dragged = false;
    });
  }

  pressed(event, index) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Delete" || event.key === "Backspace") this.on.removed(index);
    else if (ARROWS[event.key]) {
      const [right, down] = ARROWS[event.key].map((way) => way * (event.shiftKey ? LEAP : STEP));
      const { x, y } = this.marks[index].place;
      this.move(index, { x: x + right, y: y + down });
    } else if (event.key !== "Enter" && event.key !== " ") return;
    event.stopPropagation(); // the stage has other uses for these keys
    if (event.key !== "Enter" && event.key !== " ") event.preventDefault();
  }

  move(index, { x, y }) { this.on.moved(index, { x: within(x), y: within(y) }); }
}
