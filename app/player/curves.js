// Panels of curves that grow while a training runs. Drawn in place: new numbers change paths and labels, never the
// elements, so hidden curves, zoom and what the mouse points at stay as they are.

const MARGIN = { left: 46, right: 10, top: 6, bottom: 18 };
const DASHES = { solid: "", dash: "6 4", dot: "2 3", dashdot: "7 3 2 3" };

function readable(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return scientific(value);
  return size >= 100 ? Math.round(value).toLocaleString("en") : String(+value.toPrecision(3));
}

// A number on an axis, short enough for the margin: 20k, 1.5M, 10⁻⁴.
function brief(value) {
  const size = Math.abs(value);
  if (size !== 0 && size < 1e-3) return scientific(value).replace(/^1\.0·/, "").replace(".0·", "·");
  if (size < 1e4 || size >= 1e9) return readable(value);
  return size < 1e6 ? `${+(value / 1e3).toPrecision(3)}k` : `${+(value / 1e6).toPrecision(3)}M`;
}

// Round numbers about so far apart.
function ticks(low, high, count) {
  const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-6; at += step) found.push(Math.abs(at) < step * 1e-6 ? 0 : at);
  return found;
}

class Chart {
  hidden = new Set();
  zoom = null; // [from, to] along x
  pointed = null;
  #drag = null;

  constructor(host) {
    this.host = host;
    this.title = element("b");
    this.legend = element("div", { class: "legend" });
    this.svg = element("svg", { class: "curves", role: "img" });
    this.grid = element("g", { class: "grids" });
    this.lines = element("g", { class: "lines" });
    this.band = element("rect", { class: "band", visibility: "hidden" });
    this.cross = element("line", { class: "cross", visibility: "hidden" });
    this.svg.append(this.grid, this.lines, this.band, this.cross);
    this.reset = element("button", { class: "reset", type: "button", text: "whole course", hidden: "", title: "Undo the zoom (double click)" });
    this.reset.addEventListener("click", () => this.zoomTo(null));
    host.append(element("div", { class: "head" }, this.title, this.reset, this.legend), this.svg);
    this.svg.addEventListener("pointermove", (event) => this.move(event));
    this.svg.addEventListener("pointerleave", () => { this.pointed = null; this.draw(); });
    this.svg.addEventListener("pointerdown", (event) => {
      this.#drag = this.at(event);
      this.svg.setPointerCapture(event.pointerId);
    });
    this.svg.addEventListener("pointerup", (event) => {
      const from = this.#drag, to = this.at(event);
      this.#drag = null;
      this.band.setAttribute("visibility", "hidden");
      if (from !== null && Math.abs(this.px(to) - this.px(from)) > 8) this.zoomTo([Math.min(from, to), Math.max(from, to)]);
    });
    this.svg.addEventListener("dblclick", () => this.zoomTo(null));
    new ResizeObserver(() => this.panel && this.draw()).observe(this.svg);
  }

  show(panel) {
    this.panel = panel;
    this.host.dataset.points = panel.curves.reduce((sum, curve) => sum + curve.x.length, 0);
    this.title.textContent = panel.title;
    this.host.title = panel.help;
    this.svg.setAttribute("aria-label", `${panel.title}: ${panel.curves.map((c) => `${c.name} ${readable(c.y.at(-1))}`).join(", ")}`);
    this.draw();
  }

  zoomTo(span) {
    this.zoom = span;
    this.reset.hidden = !span;
    this.host.dataset.zoom = span ? span.map((x) => x.toFixed(1)).join(" ") : "";
    this.draw();
  }

  at(event) {
    const box = this.svg.getBoundingClientRect();
    const share = (event.clientX - box.left - MARGIN.left) / Math.max(1, box.width - MARGIN.left - MARGIN.right);
    const [low, high] = this.span;
    return low + Math.max(0, Math.min(1, share)) * (high - low);
  }

  move(event) {
    this.pointed = this.at(event);
    if (this.#drag !== null) {
      const [a, b] = [this.px(this.#drag), this.px(this.pointed)].sort((x, y) => x - y);
      for (const [name, value] of Object.entries({ x: a, width: b - a, y: MARGIN.top, height: this.inner.height, visibility: "visible" })) this.band.setAttribute(name, value);
    }
    this.draw();
  }

  px(x) {
    const [low, high] = this.span;
    return MARGIN.left + ((x - low) / (high - low || 1)) * this.inner.width;
  }

  py(y) {
    const scale = this.panel.log ? Math.log10 : (v) => v;
    const [low, high] = this.range;
    return MARGIN.top + this.inner.height * (1 - (scale(y) - low) / (high - low || 1));
  }

  // What is seen of the axes: the whole course or the zoom; the height fits the curves in sight.
  measure() {
    const { width, height } = this.svg.getBoundingClientRect();
    this.inner = { width: Math.max(10, width - MARGIN.left - MARGIN.right), height: Math.max(10, height - MARGIN.top - MARGIN.bottom) };
    const shown = this.panel.curves.filter((curve) => !this.hidden.has(curve.key));
    const xs = shown.flatMap((curve) => curve.x);
    const whole = xs.length ? [xs.reduce((a, b) => Math.min(a, b)), xs.reduce((a, b) => Math.max(a, b))] : [0, 1];
    this.span = this.zoom ?? (whole[0] === whole[1] ? [whole[0] - 1, whole[1] + 1] : whole);
    const values = shown.flatMap((curve) => curve.y.filter((y, k) => y !== null && curve.x[k] >= this.span[0] && curve.x[k] <= this.span[1]));
    const scaled = this.panel.log ? values.map(Math.log10) : values;
    let [low, high] = this.panel.span ?? (scaled.length ? [scaled.reduce((a, b) => Math.min(a, b)), scaled.reduce((a, b) => Math.max(a, b))] : [0, 1]);
    if (!this.panel.span) {
      const air = (high - low || (this.panel.log ? 0.2 : Math.abs(high) || 1)) * 0.06;
      [low, high] = [low - air, high + air];
    }
    this.range = [low, high];
  }

  draw() {
    this.measure();
    const { log, curves, x } = this.panel, { width, height } = this.inner;
    const bottom = MARGIN.top + height, [low, high] = this.range;
    const rows = log ? this.decades(low, high) : ticks(low, high, 4);
    const columns = ticks(this.span[0], this.span[1], Math.max(3, width / 60));
    this.grid.replaceChildren(
      ...rows.flatMap((value) => {
        const y = this.py(value);
        return [
          element("line", { x1: MARGIN.left, x2: MARGIN.left + width, y1: y, y2: y }),
          element("text", { x: MARGIN.left - 5, y: y + 3.5, "text-anchor": "end", text: brief(value) }),
        ];
      }),
      ...columns.map((value) => {
        const x = this.px(value), text = brief(value), room = MARGIN.left + width + MARGIN.right - x;
        return element("text", { x, y: bottom + 13, "text-anchor": room < 4 * text.length ? "end" : "middle", text });
      }),
      element("text", { x: MARGIN.left + width, y: bottom - 5, "text-anchor": "end", class: "unit", text: x, style: "paint-order: stroke; stroke: var(--st-background-color); stroke-width: 4px" }),
    );
    const paths = curves.map((curve) => {
      const visible = !this.hidden.has(curve.key);
      let pen = "M";
      const points = curve.x.map((at, k) => {
        if (curve.y[k] === null || at < this.span[0] || at > this.span[1]) return (pen = "M", "");
        const point = `${pen}${this.px(at).toFixed(1)} ${this.py(curve.y[k]).toFixed(1)}`;
        pen = "L";
        return point;
      });
      const alone = curve.x.length === 1 && visible ? [element("circle", { cx: this.px(curve.x[0]), cy: this.py(curve.y[0] ?? 1), r: 3, fill: curve.colour })] : [];
      const line = element("path", { d: visible ? points.join("") : "", stroke: curve.colour, "stroke-dasharray": DASHES[curve.dash], "stroke-width": curve.baseline ? 1.5 : 2 });
      return [line, ...alone];
    });
    this.lines.replaceChildren(...paths.flat());
    this.cross.setAttribute("visibility", this.pointed === null ? "hidden" : "visible");
    if (this.pointed !== null) {
      const at = this.px(this.pointed);
      for (const [name, value] of Object.entries({ x1: at, x2: at, y1: MARGIN.top, y2: bottom })) this.cross.setAttribute(name, value);
    }
    this.name();
  }

  decades(low, high) {
    const found = [];
    for (let power = Math.floor(low); power <= Math.ceil(high); power++) found.push(10 ** power);
    const inside = found.filter((value) => Math.log10(value) >= low && Math.log10(value) <= high);
    if (inside.length >= 2) return inside.length > 6 ? inside.filter((_, k) => k % 2 === 0) : inside;
    const finer = found.flatMap((value) => [1, 2, 5].map((m) => m * value)).filter((v) => Math.log10(v) >= low && Math.log10(v) <= high);
    return finer.length >= 2 ? finer : ticks(10 ** low, 10 ** high, 3).filter((value) => value > 0);
  }

  // The legend is made once a set of curves; then only its numbers change.
  name() {
    const { curves } = this.panel, keys = curves.map((curve) => curve.key).join("|");
    if (this.legend.dataset.keys !== keys) {
      this.legend.dataset.keys = keys;
      this.entries = curves.map((curve) => {
        const stroke = element("svg", { class: "stroke", viewBox: "0 0 22 8" }, element("line", { x1: 0, x2: 22, y1: 4, y2: 4, stroke: curve.colour, "stroke-width": curve.baseline ? 1.5 : 2, "stroke-dasharray": DASHES[curve.dash] }));
        const value = element("span", { class: "value" });
        const label = element("span", { text: curve.name });
        const button = element("button", { type: "button", title: "Hide or show this curve" }, stroke, label, value);
        button.addEventListener("click", () => {
          this.hidden.has(curve.key) ? this.hidden.delete(curve.key) : this.hidden.add(curve.key);
          button.classList.toggle("hidden", this.hidden.has(curve.key));
          this.draw();
        });
        return { value, label };
      });
      this.legend.replaceChildren(...this.entries.map(({ value }) => value.parentElement));
    }
    curves.forEach((curve, k) => {
      this.entries[k].label.textContent = curve.name;
      this.entries[k].value.textContent = readable(this.pointed === null ? curve.y.findLast((y) => y !== null) : this.near(curve));
    });
  }

  near(curve) {
    let best = null, distance = Infinity;
    curve.x.forEach((x, k) => {
      if (curve.y[k] !== null && Math.abs(x - this.pointed) < distance) [best, distance] = [curve.y[k], Math.abs(x - this.pointed)];
    });
    return best;
  }
}

const charts = new WeakMap();

function mount(root, data) {
  if (!charts.has(root)) charts.set(root, new Map());
  const known = charts.get(root);
  // Zoom belongs to a run's stage: another one begins anew.
  if (root.dataset.course !== data.course) {
    root.dataset.course = data.course;
    root.replaceChildren();
    known.clear();
  }
  const wanted = new Set(data.panels.map((panel) => panel.key));
  for (const [key, chart] of known) {
    if (wanted.has(key)) continue;
    chart.host.remove();
    known.delete(key);
  }
  data.panels.forEach((panel, place) => {
    if (!known.has(panel.key)) known.set(panel.key, new Chart(element("section", { "data-panel": panel.key })));
    const { host } = known.get(panel.key);
    if (root.children[place] !== host) root.insertBefore(host, root.children[place] ?? null);
    known.get(panel.key).show(panel);
  });
  root.dataset.update = data.update;
}
