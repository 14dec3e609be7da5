
// Models to pick from by what they are and how well they do: a row for each, in groups; a click tells its name.

function mount(root, data, send) {
  const row = ({ name, kind, sees, lines, chosen }) => {
    const title = element("span", { class: "title" }, element("b", { text: kind }), element("i", { text: sees }), element("code", { text: name }));
    const made = element("button", { type: "button", class: "choice", "aria-pressed": chosen }, title);
    made.append(...lines.map((line) => element("small", { text: line })));
    made.addEventListener("click", () => send("pick", name, true));
    return made;
  };
  const groups = data.groups.map(({ heading, rows }) => {
    return element("section", {}, element("h4", { text: heading }), element("div", { class: "rows" }, ...rows.map(row)));
  });
  root.replaceChildren(...groups);
  return replace(root, () => root.replaceChildren());
}
