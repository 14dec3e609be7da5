// Buttons that make a file when they are pressed. Python makes it while the visitor waits, and this part saves it:
// a file announced beforehand would be forgotten by the server each time the page runs again.

// The last file that a mounted part has saved; the same data may come again.
const saved = new WeakMap();

async function keep({ name, mime, content }) {
  const file = await (await fetch(`data:${mime};base64,${content}`)).blob();
  const link = element("a", { href: URL.createObjectURL(file), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser may still be reading
}

function mount(root, data, send) {
  const { rows, answer, busy } = data;
  const said = element("span", { class: "said", role: "status" });
  const line = ({ heading, files }) => {
    const made = element("div", { class: "files" });
    if (heading) made.append(element("b", { text: heading }));
    for (const { id, label, help } of files) {
      const button = element("button", { type: "button", text: label, title: help });
      button.addEventListener("click", () => {
        for (const other of root.querySelectorAll("button")) other.disabled = true;
        said.textContent = busy;
        send("asked", id, true);
      });
      made.append(button);
    }
    return made;
  };
  const focused = [...root.querySelectorAll("button")].indexOf(root.getRootNode().activeElement);
  root.replaceChildren(...rows.map(line), said);
  root.querySelectorAll("button")[focused]?.focus();
  if (answer && saved.get(root) !== answer.number) {
    saved.set(root, answer.number);
    if (answer.problem) said.textContent = answer.problem;
    else keep(answer).then(() => (said.textContent = `${answer.name} is saved.`));
  }
}
