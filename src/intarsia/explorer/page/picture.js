// One training picture, and every sample that used it.

import { count, el, note, plural } from "./dom.js";
import { sampleTile } from "./gallery.js";
import { trainingPicture } from "./paint.js";
import { block, runSummary, trainingOf } from "./store.js";

const RUNS = 24;

export async function pictureView(site, id, number) {
  const run = await runSummary(id);
  const found = await usersOf(site, run, number);
  const picture = await pixelsOfTraining(site, run, number, found);
  const label = picture?.label ?? -1;
  const name = label >= 0 ? run.class_names[label] ?? String(label) : "";
  return el("article", { class: "training-page" },
    el("p", { class: "crumbs" }, el("a", { href: "#/" }, "Runs"), " / ", run.data),
    el("h1", {}, `Training image ${count(number)}`),
    name ? el("p", { class: "facts" }, /^\d+$/.test(name) ? `class ${name}` : name) : null,
    picture ? el("div", { class: "medium" }, trainingPicture(picture, `Training image ${number}`))
      : note(run.why_no_training || "This page does not hold its pixels."),
    el("h2", {}, found.length ? `Used by ${plural(found.length, "sample")}` : "No sample used it"),
    el("ul", { class: "tiles", role: "list" }, ...found.map(({ summary, sample, pixels }) =>
      sampleTile(summary, sample, "number", `${summary.title}: ${plural(pixels, "pixel")}`))));
}

/** The samples that used a training picture, in this run and in others over the same pictures. */
async function usersOf(site, run, number) {
  const others = site.runs.map((one) => one.id).filter((one) => one !== run.id);
  const found = [];
  for (const other of [run.id, ...others].slice(0, RUNS)) {
    const summary = await runSummary(other).catch(() => null);
    if (!summary || summary.fingerprint !== run.fingerprint) continue;
    const uses = await block(`data/${other}/uses.bin`);
    for (let at = uses.image.indexOf(number); at >= 0 && uses.image[at] === number; at++) {
      found.push({ summary, sample: uses.sample[at], pixels: uses.count[at] });
    }
  }
  return found;
}

/** A training picture; static pages hold it beside a sample that used it. */
async function pixelsOfTraining(site, run, number, found) {
  const training = trainingOf(run.id, site.live);
  if (!run.has.training) return null;
  await training.need([number]);
  const first = found.find(({ summary }) => summary.id === run.id);
  if (!training.get(number) && first) {
    training.absorb(await block(`data/${run.id}/${first.sample}/sources.bin`));
  }
  return training.get(number);
}
