// Play, step and scrub; the error of every frame behind the handle; the keyboard.

const ICONS = {
  first: "M6 6h2v12H6zm3.5 6 8.5 6V6z",
  back: "M15.4 7.4 14 6l-6 6 6 6 1.4-1.4L10.8 12z",
  play: "M8 5v14l11-7z",
  pause: "M6 5h4v14H6zm8 0h4v14h-4z",
  forward: "M8.6 16.6 10 18l6-6-6-6-1.4 1.4 4.6 4.6z",
  keys: "M4 5h16v14H4zm2 2v10h12V7zm1.500 1.500h2v2h-2zm3.500 0h2v2h-2zm3.500 0h2v2h-2zm-7 3.500h2v2h-2zm3.500 0h2v2h-2zm3.500 0h2v2h-2zM8.500 15h7v1.200h-7z",
  last: "m6 18 8.500-6L6 6v12zM16 6v12h2V6z",
};
const SPEEDS = [2, 4, 8, 16, 30];
const KEYS = [
  ["Space", "play, pause"],
  ["← →", "one frame back, on"],
  ["Shift ← →, Page Up, Page Down", "five frames"],
  ["Home, End", "first, last frame"],
  ["f", "first frame of the free run"],
  ["− +", "slower, faster"],
  ["Click", "select a slot, a node or an edge"],
  ["Esc", "let go of what is selected"],
  ["Wheel, drag", "zoom and move the graph"],
  ["?", "open and close this sheet"],
];

class Timeline {
  constructor(root, data, clock) {
    Object.assign(this, { root, data, clock });
    this.frames = data.errors.length + 1;
    this.playIcon = element("path", { d: ICONS.play });
    this.playButton = this.button("Play or pause (space)", this.playIcon, () => clock.toggle());
    this.speed = element("select", { title: "Speed. Up to 8 fps the free run plays at half of it.", "aria-label": "Speed in frames a second" }, ...SPEEDS.map((fps) => element("option", { value: fps, text: `${fps} fps` })));
    this.speed.addEventListener("change", () => { clock.fps = +this.speed.value; });
    this.readout = element("span", { class: "readout", title: "The frame that is shown, and the last one. Step 1 of the future is the first frame after the last true one." });
    const terms = data.terms ?? {};
    this.phase = element("span", { class: "phase term", title: `${terms["burn-in"]} ${terms["free run"]}` });
    this.story = element("span", { class: "story" });
    // Several models side by side: each has its line, its letter and its number.
    this.values = data.curves?.map(() => element("span", { class: "value" }));
    this.error = element("span", { class: "errors", title: `Mean squared error of this frame over ${data.unit}, lower is better. ${terms.copying}` });
    this.legend = data.curves ? [] : this.keys();
    this.values?.forEach((value, k) => {
      const { letter, name } = data.curves[k];
      this.error.append(element("span", { class: "one", title: `${letter}: ${name}` }, swatch(k), `${letter} `, value));
    });
    if (data.curves) this.error.append(element("span", { class: "key term", title: terms.copying }, stroke("of-copying"), "copying"));
    this.error.append(...this.legend.map(({ entry }) => entry));
    const icon = (name) => element("path", { d: ICONS[name] });
    const keys = this.button("Keyboard (?)", icon("keys"), () => this.help());
    keys.classList.add("keyboard"); // a phone has none
    const transport = element(
      "div", { class: "transport" },
      this.button("First frame (Home)", icon("first"), () => clock.step(-this.frames)),
      this.button("One frame back (←)", icon("back"), () => clock.step(-1)),
      this.playButton,
      this.button("One frame forward (→)", icon("forward"), () => clock.step(1)),
      this.button("Last frame (End)", icon("last"), () => clock.step(this.frames)),
      this.readout, this.phase, this.story, this.error, this.speed,
      keys,
    );
    root.classList.toggle("several", !!data.curves);
    this.scrub = element("input", { type: "range", min: 0, max: this.frames - 1, step: 1, value: 0, "aria-label": "Frame" });
    this.scrub.addEventListener("input", () => { clock.pause(); clock.seek(+this.scrub.value); });
    this.hint = element("span", { class: "hint", hidden: "", "aria-hidden": "true" });
    this.scrub.addEventListener("pointermove", (event) => this.point(event));
    this.scrub.addEventListener("pointerleave", () => { this.hint.hidden = true; });
    this.head = element("line", { class: "head", y1: 0, y2: 100 });
    this.knob = element("div", { class: "knob" });
    root.replaceChildren(transport, element("div", { class: "chart" }, this.labels(), element("div", { class: "plot" }, this.plot(), ...this.zones(), this.knob, this.hint, this.scrub)), this.sheet());
  }

  // The numbers of the frame under the mouse, without going there.
  point(event) {
    const { left, width } = this.hint.parentElement.getBoundingClientRect();
    const share = Math.max(0, Math.min(1, (event.clientX - left) / width)), frame = Math.round(share * (this.frames - 1));
    const at = (values) => (values[frame - 1] === null ? "not a number" : scientific(values[frame - 1]));
    const curves = this.data.curves?.map(({ letter, errors }) => `${letter} ${at(errors)}`) ?? [`error ${at(this.data.errors)}`];
    const ahead = frame - this.data.last_true_input, steps = ahead > 1 ? `, ${ahead} steps ahead` : ""; // of the last true frame
    this.hint.textContent = frame === 0 ? "frame 0: nothing is predicted" : `frame ${frame}${steps}: ${curves.join(", ")}, copying ${at(this.data.copying)}`;
    this.hint.style.left = `${100 * share}%`;
    this.hint.classList.toggle("before", share > 0.6);
    this.hint.hidden = event.pointerType === "touch";
  }

  // What the lines of the plot are, each with its number at this frame.
  keys() {
    const { original, terms } = this.data;
    const lines = [["model", "error", ""], ...(original
      ? [["original", "without edits", "The same model and scene without your edits."], ["moved", "moved", "How far your edits moved the prediction."]]
      : [["copying", "copying", terms?.copying ?? ""]])];
    return lines.map(([style, word, title], k) => {
      const value = element("span");
      return { value, entry: element("span", { class: `key${title ? " term" : ""}`, title }, stroke(`of-${style}`), `${word} `, value, k < lines.length - 1 ? "," : "") };
    });
  }

  button(words, icon, act) {
    const label = matchMedia("(hover: none)").matches ? words.replace(/ \(.+\)$/, "") : words; // a phone has no such keys
    const made = element("button", { type: "button", title: label, "aria-label": label }, element("svg", { viewBox: "0 0 24 24" }, icon));
    made.addEventListener("click", act);
    return made;
  }

  // A real dialog: it takes the focus, closes on Escape and gives the focus back.
  sheet() {
    const rows = KEYS.filter(([key]) => key !== "Wheel, drag" || this.data.zooms !== false).map(([key, what]) => element("tr", {}, element("th", { scope: "row", text: key }), element("td", { text: what })));
    const close = element("button", { type: "button", text: "Close" });
    this.dialog = element("dialog", { class: "sheet", "aria-label": "Keyboard and mouse" }, element("b", { text: "Keyboard and mouse" }), element("table", {}, ...rows), close);
    close.addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
    return this.dialog;
  }

  help() {
    this.dialog.open ? this.dialog.close() : this.dialog.showModal();
  }

  x(frame) {
    return (100 * frame) / Math.max(1, this.frames - 1);
  }

  // Logarithmic: burn-in and free run differ by orders of magnitude.
  get range() {
    const values = [...(this.data.curves?.flatMap((curve) => curve.errors) ?? []), ...this.data.errors, ...this.data.copying, ...(this.data.original ?? []), ...(this.data.moved ?? [])].filter((value) => value > 0);
    if (!values.length) return [-1, 0];
    const low = Math.floor(Math.log10(Math.min(...values))), high = Math.ceil(Math.log10(Math.max(...values)));
    return [Math.max(low, high - 6), Math.max(high, low + 1)];
  }

  y(value) {
    const [low, high] = this.range;
    return 96 - 92 * Math.max(0, Math.min(1, (Math.log10(Math.max(value, 1e-30)) - low) / (high - low)));
  }

  labels() {
    const [low, high] = this.range;
    const marks = [low, high].map((power) => {
      const mark = element("span", { text: scientific(10 ** power).replace("1.0·", "") });
      mark.style.top = `${this.y(10 ** power)}%`;
      return mark;
    });
    return element("div", { class: "labels", title: `Mean squared error over ${this.data.unit}, logarithmic: lower is better. ${this.data.curves ? "One line a model" : "Line: the model"}; thin dashes: repeating the last true frame.${this.data.original ? " Pale line: without your edits; purple: how far your edits moved the prediction." : ""}` }, ...marks, element("em", { text: "error" }));
  }

  plot() {
    const line = (values, style) => {
      const points = values.map((value, k) => (value === null ? null : `${this.x(k + 1).toFixed(2)},${this.y(value).toFixed(2)}`));
      return element("polyline", { class: style, points: points.filter(Boolean).join(" ") });
    };
    const [low, high] = this.range;
    const grid = [];
    for (let power = low; power <= high; power++) grid.push(element("line", { class: "grid", x1: 0, x2: 100, y1: this.y(10 ** power), y2: this.y(10 ** power) }));
    const turn = this.x(Math.min(this.data.last_true_input + 1, this.frames - 1));
    return element(
      "svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none" },
      element("rect", { class: "seen", x: 0, y: 0, width: turn, height: 100 }),
      element("rect", { class: "free", x: turn, y: 0, width: 100 - turn, height: 100 }),
      ...grid, line(this.data.copying, "copying"),
      ...(this.data.original ? [line(this.data.original, "original"), line(this.data.moved.map((value) => value || null), "moved")] : []),
      ...(this.data.curves?.map((curve, k) => line(curve.errors, `curve curve${k}`)).reverse() ?? [line(this.data.errors, "model")]), this.head,
    );
  }

  zones() {
    const turn = this.x(Math.min(this.data.last_true_input + 1, this.frames - 1));
    const { terms } = this.data;
    const seen = element("span", { class: "zone term", text: "burn-in", title: terms?.["burn-in"] ?? "" });
    const free = element("span", { class: "zone low term", text: "free run", title: terms?.["free run"] ?? "" });
    if (turn > 70) free.classList.add("late");
    else free.style.left = `${turn}%`;
    return turn < 99 ? [seen, free] : [seen];
  }

  draw = (clock) => {
    const { frame, playing } = clock;
    const x = this.x(frame), error = this.data.errors[frame - 1], copying = this.data.copying[frame - 1];
    this.head.setAttribute("x1", x);
    this.head.setAttribute("x2", x);
    this.knob.style.left = `${x}%`;
    this.scrub.value = frame;
    this.playIcon.setAttribute("d", playing ? ICONS.pause : ICONS.play);
    this.readout.textContent = `frame ${frame} / ${this.frames - 1}`;
    this.phase.textContent = frame === 0 ? "first frame" : frame > this.data.last_true_input + 1 ? "free run" : "burn-in";
    this.phase.classList.toggle("free", frame > this.data.last_true_input + 1);
    this.values?.forEach((value, k) => {
      const one = this.data.curves[k].errors[frame - 1];
      value.textContent = frame === 0 ? "–" : one === null ? "not a number" : scientific(one);
    });
    const { last_true_input: last, original, moved } = this.data;
    this.story.textContent = frame === 0 ? "Nothing is predicted yet" : frame > last + 1 ? "Now it lives on its own predictions" : frame === last + 1 ? `Predicted from frame ${last}, the last that it sees` : `Up to frame ${last} it sees the truth`;
    this.legend.forEach(({ entry, value }, k) => {
      entry.hidden = frame === 0;
      const number = [error, original ? original[frame - 1] : copying, moved?.[frame - 1]][k];
      value.textContent = frame === 0 ? "" : number === null ? "not a number" : scientific(number);
    });
    if (+this.speed.value !== clock.fps) this.speed.value = clock.fps;
    this.root.dataset.frame = frame;
    this.root.dataset.playing = playing;
  };

  // Keys belong to whoever has the focus: typing, sliders and buttons keep theirs.
  key = (event) => {
    const target = event.composedPath()[0];
    const own = this.root.contains(target);
    const closed = target.getAttribute?.("aria-expanded") === "false"; // a closed picker needs none of these keys
    const takes = !closed && target.closest?.("input, textarea, select, [contenteditable], [role=slider], [role=radiogroup], [role=combobox], [role=listbox], [role=dialog], [role=application]");
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || (takes && target !== this.scrub)) return;
    if (this.dialog.open && event.key !== "?") return; // the sheet's own keys: Tab, Enter, Escape
    const { clock } = this, stride = event.shiftKey ? 5 : 1;
    const act = {
      ArrowLeft: () => clock.step(-stride),
      ArrowRight: () => clock.step(stride),
      PageUp: () => clock.step(-5),
      PageDown: () => clock.step(5),
      Home: () => clock.step(-this.frames),
      End: () => clock.step(this.frames),
      f: () => { clock.pause(); clock.seek(this.data.last_true_input + 2); },
      Escape: () => clock.selected && clock.select(clock.selected),
      "?": () => this.help(),
      "-": () => this.faster(-1),
      "+": () => this.faster(1),
      "=": () => this.faster(1),
    }[event.key];
    // Space presses a focused button, except the player's own, which would then act twice.
    if (event.key === " " && !closed && (own || !target.closest?.("button, a, summary, [role=button], [role=tab], [role=radio]"))) {
      event.preventDefault();
      return clock.toggle();
    }
    if (!act) return;
    event.preventDefault();
    act();
  };

  faster(by) {
    const speeds = [...this.speed.options].map((option) => +option.value), at = speeds.indexOf(this.clock.fps) + by;
    this.clock.fps = speeds[Math.max(0, Math.min(speeds.length - 1, at))];
    this.clock.redraw();
  }

  // A speed that is none of the usual ones can be chosen too.
  offer(fps) {
    if (SPEEDS.includes(fps)) return;
    const next = [...this.speed.options].find((option) => +option.value > fps) ?? null;
    this.speed.insertBefore(element("option", { value: fps, text: `${fps} fps` }), next);
  }
}

function mount(root, data) {
  const clock = clockOf(data.player);
  const timeline = new Timeline(root, data, clock);
  timeline.offer(clock.fps);
  document.addEventListener("keydown", timeline.key, true); // before pickers that keep keys to themselves
  // A focused slot or player button must not also be clicked when space is let go.
  const lift = (event) => event.key === " " && root.contains(event.composedPath()[0]) && event.preventDefault();
  document.addEventListener("keyup", lift);
  clock.join("timeline", data.scene, timeline.frames, timeline.draw, data.start, false, data.last_true_input + 1);
  return replace(root, () => {
    document.removeEventListener("keydown", timeline.key, true);
    document.removeEventListener("keyup", lift);
    clock.leave("timeline", timeline.draw);
  });
}
