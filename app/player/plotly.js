// A Plotly figure that st.plotly_chart has drawn, repainted in place. All that relies on how Plotly lays out its SVG, and
// on parts of it that are not public (_fullData, _fullLayout, calcdata, __data__), is in this file. Every reliance is
// checked when the drawn elements are looked up, and what does not fit is said in a sentence.
//
// What is painted goes into Plotly's own model too: export, zoom, full screen and a change of theme redraw from it.

const EVENTS = ["afterplot", "click", "hover", "unhover"];

// What of a chart is for the screen alone.
const SCREEN_ONLY = ".draglayer, .hoverlayer, .zoomlayer, .selectionlayer, .modebar-container, .gl-container, .glimages, .cursor-pointer:empty";

// Any chart inside an element of this class, as it stands: its size in pixels and the layers of its drawing; null while
// it is not drawn.
function drawnChart(key) {
  const chart = document.querySelector(`.st-key-${key} .js-plotly-plot`), layout = chart?._fullLayout;
  return layout ? { chart, width: layout.width, height: layout.height, layers: chart.querySelectorAll(".main-svg") } : null;
}

class PlotlyGraph {
  // The chart inside an element of this class; null while it is not drawn.
  static drawn(key) {
    const chart = document.querySelector(`.st-key-${key} .js-plotly-plot`);
    return chart?._fullData?.some((trace) => trace.meta === "nodes") ? new PlotlyGraph(chart) : null;
  }

  constructor(chart) {
    this.chart = chart;
    this.colours = new Map(); // hexadecimal -> "red,green,blue"
  }

  get connected() {
    return this.chart.isConnected;
  }

  set frame(frame) {
    this.chart.dataset.frame = frame;
  }

  // Hear of these events, {afterplot, click, hover, unhover}, or no more.
  hook(listeners, on) {
    for (const name of EVENTS) {
      this.chart.removeListener?.(`plotly_${name}`, listeners[name]);
      if (on) this.chart.on(`plotly_${name}`, listeners[name]);
    }
  }

  // Looks up the drawn elements of every edge, spring and node; returns a sentence saying what does not fit, or null.
  collect({ pairs, capsules, nodes: count, style, hit_shares }, framed) {
    const { chart } = this, marks = Object.keys(style.edited);
    Object.assign(this, { style, hitShares: hit_shares });
    this.traces = Object.fromEntries(chart._fullData.map((trace, k) => [trace.meta, k]));
    for (const meta of ["heads", "hits", ...marks, "nodes"]) if (!(meta in this.traces)) return `trace ${meta} is missing`;
    const paths = new Map();
    for (const path of chart.querySelectorAll(".shapelayer path[data-index], .shapelayer-between path[data-index]")) paths.set(+path.dataset.index, path);
    const shapes = chart.layout.shapes ?? [];
    const names = [...capsules.map(([i, j]) => `spring_${i}_${j}`), ...pairs.map(([i, j]) => `edge_${i}_${j}`)];
    if (shapes.length !== names.length || paths.size !== names.length) return `${paths.size} drawn paths and ${shapes.length} shapes for ${names.length} names`;
    for (const [k, name] of names.entries()) if (shapes[k].name !== name || !paths.has(k)) return `shape ${k} is not ${name}`;
    const part = (_, k) => ({ path: paths.get(k), shape: shapes[k] });
    this.springs = capsules.map(part);
    this.edges = pairs.map((_, k) => part(_, k + capsules.length));
    this.heads = this.points("heads");
    this.nodes = this.points("nodes");
    if (this.heads.filter(Boolean).length !== pairs.length) return `${this.heads.length} arrowheads for ${pairs.length} edges`;
    if (this.nodes.filter(Boolean).length !== count) return `${this.nodes.length} drawn nodes for ${count}`;
    this.marks = Object.fromEntries(marks.map((meta) => [meta, this.points(meta)]));
    for (const [meta, points] of Object.entries(this.marks)) if (points.filter(Boolean).length !== pairs.length) return `${points.length} marks of ${meta} for ${pairs.length} edges`;
    this.picture = chart.querySelector(".imagelayer image");
    if (framed && !this.picture) return "the frame under the graph is missing";
    this.hits = chart._fullData[this.traces.hits].customdata ?? [];
    return null;
  }

  points(meta) {
    const drawn = [];
    for (const point of this.chart.querySelectorAll(`.trace${this.chart._fullData[this.traces[meta]].uid} path.point`)) drawn[point.__data__.i] = point;
    return drawn;
  }

  // Whether an entry of the legend is switched on.
  visible(meta) {
    return !(meta in this.traces) || this.chart._fullData[this.traces[meta]].visible === true;
  }

  rgba(hex, alpha) {
    if (!this.colours.has(hex)) this.colours.set(hex, [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16)).join(","));
    return `rgba(${this.colours.get(hex)},${alpha})`;
  }

  paintEdge(e, { colour, dash, head }, width, alpha) {
    const { path, shape } = this.edges[e], opacity = alpha.toFixed(3), ink = this.rgba(colour, opacity);
    path.style.cssText = `fill:none;stroke:${colour};stroke-opacity:${opacity};stroke-width:${width.toFixed(2)}px;${dash === "solid" ? "" : `stroke-dasharray:${dash}`}`;
    this.heads[e].style.cssText = `fill:${colour};opacity:${head ? opacity : 0};stroke-width:0`;
    Object.assign(shape.line, { color: ink, width, dash });
    this.chart.data[this.traces.heads].marker.color[e] = head ? ink : this.style.clear;
  }

  // What is said of an edge: its type, the probability of that, and where they are known the truth and an edit.
  sayEdge(e, type, chance, truth, edit) {
    const more = [truth, edit].map((words) => words && `<br>${words}`).join("");
    for (let p = 0, count = this.hitShares.length; p < count; p++) {
      const custom = this.hits[e * count + p];
      custom[2] = type;
      custom[3] = chance;
      custom[4] = more;
    }
  }

  paintMark(meta, e, alpha) {
    const colour = this.style[meta];
    this.marks[meta][e].style.cssText = `fill:${colour};opacity:${alpha};stroke:${this.style.mark_rim};stroke-width:1px`;
    this.chart.data[this.traces[meta]].marker.color[e] = alpha ? this.rgba(colour, alpha) : this.style.clear;
  }

  paintSpring(k, alpha) {
    const { path, shape } = this.springs[k], { spring, spring_width: width } = this.style;
    path.style.cssText = `fill:none;stroke:${spring};stroke-opacity:${alpha};stroke-width:${width}px`;
    shape.line.color = alpha ? this.rgba(spring, alpha) : this.style.clear;
  }

  glow(node, on) {
    const { touched } = this.style;
    this.nodes[node].style.filter = on ? `drop-shadow(0 0 3px ${touched}) drop-shadow(0 0 2px ${touched})` : "";
  }

  paintFrame(address) {
    this.picture.setAttribute("href", address);
    this.picture.style.imageRendering = "pixelated";
    this.chart.layout.images[0].source = address;
  }

  // Where things lie, in the units of the layout (hri.view.layout) ------------------------------------------------

  // Axes as they are zoomed now; call before placing anything.
  measure() {
    const { xaxis, yaxis } = this.chart._fullLayout;
    this.x = (x) => xaxis.l2p(x);
    this.y = (y) => yaxis.l2p(y);
    this.left = xaxis._offset;
    this.top = yaxis._offset;
  }

  move(meta, k, [x, y]) {
    const index = this.traces[meta], trace = this.chart.data[index];
    trace.x[k] = x;
    trace.y[k] = y;
    Object.assign(this.chart.calcdata[index][k], { x, y });
  }

  moveDrawn(meta, k, point, at) {
    this.move(meta, k, at);
    point.setAttribute("transform", `translate(${this.x(at[0])},${this.y(at[1])})`);
  }

  curve({ path, shape }, points) {
    const text = (x, y) => {
      const p = points.map(([a, b]) => `${x(a).toFixed(4)},${y(b).toFixed(4)}`);
      return p.length > 3 ? `M ${p[0]} Q ${p[1]} ${p[2]} Q ${p[3]} ${p[0]} Z` : `M ${p[0]} Q ${p[1]} ${p[2]}`;
    };
    shape.path = text((v) => v, (v) => v);
    path.setAttribute("d", text((v) => this.left + this.x(v), (v) => this.top + this.y(v)));
  }

  // An edge from its start over a control point to its end, with all that lies on it.
  placeEdge(e, [a, c, b], marked) {
    this.curve(this.edges[e], [a, c, b]);
    const angle = Math.atan2(b[0] - c[0], b[1] - c[1]);
    this.chart.data[this.traces.heads].marker.angle[e] = (angle * 180) / Math.PI;
    this.moveDrawn("heads", e, this.heads[e], b);
    this.heads[e].setAttribute("d", arrow(angle, this.style.arrow / 2));
    const on = (s) => [0, 1].map((q) => (1 - s) ** 2 * a[q] + 2 * s * (1 - s) * c[q] + s ** 2 * b[q]);
    if (marked) for (const [meta, points] of Object.entries(this.marks)) this.moveDrawn(meta, e, points[e], on(0.5));
    this.hitShares.forEach((share, p) => this.move("hits", e * this.hitShares.length + p, on(share)));
  }

  placeSpring(k, points) {
    this.curve(this.springs[k], points);
  }

  placeNode(n, at) {
    this.moveDrawn("nodes", n, this.nodes[n], at);
  }
}

// Plotly's arrow symbol, tip at the origin, turned clockwise from "up".
function arrow(angle, size) {
  const turn = (x, y) => `${(x * Math.cos(angle) - y * Math.sin(angle)).toFixed(2)},${(x * Math.sin(angle) + y * Math.cos(angle)).toFixed(2)}`;
  return `M0,0L${turn(-size, 2 * size)}L${turn(size, 2 * size)}Z`;
}

// The chart of graph.js.
const chartOf = (data) => PlotlyGraph.drawn(data.chart);
