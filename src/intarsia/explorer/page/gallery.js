// All runs with their samples, sorted and filtered by one measure.

import { choice, count, el, note, percent, plural } from "./dom.js";
import { tile } from "./paint.js";
import { address, runSummary } from "./store.js";

export const MEASURES = {
  number: ["Number", (value) => `No. ${value}`],
  class_entropy: ["Class entropy", (value) => value.toFixed(2)],
  image_entropy: ["Image entropy", (value) => value.toFixed(2)],
  top_share: ["Top-source share", percent],
  distinct: ["Source images", count],
  copy: ["Copy score (p-value)", (value) => value.toPrecision(2)],
};
const RUNS_AT_ONCE = 8;
const TILES_AT_ONCE = 60;

const wanted = { run: "", by: "number", order: "up", from: "", to: "" };

export async function galleryView(site) {
  const page = el("div", { class: "gallery" });
  const list = el("div", {});
  let shown = RUNS_AT_ONCE;

  const range = (label, key) => el("label", { class: "field narrow" }, el("span", {}, label),
    el("input", {
      type: "number", step: "any", value: wanted[key], placeholder: "any",
      oninput: (event) => { wanted[key] = event.target.value; draw(); },
    }));
  const set = (key) => (value) => { wanted[key] = value; draw(); };
  const runs = [["", "All runs"], ...site.runs.map((run) => [run.id, run.title])];
  if (!site.runs.some((run) => run.id === wanted.run)) wanted.run = "";
  const measures = Object.entries(MEASURES).map(([key, [words]]) => [key, words]);

  page.append(
    el("h1", {}, "Runs"),
    el("p", { class: "lead" }, "Open a sample and point at a pixel, to see the training picture "
      + "it came from and what else it could have been."),
  );
  if (!site.runs.length) {
    page.append(note("There are no runs here yet."),
      site.live ? el("p", {}, el("a", { href: "#/make" }, "Draw the first pictures")) : "");
    return page;
  }
  page.append(
    el("form", { class: "toolbar", "aria-label": "Sort and filter", onsubmit: (e) => e.preventDefault() },
      choice("Run", runs, wanted.run, set("run")),
      choice("Sort by", measures, wanted.by, set("by")),
      choice("Order", [["up", "Least first"], ["down", "Most first"]], wanted.order, set("order")),
      range("At least", "from"), range("At most", "to")),
    list,
  );

  let turn = 0;
  async function draw() {
    const mine = ++turn;
    const chosen = wanted.run ? [wanted.run] : site.runs.slice(0, shown).map((run) => run.id);
    const sections = await Promise.all(chosen.map(sectionOf));
    if (mine !== turn) return;
    list.replaceChildren(...sections);
    if (!wanted.run && shown < site.runs.length) {
      list.append(el("button", { type: "button", onclick: () => { shown += RUNS_AT_ONCE; draw(); } },
        `Show more of the ${count(site.runs.length)} runs`));
    }
  }
  await draw();
  return page;
}

async function sectionOf(id) {
  let run;
  try {
    run = await runSummary(id);
  } catch (error) {
    return el("section", { class: "run" }, el("h2", {}, id), note(error.message, "fault"));
  }
  const section = el("section", { class: "run", "data-run": id },
    el("div", { class: "run-head" }, el("h2", {}, run.title), factsOf(run)));
  const order = sorted(run);
  if (!order) {
    section.append(note(`This run has no ${MEASURES[wanted.by][0].toLowerCase()}.`));
    return section;
  }
  const tiles = el("ul", { class: "tiles", role: "list" });
  const more = el("p", { class: "note" });
  let upTo = 0;
  const grow = () => {
    upTo += TILES_AT_ONCE;
    tiles.append(...order.slice(upTo - TILES_AT_ONCE, upTo).map((at) => sampleTile(run, at, wanted.by)));
    more.replaceChildren(...(upTo < order.length
      ? [el("button", { type: "button", onclick: grow }, `Show more of ${count(order.length)}`)]
      : [closing(run, order)]));
  };
  grow();
  section.append(tiles, more);
  return section;
}

function closing(run, order) {
  if (run.shown < run.n) return `The first ${count(run.shown)} of ${plural(run.n, "sample")}.`;
  return order.length < run.n ? `${count(order.length)} of ${plural(run.n, "sample")}.` : "";
}

/** Indices of a run's samples as asked for, or null if it has no such measure. */
function sorted(run) {
  const values = run.samples[wanted.by];
  if (!values) return null;
  const scale = wanted.by === "top_share" ? 0.01 : 1;
  const from = wanted.from === "" ? -Infinity : scale * wanted.from;
  const to = wanted.to === "" ? Infinity : scale * wanted.to;
  const bounded = wanted.from !== "" || wanted.to !== "";
  const sign = wanted.order === "up" ? 1 : -1;
  return values.map((_, at) => at)
    .filter((at) => (values[at] === null ? !bounded : values[at] >= from && values[at] <= to))
    .sort((a, b) => sign * ((values[a] ?? Infinity) - (values[b] ?? Infinity)) || a - b);
}

/** A sample that leads to its page. */
export function sampleTile(run, at, by = "number", words = null) {
  const value = run.samples[by]?.[at];
  const said = words ?? (value === null || value === undefined ? "undefined" : MEASURES[by][1](value));
  const label = `Sample ${run.samples.number[at]} of ${run.title}`;
  const sheet = address(`data/${run.id}/sheet-${Math.floor(at / run.sheet.page)}.png`);
  return el("li", {}, el("a", { class: "card", href: `#/run/${run.id}/${at}` },
    tile(sheet, run, at, label), el("span", { class: "caption" }, said)));
}

export function factsOf(run) {
  const model = run.model + (run.principles ? ` ${run.principles}` : "");
  const facts = [model, run.data && `${run.data}, ${plural(run.images, "picture")}`,
    plural(run.n, "sample")];
  if (run.class_entropy !== null) facts.push(`class entropy ${run.class_entropy.toFixed(2)}`);
  if (run.image_entropy !== null) facts.push(`image entropy ${run.image_entropy.toFixed(2)}`);
  if (run.top_share !== null) facts.push(`top source ${percent(run.top_share)}`);
  return el("p", { class: "facts" }, facts.filter(Boolean).join(" · "));
}
