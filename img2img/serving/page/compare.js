// Two pictures of one photo, one above the other, and a line between them that can be dragged.

const STILL = 5; // pixels that a click may move

/** Moves the line of `box` by pointer and by the keys of its range; a click without a move calls `clicked`. */
export function comparable(box, clicked) {
  const range = box.querySelector(".split");
  const show = () => box.style.setProperty("--at", `${range.value}%`);
  range.addEventListener("input", show);
  let start = null;
  box.addEventListener("pointerdown", (event) => {
    if (box.classList.contains("waiting") || event.button !== 0) return;
    start = { x: event.clientX, y: event.clientY, value: range.value, still: true, sideways: false };
    box.setPointerCapture(event.pointerId);
  });
  box.addEventListener("pointermove", (event) => {
    if (!start) return;
    const [right, down] = [Math.abs(event.clientX - start.x), Math.abs(event.clientY - start.y)];
    if (start.still) start.sideways = right > down; // a finger that goes up or down scrolls the page
    start.still &&= Math.hypot(right, down) <= STILL;
    if (start.still || !start.sideways) return;
    const edges = box.getBoundingClientRect();
    range.value = String((100 * (event.clientX - edges.left)) / edges.width);
    show();
  });
  box.addEventListener("pointerup", () => {
    if (start?.still) clicked();
    start = null;
  });
  box.addEventListener("pointercancel", () => {
    if (start) range.value = start.value;
    start = null;
    show();
  });
  range.addEventListener("keydown", (event) => {
    if (event.key === "Enter") clicked();
  });
  show();
}

/** Loads the newest address into an image: while one is loading, those in between are left out. */
export function newest(image) {
  let loading = false;
  let next = null;
  const load = async (address) => {
    loading = true;
    const ahead = new Image();
    ahead.src = address;
    await ahead.decode().catch(() => {});
    if (ahead.naturalWidth) image.src = address;
    else image.dispatchEvent(new Event("gone"));
    loading = false;
    if (next) {
      const then = next;
      next = null;
      load(then);
    }
  };
  return (address) => {
    if (loading) next = address;
    else load(address);
  };
}
