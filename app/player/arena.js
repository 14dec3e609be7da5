// Balls and springs to play with: they move on the player's clock; balls can be dragged to another start, pairs
// switched on and off, cells of the slot grid chosen. Everything is drawn here; the server hears what was changed.

class Arena {
  constructor(root, data, told, arrays, clock, tell) {
    Object.assign(this, { root, data, arrays, clock, tell });
    [this.times, this.balls] = arrays.x.shape;
    this.marks = new Set(told.marks.map(String));
    this.placed = new Map(Object.entries(told.placed).map(([node, at]) => [+node, at]));
    this.cell = told.cell;
    const [left, top, width, height] = data.view;
    this.svg = element("svg", { viewBox: `${100 * left} ${100 * top} ${100 * width} ${100 * height}`, role: "group", "aria-label": data.label });
    this.canvas = arrays.image ? element("canvas", { width: arrays.image.shape[2], height: arrays.image.shape[1], role: "img", "aria-label": data.label }) : null;
    const stack = element("div", { class: "field" }, ...(this.canvas ? [this.canvas] : []), this.svg);
    if (this.canvas) this.context = this.canvas.getContext("2d");
    root.replaceChildren(stack, ...(this.times > 1 && data.transport ? [this.transport()] : []), ...(data.chips ? [this.chips()] : []));
    this.compose();
  }

  at(node, frame) {
    if (frame === 0 && this.placed.has(node)) return this.placed.get(node).map((v) => 100 * v);
    const k = 2 * (frame * this.balls + node), values = this.arrays.x.values;
    return [100 * values[k], 100 * values[k + 1]];
  }

  compose() {
    const { data, svg } = this;
    if (data.walls && !this.canvas) {
      const [left, top, width, height] = data.walls.map((v) => 100 * v);
      svg.append(element("rect", { x: left, y: top, width, height, class: "walls" }));
    }
    if (data.cells) this.grid();
    this.pairs = data.pairs.map((pair) => {
      const name = this.name(pair), line = element("line", { class: "pair" }), hit = element("line", { class: "hit" }, element("title", { text: name }));
      svg.append(line, hit);
      if (data.marking) hit.addEventListener("click", () => this.toggle(pair));
      hit.addEventListener("pointerenter", () => this.touch(pair));
      hit.addEventListener("pointerleave", () => this.touch(null));
      return { pair, line, hit };
    });
    this.nodes = data.balls.map((ball, node) => {
      if (!ball) return null;
      const group = element("g", { class: `ball${data.drag ? " loose" : ""}` }, element("title", { text: ball.name }));
      if (ball.ring) group.append(element("circle", { r: ball.radius + 1.3, fill: "none", stroke: ball.ring, "stroke-width": 1.1 }));
      group.append(element("circle", { r: ball.radius, fill: ball.colour, "fill-opacity": ball.clear ? 0 : 1, class: "disc" }));
      if (ball.text) group.append(element("text", { text: ball.text, dy: "0.36em", fill: ball.ink }));
      if (data.drag) {
        Object.entries({ tabindex: 0, role: "button", "aria-label": `${ball.name}: drag, or move with the arrow keys` }).forEach(([name, value]) => group.setAttribute(name, value));
        group.addEventListener("pointerdown", (event) => this.grab(event, node));
        group.addEventListener("keydown", (event) => this.nudge(event, node));
      }
      svg.append(group);
      return group;
    });
    this.hearts = (data.hearts ?? []).map((colour) => {
      const cross = element("path", { d: "M-3.4 0H-1.8M1.8 0H3.4M0 -3.4V-1.8M0 1.8V3.4", stroke: colour, class: "heart" });
      svg.append(cross);
      return cross;
    });
  }

  grid() {
    const { cells } = this.data;
    this.cells = cells.boxes.map(([left, top, right, bottom], k) => {
      const box = element("rect", { x: 100 * left, y: 100 * top, width: 100 * (right - left), height: 100 * (bottom - top), class: "cell", "fill-opacity": 0.62 * (cells.lit[k] ?? 0) }, element("title", { text: cells.names[k] }));
      if (cells.choose) {
        Object.entries({ tabindex: 0, role: "button", "aria-label": cells.names[k] }).forEach(([name, value]) => box.setAttribute(name, value));
        box.classList.add("open");
        const choose = () => {
          this.cell = this.cell === k ? null : k;
          this.mark();
          this.report();
        };
        box.addEventListener("click", choose);
        box.addEventListener("keydown", (event) => ["Enter", " "].includes(event.key) && (event.preventDefault(), event.stopPropagation(), choose()));
      }
      this.svg.append(box);
      return box;
    });
    this.mark();
  }

  mark() {
    this.cells?.forEach((box, k) => box.classList.toggle("chosen", k === this.cell));
  }

  name([i, j]) {
    return `${this.data.balls[i].name} and ${this.data.balls[j].name}`;
  }

  chips() {
    this.buttons = this.data.pairs.map((pair, k) => {
      const button = element("button", { type: "button", class: "chip", title: this.name(pair), "aria-label": `${pair.join(" – ")}: ${this.name(pair)}` }, element("i"), element("span", { text: pair.join(" – ") }));
      if (this.data.said) button.append(element("small", { text: this.data.said[k] }));
      button.disabled = !this.data.marking;
      button.addEventListener("click", () => this.toggle(pair));
      button.addEventListener("pointerenter", () => this.touch(pair));
      button.addEventListener("pointerleave", () => this.touch(null));
      button.addEventListener("focus", () => this.touch(pair));
      button.addEventListener("blur", () => this.touch(null));
      return button;
    });
    return element("div", { class: "chips", role: "group", "aria-label": this.data.chips }, element("b", { text: this.data.chips }), ...this.buttons);
  }

  transport() {
    this.play = element("button", { type: "button", class: "play" });
    this.play.addEventListener("click", () => this.clock.toggle());
    this.range = element("input", { type: "range", min: 0, max: this.times - 1, value: 0, "aria-label": "Frame" });
    this.range.addEventListener("input", () => (this.clock.pause(), this.clock.seek(+this.range.value)));
    this.readout = element("output", { class: "readout" });
    return element("div", { class: "reel" }, this.play, this.range, this.readout);
  }

  toggle(pair) {
    const key = String(pair);
    this.marks.has(key) ? this.marks.delete(key) : this.marks.add(key);
    this.clock.redraw();
    this.report();
  }

  touch(pair) {
    this.touched = pair && String(pair);
    this.clock.redraw();
  }

  report() {
    this.tell({
      reset: this.data.reset,
      marks: [...this.marks].map((key) => key.split(",").map(Number)),
      placed: Object.fromEntries(this.placed),
      cell: this.cell,
    });
  }

  // Where the pointer is, kept inside the walls.
  inside(x, y) {
    const [left, top, width, height] = this.data.walls;
    return [Math.min(left + width, Math.max(left, x)), Math.min(top + height, Math.max(top, y))].map((v) => Math.round(1e4 * v) / 1e4);
  }

  grab(event, node) {
    event.preventDefault();
    const group = this.nodes[node];
    group.setPointerCapture(event.pointerId);
    this.clock.pause();
    this.clock.seek(0); // where a ball is put is where it starts
    const move = (moved) => {
      const point = new DOMPoint(moved.clientX, moved.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
      this.placed.set(node, this.inside(point.x / 100, point.y / 100));
      this.clock.redraw();
    };
    const drop = () => {
      group.removeEventListener("pointermove", move);
      group.removeEventListener("pointerup", drop);
      group.removeEventListener("pointercancel", drop);
      this.report();
    };
    move(event);
    group.addEventListener("pointermove", move);
    group.addEventListener("pointerup", drop);
    group.addEventListener("pointercancel", drop);
  }

  nudge(event, node) {
    const by = { ArrowLeft: [-0.02, 0], ArrowRight: [0.02, 0], ArrowUp: [0, -0.02], ArrowDown: [0, 0.02] }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    this.clock.pause();
    this.clock.seek(0);
    const [x, y] = this.at(node, 0);
    this.placed.set(node, this.inside(x / 100 + by[0], y / 100 + by[1]));
    this.clock.redraw();
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.report(), 350);
  }

  // A name of one of the styles, by what is known of a pair (`on` is the visitor's own mark), or a style.
  look(k) {
    const pair = this.data.pairs[k];
    return this.data.looks?.[k] ?? (this.marks.has(String(pair)) ? "on" : "off");
  }

  draw = (clock) => {
    const frame = Math.min(clock.frame, this.times - 1);
    this.nodes.forEach((group, node) => group?.setAttribute("transform", `translate(${this.at(node, frame)})`));
    this.pairs.forEach(({ pair: [i, j], line, hit }, k) => {
      const [x1, y1] = this.at(i, frame), [x2, y2] = this.at(j, frame), look = this.look(k), [stroke, opacity, width, dash] = this.data.styles[look] ?? look;
      const touched = this.touched === `${i},${j}`;
      for (const [name, value] of Object.entries({ x1, y1, x2, y2 })) {
        line.setAttribute(name, value);
        hit.setAttribute(name, value);
      }
      for (const [name, value] of Object.entries({ stroke, "stroke-opacity": touched ? 1 : opacity, "stroke-width": touched ? width + 1.5 : width, "stroke-dasharray": dash })) line.setAttribute(name, value);
      const button = this.buttons?.[k];
      if (button) {
        button.setAttribute("aria-pressed", this.marks.has(`${i},${j}`));
        button.dataset.look = look;
        button.classList.toggle("touched", touched);
      }
    });
    this.hearts.forEach((cross, k) => {
      const at = 2 * (frame * this.hearts.length + k), values = this.arrays.hearts.values;
      cross.setAttribute("transform", `translate(${100 * values[at]} ${100 * values[at + 1]})`);
    });
    if (this.context) this.paint(frame);
    if (this.play) {
      this.play.textContent = clock.playing ? "❚❚" : "▶";
      this.play.setAttribute("aria-label", clock.playing ? "Pause" : "Play");
      this.range.value = frame;
      this.readout.textContent = `frame ${frame}`;
    }
    this.root.dataset.frame = frame;
  };

  paint(frame) {
    const { shape: [frames, rows, columns], values } = this.arrays.image;
    paintPixels(this.context, values, Math.min(frame, frames - 1), rows, columns);
  }
}

// What the visitor did last: an answer to an earlier click must not take back a later one.
const lastSaid = new WeakMap();
const shown = new WeakMap(); // the scene that a playground has shown already

function mount(root, data, send) {
  const clock = clockOf(data.player);
  let arena, gone = false;
  unpack(data.arrays).then((arrays) => {
    if (gone) return;
    const said = lastSaid.get(root), told = said?.reset === data.reset ? said : data.told;
    arena = new Arena(root, data, told, arrays, clock, (now) => {
      lastSaid.set(root, now);
      send("told", now);
    });
    root.dataset.scene = data.scene;
    clock.join(data.part, data.scene, arena.times, arena.draw, data.scene);
    if (shown.get(root) !== data.scene && data.begin) clock.seek(data.begin);
    shown.set(root, data.scene);
    if (data.autoplay && arena.times > 1 && !matchMedia("(prefers-reduced-motion: reduce)").matches) clock.play();
  });
  return replace(root, () => {
    gone = true;
    if (arena) clock.leave(data.part, arena.draw);
  });
}
