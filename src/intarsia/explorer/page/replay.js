// A slider through time: pixels as they were drawn (paper A), or the reverse steps (paper C).

import { el } from "./dom.js";

const SECONDS = 6;

/**
 * @param last the last value; the slider starts there.
 * @param words what to say of a value.
 * @param moved called with each value, and null at the end of a growth.
 */
export function replayBar(title, last, words, moved) {
  const slider = el("input", { type: "range", min: 0, max: last, value: last, step: 1, "aria-label": title,
    oninput: () => { stop(); show(+slider.value); } });
  const said = el("output", {}, words(last));
  const button = el("button", { type: "button", onclick: () => (timer ? stop() : play()) }, "Play");
  let timer = null;

  function show(value) {
    slider.value = value;
    slider.setAttribute("aria-valuetext", words(value));
    said.textContent = words(value);
    moved(value);
  }
  function play() {
    let began = null;
    const from = +slider.value < last ? +slider.value : 0;
    const seconds = Math.min(SECONDS, Math.max(2, last / 8));
    button.textContent = "Pause";
    const tick = (now) => {
      if (!slider.isConnected) return;
      began ??= now;
      const value = Math.min(last, from + Math.floor(((now - began) / 1000 / seconds) * (last + 1)));
      show(value);
      if (value < last) timer = requestAnimationFrame(tick);
      else stop();
    };
    timer = requestAnimationFrame(tick);
  }
  function stop() {
    cancelAnimationFrame(timer);
    timer = null;
    button.textContent = "Play";
  }
  return el("div", { class: "replay", role: "group", "aria-label": title }, button, slider, said);
}
