// Every edge as a strip: time to the right, the probability of an interaction as height in the colour of its type, a
// line below where there truly is one. All of them move with the player: what is yet to come is pale.

const ROW = 13, TIGHT = 10, MANY = 120; // pixels of a strip with its air, and where many edges stand closer
const LABEL = 46, RIGHT = 26, HEAD = 18, GAP = 18, NARROW = 205; // pixels beside, above and between, and of a column at least
const KEPT = new Map(); // how each player's strips were sorted last

class Strips {
  constructor(root, data, arrays, clock) {
    Object.assign(this, { root, data, arrays, clock });
    this.frames = data.frames - 1; // frames 1 ... T - 1 were predicted
    this.tail = data.right ? RIGHT : 0;
    this.pitch = data.pairs.length > MANY ? TIGHT : ROW;
    this.sort = KEPT.get(data.player) ?? { key: data.sorts[0]?.key, back: false };
    if (!data.sorts.some(({ key }) => key === this.sort.key)) this.sort = { key: data.sorts[0]?.key, back: false };
    this.readout = element("p", { class: "told" });
    this.rows = data.pairs.map((_, e) => this.row(e));
    root.replaceChildren(this.tools(), this.picture(), this.readout);
    this.sizes = new ResizeObserver(() => this.place());
    this.sizes.observe(this.host);
    this.place();
  }

  end() {
    this.sizes.disconnect();
  }

  // How to sort, and what the marks mean.
  tools() {
    const { data } = this;
    this.buttons = data.sorts.map(({ key, word, about }) => {
      const button = element("button", { type: "button", text: word, title: `${about} Again: the other way round.`, "data-sort": key });
      button.addEventListener("click", () => {
        this.sort = { key, back: this.sort.key === key && !this.sort.back };
        KEPT.set(data.player, this.sort);
        this.place();
      });
      return button;
    });
    const key = (colour, word) => {
      const entry = element("span", { class: "key" }, element("i"), word);
      entry.firstChild.style.background = colour;
      return entry;
    };
    const kinds = data.type_names.map((name, k) => [name, data.colours[k]]).slice(1);
    const keys = [...kinds.map(([name, colour]) => key(colour, name)), ...(this.arrays.springs ? [key(data.spring, data.truths[1])] : [])];
    keys.at(-1)?.classList.toggle("thin", Boolean(this.arrays.springs));
    return element("div", { class: "tools" }, element("span", { class: "word", text: "Sort by" }), ...this.buttons, element("span", { class: "keys", title: "Height: probability of each type when the frame was predicted. The line below: where there truly is one." }, ...keys));
  }

  picture() {
    this.svg = element("svg", { "aria-hidden": "true" });
    this.ground = element("path", { class: "ground" });
    this.late = element("path", { class: "late" });
    this.veil = element("path", { class: "veil" });
    this.line = element("path", { class: "now" });
    this.ring = element("rect", { class: "ring", visibility: "hidden" });
    this.heads = element("g", { class: "heads" });
    this.svg.append(this.ground, this.late, ...this.rows.map(({ whole }) => whole), this.heads);
    // A drawing of its own, so that a step does not paint a thousand strips anew.
    this.over = element("svg", { class: "over", "aria-hidden": "true" }, this.veil, this.line, this.ring);
    this.host = element("div", { class: "all", tabindex: 0, role: "group", "aria-label": "Every edge over time. Arrow up and down: the edge before and after." }, this.svg, this.over);
    this.host.addEventListener("keydown", (event) => this.walk(event));
    this.svg.addEventListener("pointermove", (event) => this.point(this.under(event)));
    this.svg.addEventListener("pointerleave", () => this.point(null));
    this.svg.addEventListener("click", (event) => {
      const at = this.under(event);
      if (!at) return;
      if (at.frame === null) return this.clock.select(this.edge(at.e));
      this.clock.choose(this.edge(at.e));
      this.clock.pause();
      this.clock.seek(at.frame);
    });
    return this.host;
  }

  // One strip in its own units: a frame wide, and 1 high.
  row(e) {
    const { probabilities, springs } = this.arrays, [, edges, kinds] = probabilities.shape, [i, j] = this.data.pairs[e];
    const areas = [], below = new Float32Array(this.frames);
    for (let k = 1; k < kinds; k++) {
      let path = "", back = "";
      for (let f = 0; f < this.frames; f++) {
        const low = below[f], high = low + probabilities.values[((f + 1) * edges + e) * kinds + k] / 255;
        path += `${f ? "L" : "M"}${f},${(1 - high).toFixed(3)}H${f + 1}`;
        back = `L${f + 1},${(1 - low).toFixed(3)}H${f}${back}`;
        below[f] = high;
      }
      const area = element("path", { class: "area", d: `${path}${back}Z` });
      area.style.fill = this.data.colours[k];
      areas.push(area);
    }
    if (springs) {
      let path = "", from = null;
      for (let f = 0; f <= this.frames; f++) {
        const on = f < this.frames && springs.values[(f + 1) * edges + e];
        if (on && from === null) from = f;
        if (!on && from !== null) {
          path += `M${from},1.06H${f}V1.24H${from}Z`;
          from = null;
        }
      }
      const line = element("path", { class: "truth", d: path });
      line.style.fill = this.data.spring;
      areas.push(line);
    }
    const strip = element("g", {}, ...areas);
    const label = element("text", { class: "label", x: LABEL - 6, "text-anchor": "end", text: `${i} → ${j}` });
    const share = this.data.right ? element("text", { class: "share", "text-anchor": "end", text: this.data.right[e] }) : null;
    const tick = element("rect", { class: "tick", x: 0, y: 0, width: 3, height: this.pitch - 1 });
    return { strip, label, share, whole: element("g", { class: "strip", "data-pair": `${i} ${j}` }, tick, strip, label, ...(share ? [share] : [])) };
  }

  // The edges that the filters let through, in the chosen order.
  get order() {
    const { data, clock } = this, order = data.sorts.find(({ key }) => key === this.sort.key)?.order ?? [];
    const shown = order.filter((e) => clock.passes(data.ways[e], clock.settings.types[0], 1, data.pairs[e]));
    return this.sort.back ? shown.reverse() : shown;
  }

  // Columns side by side, read from top to bottom; by level, each level begins with its name.
  place() {
    const width = this.host.clientWidth;
    if (!width) return;
    const order = this.order, items = [];
    for (const e of order) {
      const way = this.data.ways[e];
      if (this.sort.key === "level" && (!items.length || way !== this.data.ways[items.at(-1)])) items.push(way);
      items.push(e);
    }
    const columns = Math.max(1, Math.min(6, Math.floor((width + GAP) / (NARROW + GAP)), Math.ceil(items.length / 4)));
    const high = Math.ceil((items.length + (this.sort.key === "level" ? columns - 1 : 0)) / columns);
    // A level's name at the foot of a column belongs to the next one.
    for (let foot = high - 1; foot < items.length; foot += high) if (typeof items[foot] === "string") items.splice(foot, 0, null);
    const wide = (width + GAP) / columns - GAP;
    const long = wide - LABEL - this.tail, scale = long / this.frames, { pitch } = this, bottom = HEAD + high * pitch;
    this.layout = { columns, high, wide, scale, bottom, cells: [], items };
    for (const svg of [this.svg, this.over]) {
      svg.setAttribute("width", width);
      svg.setAttribute("height", bottom + 2);
    }
    for (const { whole } of this.rows) whole.setAttribute("visibility", "hidden");
    const heads = [], ground = [], late = [], turn = Math.min(this.data.last_true_input + 1, this.frames);
    for (let c = 0; c < columns; c++) {
      const left = c * (wide + GAP), from = left + LABEL, free = long - turn * scale;
      const mine = items.slice(c * high, (c + 1) * high), tall = mine.length * pitch;
      if (!mine.length) continue;
      ground.push(`M${from},${HEAD}h${turn * scale}v${tall}h${-turn * scale}z`);
      if (free > 0) late.push(`M${from + turn * scale},${HEAD}h${free}v${tall}h${-free}z`);
      heads.push(element("text", { x: from, y: 11, text: "burn-in" }));
      // Over a short one the words end where it ends.
      if (free > 0) heads.push(element("text", free > 44 ? { x: from + turn * scale, y: 11, text: "free run" } : { x: from + long - 2, y: 11, "text-anchor": "end", text: "free run" }));
      if (this.tail) heads.push(element("text", { x: left + wide, y: 11, "text-anchor": "end", text: "right" }));
      mine.forEach((item, r) => {
        const y = HEAD + r * pitch;
        if (item === null) return heads.push(element("rect", { class: "gap", x: left, y, width: wide, height: pitch }));
        if (typeof item === "string") return heads.push(element("rect", { class: "gap", x: left, y, width: wide, height: pitch }), element("text", { class: "leads", x: left, y: y + pitch - 3, text: item }));
        const { whole, strip, label, share } = this.rows[item];
        whole.setAttribute("visibility", "visible");
        whole.setAttribute("transform", `translate(${left.toFixed(1)},${y})`);
        strip.setAttribute("transform", `translate(${LABEL},1) scale(${scale.toFixed(4)},${pitch - 4})`);
        label.setAttribute("y", pitch - 3.5);
        share?.setAttribute("x", wide.toFixed(1));
        share?.setAttribute("y", pitch - 3.5);
        this.layout.cells[item] = { x: left, y, c };
      });
    }
    this.ground.setAttribute("d", ground.join(""));
    this.late.setAttribute("d", late.join(""));
    this.heads.replaceChildren(...heads);
    this.root.dataset.order = order.map((e) => this.data.pairs[e].join("-")).join(" ");
    this.root.classList.toggle("tight", pitch === TIGHT);
    for (const button of this.buttons) {
      const on = button.dataset.sort === this.sort.key;
      button.setAttribute("aria-pressed", on);
      button.classList.toggle("back", on && this.sort.back);
    }
    this.state = this.shown = null;
    this.draw(this.clock);
  }

  edge(e) {
    const [sender, receiver] = this.data.pairs[e];
    return { kind: "edge", sender, receiver };
  }

  // The edge under the mouse and, on its strip, the frame.
  under(event) {
    const { columns, high, wide, scale, items } = this.layout, box = this.svg.getBoundingClientRect();
    const x = event.clientX - box.left, y = event.clientY - box.top - HEAD;
    const c = Math.floor(x / (wide + GAP)), r = Math.floor(y / this.pitch), item = items[c * high + r];
    if (y < 0 || c < 0 || c >= columns || r >= high || typeof item !== "number") return null;
    const frame = Math.floor((x - c * (wide + GAP) - LABEL) / scale) + 1;
    return { e: item, frame: frame >= 1 && frame <= this.frames ? frame : null };
  }

  point(at) {
    this.frame = at?.frame ?? null;
    this.clock.point(at && this.edge(at.e));
    this.tell(this.clock);
  }

  walk(event) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key], order = this.order;
    if (!by || !order.length) return;
    event.preventDefault();
    const at = order.findIndex((e) => this.touches(this.clock.selected, e));
    this.clock.choose(this.edge(order[at < 0 ? 0 : Math.max(0, Math.min(order.length - 1, at + by))]));
  }

  touches(focus, e) {
    if (!focus) return false;
    const [sender, receiver] = this.data.pairs[e];
    return focus.kind === "edge" ? focus.sender === sender && focus.receiver === receiver : focus.node === sender || focus.node === receiver;
  }

  draw = (clock) => {
    if (!this.layout) return;
    const filter = JSON.stringify([clock.settings.ways, clock.settings.within]);
    if (this.filter !== filter) {
      this.filter = filter;
      return this.place();
    }
    const { columns, high, wide, scale, bottom, items } = this.layout, at = Math.max(0, clock.frame - 0.5) * scale, veil = [], line = [];
    for (let c = 0; c < columns; c++) {
      const from = c * (wide + GAP) + LABEL, rest = (this.frames - clock.frame) * scale;
      const tall = Math.min(high, items.length - c * high) * this.pitch;
      if (tall <= 0) continue;
      if (rest > 0) veil.push(`M${from + clock.frame * scale},${HEAD}h${rest}v${tall}h${-rest}z`);
      line.push(`M${(from + at).toFixed(1)},${HEAD - 4}V${Math.min(bottom, HEAD + tall)}`);
    }
    this.veil.setAttribute("d", veil.join(""));
    this.line.setAttribute("d", line.join(""));
    this.focus(clock.focus);
    this.tell(clock);
    this.root.dataset.frame = clock.frame;
  };

  focus(focus) {
    const state = JSON.stringify(focus);
    if (state === this.state) return;
    this.state = state;
    this.rows.forEach(({ whole }, e) => whole.classList.toggle("touched", this.touches(focus, e)));
    const e = focus?.kind === "edge" ? this.rows.findIndex((_, row) => this.touches(focus, row)) : -1, cell = this.layout.cells[e];
    this.ring.setAttribute("visibility", cell ? "visible" : "hidden");
    if (!cell) return;
    for (const [name, value] of Object.entries({ x: cell.x + 0.5, y: cell.y - 0.5, width: this.layout.wide - 1, height: this.pitch })) this.ring.setAttribute(name, value);
  }

  // In words: the edge that is pointed at or selected, at the frame under the mouse or the player's.
  tell(clock) {
    const { data } = this, { probabilities, springs } = this.arrays, [, edges, kinds] = probabilities.shape, { focus } = clock;
    let text = "Each strip is one edge. Click: select it and go to that frame.";
    if (!edges) text = "This model passes no messages between nodes: there is no edge to show.";
    if (focus?.kind === "node" && data.nodes[focus.node]) text = `${data.nodes[focus.node]}: the strips of its edges`;
    if (focus?.kind === "edge") {
      const e = data.pairs.findIndex((_, row) => this.touches(focus, row)), frame = this.frame ?? clock.frame;
      const name = `${data.nodes[focus.sender]} → ${data.nodes[focus.receiver]}`;
      const turns = data.changes[e] ?? [], when = turns.length ? `changes its mind at frame ${turns.slice(0, 4).join(", ")}${turns.length > 4 ? " …" : ""}` : "never changes its mind";
      const chances = () => data.type_names.map((kind, k) => `${kind} ${(probabilities.values[(frame * edges + e) * kinds + k] / 255).toFixed(2)}`).join(", ");
      const truth = () => (springs ? `; ${data.truths[springs.values[frame * edges + e] ? 1 : 0]}` : "");
      const right = data.right?.[e] === undefined ? "" : `; right in ${data.right[e]} % of the burn-in`;
      text = e < 0 ? `${name}: no strip here` : `${name}, frame ${frame}: ${chances()}${truth()}; ${when}${right}`;
    }
    if (this.readout.textContent !== text) this.readout.textContent = text;
  }
}

function mount(root, data) {
  const clock = clockOf(data.player);
  let strips = null, ended = false;
  unpack(data.arrays).then((arrays) => {
    if (ended) return;
    const first = !root.childElementCount;
    strips = new Strips(root, data, arrays, clock);
    if (first) reveal(root);
    clock.join("strips", data.scene, data.frames, strips.draw);
  });
  return replace(root, () => {
    ended = true;
    if (!strips) return;
    strips.end();
    clock.leave("strips", strips.draw);
  });
}
