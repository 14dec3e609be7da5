// Motions to pick from by picture: a tile for each recording, in groups; a click tells its seed.

function picture({ width, height, ground, limbs }) {
  const paths = limbs.flatMap(([colour, d]) => [element("path", { d, class: "rim" }), element("path", { d, stroke: colour })]);
  const floor = element("line", { x1: 0, x2: width, y1: ground, y2: ground });
  return element("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, floor, ...paths);
}

function mount(root, data, send) {
  const tile = ({ name, note, seed, image, chosen }) => {
    const words = element("span", {}, element("b", { text: name }), element("small", { text: note }));
    const made = element("button", { type: "button", class: "motion", "aria-label": `${name}, ${note}`, "aria-pressed": chosen }, picture(image), words);
    if (seed === null) made.disabled = true;
    made.addEventListener("click", () => send("pick", seed, true));
    return made;
  };
  const groups = data.groups.map(({ heading, about, tiles }) => {
    const grid = element("div", { class: "tiles" }, ...tiles.map(tile));
    return element("section", {}, element("h4", {}, heading, element("small", { text: about })), grid);
  });
  root.replaceChildren(...groups);
  return replace(root, () => root.replaceChildren());
}
