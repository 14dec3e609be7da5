// Truth, prediction and error side by side, the partition drawn over them, each slot's own image below.

const SHAPES = [
  "M0,-5.4L5.4,0L0,5.4L-5.4,0Z", // root: diamond
  "M-3.8,-3.8H3.8V3.8H-3.8Z", // intermediate: square
  "M-3.4,0a3.4,3.4 0 1,0 6.8,0a3.4,3.4 0 1,0 -6.8,0Z", // leaf: circle
];

// Black, through vermillion, to pale yellow: readable for every kind of colour vision.
const HEAT = (() => {
  const stops = [[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]];
  const table = new Uint8ClampedArray(256 * 3);
  for (let i = 0; i < 256; i++) {
    const at = Math.sqrt(i / 255) * (stops.length - 1);
    const low = Math.min(Math.floor(at), stops.length - 2);
    for (let c = 0; c < 3; c++) table[i * 3 + c] = stops[low][c] + (at - low) * (stops[low + 1][c] - stops[low][c]);
  }
  return table;
})();

class Images {
  constructor(root, data, arrays, clock) {
    Object.assign(this, { root, data, arrays, clock });
    const [, rows, columns] = arrays.truth.shape;
    this.size = { rows, columns };
    this.panels = {};
    const panels = element("div", { class: "panels" });
    for (const [name, title, hint] of [
      ["truth", "Truth", "The scene as it was simulated or filmed."],
      ["prediction", "Prediction", "What the model expected here. Up to the end of the burn-in it had seen the true frame before; in the free run only its own predictions."],
      ["error", "Error", "Absolute difference, mean over colour channels. Black: none, pale yellow: full range. Square-root scale, so that small errors show. MSE: mean squared error over " + data.unit + "."],
    ]) panels.append(this.panel(name, title, hint));
    root.replaceChildren(panels);
    if (arrays.slots) root.append(this.strip());
    this.error = new Uint8Array(rows * columns * 3);
  }

  panel(name, title, hint) {
    const canvas = element("canvas", { width: this.size.columns, height: this.size.rows, role: "img", "aria-label": `${title}, current frame` });
    const overlay = element("svg", { viewBox: "0 0 100 100", class: "overlay", preserveAspectRatio: "none" });
    const blank = element("div", { class: "blank", hidden: "" });
    const note = element("span", { class: "note" });
    const stack = element("div", { class: "stack" }, canvas, overlay, blank);
    stack.addEventListener("pointermove", (event) => this.clock.point(this.nodeAt(event, name)));
    stack.addEventListener("pointerleave", () => this.clock.point(null));
    stack.addEventListener("click", (event) => {
      const hit = this.nodeAt(event, name);
      if (hit) this.clock.select(hit);
    });
    this.panels[name] = { context: canvas.getContext("2d"), overlay, blank, note, stack };
    return element("figure", { class: name, title: hint }, element("figcaption", {}, element("b", { text: title }), note), stack);
  }

  strip() {
    this.slots = this.data.leaves.map((node) => {
      const canvas = element("canvas", { width: this.size.columns, height: this.size.rows });
      const button = element("button", { class: "slot", title: `Leaf ${node} decoded alone`, "aria-label": `Select leaf ${node}` }, canvas);
      button.addEventListener("click", () => this.clock.select({ kind: "node", node }));
      button.addEventListener("pointerenter", () => this.clock.point({ kind: "node", node }));
      button.addEventListener("pointerleave", () => this.clock.point(null));
      return { node, button, context: canvas.getContext("2d") };
    });
    const label = element("span", { class: "striplabel", text: "Slots", title: "SlotDec draws every leaf slot by itself; the prediction is their sum." });
    return element("div", { class: "strip" }, label, element("div", { class: "slots" }, ...this.slots.map((slot) => slot.button)));
  }

  // The nodes an overlay level draws; pointing uses the leaves where nothing or everything is drawn.
  nodes(level) {
    const { root, middle, leaves } = this.data;
    return { root, middle, leaves, all: [...root, ...middle, ...leaves], off: [] }[level] ?? [];
  }

  nodeAt(event, panel) {
    const box = event.currentTarget.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width, y = (event.clientY - box.top) / box.height;
    const level = this.clock.settings.level;
    const nodes = this.nodes(level === "off" || (level === "all" && this.data.cells) ? "leaves" : level);
    if (this.data.cells) {
      const node = nodes.find((n) => { const [l, t, r, b] = this.data.cells[n]; return x >= l && x < r && y >= t && y < b; });
      return node === undefined ? null : { kind: "node", node };
    }
    let best = null, nearest = 0.07;
    for (const node of nodes) {
      const [px, py] = this.ball(panel, node);
      const distance = Math.hypot(px - x, py - y);
      if (distance < nearest) [best, nearest] = [node, distance];
    }
    return best === null ? null : { kind: "node", node: best };
  }

  ball(panel, node) {
    const { shape, values } = this.arrays[panel === "prediction" ? "prediction_nodes" : "truth_nodes"];
    const at = (this.clock.frame * shape[1] + node) * 2;
    return [values[at], values[at + 1]];
  }

  draw = (clock) => {
    const { frame } = clock;
    const blank = frame === 0 ? "Nothing is predicted for the first frame." : this.arrays.prediction ? "" : "This model draws no frames.";
    this.paint(this.panels.truth.context, this.arrays.truth, frame);
    for (const name of ["prediction", "error"]) {
      this.panels[name].blank.hidden = !blank;
      this.panels[name].blank.textContent = blank;
    }
    if (this.arrays.prediction) {
      this.paint(this.panels.prediction.context, this.arrays.prediction, frame);
      this.paintError(frame);
    }
    this.slots?.forEach((slot, k) => this.paint(slot.context, this.arrays.slots, frame * this.slots.length + k));
    const free = frame - this.data.last_true_input - 1;
    this.panels.truth.note.textContent = `frame ${frame}`;
    this.panels.prediction.note.textContent = frame === 0 ? "" : free > 0 ? `free run, step ${free}` : "one step ahead";
    this.panels.error.note.textContent = frame === 0 || this.data.errors[frame - 1] === null ? "" : `MSE ${scientific(this.data.errors[frame - 1])}`;
    this.overlay(clock);
    this.root.dataset.frame = frame;
    this.root.dataset.scene = this.data.scene;
  };

  paint(context, { values }, index) {
    const { rows, columns } = this.size;
    const image = context.createImageData(columns, rows), pixels = image.data, start = index * rows * columns * 3;
    for (let p = 0, from = start; p < pixels.length; p += 4, from += 3) {
      pixels[p] = values[from];
      pixels[p + 1] = values[from + 1];
      pixels[p + 2] = values[from + 2];
      pixels[p + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }

  paintError(frame) {
    const truth = this.arrays.truth.values, predicted = this.arrays.prediction.values, size = this.error.length;
    for (let p = 0, at = frame * size; p < size; p += 3, at += 3) {
      const gap = Math.abs(truth[at] - predicted[at]) + Math.abs(truth[at + 1] - predicted[at + 1]) + Math.abs(truth[at + 2] - predicted[at + 2]);
      const heat = frame === 0 ? 0 : Math.round(gap / 3) * 3;
      this.error[p] = HEAT[heat];
      this.error[p + 1] = HEAT[heat + 1];
      this.error[p + 2] = HEAT[heat + 2];
    }
    this.paint(this.panels.error.context, { values: this.error }, 0);
  }

  overlay(clock) {
    const { level } = clock.settings, focus = clock.focus;
    const touched = focus === null ? [] : focus.kind === "node" ? [focus.node] : [focus.sender, focus.receiver];
    const nodes = [...new Set([...this.nodes(level), ...touched])];
    const state = `${level}|${touched}`;
    for (const [name, panel] of Object.entries(this.panels)) {
      if (panel.state !== state) {
        panel.state = state;
        panel.overlay.replaceChildren(...nodes.map((node) => this.mark(node, touched.includes(node))));
      }
      if (this.data.cells) continue;
      [...panel.overlay.children].forEach((mark, k) => {
        const [x, y] = this.ball(name, nodes[k]);
        mark.style.visibility = Number.isFinite(x + y) ? "" : "hidden"; // some models predict the leaves alone
        if (mark.style.visibility) return;
        mark.setAttribute("transform", `translate(${(100 * x).toFixed(2)},${(100 * y).toFixed(2)})`);
      });
    }
    this.slots?.forEach(({ node, button }) => button.classList.toggle("touched", touched.includes(node)));
    this.root.dataset.level = level;
  }

  mark(node, touched) {
    const rank = this.data.root.includes(node) ? 0 : this.data.leaves.includes(node) ? 2 : 1;
    const style = `mark rank${rank}${touched ? " touched" : ""}`;
    if (!this.data.cells) return element("path", { class: style, d: SHAPES[rank] });
    const [left, top, right, bottom] = this.data.cells[node].map((share) => 100 * share);
    return element("rect", { class: style, x: left, y: top, width: right - left, height: bottom - top });
  }
}

export default function ({ data, parentElement }) {
  const clock = clockOf(data.player);
  const root = parentElement.querySelector(".images") ?? parentElement.appendChild(element("div", { class: "images" }));
  let images = null, ended = false;
  unpack(data.arrays).then((arrays) => {
    if (ended) return;
    images = new Images(root, data, arrays, clock);
    clock.join("images", data.scene, arrays.truth.shape[0], images.draw);
  });
  return replace(parentElement, () => {
    ended = true;
    if (images) clock.leave("images", images.draw);
  });
}
