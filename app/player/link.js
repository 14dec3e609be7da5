// The thin wire between Python and the clock: settings one way, selection or the paused frame the other.

// What the server was last told through a mounted wire; a call of the same mount must not tell it again.
const lastTold = new WeakMap();
// What an address asked for is done once a wire, however often the page runs again.
const opened = new WeakSet();

export default function ({ data, parentElement, setStateValue }) {
  const clock = clockOf(data.player);
  if (data.opening && !opened.has(parentElement)) {
    opened.add(parentElement);
    clock.open(data.opening);
  }
  let sent = lastTold.get(parentElement) ?? "null", waiting = 0;
  const send = () => {
    const now = data.report === "selected" ? clock.selected : clock.playing ? JSON.parse(sent) : clock.frame;
    if (JSON.stringify(now) === sent) return;
    sent = JSON.stringify(now);
    lastTold.set(parentElement, sent);
    setStateValue(data.report, now);
  };
  // Who only needs to know where the player comes to rest waits for that: a step asks nothing of the server.
  const told = data.rest ? () => { clearTimeout(waiting); waiting = setTimeout(send, data.rest); } : send;
  const silence = data.report ? clock.listen(told) : () => {};
  const end = replace(parentElement, () => {
    clearTimeout(waiting);
    silence();
    if (data.after) clock.set(data.after); // settings that end with the part of the page that made them
  });
  if (data.settings) clock.set(data.settings);
  if (data.report) told(); // the clock may have moved before this was here to listen
  return end;
}
