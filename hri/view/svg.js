// The graph that hri.view.svg has drawn, repainted in place: the chart of graph.js where there is no Plotly. Its nodes
// stay where they are, over no frame.

const MARKS = { cuts: "cut", forces: "force" }; // class of a mark by the kind of edit, as hri.view.svg has it

class SvgGraph {
  constructor(svg) {
    this.svg = svg;
  }

  get connected() {
    return this.svg.isConnected;
  }

  set frame(frame) {
    this.svg.dataset.frame = frame;
  }

  collect({ names, style }) {
    const all = (selector) => [...this.svg.querySelectorAll(selector)];
    this.names = names;
    this.edges = all(".edge").map((group) => ({ group, title: group.querySelector("title"), parts: group.querySelectorAll("path") }));
    this.springs = all(".spring");
    this.nodes = all(".node");
    this.marks = Object.fromEntries(Object.keys(style.edited).map((kind) => [kind, new Map(all(`.mark.${MARKS[kind]}`).map((mark) => [+mark.dataset.edge, mark]))]));
    this.touched = style.touched;
    return this.edges.length === names.length ? null : `${this.edges.length} drawn edges for ${names.length}`;
  }

  // Events as Plotly has them: what a point stands for is its place among the edges, or -1 and a node.
  hook({ click, hover, unhover }, on) {
    const listen = (target, custom) => {
      const event = { points: [{ customdata: custom }] };
      for (const [name, act] of [["click", click], ["pointerenter", hover], ["pointerleave", unhover]]) target.addEventListener(name, () => act(event), { signal: this.ending.signal });
    };
    this.ending?.abort();
    if (!on) return;
    this.ending = new AbortController();
    this.svg.querySelectorAll(".edge").forEach((edge, e) => listen(edge, [e]));
    this.svg.querySelectorAll(".node").forEach((node) => listen(node, [-1, 0, +node.dataset.node]));
  }

  visible() {
    return true;
  }

  paintEdge(e, { colour, dash, head: pointed }, width, alpha) {
    const { group, parts: [line, head] } = this.edges[e];
    group.setAttribute("opacity", alpha.toFixed(3));
    line.setAttribute("stroke", colour);
    line.setAttribute("stroke-width", width.toFixed(2));
    line.setAttribute("stroke-dasharray", dash === "solid" ? "none" : dash);
    head.setAttribute("fill", colour);
    head.setAttribute("fill-opacity", +pointed);
  }

  sayEdge(e, type, chance, truth, edit) {
    this.edges[e].title.textContent = `${this.names[e]}: ${type}, p = ${chance.toFixed(2)}${edit && `, ${edit}`}`;
  }

  paintMark(kind, e, alpha) {
    this.marks[kind].get(e)?.setAttribute("opacity", alpha);
  }

  paintSpring(k, alpha) {
    this.springs[k]?.setAttribute("stroke-opacity", alpha);
  }

  glow(node, on) {
    this.nodes[node].style.filter = on ? `drop-shadow(0 0 3px ${this.touched}) drop-shadow(0 0 2px ${this.touched})` : "";
  }
}

// The chart of graph.js.
const chartOf = (data) => new SvgGraph(document.getElementById(data.chart));
