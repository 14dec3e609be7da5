// A tour of a page in a few steps, on the page's real controls: an invitation, then a card that says what to do, a ring
// around where to do it, and a button that does it for whoever only wants to watch. What is done is noticed, whoever does
// it. The page stays usable beside it; who has sent the tour away is not asked again.

const tours = (globalThis.hriTours ??= new Map()); // name -> step that is open, across runs of the page

// The first element that a selector finds, also inside the player's parts.
function deep(selector, root = document) {
  const here = root.querySelector(selector);
  if (here) return here;
  for (const host of root.querySelectorAll("*")) {
    const inside = host.shadowRoot && deep(selector, host.shadowRoot);
    if (inside) return inside;
  }
  return null;
}

// A button, radio or tab by its words, inside what a selector finds.
function control({ within, words }) {
  const place = within ? document.querySelector(within) : document;
  const all = place ? [...place.querySelectorAll("button, [role=radio], label")] : [];
  return all.find((one) => one.textContent.trim().endsWith(words) && one.getClientRects().length && !one.disabled) ?? null;
}

async function appears(find, milliseconds = 20_000) {
  for (const end = performance.now() + milliseconds; performance.now() < end; ) {
    const there = find();
    if (there) return there;
    await new Promise((go) => setTimeout(go, 100));
  }
  return null;
}

const narrow = () => innerWidth <= 640; // as tour.css has it

class Tour {
  constructor(root, data, clock) {
    Object.assign(this, { root, data, clock });
    const { name, title, invitation } = data;
    this.memory = `hri-tour-${name}`;
    this.ring = element("div", { class: "ring", popover: "manual", "aria-hidden": "true" });
    this.heading = element("h3", { id: `tour-${name}`, tabindex: -1 });
    this.count = element("p", { class: "count" });
    this.text = element("p", { id: `tour-${name}-text` });
    this.state = element("p", { class: "state", role: "status" });
    this.act = this.button("", () => this.show(), "act");
    this.back = this.button("Back", () => this.go(this.step - 1));
    this.next = this.button("Next", () => (this.step + 1 < data.steps.length ? this.go(this.step + 1) : this.close()), "main");
    this.skip = this.button("Skip the tour", () => this.close());
    this.card = element("div", { class: "card", popover: "manual", role: "dialog", "aria-labelledby": `tour-${name}`, "aria-describedby": `tour-${name}-text` },
      this.count, this.heading, this.text, this.state, element("div", { class: "doing" }, this.act), element("div", { class: "ways" }, this.skip, this.back, this.next));
    this.card.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.close();
    });
    this.opener = this.button("Take the tour", () => this.go(0), "opener");
    this.opener.title = title;
    const focused = root.querySelector(".card")?.matches(":focus-within"); // of what the last run of the page has put here
    this.words = element("span", { class: "words", text: invitation });
    this.no = this.button("No, thanks", () => { this.remember(); this.opener.focus(); });
    root.replaceChildren(element("div", { class: "invitation" }, this.words, this.opener, this.no), this.ring, this.card);
    this.invite();
    this.silence = clock.listen(() => this.look());
    const step = tours.get(name);
    if (step === undefined || step >= data.steps.length) return;
    this.open(step); // the page has run again meanwhile
    if (focused) this.heading.focus();
  }

  button(text, act, style = "") {
    const made = element("button", { type: "button", class: style, text });
    made.addEventListener("click", act);
    return made;
  }

  // Who forbids the browser to remember is invited again.
  get dismissed() {
    try {
      return localStorage.getItem(this.memory) !== null;
    } catch {
      return false;
    }
  }

  remember() {
    try {
      localStorage.setItem(this.memory, "done");
    } catch {}
    this.invite();
  }

  invite() {
    const { dismissed } = this;
    this.words.hidden = this.no.hidden = dismissed;
    this.opener.textContent = dismissed ? "Tour" : "Take the tour";
  }

  go(step) {
    tours.set(this.data.name, step);
    this.open(step);
    this.bring(this.data.steps[step].target);
    this.heading.focus();
  }

  // Into sight: in the middle of a wide screen, below the card on a narrow one.
  bring(selector) {
    const target = document.querySelector(selector);
    if (!target) return;
    target.style.scrollMarginTop = narrow() ? `${this.card.offsetHeight + 20}px` : "";
    target.scrollIntoView({ block: narrow() ? "start" : "center" });
  }

  open(step) {
    const { steps } = this.data, here = steps[step];
    if (step !== this.step) this.place = undefined;
    this.step = step;
    this.working = false;
    this.count.textContent = `Step ${step + 1} of ${steps.length}`;
    this.heading.textContent = here.title;
    this.text.textContent = here.text;
    this.act.textContent = here.label;
    this.act.hidden = !here.acts.length;
    this.act.disabled = false;
    this.back.hidden = step === 0;
    this.next.textContent = step + 1 < steps.length ? "Next" : "Done";
    for (const part of [this.ring, this.card]) if (!part.matches(":popover-open")) part.showPopover();
    clearInterval(this.watch);
    this.watch = setInterval(() => this.look(), 120);
    this.look();
  }

  close() {
    const focused = this.card.matches(":focus-within");
    this.end();
    tours.delete(this.data.name);
    this.remember();
    if (focused) this.opener.focus();
  }

  end() {
    clearInterval(this.watch);
    for (const part of [this.ring, this.card]) if (part.matches(":popover-open")) part.hidePopover();
  }

  // Whether what the step asks for has happened.
  done() {
    const wanted = this.data.steps[this.step]?.done, { clock } = this;
    if (!wanted) return false;
    if (wanted.after !== undefined) return clock.frame > wanted.after;
    if (wanted.selected) return clock.selected?.kind === wanted.selected;
    return Boolean(deep(wanted.shown));
  }

  // The ring follows what it surrounds, the card stands where it covers least of it and of what a visitor reads meanwhile.
  look() {
    if (!this.card.matches(":popover-open")) return;
    const here = this.data.steps[this.step], done = this.done();
    const target = document.querySelector((done && here.result) || here.target);
    const box = target?.getBoundingClientRect();
    this.ring.hidden = !box?.width;
    if (box) for (const [side, length] of Object.entries({ left: box.left - 6, top: box.top - 6, width: box.width + 12, height: box.height + 12 })) this.ring.style[side] = `${length}px`;
    const state = done ? here.praise : this.working ? here.meanwhile : "";
    this.state.classList.toggle("working", !done);
    if (this.state.textContent !== state) {
      this.state.textContent = state;
      if (done && here.result && narrow()) this.bring(here.result); // the card has grown over it
    }
    if (box && !narrow()) this.settle(box);
  }

  // Of the corners of the page and the places above the timeline, the one that covers least.
  settle(target) {
    const { offsetWidth: width, offsetHeight: height } = this.card, edge = 24;
    const timeline = document.querySelector(`.st-key-${this.data.player}-timeline`)?.getBoundingClientRect();
    const read = [[target, 4], [timeline, 4], [document.querySelector(".st-key-workbench")?.getBoundingClientRect(), 0.5]];
    for (const text of document.querySelectorAll(".st-key-graph-side, .st-key-stage")) read.push([text.getBoundingClientRect(), 1]);
    const tops = [innerHeight - height - edge, edge + 40, ...(timeline ? [timeline.top - height - 8] : [])];
    const covered = ({ left, top }) => {
      const across = (box) => Math.max(0, Math.min(left + width, box.right) - Math.max(left, box.left));
      const down = (box) => Math.max(0, Math.min(top + height, box.bottom) - Math.max(top, box.top));
      return read.reduce((sum, [box, weight]) => sum + (box ? weight * across(box) * down(box) : 0), 0);
    };
    const places = tops.filter((top) => top >= 8 && top + height <= innerHeight).flatMap((top) => [innerWidth - width - edge, edge].map((left) => ({ left, top })));
    const kept = places.find(({ left, top }) => left === this.place?.left && top === this.place?.top);
    const best = places.reduce((a, b) => (covered(b) < covered(a) ? b : a), kept ?? places[0] ?? { left: edge, top: edge });
    // Once it stands, it moves only where that uncovers much.
    if (kept && covered(kept) < covered(best) + 8000) return;
    this.place = best;
    Object.assign(this.card.style, { inset: "auto", left: `${best.left}px`, top: `${best.top}px` });
  }

  // What the step asks for, done with the page's own controls.
  async show() {
    this.act.disabled = this.working = true;
    const { clock } = this, step = this.step;
    for (const act of this.data.steps[step].acts) {
      if (act.seek !== undefined) clock.seek(act.seek);
      if (act.play) clock.play();
      if (act.pause) clock.pause();
      if (act.select) clock.choose(act.select);
      if (act.press) {
        const found = await appears(() => control(act.press));
        if (!found || this.step !== step) break;
        found.click();
      }
      if (act.wait) await appears(() => deep(act.wait), 60_000);
      if (act.scroll) this.bring(act.scroll);
    }
    this.act.disabled = this.working = false;
  }
}

function mount(root, data) {
  const tour = new Tour(root, data, clockOf(data.player));
  return replace(root, () => {
    tour.silence();
    tour.end();
  });
}
