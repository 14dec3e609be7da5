// One clock a player. Images, graph and timeline are separate parts of the page; they join the same clock
// (found by the player's name) and draw whatever frame it shows. Nothing is asked of the server to step.

const LEAD = 8; // frames of the burn-in that a visitor sees before the first free run
const HURRIED = 8; // who plays faster than so many frames a second wants no slower free run

class Clock {
  frame = 0;
  frames = 1;
  rest = null; // the frame at which an address without one stands still
  playing = false;
  fps = 8;
  // Of edges: the least probable shown, and only these levels and types (empty: all).
  // ``within``: only edges among these nodes; ``weights``: widths that stand for something else than probability.
  settings = { level: "leaves", threshold: 0, ways: [], types: [], springs: true, within: null, weights: null };
  pointed = null; // what the mouse is over: {kind: "node", node} or {kind: "edge", sender, receiver}
  selected = null;
  #parts = new Map();
  #listeners = new Set();
  #scene = null;
  #start = null; // what the scene began from: another future of it keeps the frame
  #turn = Infinity; // the last frame that is predicted from a true one: after it the free run begins
  #fresh = true; // nothing was shown yet: the first scene plays by itself, from where it gets interesting
  #arriving = false; // until a part has told of which frame on that is
  #opening = null; // frame and selection that an address asked for, until there is a scene
  #waiting = 0;
  #stale = false;
  #due = 0;
  #still = matchMedia("(prefers-reduced-motion: reduce)");

  constructor() {
    this.#still.addEventListener("change", () => this.#still.matches && this.pause());
  }

  // A part shows one scene; nothing is drawn while two parts hold different ones. A late part, whose data take longer,
  // keeps nobody waiting: it is left as it was until it holds the scene of the others. ``turn``: the last frame that is
  // predicted from a true one, from a part that knows.
  join(name, scene, frames, draw, start = null, late = false, turn = null) {
    this.#parts.set(name, { scene, frames, draw, start, late, turn });
    const parts = [...this.#parts.values()].filter((part) => !part.late);
    if (!parts.length || parts.some((part) => part.scene !== scene)) return;
    if (this.#scene !== scene) {
      this.#scene = scene;
      this.frames = frames;
      this.frame = Math.min(this.frame, frames - 1);
    }
    // Not every part knows what the scene began from: the first that does decides.
    const begun = parts.map((part) => part.start).find(Boolean) ?? null;
    this.#turn = parts.map((part) => part.turn).find(Boolean) ?? Infinity;
    if (begun !== null) {
      if (begun !== this.#start) {
        this.#start = begun;
        this.settings.within = this.settings.weights = null; // they were told of another scene
        // Where one scene is shown by one model after another, the same moment stays in sight.
        if (!this.settings.keepsPlace) this.frame = 0;
        this.#arriving = this.#fresh || !this.settings.keepsPlace;
        if (this.#fresh && !this.#still.matches) this.play();
      }
      this.#fresh = false;
      this.#arrive();
      if (this.#opening) this.#open();
    }
    this.redraw();
  }

  // What matters comes at once, in every scene: while it plays the end of the burn-in, standing still the first frame of
  // the free run. Images may join before the part that knows where that is.
  #arrive() {
    if (!this.#arriving || this.#turn === Infinity) return;
    this.#arriving = false;
    if (this.#turn < this.frames - 1) this.frame = this.playing ? Math.max(0, this.#turn - LEAD) : this.#turn + 1;
    if (this.#still.matches) this.rest = this.frame;
  }

  leave(name, draw) {
    if (this.#parts.get(name)?.draw !== draw) return; // a newer part has taken the name already
    this.#parts.delete(name);
    if (!this.#parts.size) {
      this.pause();
      this.#scene = null;
      this.#fresh = true;
    }
  }

  // Told after every drawn frame; returns how to stop.
  listen(told) {
    this.#listeners.add(told);
    return () => this.#listeners.delete(told);
  }

  // Whether a visitor's scene has begun: until then its frame is nobody's choice.
  get begun() {
    return !this.#fresh && !this.#arriving;
  }

  get focus() {
    return this.pointed ?? this.selected;
  }

  // The same for a part whose nodes are of this tree: balls and slots share numbers, but mean other things by them.
  focusIn(tree) {
    const { focus } = this;
    return focus && tree && focus.tree && focus.tree !== tree ? null : focus;
  }

  // What a shared address asks for: stand at this frame, with this selected.
  open(opening) {
    this.#opening = opening;
    if (!this.#fresh) this.#open();
  }

  #open() {
    const { frame, selected } = this.#opening;
    this.#opening = null;
    if (selected) this.selected = selected;
    if (frame !== null) {
      this.playing = this.#arriving = false;
      this.seek(frame);
    } else this.redraw();
  }

  seek(frame) {
    this.#arriving = false; // who goes somewhere is there
    this.frame = Math.max(0, Math.min(this.frames - 1, Math.round(frame)));
    this.redraw();
  }

  step(by) {
    this.pause();
    this.seek(this.frame + by);
  }

  play() {
    if (this.playing) return;
    this.playing = true;
    this.#due = performance.now() + this.#pace;
    this.redraw();
  }

  // Milliseconds that a frame stays: in the free run twice as long, unless the visitor is in a hurry.
  get #pace() {
    return (this.fps <= HURRIED && this.frame > this.#turn ? 2000 : 1000) / this.fps;
  }

  pause() {
    this.playing = false;
    this.redraw();
  }

  toggle() {
    this.playing ? this.pause() : this.play();
  }

  set(settings) {
    Object.assign(this.settings, settings);
    this.redraw();
  }

  point(at) {
    if (JSON.stringify(at) === JSON.stringify(this.pointed)) return;
    this.pointed = at;
    this.redraw();
  }

  // Selecting the same thing twice lets go of it.
  select(what) {
    this.selected = JSON.stringify(what) === JSON.stringify(this.selected) ? null : what;
    this.redraw();
  }

  // Select, and keep what is selected already.
  choose(what) {
    if (JSON.stringify(what) !== JSON.stringify(this.selected)) this.select(what);
  }

  // Whether an edge gets past the filters.
  passes(way, type, interacts, [sender, receiver]) {
    const { threshold, ways, types, within } = this.settings;
    if (within && !(within.nodes.includes(sender) && within.nodes.includes(receiver))) return false;
    return interacts >= threshold && (!ways.length || ways.includes(way)) && (!types.length || types.includes(type));
  }

  // All parts draw in one animation frame, however many events asked for it.
  redraw() {
    this.#stale = true;
    this.#wake();
  }

  #wake() {
    if (!this.#waiting) this.#waiting = requestAnimationFrame((now) => this.#draw(now));
  }

  #draw(now) {
    this.#waiting = 0;
    if (this.playing && now >= this.#due) {
      this.frame = (this.frame + 1) % this.frames;
      const pace = this.#pace;
      this.#due = Math.max(this.#due, now - pace) + (this.frame === this.frames - 1 ? 900 : pace);
      this.#stale = true;
    }
    const parts = [...this.#parts.values()];
    if (this.playing && parts.length) this.#wake();
    if (!this.#stale || parts.some((part) => part.scene !== this.#scene && !part.late)) return;
    this.#stale = false;
    for (const part of parts) if (part.scene === this.#scene) part.draw(this);
    for (const told of this.#listeners) told(this);
  }
}

function clockOf(player) {
  const clocks = (globalThis.hriClocks ??= new Map());
  if (!clocks.has(player)) clocks.set(player, new Clock());
  return clocks.get(player);
}

// A part is a function mount(root, data, send): it fills an element of its own, may tell what the visitor does by
// send(name, value), or send(name, value, true) where it happens once, and returns how it ends. It is called again with
// the same root when its data change; what the last call began then ends where the new one says so.
const running = new WeakMap();
function replace(root, end) {
  running.get(root)?.();
  running.set(root, end);
  return () => running.get(root) === end && (running.delete(root), end());
}

const SVG = "http://www.w3.org/2000/svg";
function element(tag, attributes = {}, ...children) {
  const svg = ["svg", "path", "line", "rect", "text", "g", "circle", "polyline", "title"].includes(tag);
  const made = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") made.textContent = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

// Where nothing can be pointed at, on a phone, a tap on a word tells what a mouse would be told of it.
function tell(event) {
  const word = matchMedia("(hover: none)").matches && event.composedPath().find((part) => part.title && part.matches?.(".term, .tally, .level, .readout, .errors"));
  document.querySelector("body > .hri-told")?.remove();
  if (!word) return;
  const look = getComputedStyle(word), { left, bottom } = word.getBoundingClientRect();
  const told = element("div", { class: "hri-told", role: "status", popover: "manual", text: word.title });
  Object.assign(told.style, {
    inset: "auto", left: `${Math.max(8, Math.min(left, innerWidth - 308))}px`, top: `${bottom + 6}px`, width: "300px", margin: 0, padding: "8px 10px", boxSizing: "border-box",
    color: look.color, background: look.getPropertyValue("--st-background-color"), border: "1px solid", borderRadius: "8px", font: look.font, fontWeight: 400, lineHeight: 1.4,
  });
  document.body.append(told);
  told.showPopover();
  const { bottom: end, height } = told.getBoundingClientRect();
  if (end > innerHeight) told.style.top = `${Math.max(8, innerHeight - height - 8)}px`;
}
if (!globalThis.hriTells) document.addEventListener("click", (globalThis.hriTells = tell), true);

// A short piece of a line: colour and dashes, as CSS has them.
function stroke(style) {
  return element("svg", { viewBox: "0 0 22 8", class: "swatch", "aria-hidden": "true" }, element("line", { class: style, x1: 0, x2: 22, y1: 4, y2: 4 }));
}

// The same of a model's line: curve0, curve1 ...
function swatch(line) {
  return stroke(`curve curve${line}`);
}
