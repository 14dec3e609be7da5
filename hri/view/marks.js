// What draws marks in a browser, in the app's player and on the page that plays offline: arrays as they are sent, edges
// and errors as Python has decided that they look (hri/view/style.py), numbers in words.

// The arrays of hri.view.player.pack: {name: {shape, values}}.
async function unpack({ index, blob }) {
  const stream = new Blob([bytes(blob)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const buffer = await new Response(stream).arrayBuffer();
  const arrays = {};
  for (const [name, { shape, type, at }] of Object.entries(index)) {
    const size = shape.reduce((a, b) => a * b, 1);
    arrays[name] = { shape, values: type === "float32" ? new Float32Array(buffer, at, size) : new Uint8Array(buffer, at, size) };
  }
  return arrays;
}

function bytes(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

// Width and opacity of an edge by the probability of its type: hri.view.style.Stroke.at.
function lookAt(stroke, p) {
  return [stroke.thin + (stroke.thick - stroke.thin) * p, stroke.faint + (stroke.solid - stroke.faint) * p ** stroke.power];
}

// One picture of several, three bytes a pixel, onto a canvas of its size.
function paintPixels(context, values, index, rows, columns) {
  const image = context.createImageData(columns, rows), pixels = image.data;
  for (let p = 0, from = index * rows * columns * 3; p < pixels.length; p += 4, from += 3) {
    pixels[p] = values[from];
    pixels[p + 1] = values[from + 1];
    pixels[p + 2] = values[from + 2];
    pixels[p + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

// The difference (0 ... 255) of two pixels that start at these places, mean over colour channels.
function difference(a, p, b, q) {
  return Math.round((Math.abs(a[p] - b[q]) + Math.abs(a[p + 1] - b[q + 1]) + Math.abs(a[p + 2] - b[q + 2])) / 3);
}

// 0.0021 -> "2.1·10⁻³", as hri.view.facts.scientific: two digits are what an error of one scene is worth.
function scientific(value) {
  if (!Number.isFinite(value)) return "not a number";
  if (value === 0) return "0";
  const [digits, power] = value.toExponential(1).split("e");
  return `${digits}·10${[...String(+power)].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[+c])).join("")}`;
}
