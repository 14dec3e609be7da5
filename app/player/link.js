// The thin wire between Python and the clock: settings one way, selection or the paused frame the other.

export default function ({ data, parentElement, setStateValue }) {
  const clock = clockOf(data.player);
  if (data.settings) clock.set(data.settings);
  let sent = JSON.stringify(data.known ?? null);
  const told = () => {
    const now = data.report === "selected" ? clock.selected : clock.playing ? JSON.parse(sent) : clock.frame;
    if (JSON.stringify(now) === sent) return;
    sent = JSON.stringify(now);
    setStateValue(data.report, now);
  };
  return replace(parentElement, data.report ? clock.listen(told) : () => {});
}
