// A frame of a clip with the part of it that is taken: a square to drag, and to pull at its corners. What is chosen goes
// to Python when the mouse lets go.

const NEAR = 16, LEAST = 0.08; // pixels around a corner, and the smallest side as a share of the shorter one

class Crop {
  constructor(root, data, send) {
    Object.assign(this, { root, data, send, crop: [...data.crop] });
    this.dark = element("path", { class: "dark", "fill-rule": "evenodd" });
    this.frame = element("rect", { class: "taken" });
    this.corners = [0, 1, 2, 3].map(() => element("circle", { class: "corner" }));
    this.svg = element("svg", {
      viewBox: `0 0 ${data.width} ${data.height}`, tabindex: 0, role: "application",
      "aria-label": "The part of the picture that is taken. Arrow keys move it, plus and minus change its size.",
    }, this.dark, this.frame, ...this.corners);
    root.replaceChildren(element("img", { src: data.picture, alt: "" }), this.svg);
    this.svg.addEventListener("pointerdown", (event) => this.take(event));
    this.svg.addEventListener("pointermove", (event) => this.drag(event));
    this.svg.addEventListener("pointerup", () => this.drop());
    this.svg.addEventListener("pointercancel", () => this.drop());
    this.svg.addEventListener("keydown", (event) => this.key(event));
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(this.svg);
    this.draw();
  }

  get scale() {
    return this.data.width / Math.max(1, this.svg.getBoundingClientRect().width); // clip's pixels in one of the screen
  }

  at(event) {
    const box = this.svg.getBoundingClientRect();
    return [(event.clientX - box.left) * this.scale, (event.clientY - box.top) * this.scale];
  }

  points() {
    const [left, top, right, bottom] = this.crop;
    return [[left, top], [right, top], [right, bottom], [left, bottom]];
  }

  take(event) {
    const [x, y] = this.at(event), [left, top, right, bottom] = this.crop;
    const corner = this.points().findIndex(([a, b]) => Math.hypot(a - x, b - y) < NEAR * this.scale);
    if (corner < 0 && !(x >= left && x <= right && y >= top && y <= bottom)) return;
    event.preventDefault();
    this.svg.focus();
    this.svg.setPointerCapture(event.pointerId);
    this.held = { corner, x, y, crop: [...this.crop] };
  }

  drag(event) {
    if (!this.held) return;
    const [x, y] = this.at(event), { held } = this;
    if (held.corner < 0) this.move(held.crop, x - held.x, y - held.y);
    else this.pull(held, x, y);
    this.draw();
  }

  drop() {
    if (!this.held) return;
    const moved = String(this.held.crop) !== String(this.crop);
    this.held = null;
    if (moved) this.send("crop", this.crop);
  }

  // The same part elsewhere, inside the picture.
  move([left, top, right, bottom], dx, dy) {
    const wide = right - left, high = bottom - top;
    const a = Math.round(Math.max(0, Math.min(this.data.width - wide, left + dx)));
    const b = Math.round(Math.max(0, Math.min(this.data.height - high, top + dy)));
    this.crop = [a, b, a + wide, b + high];
  }

  // A square from the corner that stays to the one that is pulled.
  pull({ corner, crop }, x, y) {
    const { width, height } = this.data, east = corner === 1 || corner === 2, south = corner > 1;
    const stays = [east ? crop[0] : crop[2], south ? crop[1] : crop[3]];
    const room = Math.min(east ? width - stays[0] : stays[0], south ? height - stays[1] : stays[1]);
    const least = Math.max(1, LEAST * Math.min(width, height));
    const side = Math.round(Math.min(room, Math.max(least, Math.max((x - stays[0]) * (east ? 1 : -1), (y - stays[1]) * (south ? 1 : -1)))));
    const left = east ? stays[0] : stays[0] - side, top = south ? stays[1] : stays[1] - side;
    this.crop = [left, top, left + side, top + side];
  }

  key(event) {
    const by = (event.shiftKey ? 0.1 : 0.02) * Math.min(this.data.width, this.data.height);
    const way = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, -by], ArrowDown: [0, by] }[event.key];
    const size = { "+": by, "=": by, "-": -by }[event.key];
    if (!way && !size) return;
    event.preventDefault();
    const before = String(this.crop), [, , right, bottom] = this.crop;
    if (way) this.move(this.crop, ...way);
    else this.pull({ corner: 2, crop: this.crop }, right + size, bottom + size);
    this.draw();
    if (String(this.crop) !== before) this.send("crop", this.crop);
  }

  draw() {
    const { width, height } = this.data, [left, top, right, bottom] = this.crop;
    this.dark.setAttribute("d", `M0,0H${width}V${height}H0ZM${left},${top}H${right}V${bottom}H${left}Z`);
    for (const [name, value] of Object.entries({ x: left, y: top, width: right - left, height: bottom - top })) this.frame.setAttribute(name, value);
    this.points().forEach(([x, y], k) => {
      for (const [name, value] of Object.entries({ cx: x, cy: y, r: 5.5 * this.scale })) this.corners[k].setAttribute(name, value);
    });
    this.root.dataset.crop = this.crop.join(" ");
  }
}

function mount(root, data, send) {
  const crop = new Crop(root, data, send);
  return replace(root, () => crop.sizes.disconnect());
}
