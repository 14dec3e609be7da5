// Two lists beside the player: the strongest edges of the current frame (or, where those are all certain, the least
// certain ones), and the greatest changes of mind. Pointing at a line points everywhere; a click selects the edge, and
// for a change also goes to the frame where it happened.

const LINES = 9;
const CERTAIN = 0.995; // reads 1.00
const STRONGEST = ["Strongest now", "The edges of this frame that most probably carry a message, by probability."];
const DOUBTFUL = ["Least certain now", "Where the model hesitates at this frame: the edges whose most probable type is least probable. The strongest all stand at 1.00."];

class Ledger {
  constructor(root, data, arrays, clock) {
    Object.assign(this, { root, data, arrays, clock });
    this.now = this.list(...STRONGEST, () => {});
    this.turns = this.list("Changes of mind", "Where the most probable type changed, largest shift of probability first; from the first frame, when nothing was known, last. Click: go there.", (line) => {
      clock.pause();
      clock.seek(line.frame);
    });
    root.replaceChildren(this.now.section, this.turns.section);
  }

  list(title, hint, act) {
    const lines = Array.from({ length: LINES }, () => {
      const swatch = element("i"), name = element("span", { class: "name" }), value = element("span", { class: "value" });
      const button = element("button", { type: "button", class: "line" }, swatch, name, value);
      const line = { button, swatch, name, value, what: null, frame: 0 };
      button.addEventListener("click", () => { act(line); this.clock.choose(line.what); });
      for (const event of ["pointerenter", "focus"]) button.addEventListener(event, () => this.clock.point(line.what));
      for (const event of ["pointerleave", "blur"]) button.addEventListener(event, () => this.clock.point(null));
      return line;
    });
    const empty = element("p", { class: "empty" });
    const heading = element("h4", { text: title });
    const section = element("section", { title: hint }, heading, ...lines.map((line) => line.button), empty);
    return { section, heading, lines, empty };
  }

  draw = (clock) => {
    const { data } = this, { probabilities, types } = this.arrays, [, edges, kinds] = probabilities.shape, { frame } = clock;
    const interacts = (at, e) => 1 - probabilities.values[(at * edges + e) * kinds] / 255;
    const shown = (at, e) => clock.passes(data.ways[e], data.type_names[types.values[at * edges + e]], interacts(at, e), data.pairs[e]);
    const here = [...data.pairs.keys()].filter((e) => shown(frame, e));
    const strong = here.filter((e) => types.values[frame * edges + e]).sort((a, b) => interacts(frame, b) - interacts(frame, a) || a - b);
    // Nine times 1.00 says nothing: then the edges are listed of which it is least sure.
    const certain = strong.length >= LINES && interacts(frame, strong[LINES - 1]) >= CERTAIN;
    const likeliest = (e) => probabilities.values[(frame * edges + e) * kinds + types.values[frame * edges + e]];
    const listed = certain ? here.sort((a, b) => likeliest(a) - likeliest(b) || a - b) : strong;
    const [title, hint] = certain ? DOUBTFUL : STRONGEST;
    if (this.now.heading.textContent !== title) this.now.heading.textContent = title;
    this.now.section.title = hint;
    this.fill(this.now, listed, (e) => {
      const kind = types.values[frame * edges + e], joined = this.arrays.springs ? `, ${data.truths[this.arrays.springs.values[frame * edges + e] ? 1 : 0]}` : "";
      const named = kinds > 2 ? `${data.type_names[kind]} ` : "";
      const chance = kinds > 2 ? likeliest(e) / 255 : interacts(frame, e);
      return { e, frame, colour: data.colours[kind], text: this.name(e), value: named + chance.toFixed(2), hint: data.type_names[kind] + joined };
    });
    // A change goes by the levels alone: what it was and what it became may be of any type or probability.
    const turns = data.changes.filter(([, e]) => clock.passes(data.ways[e], clock.settings.types[0], 1, data.pairs[e]));
    this.fill(this.turns, turns, ([at, e, before, after, moved]) => ({
      e, frame: at, colour: data.colours[after], text: `${this.name(e)}`, value: `frame ${at}`, now: at === frame,
      hint: `${data.type_names[before]} → ${data.type_names[after]}; ${moved.toFixed(2)} of the probability moved; ${at > data.last_true_input + 1 ? "free run" : "burn-in"}`,
    }));
    const none = edges ? "" : "This model passes no messages: it has no edges.";
    this.now.empty.textContent = none || (strong.length ? "" : "No edge carries a message here.");
    this.turns.empty.textContent = none || (turns.length ? "" : "No edge changes its most probable type.");
    this.root.dataset.frame = frame;
  };

  name(e) {
    const [sender, receiver] = this.data.pairs[e];
    return `${this.data.nodes[sender]} → ${this.data.nodes[receiver]}`;
  }

  fill({ lines }, items, tell) {
    lines.forEach((line, k) => {
      line.button.hidden = k >= items.length;
      if (line.button.hidden) return;
      const { e, frame, colour, text, value, hint, now } = tell(items[k]);
      const [sender, receiver] = this.data.pairs[e], focus = this.clock.focus;
      Object.assign(line, { what: { kind: "edge", sender, receiver }, frame });
      line.swatch.style.background = colour;
      if (line.name.textContent !== text) line.name.textContent = text;
      line.value.textContent = value;
      line.button.title = hint;
      line.button.classList.toggle("now", Boolean(now));
      line.button.classList.toggle("touched", focus?.kind === "edge" ? focus.sender === sender && focus.receiver === receiver : focus !== null && (focus.node === sender || focus.node === receiver));
    });
  }
}

function mount(root, data) {
  const clock = clockOf(data.player);
  let ledger = null, ended = false;
  unpack(data.arrays).then((arrays) => {
    if (ended) return;
    ledger = new Ledger(root, data, arrays, clock);
    clock.join("ledger", data.scene, data.frames, ledger.draw);
  });
  return replace(root, () => {
    ended = true;
    if (ledger) clock.leave("ledger", ledger.draw);
  });
}
