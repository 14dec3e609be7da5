// The interaction graph follows the player without a redraw: what is drawn of every edge, node and spring at a frame.
// It paints on a chart, which plotly.js or svg.js finds by chartOf(data). Where that is not what it should be, the graph says
// so, and Python redraws it whenever the player pauses.

class Graph {
  constructor(data, arrays, clock, scope, tally, broken) {
    Object.assign(this, { data, arrays, clock, scope, tally, broken });
    this.listeners = { afterplot: this.after, click: this.click, hover: this.hover, unhover: this.unhover };
    this.watch = setInterval(() => this.chart?.connected || this.clock.redraw(), 150);
  }

  end() {
    clearInterval(this.watch);
    this.chart?.hook(this.listeners, false);
  }

  after = () => {
    this.found = false; // Plotly has made new elements: look them up again and repaint
    this.clock.redraw();
  };

  // What an event's first point stands for; hidden edges stand for nothing.
  pointed(event) {
    const custom = event.points?.[0]?.customdata;
    if (!custom) return null;
    const { tree } = this.data;
    if (custom[0] < 0) return { kind: "node", node: custom[2], tree };
    if (!this.shown?.[custom[0]]) return null;
    const [sender, receiver] = this.data.pairs[custom[0]];
    return { kind: "edge", sender, receiver, tree };
  }

  click = (event) => {
    const what = this.pointed(event);
    if (what) this.clock.select(what);
  };
  hover = (event) => this.clock.point(this.pointed(event));
  unhover = () => this.clock.point(null);

  draw = (clock) => {
    if (!this.chart?.connected) {
      this.chart?.hook(this.listeners, false);
      this.chart = chartOf(this.data);
      this.found = false;
      if (!this.chart) return; // not drawn yet
      this.chart.hook(this.listeners, true);
    }
    if (!this.found) {
      const reason = this.chart.collect(this.data, this.arrays.frames);
      if (reason) return this.broken(reason);
      this.found = true;
      this.kinds = this.data.style.strokes.map((_, kind) => this.chart.visible(`type_${kind}`));
    }
    const { frame } = clock;
    this.unmark();
    if (this.arrays.nodes) this.place(frame);
    if (this.arrays.frames) this.background(frame);
    this.paint(frame, clock);
    this.tell(clock);
    this.count(frame);
    this.chart.frame = frame;
  };

  // Width and opacity of an edge, by the probability of its type or by what else widths stand for.
  look(e, kind, chance, passes) {
    const { style, pairs, scene } = this.data, { weights } = this.clock.settings;
    if (!passes || !this.kinds[kind]) return [style.weighted.thin, 0];
    if (kind && weights?.scene === scene) return lookAt(style.weighted, weights.shares[`${pairs[e][0]}-${pairs[e][1]}`] ?? 0);
    return lookAt(style.strokes[kind], chance);
  }

  // What an earlier rollout of this graph has left: after undo and reset no edge is marked any more.
  unmark() {
    if (this.arrays.forced || this.unmarked === this.chart) return;
    this.unmarked = this.chart;
    for (const mark of Object.keys(this.data.style.edited)) for (const e of this.data.pairs.keys()) this.chart.paintMark(mark, e, 0);
  }

  paint(frame, clock) {
    const { chart, data } = this, { probabilities, types, springs, forced } = this.arrays, { style } = data;
    const [, edges, kinds] = probabilities.shape, focus = clock.focusIn(data.tree), marks = Object.keys(style.edited);
    this.shown = [];
    for (let e = 0; e < edges; e++) {
      const kind = types.values[frame * edges + e], at = (frame * edges + e) * kinds, type = data.type_names[kind];
      const chance = probabilities.values[at + kind] / 255, near = !focus || this.touches(focus, data.pairs[e]);
      const passes = clock.passes(data.ways[e], type, 1 - probabilities.values[at] / 255, data.pairs[e]);
      const [width, alpha] = this.look(e, kind, chance, passes);
      this.shown[e] = alpha > 0;
      chart.paintEdge(e, style.strokes[kind], width, near ? alpha : alpha * style.dim_edge);
      const truth = springs ? data.truths[this.spring(frame, data.capsule_of[e]) ? 1 : 0] : "";
      // What the visitor has done to it: a cross where it is cut, a star where a type is forced upon it.
      const held = forced ? forced.values[frame * edges + e] : 0, edit = held ? (held > 1 ? "forces" : "cuts") : "";
      chart.sayEdge(e, type, chance, truth, edit && style.edited[edit]);
      if (forced) for (const mark of marks) chart.paintMark(mark, e, mark === edit && passes ? (near ? 1 : style.dim_mark) : 0);
    }
    const on = springs && clock.settings.springs && chart.visible("springs");
    data.capsules.forEach((pair, k) => {
      const near = !focus || this.touches(focus, pair) ? 1 : style.dim_spring;
      chart.paintSpring(k, on && this.spring(frame, k) ? near : 0);
    });
    for (let node = 0; node < data.nodes; node++) chart.glow(node, focus && this.holds(focus, node));
  }

  spring(frame, capsule) {
    return capsule < 0 ? 0 : this.arrays.springs.values[frame * this.data.capsules.length + capsule];
  }

  holds(focus, node) {
    return focus.kind === "node" ? focus.node === node : focus.sender === node || focus.receiver === node;
  }

  touches(focus, [i, j]) {
    if (focus.kind === "node") return i === focus.node || j === focus.node;
    return (i === focus.sender && j === focus.receiver) || (j === focus.sender && i === focus.receiver);
  }

  // What is shown otherwise than usual, and the way back.
  tell(clock) {
    const { within, weights } = clock.settings, told = [];
    if (within) told.push(within.told);
    if (weights?.scene === this.data.scene) told.push(weights.told);
    if (this.arrays.forced) told.push("✕ cut, ★ forced by your edits");
    const text = told.join(". ");
    if (text === this.told) return;
    this.told = text;
    const all = element("button", { type: "button", text: "Show all" });
    all.addEventListener("click", () => clock.set({ within: null }));
    this.scope.replaceChildren(element("span", { text }), ...(within ? [all] : []));
    this.scope.hidden = !text;
  }

  // How many edges are right at this frame, between guessing and what could be found.
  count(frame) {
    const { tally } = this.data;
    this.tally.hidden = !tally;
    if (!tally) return;
    this.tally.title = tally.about;
    if (tally.words) return void (this.tally.textContent = tally.words[frame]);
    const beside = ({ guess, findable }) => `guessing: ${guess} %${findable === null ? "" : `; findable: ${findable} %`}`;
    const levels = tally.levels.map((level) => element("span", { class: "level", title: beside(level), text: `${level.name} ${level.right[frame]} % (guessing: ${level.guess} %)` }));
    this.tally.replaceChildren(element("b", { text: `At this frame ${tally.right[frame]} % of edges right` }), `; ${beside(tally)}`, ...levels);
    this.tally.dataset.right = tally.right[frame];
  }

  // Balls move: nodes, edges, arrowheads, capsules and hit points go with them (hri.view.layout.bow).
  place(frame) {
    const { chart, data } = this, { nodes, radii, forced } = this.arrays, count = nodes.shape[1];
    const at = (n) => [nodes.values[(frame * count + n) * 2], 1 - nodes.values[(frame * count + n) * 2 + 1]];
    const curve = (i, j, bend) => {
      const a = at(i), b = at(j), d = [b[0] - a[0], b[1] - a[1]];
      const length = Math.max(Math.hypot(...d), 1e-9), u = [d[0] / length, d[1] / length];
      const from = Math.min(radii.values[i], 0.4 * length), to = Math.min(radii.values[j], 0.4 * length);
      return [
        [a[0] + u[0] * from, a[1] + u[1] * from],
        [(a[0] + b[0]) / 2 + bend * 2 * d[1], (a[1] + b[1]) / 2 - bend * 2 * d[0]],
        [b[0] - u[0] * to, b[1] - u[1] * to],
      ];
    };
    chart.measure();
    data.pairs.forEach(([i, j], e) => chart.placeEdge(e, curve(i, j, data.bow), forced));
    data.capsules.forEach(([i, j], k) => {
      const [a, there, b] = curve(i, j, data.bow + data.style.capsule);
      chart.placeSpring(k, [a, there, b, [a[0] + b[0] - there[0], a[1] + b[1] - there[1]]]);
    });
    for (let n = 0; n < count; n++) chart.placeNode(n, at(n));
  }

  background(frame) {
    this.pictures ??= [];
    this.pictures[frame] ??= this.picture(frame);
    this.chart.paintFrame(this.pictures[frame]);
  }

  picture(frame) {
    const { shape: [, rows, columns], values } = this.arrays.frames, zoom = 8;
    const small = element("canvas", { width: columns, height: rows }), large = element("canvas", { width: zoom * columns, height: zoom * rows });
    paintPixels(small.getContext("2d"), values, frame, rows, columns);
    const context = large.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, large.width, large.height);
    return large.toDataURL();
  }
}

function mount(root, data, send) {
  const clock = clockOf(data.player), part = data.part ?? "graph";
  const notice = root.querySelector(".notice") ?? root.appendChild(element("p", { class: "notice", hidden: "" }));
  const tally = root.querySelector(".tally") ?? root.appendChild(element("p", { class: "tally", hidden: "" }));
  const scope = root.querySelector(".scope") ?? root.appendChild(element("p", { class: "scope", hidden: "" }));
  notice.hidden = true;
  let graph = null, ended = false;
  const end = () => {
    ended = true;
    graph?.end();
    if (graph) clock.leave(part, graph.draw);
  };
  const broken = (reason) => {
    end();
    notice.hidden = false;
    notice.textContent = `The graph cannot follow the player here (${reason}); it is redrawn on pause.`;
    send("broken", reason, true);
  };
  unpack(data.arrays).then((arrays) => {
    if (ended) return;
    graph = new Graph(data, arrays, clock, scope, tally, broken);
    clock.join(part, data.scene, arrays.types.shape[0], graph.draw);
  });
  return replace(root, end);
}
