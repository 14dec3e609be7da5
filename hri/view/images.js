// Truth, prediction and error side by side, the partition drawn over them, each slot's own image below.

const SHAPES = [
  "M0,-5.4L5.4,0L0,5.4L-5.4,0Z", // root: diamond
  "M-3.8,-3.8H3.8V3.8H-3.8Z", // intermediate: square
  "M-3.4,0a3.4,3.4 0 1,0 6.8,0a3.4,3.4 0 1,0 -6.8,0Z", // leaf: circle
];

const FINE = 512, ERROR = 256; // pixels of a side of what is drawn as discs, and of its error

// Balls whose places are known exactly, at any size: over the pixels that another model would see.
class Discs {
  constructor({ colours, axes }, arrays) {
    Object.assign(this, { colours, axes, arrays });
    [this.one, this.other] = [0, 1].map(() => element("canvas", { width: ERROR, height: ERROR }).getContext("2d", { willReadFrequently: true }));
  }

  paint(context, name, frame) {
    const { width, height } = context.canvas, { shape, values } = this.arrays[name];
    context.fillStyle = "black";
    context.fillRect(0, 0, width, height);
    this.colours.forEach((colour, k) => {
      const at = (frame * shape[1] + k) * 2, [x, y] = [values[at], values[at + 1]];
      if (!Number.isFinite(x + y)) return;
      context.fillStyle = colour;
      context.beginPath();
      context.ellipse(x * width, y * height, this.axes[k][0] * width, this.axes[k][1] * height, 0, 0, 2 * Math.PI);
      context.fill();
    });
  }

  // The difference of two pictures in the colours of errors.
  paintHeat(context, first, second, frame, heat) {
    this.paint(this.one, first, frame);
    this.paint(this.other, second, frame);
    const [a, b] = [this.one, this.other].map((each) => each.getImageData(0, 0, ERROR, ERROR).data);
    const image = context.createImageData(ERROR, ERROR), pixels = image.data;
    for (let p = 0; p < pixels.length; p += 4) {
      const at = 3 * difference(a, p, b, p);
      for (let c = 0; c < 3; c++) pixels[p + c] = heat[at + c];
      pixels[p + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }
}

class Images {
  constructor(root, data, arrays, clock, discs) {
    Object.assign(this, { root, data, arrays, clock, discs });
    const [, rows, columns] = arrays.truth.shape;
    this.size = { rows, columns };
    this.panels = {};
    const names = data.panels ?? ["truth", "prediction", "error"];
    const panels = element("div", { class: `panels of${names.length}${names.includes("apart") ? " shared" : ""}` });
    this.shows = arrays.ghost ? "change" : "error"; // what the third panel holds
    const about = {
      truth: ["Truth", "The scene as it was simulated or filmed."],
      prediction: ["Prediction", "What the model expected here. Up to the end of the burn-in it had seen the true frame before; in the free run only its own predictions."],
      error: ["Error", "Absolute difference, mean over colour channels. Black: none, pale yellow: full range. Square-root scale, so that small errors show. MSE: mean squared error over " + data.unit + "."],
      apart: ["Between models", "How far the predictions lie apart: absolute difference, mean over colour channels, the largest of any two models. Same colours as the error."],
    };
    for (const name of names) panels.append(this.panel(name, ...about[name]));
    root.replaceChildren(panels);
    if (arrays.slots) root.append(this.strip());
    if (data.skeleton && arrays.prediction_nodes && names.includes("prediction")) root.append(this.legend());
    if (data.explore) root.append(this.way());
    if (discs) { // a leaf's mark is the outline of its ball
      const [a, b] = data.discs.axes[0].map((axis) => (100 * axis).toFixed(2));
      this.rim = `M-${a},0a${a},${b} 0 1,0 ${2 * a},0a${a},${b} 0 1,0 -${2 * a},0Z`;
    }
    this.error = new Uint8Array(rows * columns * 3);
    this.heat = bytes(data.heat); // red, green and blue of every error
  }

  panel(name, title, hint) {
    const canvas = element("canvas", { width: this.size.columns, height: this.size.rows, role: "img", "aria-label": `${title}, current frame` });
    const overlay = element("svg", { viewBox: "0 0 100 100", class: "overlay", preserveAspectRatio: "none" });
    const blank = element("div", { class: "blank", hidden: "" });
    const note = element("span", { class: "note" });
    const stack = element("div", { class: "stack" }, canvas, overlay, blank);
    const ghost = name === "prediction" && this.arrays.ghost ? element("canvas", { class: "ghost", width: this.size.columns, height: this.size.rows, role: "img", "aria-label": "The prediction without your edits" }) : null;
    if (ghost) canvas.after(ghost);
    const fine = {};
    if (this.discs && name !== "apart") {
      const size = name === "error" ? ERROR : FINE, make = (style) => element("canvas", { class: style, width: size, height: size, "aria-hidden": "true" });
      const layers = [["main", make("fine")], ...(ghost ? [["ghost", make("fine before")]] : [])];
      overlay.before(...layers.map(([, layer]) => layer));
      for (const [what, layer] of layers) fine[what] = layer.getContext("2d");
    }
    // A click on a picture must not give the focus to the page behind it, which would frame itself at the next key.
    stack.addEventListener("mousedown", (event) => {
      event.preventDefault();
      document.activeElement?.blur();
    });
    const value = element("span", { class: "pixel", hidden: "", "aria-hidden": "true" });
    stack.append(value);
    stack.addEventListener("pointermove", (event) => {
      const hit = this.nodeAt(event, name);
      this.clock.point(hit);
      value.textContent = this.valueAt(event, name, hit);
      value.hidden = event.pointerType === "touch" || !value.textContent;
    });
    stack.addEventListener("pointerleave", () => {
      value.hidden = true;
      this.clock.point(null);
    });
    stack.addEventListener("click", (event) => {
      const hit = this.nodeAt(event, name);
      if (hit) this.clock.select(hit);
    });
    this.panels[name] = { context: canvas.getContext("2d"), ghost: ghost?.getContext("2d"), canvas, overlay, blank, note, stack, fine };
    const figure = element("figure", { class: name, title: hint });
    figure.append(element("figcaption", {}, name === "error" && this.arrays.ghost ? this.choice(figure, hint) : this.title(name, title), note), stack);
    return figure;
  }

  // Of several models side by side, each is known by its letter and its line.
  title(name, text) {
    const { letter, line } = this.data;
    return name === "prediction" && letter ? element("b", {}, swatch(line), `${letter} `, text) : element("b", { text });
  }

  // After an edit the third panel shows what the edit changed, or still the error.
  choice(figure, hint) {
    const told = { error: hint, change: "Absolute difference between the prediction with your edits and the one without, mean over colour channels. Same colours as the error." };
    const buttons = ["change", "error"].map((what) => {
      const button = element("button", { type: "button", class: "turn", text: what === "error" ? "Error" : "Change" });
      button.addEventListener("click", () => show(what));
      return [what, button];
    });
    const show = (what) => {
      this.shows = what;
      figure.title = told[what];
      for (const [name, button] of buttons) button.setAttribute("aria-pressed", name === what);
      this.panels.error?.canvas.setAttribute("aria-label", `${what === "error" ? "Error" : "Change"}, current frame`);
      this.clock.redraw();
    };
    show(this.shows);
    return element("span", { class: "turns" }, ...buttons.map(([, button]) => button));
  }

  // The same model, scene and frame on the landing page.
  way() {
    const link = element("a", { class: "way", text: "Open in Explore", href: "./" });
    const aim = () => { link.href = `./?${new URLSearchParams({ ...this.data.explore, frame: this.clock.frame })}`; };
    for (const event of ["pointerenter", "focus", "pointerdown"]) link.addEventListener(event, aim);
    return link;
  }

  strip() {
    this.slots = this.data.leaves.map((node) => {
      const canvas = element("canvas", { width: this.size.columns, height: this.size.rows });
      const button = element("button", { class: "slot", title: `Leaf ${node} decoded alone`, "aria-label": `Select leaf ${node}` }, canvas);
      button.addEventListener("click", () => this.clock.select({ kind: "node", node, tree: this.data.tree }));
      button.addEventListener("pointerenter", () => this.clock.point({ kind: "node", node, tree: this.data.tree }));
      button.addEventListener("pointerleave", () => this.clock.point(null));
      return { node, button, context: canvas.getContext("2d") };
    });
    const label = element("span", { class: "striplabel term", text: "Slots", title: `${this.data.terms?.slot ?? ""} SlotDec draws every leaf slot by itself; the prediction is their sum.` });
    return element("div", { class: "strip" }, label, element("div", { class: "slots" }, ...this.slots.map((slot) => slot.button)));
  }

  // Two bodies are told apart by more than colour.
  legend() {
    const key = (look, words) => element("span", {}, stroke(`bone ${look}`), words);
    return element("p", { class: "bodies" }, key("limbs", "predicted, limbs coloured as in the graph"), key("trace", "true"));
  }

  // The nodes an overlay level draws; pointing uses the leaves where nothing or everything is drawn.
  nodes(level) {
    const { root, middle, leaves } = this.data;
    return { root, middle, leaves, all: [...root, ...middle, ...leaves] }[level] ?? [];
  }

  nodeAt(event, panel) {
    const box = event.currentTarget.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width, y = (event.clientY - box.top) / box.height;
    const level = this.clock.settings.level;
    const nodes = this.nodes(level === "bones" ? "all" : level === "off" || (level === "all" && this.data.cells) ? "leaves" : level);
    if (this.data.cells) {
      const node = nodes.find((n) => { const [l, t, r, b] = this.data.cells[n]; return x >= l && x < r && y >= t && y < b; });
      return node === undefined ? null : { kind: "node", node, tree: this.data.tree };
    }
    let best = null, nearest = 0.07;
    for (const node of nodes) {
      const [px, py] = this.ball(panel, node);
      const distance = Math.hypot(px - x, py - y);
      if (distance < nearest) [best, nearest] = [node, distance];
    }
    return best === null ? null : { kind: "node", node: best, tree: this.data.tree };
  }

  // The numbers under the mouse, in words: the pixel, and the slot or ball that it is or lies in.
  valueAt(event, panel, hit) {
    const box = event.currentTarget.getBoundingClientRect(), { rows, columns } = this.size, { frame } = this.clock;
    const column = Math.min(columns - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * columns)));
    const row = Math.min(rows - 1, Math.max(0, Math.floor(((event.clientY - box.top) / box.height) * rows)));
    const pixel = row * columns + column, at = 3 * (frame * rows * columns + pixel), share = (byte) => (byte / 255).toFixed(2);
    const { truth, prediction, apart, ghost } = this.arrays;
    const colour = (values) => ["red", "green", "blue"].map((name, c) => `${name} ${share(values[at + c])}`).join(", ");
    let words = "";
    if (panel === "truth") words = colour(truth.values);
    else if (panel === "apart") words = apart && frame ? `apart by ${share(apart.values[frame * rows * columns + pixel])}` : "";
    else if (!prediction || frame === 0) return "";
    else if (panel === "prediction") words = colour(prediction.values);
    else words = this.shows === "change" ? `change ${share(difference(ghost.values, at, prediction.values, at))}` : `error ${share(difference(truth.values, at, prediction.values, at))}`;
    const [x, y] = hit === null || this.data.cells ? [] : this.ball(panel, hit.node).map((place) => Math.round(100 * place));
    const across = `${x} % across and ${y} % down; `;
    const whose = hit === null ? "" : this.data.cells ? `slot ${hit.node}, ` : `ball ${hit.node}, ${across}`;
    return `${whose}pixel ${column}, ${row}: ${words}`;
  }

  ball(panel, node) {
    const { shape, values } = this.arrays[panel === "prediction" ? "prediction_nodes" : "truth_nodes"];
    const at = (this.clock.frame * shape[1] + node) * 2;
    return [values[at], values[at + 1]];
  }

  draw = (clock) => {
    const { frame } = clock, { truth, prediction, error, apart } = this.panels;
    if (truth) this.paint(truth.context, this.arrays.truth, frame);
    for (const [panel, drawn] of [[prediction, this.arrays.prediction], [error, this.arrays.prediction], [apart, this.arrays.apart]]) {
      if (!panel) continue;
      const blank = frame === 0 ? "Nothing is predicted for the first frame." : drawn ? "" : "This model draws no frames.";
      panel.blank.hidden = !blank;
      panel.blank.textContent = blank;
    }
    if (apart && this.arrays.apart) this.paintHeat(apart, (pixel) => this.arrays.apart.values[(frame * this.error.length) / 3 + pixel]);
    if (this.arrays.prediction) {
      this.paint(this.panels.prediction.context, this.arrays.prediction, frame);
      if (error) this.paintError(frame);
      if (this.arrays.ghost) this.paint(this.panels.prediction.ghost, this.arrays.ghost, frame);
    }
    if (this.discs) this.exact(frame);
    this.slots?.forEach((slot, k) => this.paint(slot.context, this.arrays.slots, frame * this.slots.length + k));
    const free = frame - this.data.last_true_input - 1;
    if (truth) truth.note.textContent = `frame ${frame}`;
    if (prediction) prediction.note.textContent = frame === 0 ? "" : free > 0 ? `${free + 1} steps ahead` : "one step ahead";
    const shown = (this.shows === "change" ? this.data.moved : this.data.errors)?.[frame - 1] ?? null;
    if (error) error.note.textContent = frame === 0 || shown === null ? "" : `MSE ${scientific(shown)}`;
    this.overlay(clock);
    this.root.dataset.frame = frame;
    this.root.dataset.scene = this.data.scene;
  };

  exact(frame) {
    const { truth, prediction, error } = this.panels, { discs } = this;
    if (truth) discs.paint(truth.fine.main, "truth", frame);
    if (prediction) discs.paint(prediction.fine.main, "prediction", frame);
    if (prediction?.fine.ghost) discs.paint(prediction.fine.ghost, "ghost", frame);
    if (error && frame) discs.paintHeat(error.fine.main, this.shows === "change" ? "ghost" : "truth", "prediction", frame, this.heat);
  }

  paint(context, { values }, index) {
    paintPixels(context, values, index, this.size.rows, this.size.columns);
  }

  paintError(frame) {
    const truth = (this.shows === "change" ? this.arrays.ghost : this.arrays.truth).values, predicted = this.arrays.prediction.values, start = frame * this.error.length;
    this.paintHeat(this.panels.error, (pixel) => {
      const at = start + 3 * pixel;
      return frame === 0 ? 0 : difference(truth, at, predicted, at);
    });
  }

  // A difference of 0 ... 255 at each pixel, in colours.
  paintHeat(panel, difference) {
    for (let p = 0; p < this.error.length; p += 3) {
      const heat = 3 * difference(p / 3);
      for (let c = 0; c < 3; c++) this.error[p + c] = this.heat[heat + c];
    }
    this.paint(panel.context, { values: this.error }, 0);
  }

  overlay(clock) {
    const { level } = clock.settings, focus = clock.focusIn(this.data.tree);
    const touched = focus === null ? [] : focus.kind === "node" ? [focus.node] : [focus.sender, focus.receiver];
    const nodes = [...new Set([...this.nodes(level), ...touched])];
    const field = touched.length === 1 ? this.data.fields?.[touched[0]] : null; // what the encoder lets it see
    const state = `${level}|${touched}`;
    for (const [name, panel] of Object.entries(this.panels)) {
      if (panel.state !== state) {
        panel.state = state;
        const bones = level === "off" ? [] : this.bones(name);
        panel.overlay.replaceChildren(...bones.map((bone) => bone.line), ...nodes.map((node) => this.mark(node, touched.includes(node))));
        [panel.bones, panel.marks] = [bones, [...panel.overlay.children].slice(bones.length)];
        panel.canvas.style.opacity = bones.length ? this.data.skeleton.frame : "";
        if (field && name === "truth") {
          const [left, top, right, bottom] = field.map((share) => 100 * share);
          panel.overlay.append(element("rect", { class: "mark field", x: left, y: top, width: right - left, height: bottom - top }));
        }
      }
      panel.bones.forEach((bone) => this.place(bone));
      if (this.data.cells) continue;
      panel.marks.forEach((mark, k) => {
        const [x, y] = this.ball(name, nodes[k]);
        mark.style.visibility = Number.isFinite(x + y) ? "" : "hidden"; // some models predict the leaves alone
        if (mark.style.visibility) return;
        mark.setAttribute("transform", `translate(${(100 * x).toFixed(2)},${(100 * y).toFixed(2)})`);
      });
    }
    this.slots?.forEach(({ node, button }) => button.classList.toggle("touched", touched.includes(node)));
    this.root.dataset.level = level;
  }

  // The bones of a panel, back to front (hri.view.skeleton): each a line between two joints of the true or the predicted
  // body, with a paler and wider one beneath where it has a rim; a head is a round end.
  bones(panel) {
    const { joints, truth_nodes, prediction_nodes } = this.arrays, { skeleton } = this.data;
    const places = { truth: joints ?? truth_nodes, prediction: prediction_nodes };
    return (skeleton?.layers[panel] ?? []).filter(([whose]) => places[whose]).flatMap(([whose, look]) =>
      (look.rim ? ["rim", look.name] : [look.name]).flatMap((kind) => {
        const rim = kind === "rim", width = rim ? look.rim : look.width;
        return skeleton.bones.flatMap((ends, k) => {
          const colour = rim ? skeleton.rim : look.colour || skeleton.colours[k];
          const looks = `stroke:${colour};stroke-width:${width};stroke-opacity:${look.opacity};stroke-dasharray:${look.dash || "none"}`;
          const made = [{ line: element("line", { class: `bone ${kind}`, style: looks }), at: places[whose], ends }];
          if (!skeleton.heads.includes(ends[1])) return made;
          const round = `stroke:${colour};stroke-width:${2 * skeleton.head + width - look.width};stroke-opacity:${look.opacity}`;
          return [...made, { line: element("line", { class: `crown ${kind}`, style: round }), at: places[whose], ends: [ends[1], ends[1]] }];
        });
      }),
    );
  }

  place({ line, at: { shape, values }, ends: [parent, child] }) {
    const start = this.clock.frame * shape[1];
    const ends = [parent, child].flatMap((joint) => [values[2 * (start + joint)], values[2 * (start + joint) + 1]]);
    line.style.visibility = ends.every(Number.isFinite) ? "" : "hidden";
    ["x1", "y1", "x2", "y2"].forEach((name, k) => Number.isFinite(ends[k]) && line.setAttribute(name, (100 * ends[k]).toFixed(2)));
  }

  mark(node, touched) {
    const rank = this.data.root.includes(node) ? 0 : this.data.leaves.includes(node) ? 2 : 1;
    const style = `mark rank${rank}${touched ? " touched" : ""}`;
    if (!this.data.cells) return element("path", { class: style, d: rank === 2 && this.discs ? this.rim : SHAPES[rank] });
    const [left, top, right, bottom] = this.data.cells[node].map((share) => 100 * share);
    return element("rect", { class: style, x: left, y: top, width: right - left, height: bottom - top });
  }
}

function mount(root, data) {
  const clock = clockOf(data.player), part = data.part ?? "images";
  let images = null, ended = false;
  Promise.all([unpack(data.arrays), data.discs && unpack(data.discs.arrays)]).then(([arrays, places]) => {
    if (ended) return;
    images = new Images(root, data, arrays, clock, places && new Discs(data.discs, places));
    clock.join(part, data.scene, arrays.truth.shape[0], images.draw, data.start);
  });
  return replace(root, () => {
    ended = true;
    if (images) clock.leave(part, images.draw);
  });
}
