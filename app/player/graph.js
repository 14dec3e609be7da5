// Repaints the Plotly figure that st.plotly_chart has drawn, so that the graph follows the player without
// a redraw. It relies on how Plotly lays out its SVG; each reliance is checked on every look-up, and if one
// fails the graph says so and Python redraws the figure whenever the player pauses.

class Graph {
  constructor(data, arrays, clock, scope, broken) {
    Object.assign(this, { data, arrays, clock, scope, broken });
    this.rgb = data.style.colours.map((hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16)).join(","));
    this.watch = setInterval(() => this.chart?.isConnected || this.clock.redraw(), 150);
  }

  end() {
    clearInterval(this.watch);
    this.hook(false);
  }

  hook(on) {
    if (!this.chart) return;
    const events = { plotly_afterplot: this.after, plotly_click: this.click, plotly_hover: this.hover, plotly_unhover: this.unhover };
    for (const [name, listener] of Object.entries(events)) {
      this.chart.removeListener?.(name, listener);
      if (on) this.chart.on(name, listener);
    }
  }

  after = () => {
    this.parts = null; // Plotly has made new elements: look them up again and repaint
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

  // The drawn elements of every edge, spring and node, or a sentence saying what does not fit.
  collect() {
    const chart = this.chart, { pairs, capsules } = this.data;
    const traces = Object.fromEntries(chart._fullData.map((trace, k) => [trace.meta, k]));
    for (const meta of ["heads", "hits", "cuts", "forces", "nodes"]) if (!(meta in traces)) return `trace ${meta} is missing`;
    const paths = new Map();
    for (const path of chart.querySelectorAll(".shapelayer path[data-index], .shapelayer-between path[data-index]")) paths.set(+path.dataset.index, path);
    const shapes = chart.layout.shapes ?? [];
    const names = [...capsules.map(([i, j]) => `spring_${i}_${j}`), ...pairs.map(([i, j]) => `edge_${i}_${j}`)];
    if (shapes.length !== names.length || paths.size !== names.length) return `${paths.size} drawn paths and ${shapes.length} shapes for ${names.length} names`;
    for (const [k, name] of names.entries()) if (shapes[k].name !== name || !paths.has(k)) return `shape ${k} is not ${name}`;
    const points = (meta) => {
      const found = [];
      for (const point of chart.querySelectorAll(`.trace${chart._fullData[traces[meta]].uid} path.point`)) found[point.__data__.i] = point;
      return found;
    };
    const heads = points("heads"), nodes = points("nodes");
    if (heads.filter(Boolean).length !== pairs.length) return `${heads.length} arrowheads for ${pairs.length} edges`;
    if (nodes.filter(Boolean).length !== this.data.nodes) return `${nodes.length} drawn nodes for ${this.data.nodes}`;
    const marks = Object.fromEntries(["cuts", "forces"].map((meta) => {
      const hex = this.data.style[meta];
      return [meta, { points: points(meta), colours: chart.data[traces[meta]].marker.color, rgb: [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16)).join(",") }];
    }));
    for (const [meta, { points }] of Object.entries(marks)) if (points.filter(Boolean).length !== pairs.length) return `${points.length} marks of ${meta} for ${pairs.length} edges`;
    const picture = chart.querySelector(".imagelayer image");
    if (this.arrays.frames && !picture) return "the frame under the graph is missing";
    const visible = (meta) => !(meta in traces) || chart._fullData[traces[meta]].visible === true;
    this.parts = {
      traces, heads, nodes, picture, marks,
      springs: capsules.map((_, k) => ({ path: paths.get(k), shape: shapes[k] })),
      edges: pairs.map((_, k) => ({ path: paths.get(k + capsules.length), shape: shapes[k + capsules.length] })),
      visible: this.data.style.colours.map((_, kind) => visible(`type_${kind}`)),
      springsVisible: visible("springs"),
      hits: chart._fullData[traces.hits].customdata ?? [],
      headColours: chart.data[traces.heads].marker.color,
    };
    return null;
  }

  draw = (clock) => {
    if (!this.chart?.isConnected) {
      this.hook(false);
      this.chart = document.querySelector(`.st-key-${this.data.chart} .js-plotly-plot`);
      this.parts = null;
      if (!this.chart?._fullData?.some((trace) => trace.meta === "nodes")) return void (this.chart = null); // not drawn yet
      this.hook(true);
    }
    if (!this.parts) {
      const reason = this.collect();
      if (reason) return this.broken(reason);
    }
    const { frame } = clock;
    if (this.arrays.nodes) this.place(frame);
    if (this.arrays.frames) this.background(frame);
    this.paint(frame, clock);
    this.tell(clock);
    this.chart.dataset.frame = frame;
  };

  // Width and opacity of an edge: the same formula as figures.edge_look.
  look(e, kind, chance, interacts) {
    const { style, type_names, ways, pairs } = this.data, { weights } = this.clock.settings;
    if (!this.clock.passes(ways[e], type_names[kind], interacts, pairs[e]) || !this.parts.visible[kind]) return [style.thin, 0];
    if (kind && weights?.scene === this.data.scene) {
      const share = weights.shares[`${pairs[e][0]}-${pairs[e][1]}`] ?? 0;
      return [style.thin + (style.heavy - style.thin) * share, style.faint + (1 - style.faint) * share];
    }
    if (kind === 0) return [style.none_width, style.none_alpha * chance];
    return [style.thin + (style.thick - style.thin) * chance, style.faint + (1 - style.faint) * chance ** 1.5];
  }

  paint(frame, clock) {
    const { parts, data, rgb } = this, { probabilities, types, springs, forced } = this.arrays;
    const [, edges, kinds] = probabilities.shape, focus = clock.focusIn(data.tree), style = data.style, hits = data.hit_shares.length;
    this.shown = [];
    for (let e = 0; e < edges; e++) {
      const kind = types.values[frame * edges + e], at = (frame * edges + e) * kinds;
      const chance = probabilities.values[at + kind] / 255;
      let [width, alpha] = this.look(e, kind, chance, 1 - probabilities.values[at] / 255);
      this.shown[e] = alpha > 0;
      if (focus && !this.touches(focus, data.pairs[e])) alpha *= 0.12;
      const colour = `rgba(${rgb[kind]},${alpha.toFixed(3)})`, arrow = kind ? colour : "rgba(0,0,0,0)";
      const { path, shape } = parts.edges[e], held = forced ? forced.values[frame * edges + e] - 1 : -1;
      path.style.cssText = `fill:none;stroke:rgb(${rgb[kind]});stroke-opacity:${alpha.toFixed(3)};stroke-width:${width.toFixed(2)}px;${kind ? "" : "stroke-dasharray:2px,3px"}`;
      parts.heads[e].style.cssText = `fill:rgb(${rgb[kind]});opacity:${kind ? alpha.toFixed(3) : 0};stroke-width:0`;
      // Plotly's own model too: export, zoom, full screen and a change of theme redraw from it.
      Object.assign(shape.line, { color: colour, width, dash: kind ? "solid" : "dot" });
      parts.headColours[e] = arrow;
      const spring = springs ? this.spring(frame, data.capsule_of[e]) : null;
      for (let p = 0; p < hits; p++) {
        const custom = parts.hits[e * hits + p];
        custom[2] = data.type_names[kind];
        custom[3] = chance;
        custom[4] = (spring === null ? "" : `<br>${data.truths[spring ? 1 : 0]}`) + (held < 0 ? "" : held ? "<br>forced by you" : "<br>cut by you");
      }
      if (forced) {
        const passes = clock.passes(data.ways[e], data.type_names[kind], 1 - probabilities.values[at] / 255, data.pairs[e]);
        this.mark(e, held, !passes ? 0 : focus && !this.touches(focus, data.pairs[e]) ? 0.2 : 1);
      }
    }
    const on = springs && clock.settings.springs && parts.springsVisible;
    parts.springs.forEach(({ path, shape }, k) => {
      const near = !focus || this.touches(focus, data.capsules[k]) ? 1 : 0.15;
      const alpha = on && this.spring(frame, k) ? near : 0;
      path.style.cssText = `fill:none;stroke:${style.spring};stroke-opacity:${alpha};stroke-width:1.5px`;
      shape.line.color = alpha ? `rgba(${[1, 3, 5].map((c) => parseInt(style.spring.slice(c, c + 2), 16))},${alpha})` : "rgba(0,0,0,0)";
    });
    parts.nodes.forEach((node, k) => {
      node.style.filter = focus && this.holds(focus, k) ? "drop-shadow(0 0 3px rgb(230,159,0)) drop-shadow(0 0 2px rgb(230,159,0))" : "";
    });
  }

  // What the visitor has done to an edge: a cross where it is cut, a star where a type is forced upon it.
  mark(e, held, alpha) {
    ["cuts", "forces"].forEach((meta, forces) => {
      const { points, colours, rgb } = this.parts.marks[meta], shown = held >= 0 && forces === (held > 0 ? 1 : 0);
      points[e].style.cssText = `fill:rgb(${rgb});opacity:${shown ? alpha : 0};stroke:#fff;stroke-width:1px`;
      colours[e] = shown ? `rgba(${rgb},${alpha})` : "rgba(0,0,0,0)";
    });
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

  // Balls move: nodes, edges, arrowheads, capsules and hit points go with them (figures.bow in pixels).
  place(frame) {
    const { chart, parts, data } = this, { nodes, radii } = this.arrays, { _fullLayout: full } = chart;
    const count = nodes.shape[1], layer = { x: full.xaxis, y: full.yaxis };
    const data_x = (n) => nodes.values[(frame * count + n) * 2], data_y = (n) => 1 - nodes.values[(frame * count + n) * 2 + 1];
    const px = (x) => layer.x.l2p(x), py = (y) => layer.y.l2p(y);
    const curve = (i, j, bend) => {
      const a = [data_x(i), data_y(i)], b = [data_x(j), data_y(j)], d = [b[0] - a[0], b[1] - a[1]];
      const length = Math.max(Math.hypot(...d), 1e-9), u = [d[0] / length, d[1] / length];
      const from = Math.min(radii.values[i], 0.4 * length), to = Math.min(radii.values[j], 0.4 * length);
      return [
        [a[0] + u[0] * from, a[1] + u[1] * from],
        [(a[0] + b[0]) / 2 + bend * 2 * d[1], (a[1] + b[1]) / 2 - bend * 2 * d[0]],
        [b[0] - u[0] * to, b[1] - u[1] * to],
      ];
    };
    const write = (part, points, closed) => {
      const text = (x, y) => { const p = points.map(([a, b]) => `${x(a).toFixed(4)},${y(b).toFixed(4)}`); return closed ? `M ${p[0]} Q ${p[1]} ${p[2]} Q ${p[3]} ${p[0]} Z` : `M ${p[0]} Q ${p[1]} ${p[2]}`; };
      part.shape.path = text((v) => v, (v) => v);
      part.path.setAttribute("d", text((v) => layer.x._offset + px(v), (v) => layer.y._offset + py(v)));
    };
    const heads = chart.data[parts.traces.heads], hits = chart.data[parts.traces.hits], bodies = chart.data[parts.traces.nodes];
    const found = (meta) => chart.calcdata[parts.traces[meta]];
    const move = (meta, trace, k, [x, y]) => { trace.x[k] = x; trace.y[k] = y; Object.assign(found(meta)[k], { x, y }); };
    data.pairs.forEach(([i, j], e) => {
      const [a, c, b] = curve(i, j, data.bow);
      write(parts.edges[e], [a, c, b], false);
      move("heads", heads, e, b);
      const angle = Math.atan2(b[0] - c[0], b[1] - c[1]), size = data.style.arrow / 2;
      heads.marker.angle[e] = (angle * 180) / Math.PI;
      parts.heads[e].setAttribute("transform", `translate(${px(b[0])},${py(b[1])})`);
      parts.heads[e].setAttribute("d", this.arrow(angle, size));
      if (this.arrays.forced) for (const meta of ["cuts", "forces"]) {
        const middle = [0, 1].map((q) => a[q] / 4 + c[q] / 2 + b[q] / 4);
        move(meta, chart.data[parts.traces[meta]], e, middle);
        parts.marks[meta].points[e].setAttribute("transform", `translate(${px(middle[0])},${py(middle[1])})`);
      }
      data.hit_shares.forEach((s, p) => {
        const mix = (q) => (1 - s) ** 2 * a[q] + 2 * s * (1 - s) * c[q] + s ** 2 * b[q];
        move("hits", hits, e * data.hit_shares.length + p, [mix(0), mix(1)]);
      });
    });
    data.capsules.forEach(([i, j], k) => {
      const [a, right, b] = curve(i, j, data.bow + data.style.capsule);
      write(parts.springs[k], [a, right, b, [a[0] + b[0] - right[0], a[1] + b[1] - right[1]]], true);
    });
    parts.nodes.forEach((node, n) => {
      move("nodes", bodies, n, [data_x(n), data_y(n)]);
      node.setAttribute("transform", `translate(${px(data_x(n))},${py(data_y(n))})`);
    });
  }

  // Plotly's arrow symbol, tip at the origin, turned clockwise from "up".
  arrow(angle, size) {
    const turn = (x, y) => `${(x * Math.cos(angle) - y * Math.sin(angle)).toFixed(2)},${(x * Math.sin(angle) + y * Math.cos(angle)).toFixed(2)}`;
    return `M0,0L${turn(-size, 2 * size)}L${turn(size, 2 * size)}Z`;
  }

  background(frame) {
    this.pictures ??= [];
    this.pictures[frame] ??= this.picture(frame);
    this.parts.picture.setAttribute("href", this.pictures[frame]);
    this.parts.picture.style.imageRendering = "pixelated";
    this.chart.layout.images[0].source = this.pictures[frame];
  }

  picture(frame) {
    const { shape: [, rows, columns], values } = this.arrays.frames, zoom = 8;
    const small = element("canvas", { width: columns, height: rows }), large = element("canvas", { width: zoom * columns, height: zoom * rows });
    const image = small.getContext("2d").createImageData(columns, rows);
    for (let p = 0, at = frame * rows * columns * 3; p < rows * columns; p++) {
      for (let c = 0; c < 3; c++) image.data[p * 4 + c] = values[at + p * 3 + c];
      image.data[p * 4 + 3] = 255;
    }
    small.getContext("2d").putImageData(image, 0, 0);
    const context = large.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, large.width, large.height);
    return large.toDataURL();
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const clock = clockOf(data.player), part = data.part ?? "graph";
  const notice = parentElement.querySelector(".notice") ?? parentElement.appendChild(element("p", { class: "notice", hidden: "" }));
  const scope = parentElement.querySelector(".scope") ?? parentElement.appendChild(element("p", { class: "scope", hidden: "" }));
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
    setTriggerValue("broken", reason);
  };
  unpack(data.arrays).then((arrays) => {
    if (ended) return;
    graph = new Graph(data, arrays, clock, scope, broken);
    clock.join(part, data.scene, arrays.types.shape[0], graph.draw);
  });
  return replace(parentElement, end);
}
