// Buttons that lead from what is selected to its neighbours: parent, children, the edge back. And one that leaves only
// a node and its family in the graph, the matrix and the lists.

class Family {
  constructor(root, data, clock) {
    Object.assign(this, { root, data, clock });
    this.rows = data.groups.map(({ heading, items }) => {
      const buttons = items.map(({ label, hint, what }) => {
        const made = element("button", { type: "button", text: label, title: hint });
        made.addEventListener("click", () => clock.choose(what));
        for (const event of ["pointerenter", "focus"]) made.addEventListener(event, () => clock.point(what));
        for (const event of ["pointerleave", "blur"]) made.addEventListener(event, () => clock.point(null));
        return made;
      });
      return element("div", { class: "kin" }, element("b", { text: heading }), ...buttons);
    });
    if (data.within) {
      this.only = element("button", { type: "button", text: data.within.label, title: "In the graph, the matrix and the lists; press again for all." });
      this.only.addEventListener("click", () => clock.set({ within: this.on ? null : data.within }));
      this.rows.push(element("div", { class: "kin" }, this.only));
    }
    root.replaceChildren(...this.rows);
    this.end = clock.listen(() => this.draw());
    this.draw();
  }

  get on() {
    return JSON.stringify(this.clock.settings.within?.nodes) === JSON.stringify(this.data.within?.nodes);
  }

  draw() {
    this.only?.setAttribute("aria-pressed", this.on);
  }
}

function mount(root, data) {
  const clock = clockOf(data.player);
  const family = new Family(root, data, clock);
  return replace(root, () => {
    clock.point(null); // a button that goes away under the mouse says nothing
    family.end();
  });
}
