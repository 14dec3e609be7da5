// A Plotly chart as a figure: its drawing as SVG of a width in centimetres, saved here, or as PDF, which Python makes of it.

const SHOWN = ["fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray", "opacity"];
const WRITTEN = ["font-family", "font-size", "font-weight", "text-anchor"];

// The layers of a chart (drawnChart of plotly.js) as one drawing that needs no style sheet.
function drawing({ chart, width, height, layers }, centimetres) {
  const whole = element("svg", { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${width} ${height}`, width: `${centimetres}cm`, height: `${((centimetres * height) / width).toFixed(3)}cm` });
  const ground = [...chartGrounds(chart)].find((colour) => colour && !/^rgba\(.*, 0\)$|^transparent$/.test(colour)) ?? "white";
  whole.append(element("rect", { width, height, fill: ground }));
  for (const layer of layers) {
    const copy = layer.cloneNode(true), originals = [layer, ...layer.querySelectorAll("*")];
    [copy, ...copy.querySelectorAll("*")].forEach((node, k) => {
      const look = getComputedStyle(originals[k]);
      if (look.display === "none" || look.visibility === "hidden") node.setAttribute("data-out", "");
      const names = node.tagName === "text" || node.tagName === "tspan" ? [...SHOWN, ...WRITTEN] : ["path", "rect", "circle", "line"].includes(node.tagName) ? SHOWN : ["opacity"];
      node.removeAttribute("style");
      node.removeAttribute("class");
      for (const name of names) {
        const value = look.getPropertyValue(name).replaceAll("px", ""); // drawing programs count in units
        if (name !== "opacity" || value !== "1") node.setAttribute(name, value); // some take it for that of fill and stroke
      }
      const clip = /#([^'")]+)/.exec(node.getAttribute("clip-path") ?? "");
      if (clip) node.setAttribute("clip-path", `url(#${clip[1]})`);
    });
    const out = [...layer.querySelectorAll(SCREEN_ONLY)].map((node) => originals.indexOf(node));
    const every = [copy, ...copy.querySelectorAll("*")];
    for (const k of out) every[k].setAttribute("data-out", "");
    for (const node of copy.querySelectorAll("[data-out]")) node.remove();
    whole.append(...copy.childNodes);
  }
  return new XMLSerializer().serializeToString(whole);
}

function* chartGrounds(chart) {
  for (let at = chart; at; at = at.parentElement) yield getComputedStyle(at).backgroundColor;
}

function keepFile(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser may still be reading
}

const savedFigures = new WeakMap();

function mount(root, data, send) {
  root.classList.add("save");
  const { name, answer } = data, said = element("span", { class: "said", role: "status" });
  const size = element("input", { type: "number", min: data.least, max: data.most, step: 0.5, value: root.dataset.width ?? data.width, "aria-label": "Width of the figure in centimetres" });
  const button = (word, act) => {
    const made = element("button", { type: "button", text: word, title: `This chart for a paper, as ${word} of this width` });
    made.addEventListener("click", () => {
      const width = +size.value, chart = drawnChart(data.chart);
      root.dataset.width = width; // another chart of this place keeps it
      if (!(width >= data.least && width <= data.most)) said.textContent = `Choose a width from ${data.least} to ${data.most} cm.`;
      else if (!chart) said.textContent = "The chart is not drawn yet: try again in a moment.";
      else act(drawing(chart, width));
    });
    return made;
  };
  const svg = button("SVG", (text) => {
    keepFile(new Blob([text], { type: "image/svg+xml" }), `${name}.svg`);
    said.textContent = `${name}.svg is saved.`;
  });
  const pdf = button("PDF", (text) => {
    said.textContent = "Making the file …";
    send("drawing", text, true);
  });
  root.replaceChildren(element("div", { class: "files" }, element("span", { text: "Figure" }), size, element("span", { text: "cm" }), svg, pdf, said));
  if (!answer || savedFigures.get(root) === answer.number) return;
  savedFigures.set(root, answer.number);
  said.textContent = answer.problem ?? `${name}.pdf is saved.`;
  if (!answer.problem) fetch(`data:application/pdf;base64,${answer.content}`).then((file) => file.blob()).then((blob) => keepFile(blob, `${name}.pdf`));
}
