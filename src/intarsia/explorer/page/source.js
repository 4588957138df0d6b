// What one pixel is made of: its source, the candidates, and the distribution it was drawn from.

import { count, el, note, ordinal, percent, plural } from "./dom.js";
import { paint, trainingPicture } from "./paint.js";

const SHOWN = 24;

/** The panel beside a sample; `show(place)` fills it. */
export function sourcePanel(sample) {
  const title = el("h2", {}, "Point at a pixel");
  const pin = el("span", { class: "pin", hidden: true }, "pinned");
  const source = el("div", { class: "source" });
  const drawn = el("div", { class: "distribution" });
  const pool = el("div", { class: "pool" });
  const box = el("section", { class: "panel", "aria-label": "Where the pixel came from" },
    el("div", { class: "panel-head" }, title, pin), source, drawn, pool);
  let turn = 0;

  async function show(at, pinned, step = null) {
    const mine = ++turn;
    const row = Math.floor(at / sample.width), col = at % sample.width;
    box.dataset.row = row;
    box.dataset.col = col;
    title.textContent = `Row ${row}, column ${col}`;
    pin.hidden = !pinned;
    const from = sample.sourceAt(at, step);
    const members = step === null ? sample.poolAt(at) : null;
    const fill = () => {
      source.replaceChildren(...sourceParts(sample, at, from, step));
      pool.replaceChildren(...poolParts(sample, at, from, members));
    };
    drawn.replaceChildren(...distributionParts(sample, at, from, members, step));
    fill();
    const wanted = [from.image, ...(members ? members.slice(0, SHOWN).map((one) => one.image) : [])];
    if (wanted.some((number) => number >= 0 && !sample.training.get(number))) {
      await sample.training.need(wanted);
      if (mine === turn) fill();
    }
  }
  return { box, show };
}

/** One sentence for screen readers. */
export function inWords(sample, at) {
  const from = sample.sourceAt(at, null);
  const place = `Row ${Math.floor(at / sample.width)}, column ${at % sample.width}`;
  if (from.image < 0) return `${place}: no source.`;
  const given = from.step < 0 ? ", given" : sample.drawsFromPools ? `, pool of ${from.pool}` : "";
  return `${place}: training image ${from.image}, ${sample.className(from.label)}${given}.`;
}

function sourceParts(sample, at, from, step) {
  if (from.image < 0) return [note("No training pixel is named here.")];
  const picture = sample.training.get(from.image);
  const label = `Training image ${from.image}, with the patch around row ${from.row}, column ${from.col} framed`;
  const shown = picture
    ? trainingPicture(picture, label, [from.row, from.col], sample.sideAt(step))
    : el("span", { class: "picture missing", role: "img", "aria-label": `${label}; not loaded` });
  const facts = el("div", { class: "source-facts" },
    el("p", { class: "name" }, `Training image ${count(from.image)}`),
    el("p", {}, [sample.className(from.label), `row ${from.row}, column ${from.col}`]
      .filter(Boolean).join(" · ")),
    el("p", { class: "note" }, told(sample, from, step)),
    el("a", { href: `#/picture/${sample.run.id}/${from.image}` }, "Every sample that used it"));
  const figure = el("div", { class: "source-row" }, shown, facts);
  for (const name of ["image", "row", "col"]) figure.dataset[name] = from[name];
  return [figure];
}

function told(sample, from, step) {
  if (sample.meta.evidence === "posterior") {
    const when = step === null ? "" : ` at t = ${sample.steps.t[step].toFixed(2)}`;
    return `The heaviest patch of a weighted mean${when}: ${percent(from.weight)} of the weight.`;
  }
  if (sample.isAttribution) {
    return `The nearest of all training patches: ${levels(from.distance)} away.`;
  }
  if (from.step < 0) return "Given, not drawn: part of what the sample started from.";
  return `The ${ordinal(from.step + 1)} pixel drawn, from a pool of ${count(from.pool)}. `
    + `Its surroundings differ from the patch by ${levels(from.distance)}.`;
}

const levels = (distance) => `${(255 * Math.sqrt(distance)).toFixed(1)} grey levels (root mean square)`;

function distributionParts(sample, at, from, members, step) {
  if (sample.meta.evidence === "posterior" && from.image >= 0) return beliefParts(sample, at, from, step);
  if (!members || sample.isAttribution) return [];
  if (members.length === 1 && from.pool === 1) {
    return [el("h3", {}, "Drawn from"), el("p", { class: "note" }, "One candidate: chance had no say.")];
  }
  const each = 1 / members.length;
  const parts = [el("h3", {}, "Drawn from"),
    el("p", { class: "note" }, from.pool > members.length
      ? `The nearest ${count(members.length)} of ${plural(from.pool, "candidate")}, each as likely as the others.`
      : `${plural(members.length, "candidate")}, each with probability ${percent(each)}.`)];
  if (members[0].value) {
    const byValue = [...members].sort((a, b) => a.brightness - b.brightness);
    parts.push(strip("Its colour could have been", byValue.map((one) => one.value)));
  }
  const byClass = [...members].sort((a, b) => a.label - b.label);
  if (byClass[0].label >= 0 || byClass.at(-1).label >= 0) {
    const shares = new Map();
    byClass.forEach((one) => shares.set(one.label, (shares.get(one.label) ?? 0) + each));
    const words = [...shares].sort((a, b) => b[1] - a[1]).slice(0, 4)
      .map(([label, share]) => `${sample.className(label)} ${percent(share)}`).join(", ");
    parts.push(strip("Its source's class", byClass.map((one) => sample.classColour(one.label)), words));
  }
  return parts;
}

/** Equal slices side by side, one a candidate. */
function strip(title, colours, words = "") {
  const canvas = el("canvas", {});
  paint(canvas, colours.flat(), 1, colours.length);
  return el("div", { class: "strip" }, el("span", { class: "caption" }, title),
    el("span", { class: "bar", role: "img", "aria-label": `${title}: ${words || plural(colours.length, "candidate")}` }, canvas),
    words ? el("span", { class: "caption" }, words) : null);
}

function beliefParts(sample, at, from, step) {
  const rest = Math.max(0, 1 - from.weight);
  const parts = [el("h3", {}, "Belief"), el("div", { class: "belief" },
    beliefRow(`Image ${count(from.image)}`, from.weight), beliefRow("All others", rest))];
  if (sample.steps) {
    const size = sample.width * sample.height;
    const weights = Array.from(sample.steps.t, (_, when) => sample.steps.weight[when * size + at]);
    const bars = el("div", { class: "bars", role: "img",
      "aria-label": `Weight of the heaviest patch at each of ${weights.length} steps, from ${percent(weights[0])} to ${percent(weights.at(-1))}` });
    weights.forEach((weight, when) => {
      const bar = el("span", { class: when === (step ?? weights.length - 1) ? "now" : "" });
      bar.style.height = `${Math.max(2, 100 * weight)}%`;
      bars.append(bar);
    });
    parts.push(el("p", { class: "note" }, "Weight of the heaviest patch, from noise (left) to picture (right)"), bars);
  }
  return parts;
}

function beliefRow(words, share) {
  const bar = el("span", { class: "fill" });
  bar.style.width = `${100 * share}%`;
  return el("p", {}, el("span", {}, words), el("span", { class: "track" }, bar), el("span", {}, percent(share)));
}

function poolParts(sample, at, from, members) {
  if (!members) return from.step < 0 || sample.has.pools || !sample.drawsFromPools ? [] : [
    note("The other candidates were not kept. Draw with --keep-pools to see them here.")];
  const list = el("ol", { class: "candidates" });
  const title = sample.isAttribution ? `The ${members.length} nearest patches` : "Candidates";
  const parts = [el("h3", {}, title), el("p", { class: "note" }, unitOf(sample, at, members)), list];
  const known = members.filter((one) => sample.training.get(one.image)).length;
  const add = (some) => list.append(...some.map((one) => candidate(sample, at, one, from)));
  add(members.slice(0, SHOWN));
  if (members.length > SHOWN) {
    const more = el("button", { type: "button", onclick: async () => {
      more.disabled = true;
      await sample.training.need(members.map((one) => one.image));
      list.replaceChildren();
      add(members);
      more.remove();
    } }, `Show all ${count(members.length)}`);
    parts.push(more);
  }
  list.dataset.count = members.length;
  list.dataset.pictures = known;
  return parts;
}

function unitOf(sample, at, members) {
  const unit = sample.unitAt(at) === null ? "in squares of grey levels, weighted" : "in grey levels, root mean square";
  const trimmed = sample.pools.meta.trimmed;
  return `Nearest first; distance ${unit}.`
    + (trimmed && members.length === trimmed ? ` This page holds the nearest ${trimmed}.` : "");
}

function candidate(sample, at, one, from) {
  const unit = sample.unitAt(at);
  const far = unit === null ? count(one.distance) : (255 * Math.sqrt(one.distance * unit)).toFixed(1);
  const chosen = one.image === from.image && one.row === from.row && one.col === from.col;
  const label = `Training image ${one.image}, row ${one.row}, column ${one.col}, distance ${far}${chosen ? ", the one drawn" : ""}`;
  const picture = sample.training.get(one.image);
  const shown = picture ? trainingPicture(picture, label, [one.row, one.col], sample.side)
    : el("span", { class: "picture missing", role: "img", "aria-label": label });
  const link = el("a", { href: `#/picture/${sample.run.id}/${one.image}`, title: label, class: chosen ? "chosen" : "" },
    shown, el("span", { class: "caption" }, far));
  const item = el("li", {}, link);
  for (const name of ["image", "row", "col", "distance"]) item.dataset[name] = one[name];
  return item;
}
