// One training picture, and every sample that used it.

import { count, el, note, plural } from "./dom.js";
import { sampleTile } from "./gallery.js";
import { trainingPicture } from "./paint.js";
import { block, runSummary, trainingOf } from "./store.js";

const RUNS = 24;

export async function pictureView(site, id, number) {
  const run = await runSummary(id);
  const training = trainingOf(id, site.live);
  if (run.has.training) await training.need([number]);
  const picture = training.get(number);
  const name = picture && picture.label >= 0 ? run.class_names[picture.label] ?? `class ${picture.label}` : "";
  const page = el("article", { class: "training-page" },
    el("p", { class: "crumbs" }, el("a", { href: "#/" }, "Runs"), " / ", run.data),
    el("h1", {}, `Training image ${count(number)}`),
    name ? el("p", { class: "facts" }, /^\d+$/.test(name) ? `class ${name}` : name) : null,
    picture ? el("div", { class: "medium" }, trainingPicture(picture, `Training image ${number}`))
      : note(run.why_no_training || "This page does not hold its pixels."));
  const found = [];
  for (const other of [run.id, ...site.runs.map((one) => one.id).filter((one) => one !== run.id)].slice(0, RUNS)) {
    const summary = other === run.id ? run : await runSummary(other).catch(() => null);
    if (!summary || summary.fingerprint !== run.fingerprint) continue;
    const uses = await block(`data/${other}/uses.bin`);
    for (let at = uses.image.indexOf(number); at >= 0 && uses.image[at] === number; at++) {
      found.push([summary, uses.sample[at], uses.count[at]]);
    }
  }
  page.append(el("h2", {}, found.length ? `Used by ${plural(found.length, "sample")}` : "No sample used it"),
    el("ul", { class: "tiles", role: "list" }, ...found.map(([summary, at, pixels]) =>
      sampleTile(summary, at, "number", `${summary.title}: ${plural(pixels, "pixel")}`))));
  return page;
}
