// The drawing board: a box with balls to place and to throw, and springs to switch on and off. The draft lives in the
// browser; Python hears of it when the visitor asks for the simulation, as the text of a system (hri/physics/systems.py).
// Balls may carry charges instead: pairs of equal sign repel, and what is switched is the charge of a ball.

// All lengths below are shares of half the picture: its edge stands at 1, wherever the walls of the system are.
const RIM = { 0: 0.075, 1: 0.062, 2: 0.05 }; // of root, intermediate and leaf
const REACH = 0.4; // how long an arrow is for a speed of 1
const EDGE = 1.1; // of the picture
const STEP = 0.02; // of the arrow keys
const ROOM = 1.6; // in a large box the picture begins so much wider than where the balls are
const BOW = 0.16; // springs bend a little, so that three balls in a line show which are joined
// What is on the board survives another panel of the workbench, until Python gives another system to begin with.
const drafts = (globalThis.hriDrafts ??= new Map());

const round = (value) => Math.round(value * 1e4) / 1e4 || 0;
const clamp = (value, limit) => Math.max(-limit, Math.min(limit, value));

class SpringBoard {
  constructor(root, data, send, play) {
    Object.assign(this, { root, data, send, play });
    const kept = drafts.get(data.player);
    if (kept?.base === data.base) this.draft = kept.draft;
    else drafts.set(data.player, { base: data.base, draft: (this.draft = this.read(data.base)) });
    this.picked = null; // a ball or spring that the keyboard is at
    this.picture();
    this.draw();
  }

  read(text) {
    const { springs, positions, velocities } = JSON.parse(text), joined = new Set(springs.map(([i, j]) => `${i}.${j}`));
    const half = this.close(positions); // what the picture shows, in the system's units
    const places = positions.map((point) => point.map((value) => value / half));
    return { half, springs: joined, positions: places, velocities, positive: positions.map((_, node) => !node || joined.has(`0.${node}`)) };
  }

  text() {
    const { tree, physics } = JSON.parse(this.data.base), { half, springs, positions, velocities } = this.draft;
    const pairs = this.data.pairs.filter(([i, j]) => springs.has(`${i}.${j}`)), { box } = this.data;
    const places = box === 1 ? positions : positions.map((point) => point.map((value) => clamp(round(value * half), box)));
    return JSON.stringify({ version: 1, tree, physics, springs: pairs, positions: places, velocities });
  }

  picture() {
    const { data } = this;
    this.svg = element("svg", {
      viewBox: `${-EDGE} ${-EDGE} ${2 * EDGE} ${2 * EDGE}`, tabindex: 0, role: "application",
      "aria-label": "Drawing board. N and P go through balls and pairs; arrow keys move a ball, with Shift throw it; Space switches a spring or a charge.",
    });
    this.springs = data.pairs.map(([i, j]) => {
      const line = element("path", { class: "spring" }), hit = element("path", { class: "grip" });
      const group = element("g", { class: "pair", "data-pair": `${i} ${j}` }, element("title", { text: `${data.names[i]} and ${data.names[j]}: click to ${data.signs ? `turn the charge of ${data.names[j]}` : "switch the spring"}` }), line, hit);
      group.addEventListener("click", () => this.switch(i, j));
      return { i, j, line, hit, group };
    });
    this.balls = data.names.map((name, node) => {
      const rim = RIM[data.ranks[node]], shape = ["M0,-1L1,0L0,1L-1,0Z", "M-.85,-.85H.85V.85H-.85Z", "M-1,0a1,1 0 1,0 2,0a1,1 0 1,0 -2,0Z"][data.ranks[node]];
      const body = element("path", { class: "body", d: shape, transform: `scale(${rim})`, fill: data.colours[node] });
      const number = element("text", { class: "number", "text-anchor": "middle", y: 0.024, fill: data.inks[node], text: node });
      const ball = element("g", { class: "ball", "data-node": node }, element("title", { text: `${name}: drag to place it${data.signs ? ", double click to turn its charge" : ""}` }), body, number);
      if (data.signs) ball.addEventListener("dblclick", () => this.turn(node));
      const shaft = element("line", { class: "shaft" });
      const tip = element("circle", { class: "tip", r: 0.022 }), wide = element("circle", { class: "wide", r: 0.05 });
      const arrow = element("g", { class: "arrow", "data-node": node }, element("title", { text: `${name}: drag to throw it` }), shaft, wide, tip);
      this.drag(ball, () => node, (held, x, y, from) => this.place(held, x - from[0], y - from[1]));
      this.drag(arrow, (x, y) => this.nearest(x, y), (held, x, y) => this.throw(held, x, y));
      return { node, rim, ball, number, arrow, shaft, tip, wide };
    });
    this.walls = element("rect", { class: "walls" });
    this.svg.append(
      this.walls,
      ...this.springs.map(({ group }) => group), ...this.balls.map(({ ball }) => ball), ...this.balls.map(({ arrow }) => arrow),
    );
    this.svg.addEventListener("keydown", (event) => this.key(event));
    this.svg.addEventListener("focus", () => { this.picked ??= 0; this.draw(); });
    this.svg.addEventListener("blur", () => { this.picked = null; this.draw(); });
    this.told = element("p", { class: "told", role: "status" });
    const button = (text, title, act, kind = "") => {
      const made = element("button", { type: "button", class: kind, title, text });
      made.addEventListener("click", act);
      return made;
    };
    const every = (on) => () => { this.draft.springs = new Set(on ? data.pairs.map((pair) => pair.join(".")) : []); this.draw(); };
    const tools = element("div", { class: "tools" },
      button("Simulate and predict", "Let it move, and see above what the model makes of it.", () => { this.play(); this.send(this.text()); }, "main"),
      ...(data.signs ? [button("All alike", "Equal charges: every pair repels.", () => this.charge(() => true)), button("In turn", "Charges plus and minus in turn.", () => this.charge((node) => node % 2 === 0))]
        : [button("All springs", data.box > 1 ? "Join every pair." : "Join every pair that this tree allows.", every(true)), button("No springs", "Every ball flies alone.", every(false))]),
      button("Still", "All balls start at rest.", () => { this.draft.velocities = this.draft.velocities.map(() => [0, 0]); this.draw(); }),
      ...(data.box > 1 ? [(this.closer = button("", "", () => { this.show(this.draft.half < data.box ? data.box : this.near()); }))] : []),
      button("Start over", "Back to what was on the board at first.", () => { this.draft = this.read(data.base); drafts.set(data.player, { base: data.base, draft: this.draft }); this.draw(); }),
    );
    this.root.replaceChildren(this.svg, this.told, tools);
  }

  // Pointer to box units; y goes up.
  at(event) {
    const box = this.svg.getBoundingClientRect(), scale = (2 * EDGE) / box.width;
    return [(event.clientX - box.left) * scale - EDGE, EDGE - (event.clientY - box.top) * scale];
  }

  // Half a picture that shows all balls closely: a small box wholly.
  close(positions) {
    const { box } = this.data, farthest = Math.max(...positions.flat().map(Math.abs));
    return box > 1 ? Math.min(box, ROOM * farthest || box) : box;
  }

  near() {
    return this.close(this.draft.positions.map((point) => point.map((value) => value * this.draft.half)));
  }

  // Show so much of a large box.
  show(half) {
    const { draft } = this, scale = draft.half / half;
    draft.positions = draft.positions.map((point) => point.map((value) => value * scale));
    draft.half = half;
    this.draw();
  }

  // How far an arrow can reach in a direction: a fast ball's tip stays on the board, to be dragged again.
  room(from, way) {
    return Math.min(...[0, 1].map((k) => (way[k] ? ((EDGE - 0.03) * Math.sign(way[k]) - from[k]) / way[k] : Infinity)));
  }

  // The arrow whose tip is nearest to a point: tips may lie over each other.
  nearest(x, y) {
    const far = ({ tip }) => Math.hypot(tip.getAttribute("cx") - x, -tip.getAttribute("cy") - y);
    return this.balls.reduce((best, ball) => (far(ball) < far(best) ? ball : best)).node;
  }

  drag(what, choose, move) {
    what.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      this.svg.focus({ preventScroll: true });
      const [x, y] = this.at(event), held = choose(x, y), [ox, oy] = this.draft.positions[held], from = [x - ox, y - oy];
      this.picked = held;
      what.setPointerCapture(event.pointerId);
      what.classList.add("held");
      const go = (later) => { move(held, ...this.at(later), from); this.draw(); };
      const end = () => {
        what.removeEventListener("pointermove", go);
        what.classList.remove("held");
      };
      what.addEventListener("pointermove", go);
      for (const name of ["pointerup", "pointercancel"]) what.addEventListener(name, end, { once: true });
      this.draw();
    });
  }

  place(node, x, y) {
    this.draft.positions[node] = [round(clamp(x, 1)), round(clamp(y, 1))]; // a ball that left the picture could not be fetched
  }

  // The tip of the arrow is at a point: what lies beyond the ball's rim is its speed.
  throw(node, x, y) {
    const [px, py] = this.draft.positions[node], length = Math.hypot(x - px, y - py);
    const speed = Math.max(0, Math.min(this.data.fastest, (length - this.balls[node].rim) / REACH));
    this.draft.velocities[node] = speed < 0.02 ? [0, 0] : [round(((x - px) / length) * speed), round(((y - py) / length) * speed)];
  }

  // Pairs repel where both charges have one sign.
  charge(sign) {
    this.draft.positive = this.draft.positive.map((_, node) => sign(node));
    const { positive } = this.draft;
    this.draft.springs = new Set(this.data.pairs.filter(([i, j]) => positive[i] === positive[j]).map((pair) => pair.join(".")));
    this.draw();
  }

  turn(node) {
    this.charge((other) => this.draft.positive[other] !== (other === node));
  }

  switch(i, j) {
    if (this.data.signs) return this.turn(j);
    const name = `${i}.${j}`, { springs } = this.draft;
    springs.has(name) ? springs.delete(name) : springs.add(name);
    this.picked = this.balls.length + this.springs.findIndex((spring) => spring.i === i && spring.j === j);
    this.draw();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || this.picked === null) return;
    const count = this.balls.length + this.springs.length, spring = this.springs[this.picked - this.balls.length];
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const by = { n: 1, N: 1, p: -1, P: -1 }[event.key];
    if (by) this.picked = (this.picked + by + count) % count;
    else if (spring && (event.key === " " || event.key === "Enter")) this.switch(spring.i, spring.j);
    else if (!spring && this.data.signs && (event.key === " " || event.key === "Enter")) this.turn(this.picked);
    else if (!spring && way) {
      const node = this.picked, [dx, dy] = way;
      if (event.shiftKey) {
        const [vx, vy] = this.draft.velocities[node], next = [vx + 0.1 * dx, vy + 0.1 * dy];
        if (Math.hypot(...next) <= this.data.fastest) this.draft.velocities[node] = next.map(round);
      } else {
        const [x, y] = this.draft.positions[node];
        this.place(node, x + STEP * dx, y + STEP * dy);
      }
    } else return;
    event.preventDefault();
    event.stopPropagation();
    this.draw();
  }

  draw() {
    const { draft, data } = this;
    const lay = (line, [x1, y1], [x2, y2]) => Object.entries({ x1, y1: -y1, x2, y2: -y2 }).forEach(([name, value]) => line.setAttribute(name, value));
    const wall = data.box / draft.half;
    for (const [name, value] of Object.entries({ x: -wall, y: -wall, width: 2 * wall, height: 2 * wall })) this.walls.setAttribute(name, value);
    if (this.closer) {
      const whole = draft.half >= data.box;
      this.closer.hidden = whole && this.near() >= data.box;
      this.closer.textContent = whole ? "Closer" : "Whole box";
      this.closer.title = whole ? "Show only where the balls are." : "Show the whole box, to its walls.";
    }
    this.springs.forEach(({ i, j, line, hit, group }, k) => {
      const [a, b] = [draft.positions[i], draft.positions[j]], [dx, dy] = [b[0] - a[0], b[1] - a[1]];
      const path = `M${a[0]},${-a[1]}Q${(a[0] + b[0]) / 2 + BOW * dy},${-(a[1] + b[1]) / 2 + BOW * dx} ${b[0]},${-b[1]}`;
      for (const each of [line, hit]) each.setAttribute("d", path);
      group.classList.toggle("on", draft.springs.has(`${i}.${j}`));
      group.classList.toggle("picked", this.picked === this.balls.length + k);
    });
    this.balls.forEach(({ node, rim, ball, number, arrow, shaft, tip, wide }) => {
      if (data.signs) number.textContent = `${node}${draft.positive[node] ? "+" : "−"}`;
      const [x, y] = draft.positions[node], [vx, vy] = draft.velocities[node], speed = Math.hypot(vx, vy);
      const [ux, uy] = speed ? [vx / speed, vy / speed] : [Math.SQRT1_2, Math.SQRT1_2], far = Math.min(rim + REACH * speed, this.room([x, y], [ux, uy]));
      ball.setAttribute("transform", `translate(${x},${-y})`);
      ball.classList.toggle("picked", this.picked === node);
      arrow.classList.toggle("still", !speed);
      lay(shaft, [x + ux * rim, y + uy * rim], [x + ux * far, y + uy * far]);
      for (const each of [tip, wide]) for (const [name, value] of Object.entries({ cx: x + ux * far, cy: -(y + uy * far) })) each.setAttribute(name, value);
    });
    this.root.dataset.system = this.text();
    this.tell();
  }

  tell() {
    const { draft, data, picked } = this, spring = picked === null ? null : this.springs[picked - this.balls.length];
    const how = data.signs ? "double-click it to turn its charge" : "click a line to switch a spring";
    let text = `${draft.springs.size} of ${data.pairs.length} ${data.signs ? "pairs repel" : "springs"}. Drag a ball to place it, its arrow to throw it; ${how}.`;
    const [without, within] = data.signs ? ["they attract", "they repel"] : ["no spring", "joined by a spring"];
    if (spring) text = `${data.names[spring.i]} and ${data.names[spring.j]}: ${draft.springs.has(`${spring.i}.${spring.j}`) ? within : without}.`;
    else if (picked !== null) {
      const [x, y] = draft.positions[picked], speed = Math.hypot(...draft.velocities[picked]);
      text = `${data.names[picked]} at (${(x * draft.half).toFixed(2)}, ${(y * draft.half).toFixed(2)}), speed ${speed.toFixed(2)}${data.signs ? `, charge ${draft.positive[picked] ? "+" : "−"}` : ""}. Walls stand at −${data.box} and ${data.box}.`;
    }
    text = text[0].toUpperCase() + text.slice(1);
    if (this.told.textContent !== text) this.told.textContent = text;
  }
}

function mount(root, data, send) {
  const clock = clockOf(data.player);
  const play = () => matchMedia("(prefers-reduced-motion: reduce)").matches || clock.play();
  const first = !root.childElementCount;
  new SpringBoard(root, data, (text) => send("system", text, true), play);
  if (first) reveal(root);
}
