// Two runs side by side, on the same seeds.

import { choice, el, note, visit } from "./dom.js";
import { openSample, stage } from "./sample.js";
import { sourcePanel } from "./source.js";
import { runSummary } from "./store.js";

export async function compareView(site, left, right, number) {
  const ids = site.runs.map((run) => run.id);
  const page = el("article", { class: "compare" }, el("h1", {}, "Compare two runs"),
    el("p", { class: "lead" }, "The same seed on both sides. Point at a pixel of one, and both tell where theirs came from."));
  if (ids.length < 2) {
    page.append(note("There is only one run here; two are needed."));
    return page;
  }
  const first = ids.includes(left) ? left : ids[0];
  const second = ids.includes(right) ? right : ids.find((id) => id !== first);
  const [a, b] = await Promise.all([runSummary(first), runSummary(second)]);
  const shared = a.samples.number.filter((one) => b.samples.number.includes(one));
  const chosen = shared.includes(number) ? number : shared[0];
  const go = (one, other, at) => visit(`#/compare/${one}/${other}/${at}`);
  const runs = site.runs.map((run) => [run.id, run.title]);
  page.append(el("form", { class: "toolbar", "aria-label": "What to compare", onsubmit: (e) => e.preventDefault() },
    choice("Left", runs, first, (id) => go(id, second, chosen)),
    choice("Right", runs, second, (id) => go(first, id, chosen)),
    choice("Sample", shared.map((one) => [String(one), `No. ${one}`]), String(chosen), (at) => go(first, second, at))));
  if (chosen === undefined) {
    page.append(note("These runs have no sample number in common."));
    return page;
  }
  const differing = [a.seed !== b.seed && "seeds", a.fingerprint !== b.fingerprint && "training pictures"].filter(Boolean);
  if (differing.length) page.append(note(`These runs have different ${differing.join(" and ")}.`, "hint"));

  const sides = await Promise.all([a, b].map((run) => openSample(site, run.id, run.samples.number.indexOf(chosen))));
  const same = sides[0].height === sides[1].height && sides[0].width === sides[1].width;
  const panels = sides.map(sourcePanel);
  const stages = sides.map((sample, side) => stage(sample, (at, pinned, step) => {
    panels[side].show(at, pinned, step);
    const other = 1 - side;
    if (same && stages[other].where() !== at) stages[other].go(at, false), panels[other].show(at, pinned);
  }, `Sample ${chosen} of ${sample.run.title}`));
  page.append(el("div", { class: "two even" }, ...sides.map((sample, side) =>
    el("section", { class: "side", "data-run": sample.run.id }, el("h2", {}, sample.run.title),
      el("p", { class: "facts" }, [sample.run.model, sample.run.principles, sample.run.data].filter(Boolean).join(" ")),
      stages[side].box, panels[side].box))));
  stages.forEach((one) => one.go(one.where()));
  return page;
}
