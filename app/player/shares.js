// What each leaf slot does to the picture: its effect as an image, and under it its share as a bar.

class Shares {
  constructor(root, data, arrays, clock) {
    Object.assign(this, { root, data, arrays, clock });
    const [, , rows, columns] = arrays.effects.shape;
    this.size = { rows, columns };
    this.note = element("span", { class: "note" });
    this.parts = data.leaves.map((node) => {
      const canvas = element("canvas", { width: columns, height: rows }), fill = element("i");
      const button = element("button", { type: "button", class: "part", "aria-label": `Select leaf ${node}` }, canvas, element("span", { class: "bar" }, fill));
      const at = { kind: "node", node, tree: data.tree };
      button.addEventListener("click", () => clock.select(at));
      button.addEventListener("pointerenter", () => clock.point(at));
      button.addEventListener("pointerleave", () => clock.point(null));
      return { node, button, fill, context: canvas.getContext("2d") };
    });
    root.title = data.about;
    root.replaceChildren(element("p", {}, element("b", { text: data.title }), this.note), element("div", { class: "slots" }, ...this.parts.map((part) => part.button)));
  }

  draw = (clock) => {
    const { frame } = clock, focus = clock.focusIn(this.data.tree), count = this.parts.length;
    const shares = this.arrays.shares.values.subarray(frame * count, (frame + 1) * count);
    this.parts.forEach(({ node, button, fill, context }, k) => {
      this.paint(context, frame * count + k);
      fill.style.height = `${Math.min(100, (100 * shares[k]) / this.data.top)}%`;
      button.classList.toggle("touched", focus?.kind === "node" && focus.node === node);
    });
    const pointed = this.data.leaves.indexOf(focus?.kind === "node" ? focus.node : -1);
    const told = pointed < 0 ? shares.indexOf(Math.max(...shares)) : pointed;
    const percent = (100 * shares[told]).toFixed(0);
    this.note.textContent = frame === 0 ? "" : `${pointed < 0 ? "most: " : ""}leaf ${this.data.leaves[told]}, ${percent} %`;
    this.root.dataset.frame = frame;
  };

  paint(context, index) {
    paintPixels(context, this.arrays.effects.values, index, this.size.rows, this.size.columns);
  }
}

function mount(root, data) {
  const clock = clockOf(data.player);
  let shares = null, ended = false;
  unpack(data.arrays).then((arrays) => {
    if (ended) return;
    shares = new Shares(root, data, arrays, clock);
    clock.join(data.part, data.scene, arrays.effects.shape[0], shares.draw, null, true);
  });
  return replace(root, () => {
    ended = true;
    if (shares) clock.leave(data.part, shares.draw);
  });
}
