// The thin wire between Python and the clock: settings one way, selection or the paused frame the other.

// What the server was last told through a mounted wire; a call of the same mount must not tell it again.
const lastTold = new WeakMap();
// What an address asked for is done once a wire, however often the page runs again: the number of the last opening.
const opened = new WeakMap();

function mount(root, data, send) {
  const clock = clockOf(data.player);
  if (data.opening && opened.get(root) !== data.opening.number) {
    opened.set(root, data.opening.number);
    clock.open(data.opening);
  }
  let sent = lastTold.get(root) ?? "null", waiting = 0;
  const tell = () => {
    const now = data.report === "selected" ? clock.selected : clock.playing ? JSON.parse(sent) : clock.frame;
    if (JSON.stringify(now) === sent) return;
    sent = JSON.stringify(now);
    lastTold.set(root, sent);
    send(data.report, now);
  };
  // Who only needs to know where the player comes to rest waits for that: a step asks nothing of the server.
  const told = data.rest ? () => { clearTimeout(waiting); waiting = setTimeout(tell, data.rest); } : tell;
  const silence = data.report ? clock.listen(told) : () => {};
  const end = replace(root, () => {
    clearTimeout(waiting);
    silence();
    if (data.after) clock.set(data.after); // settings that end with the part of the page that made them
  });
  if (data.settings) clock.set(data.settings);
  if (data.report) told(); // the clock may have moved before this was here to listen
  return end;
}
