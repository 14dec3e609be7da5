// The N x N matrix of what the model believes: a row sends, a column receives. Nodes stand in the order of the
// tree, every node before its descendants, so that families are blocks along the diagonal.

const CELL = 16, HEAD = 30;
const GLYPHS = ["M0,-4.6L4.6,0L0,4.6L-4.6,0Z", "M-3.4,-3.4H3.4V3.4H-3.4Z", "M-3,0a3,3 0 1,0 6,0a3,3 0 1,0 -6,0Z"]; // root, intermediate, leaf

class Matrix {
  constructor(root, data, arrays, clock) {
    Object.assign(this, { root, data, arrays, clock });
    this.place = [];
    data.order.forEach((node, k) => { this.place[node] = k; });
    this.row = new Map(data.pairs.map(([i, j], e) => [`${i},${j}`, e]));
    this.readout = element("p", { class: "told" });
    root.replaceChildren(this.picture(), this.readout);
  }

  picture() {
    const { data } = this, nodes = data.order.length, side = HEAD + nodes * CELL;
    this.svg = element("svg", { viewBox: `0 0 ${side} ${side}`, role: "img", "aria-label": "Matrix of edge probabilities: rows send, columns receive" });
    const lines = data.order.flatMap((node, k) => {
      if (data.ranks[node] !== 1) return []; // a thin line above and left of every family
      const at = HEAD + k * CELL;
      return [element("path", { class: "rule", d: `M${at},${HEAD}V${side}M${HEAD},${at}H${side}` })];
    });
    this.bands = element("g", { class: "bands" });
    this.labels = data.order.map((node, k) => [this.label(node, 12, HEAD + (k + 0.5) * CELL, "sender"), this.label(node, HEAD + (k + 0.5) * CELL, 12, "receiver")]);
    const diagonal = data.order.map((_, k) => element("rect", { class: "self", ...this.box(k, k, 5) }));
    this.cells = data.pairs.map(([i, j]) => element("rect", { class: "cell", "data-pair": `${i} ${j}`, ...this.box(this.place[i], this.place[j], 0.6) }));
    this.rings = element("path", { class: "springs", stroke: data.spring });
    this.ring = element("rect", { class: "ring", width: CELL, height: CELL, visibility: "hidden" });
    this.svg.append(
      element("rect", { class: "ground", x: HEAD, y: HEAD, width: nodes * CELL, height: nodes * CELL }),
      ...diagonal, ...this.cells, ...lines, this.bands, this.rings, this.ring, ...this.labels.flat(),
    );
    this.svg.addEventListener("pointermove", (event) => this.clock.point(this.under(event)));
    this.svg.addEventListener("pointerleave", () => this.clock.point(null));
    this.svg.addEventListener("click", (event) => {
      const what = this.under(event);
      if (what) this.clock.select(what);
    });
    return this.svg;
  }

  label(node, x, y, role) {
    const shape = element("path", { d: GLYPHS[this.data.ranks[node]], transform: role === "sender" ? "translate(-6,0)" : "translate(0,-6)" });
    const number = element("text", { x: role === "sender" ? 7 : 0, y: role === "sender" ? 3 : 9, "text-anchor": "middle", text: node });
    return element("g", { class: `label rank${this.data.ranks[node]}`, transform: `translate(${x},${y})` }, element("title", { text: `${this.data.nodes[node]} as ${role}` }), shape, number);
  }

  // The square of a row and column, less a margin.
  box(row, column, margin) {
    return { x: HEAD + column * CELL + margin, y: HEAD + row * CELL + margin, width: CELL - 2 * margin, height: CELL - 2 * margin };
  }

  // The edge or, on a label, the node under the mouse.
  under(event) {
    const frame = this.svg.getBoundingClientRect(), scale = this.svg.viewBox.baseVal.width / frame.width;
    const [column, row] = [event.clientX - frame.left, event.clientY - frame.top].map((at) => Math.floor((at * scale - HEAD) / CELL));
    const { order } = this.data, [sender, receiver] = [order[row], order[column]];
    if (row < 0 !== column < 0) return (sender ?? receiver) === undefined ? null : { kind: "node", node: sender ?? receiver };
    if (sender === receiver) return sender === undefined ? null : { kind: "node", node: sender };
    return this.row.has(`${sender},${receiver}`) ? { kind: "edge", sender, receiver } : null;
  }

  draw = (clock) => {
    const { data } = this, { probabilities, types } = this.arrays, [, edges, kinds] = probabilities.shape, { frame } = clock;
    for (let e = 0; e < edges; e++) {
      const at = (frame * edges + e) * kinds, said = types.values[frame * edges + e];
      let kind = Math.min(1, kinds - 1); // colour: the likelier kind of interaction; opacity: its probability
      for (let k = 2; k < kinds; k++) if (probabilities.values[at + k] > probabilities.values[at + kind]) kind = k;
      const shown = clock.passes(data.ways[e], data.type_names[said], 1 - probabilities.values[at] / 255, data.pairs[e]);
      this.cells[e].style.fill = shown ? data.colours[kind] : "none";
      this.cells[e].style.fillOpacity = (probabilities.values[at + kind] / 255).toFixed(3);
      this.cells[e].classList.toggle("hidden", !shown);
    }
    this.outline(frame, clock);
    this.focus(clock.focus);
    this.tell(clock.focus, frame);
    this.root.dataset.frame = frame;
  };

  spring(frame, i, j) {
    const { springs } = this.arrays, nodes = this.data.order.length;
    return springs ? springs.values[(frame * nodes + i) * nodes + j] : null;
  }

  outline(frame, clock) {
    const { order } = this.data, boxes = [];
    if (this.arrays.springs && clock.settings.springs) {
      order.forEach((i, row) => order.forEach((j, column) => {
        if (this.spring(frame, i, j)) boxes.push(`M${HEAD + column * CELL + 1.6},${HEAD + row * CELL + 1.6}h${CELL - 3.2}v${CELL - 3.2}h${3.2 - CELL}z`);
      }));
    }
    this.rings.setAttribute("d", boxes.join(""));
  }

  focus(focus) {
    const state = JSON.stringify(focus);
    if (state === this.state) return;
    this.state = state;
    const nodes = this.data.order.length, edge = focus?.kind === "edge";
    const rows = edge ? [focus.sender] : focus ? [focus.node] : [], columns = edge ? [focus.receiver] : rows;
    const long = { width: nodes * CELL, height: CELL }, tall = { width: CELL, height: nodes * CELL };
    this.bands.replaceChildren(
      ...rows.map((node) => element("rect", { x: HEAD, y: HEAD + this.place[node] * CELL, ...long })),
      ...columns.map((node) => element("rect", { x: HEAD + this.place[node] * CELL, y: HEAD, ...tall })),
    );
    this.ring.setAttribute("visibility", edge ? "visible" : "hidden");
    if (edge) for (const [name, value] of Object.entries(this.box(this.place[focus.sender], this.place[focus.receiver], 0))) this.ring.setAttribute(name, value);
    this.data.order.forEach((node, k) => {
      this.labels[k][0].classList.toggle("touched", rows.includes(node));
      this.labels[k][1].classList.toggle("touched", columns.includes(node));
    });
  }

  tell(focus, frame) {
    const { data } = this, { probabilities } = this.arrays, [, edges, kinds] = probabilities.shape;
    let text = "Row sends, column receives; the deeper, the more probable.";
    if (focus?.kind === "node") text = `${data.nodes[focus.node]}: its row and its column`;
    if (focus?.kind === "edge") {
      const e = this.row.get(`${focus.sender},${focus.receiver}`), spring = this.spring(frame, focus.sender, focus.receiver);
      const chances = e === undefined ? "not inferred" : data.type_names.map((name, k) => `${name} ${(probabilities.values[(frame * edges + e) * kinds + k] / 255).toFixed(2)}`).join(", ");
      text = `${data.nodes[focus.sender]} → ${data.nodes[focus.receiver]}: ${chances}${spring === null ? "" : `; ${data.truths[spring ? 1 : 0]}`}`;
    }
    if (!edges) text = "This model passes no messages between nodes: there is no edge to show.";
    if (this.readout.textContent !== text) this.readout.textContent = text;
  }
}

function mount(root, data) {
  const clock = clockOf(data.player);
  let matrix = null, ended = false;
  unpack(data.arrays).then((arrays) => {
    if (ended) return;
    matrix = new Matrix(root, data, arrays, clock);
    clock.join("matrix", data.scene, data.frames, matrix.draw);
  });
  return replace(root, () => {
    ended = true;
    if (matrix) clock.leave("matrix", matrix.draw);
  });
}
