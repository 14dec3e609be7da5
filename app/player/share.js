// The address of what is on the screen: the page's own, with frame and selection, which only the browser knows.

const address = (clock, given) => {
  const url = new URL(location.href), asked = url.searchParams;
  for (const [name, value] of Object.entries(given)) asked.set(name, value);
  asked.set("frame", clock.frame);
  const { selected } = clock;
  if (selected) asked.set("select", selected.kind === "node" ? selected.node : `${selected.sender}-${selected.receiver}`);
  else asked.delete("select");
  return url;
};

// The address bar follows once the player rests; nothing is asked of the server.
function keep(clock) {
  let waiting = 0;
  const write = () => {
    if (clock.playing || !clock.begun) return;
    const url = address(clock, {});
    if (clock.frame === clock.rest) url.searchParams.delete("frame");
    if (url.href !== location.href) history.replaceState(history.state, "", url);
  };
  const silence = clock.listen(() => {
    clearTimeout(waiting);
    waiting = setTimeout(write, 300);
  });
  return () => {
    clearTimeout(waiting);
    silence();
  };
}

function button(root, clock, given) {
  const copy = element("button", { type: "button", class: "copy", text: "Copy link" });
  const field = element("input", { type: "text", readonly: "", "aria-label": "Address of what is on the screen", value: "" });
  const said = element("span", { class: "said", role: "status" });
  const show = () => (field.value = address(clock, given).href);
  copy.addEventListener("click", async () => {
    const link = show();
    try {
      await navigator.clipboard.writeText(link);
      said.textContent = "Copied.";
    } catch {
      field.select(); // no permission, or no secure connection: the visitor copies it
      said.textContent = matchMedia("(hover: none)").matches ? "Hold the address to copy it." : "Press Ctrl C to copy.";
    }
    if (link.length > 8000) said.textContent += ` It is ${link.length} characters long: some programs cut such links. Save the edits as a file too.`;
  });
  field.addEventListener("focus", () => field.select());
  root.replaceChildren(copy, field, said);
  show();
  return clock.listen(show);
}

function mount(root, data) {
  const clock = clockOf(data.player);
  if (data.keep) return replace(root, keep(clock));
  return replace(root, button(root, clock, data.given));
}
