// One sample, large: pixels, maps, time, and the panel that says where a pixel came from.

import { count, el, note, percent, plural, speak } from "./dom.js";
import { frame, framed, outline, paint, trainingPicture } from "./paint.js";
import { replayBar } from "./replay.js";
import { inWords, sourcePanel } from "./source.js";
import { block, runSummary, trainingOf } from "./store.js";

const MAPS = {
  pixels: "Picture", image: "Source image", class: "Class", place: "Place",
  step: "Order", distance: "Distance", pool: "Pool size",
};
const MEANINGS = {
  pixels: "",
  image: "One colour a training image. A patch of one colour was copied together.",
  class: "",
  place: "Hue is the column, lightness the row a pixel was copied from.",
  step: "When a pixel was drawn.",
  distance: "How far a pixel's surroundings were from the patch it was taken from, in grey levels.",
  pool: "How many candidates a pixel was drawn from.",
};

/** Everything known of one sample, and how to ask for a pixel's share of it. */
export async function openSample(site, id, index) {
  const base = `data/${id}/${index}`;
  const [run, own] = await Promise.all([runSummary(id), block(`${base}/sample.bin`)]);
  const [height, width] = own.shapes.image;
  const training = trainingOf(id, site.live);
  const sample = {
    run, own, index, height, width, training, meta: own.meta, has: own.meta.has,
    pools: null, steps: null, side: own.meta.window ?? 1,
    isAttribution: run.model === "attribution",
    drawsFromPools: own.meta.evidence === "exact" || own.meta.evidence === "token",
    className: (label) => label < 0 ? "" : nameOf(run, label),
    classColour: (label) => partsOf(own.meta.class_colours[label] ?? "#808080"),
    sourceAt(at, step) {
      const from = {};
      for (const name of ["image", "row", "col", "label", "step", "pool", "distance", "weight"]) {
        from[name] = own[name][at];
      }
      if (step !== null && sample.steps) {
        const then = step * height * width + at;
        for (const name of ["image", "row", "col", "label", "weight"]) from[name] = sample.steps[name][then];
      }
      return from;
    },
    /** Side of the window at a reverse step; null for the last. */
    sideAt(step) {
      return sample.steps ? sample.steps.side[step ?? sample.steps.side.length - 1] : sample.side;
    },
    /** The candidates of a pixel, nearest first, or null; kept for the pixel asked for last. */
    poolAt(at) {
      const { pools } = sample;
      if (!pools || !pools.count[at]) return null;
      if (lastPool.at !== at) {
        const members = Array.from({ length: pools.count[at] }, (_, rank) => memberOf(pools, pools.start[at] + rank));
        lastPool = { at, members, unit: unitOfPool(sample, at, members) };
      }
      return lastPool.members;
    },
    /** Squared grey levels (in units of 255^2) a unit of a candidate's distance, or null. */
    unitAt: (at) => (sample.poolAt(at) ? lastPool.unit : null),
  };
  let lastPool = {};
  const wanted = [];
  if (sample.has.training) {
    wanted.push(block(`${base}/sources.bin`).then((given) => training.absorb(given)));
    if (!site.live && sample.has.pools) {
      wanted.push(block(`${base}/pool-sources.bin`).then((given) => training.absorb(given)));
    }
  }
  if (sample.has.pools) wanted.push(block(`${base}/pools.bin`).then((given) => { sample.pools = given; }));
  if (sample.has.steps) wanted.push(block(`${base}/steps.bin`).then((given) => { sample.steps = given; }));
  await Promise.all(wanted);
  return sample;
}

/** Red, green and blue of #RRGGBB. */
function partsOf(colour) {
  const all = parseInt(colour.slice(1), 16);
  return [all >> 16, (all >> 8) & 255, all & 255];
}

function nameOf(run, label) {
  const name = run.class_names[label] ?? String(label);
  return /^\d+$/.test(name) ? `class ${name}` : name;
}

function unitOfPool(sample, at, members) {
  if (sample.isAttribution) return 1;
  const from = sample.sourceAt(at, null);
  const drawn = members.find(
    (one) => one.image === from.image && one.row === from.row && one.col === from.col);
  return drawn && drawn.distance > 0 ? from.distance / drawn.distance : null;
}

function memberOf(pools, at) {
  const one = { image: pools.image[at], row: pools.row[at], col: pools.col[at],
    distance: pools.distance[at], label: pools.label[at], value: null, brightness: 0 };
  if (pools.value) {
    const depth = pools.shapes.value[1];
    const from = at * depth;
    one.value = [0, 1, 2].map((part) => pools.value[from + (depth > 2 ? part : 0)]);
    one.brightness = one.value[0] + one.value[1] + one.value[2];
  }
  return one;
}

/** A large picture to point at. `onplace(at, pinned)` is called when the pixel changes. */
export function pointable(sample, label, onplace) {
  const { height, width } = sample;
  const { box, canvas, marks } = framed(height, width, label);
  box.setAttribute("role", "application");
  box.setAttribute("aria-roledescription", "picture to explore");
  box.setAttribute("aria-label", `${label}. Arrow keys move from pixel to pixel, Enter pins one, Escape lets go.`);
  box.tabIndex = 0;
  box.classList.add("pointable");
  let at = Math.floor(height / 2) * width + Math.floor(width / 2);
  let pinned = false;
  let step = null;
  const given = (place) => sample.own.step[place] < 0;
  if (sample.meta.seeded) marks.append(outline(given, height, width));
  const cursor = el("span", {});
  let lines = cursor;

  function mark() {
    lines.remove();
    lines = document.createElementNS("http://www.w3.org/2000/svg", "g");
    const [row, col] = [Math.floor(at / width), at % width];
    const side = sample.sideAt(step);
    const half = Math.floor(side / 2);
    if (side > 1 && side <= width) lines.append(frame(row - half, col - half, side, side, "window"));
    lines.append(frame(row, col, 1, 1, pinned ? "pinned" : "patch"));
    marks.append(lines);
  }
  function go(place, told = true) {
    at = Math.max(0, Math.min(height * width - 1, place));
    mark();
    if (told) onplace(at, pinned);
  }
  function pin(on) {
    pinned = on;
    box.classList.toggle("is-pinned", on);
    go(at);
  }
  const under = (event) => {
    const around = box.getBoundingClientRect();
    const col = Math.floor(((event.clientX - around.left) / around.width) * width);
    const row = Math.floor(((event.clientY - around.top) / around.height) * height);
    return Math.max(0, Math.min(height - 1, row)) * width + Math.max(0, Math.min(width - 1, col));
  };
  box.addEventListener("pointermove", (event) => {
    if (!pinned && under(event) !== at) go(under(event));
  });
  box.addEventListener("click", (event) => {
    const place = under(event);
    if (pinned && place === at) pin(false);
    else { at = place; pin(true); }
  });
  box.addEventListener("keydown", (event) => {
    const [row, col] = [Math.floor(at / width), at % width];
    const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (by) {
      const [down, across] = [row + by[0], col + by[1]];
      if (down >= 0 && down < height && across >= 0 && across < width) go(down * width + across);
      speak(inWords(sample, at));
    } else if (event.key === "Enter" || event.key === " ") pin(!pinned);
    else if (event.key === "Escape") pin(false);
    else return;
    event.preventDefault();
  });
  const atStep = (next) => { step = next; go(at); };
  return { box, canvas, go, atStep, where: () => at };
}

/** What the canvas shows: a map, at a moment. */
export function pixelsOf(sample, map, moment = null) {
  const { own, steps, height, width } = sample;
  const size = height * width;
  if (steps && (moment !== null || map === "weight")) {
    moment ??= steps.t.length - 1;
    const name = { pixels: "x", clean: "clean" }[map] ?? `map_${map}`;
    return steps[name].subarray(moment * size * 3, (moment + 1) * size * 3);
  }
  const whole = map === "pixels" || map === "clean" ? own.pixels : own[`map_${map}`] ?? own.pixels;
  if (moment === null) return whole;
  const grown = new Uint8Array(whole);
  for (let at = 0; at < size; at++) {
    if (own.step[at] >= moment) {
      const shade = (Math.floor(at / width) + (at % width)) % 2 ? 150 : 162;
      grown.fill(shade, 3 * at, 3 * at + 3);
    }
  }
  return grown;
}

/** The maps that have something to say about a sample. */
function mapsOf(sample) {
  if (sample.steps) {
    return { pixels: "Canvas", clean: "Clean estimate", image: "Heaviest source", class: "Class", weight: "Belief" };
  }
  const { own, meta } = sample;
  const maps = { ...MAPS };
  if (meta.evidence === "none" && !sample.isAttribution) return { pixels: "Picture" };
  if (!meta.legend.length) delete maps.class;
  if (sample.run.images > 8) delete maps.place;
  if (own.step.every((step) => step <= 0)) delete maps.step;
  if (!sample.drawsFromPools) delete maps.pool;
  return maps;
}

/** Buttons of which one is down. */
export function mapButtons(maps, chosen, onchange) {
  const name = `map-${Math.random().toString(36).slice(2)}`;
  return el("fieldset", { class: "segments" }, el("legend", { class: "hidden" }, "What the picture shows"),
    ...Object.entries(maps).map(([key, words]) => el("label", {},
      el("input", { type: "radio", name, value: key, checked: key === chosen, onchange: () => onchange(key) }),
      el("span", {}, words))));
}

function legendOf(sample, map) {
  const { meta } = sample;
  if (map === "class") {
    return el("ul", { class: "legend", "aria-label": "Classes" }, ...meta.legend.map(([colour, name]) => {
      const swatch = el("span", { class: "swatch" });
      swatch.style.background = colour;
      return el("li", {}, swatch, name);
    }));
  }
  const ends = {
    step: ["first", `last (${count(meta.most.step + 1)})`],
    pool: ["1", `${count(meta.most.pool)}, log scale`],
    distance: ["0", `${meta.most.distance.toFixed(1)} grey levels`],
    weight: ["0 %", "100 %"],
  }[map];
  if (ends) {
    const bar = el("span", { class: "ramp" });
    bar.style.background = `linear-gradient(to right, ${meta.ramp.join(",")})`;
    return el("p", { class: "legend" }, ends[0], bar, ends[1],
      meta.seeded ? el("span", { class: "note" }, "grey: given") : null);
  }
  return el("p", { class: "note" }, MEANINGS[map] ?? "", !MEANINGS[map] && meta.seeded && map === "pixels"
    ? "Outlined: the seed, which was given. All other pixels were drawn." : "");
}

/** A sample's picture with its buttons, legend and slider; `onplace` as of `pointable`. */
export function stage(sample, onplace, title) {
  let map = "pixels";
  let moment = null;
  const legend = el("div", { class: "legend-box" });
  const picture = pointable(sample, title, (at, pinned) => onplace(at, pinned, stepNow()));
  const stepNow = () => (sample.steps ? moment : null);
  const draw = () => paint(picture.canvas, pixelsOf(sample, map, moment), sample.height, sample.width);
  const choose = (next) => { map = next; legend.replaceChildren(legendOf(sample, map)); draw(); };
  const box = el("div", { class: "stage" }, mapButtons(mapsOf(sample), map, choose), picture.box, legend);
  // The last value is the finished picture.
  const last = sample.steps ? sample.steps.t.length : sample.meta.most.step + 1;
  if (last > 1) {
    const words = (value) => {
      if (!sample.steps) return `${count(value)} of ${count(last)} drawn`;
      return value === last ? "the result" : `step ${value + 1} of ${last}, t = ${sample.steps.t[value].toFixed(2)}`;
    };
    box.append(replayBar(sample.steps ? "Reverse steps" : "Growth", last, words, (value) => {
      moment = value === last ? null : value;
      draw();
      if (sample.steps) picture.atStep(moment);
    }));
  }
  choose(map);
  return { box, go: picture.go, where: picture.where };
}

export async function sampleView(site, id, index) {
  const sample = await openSample(site, id, index);
  const { run, meta } = sample;
  const title = `Sample ${meta.number}`;
  const panel = sourcePanel(sample);
  const shown = stage(sample, panel.show, `${title} of ${run.title}, ${sample.height} by ${sample.width} pixels`);
  const page = el("article", { class: "sample-page" },
    el("p", { class: "crumbs" }, el("a", { href: "#/" }, "Runs"), " / ", run.title),
    el("div", { class: "title-row" }, el("h1", {}, sample.isAttribution ? "Attributed picture" : title), neighbours(run, index)),
    el("p", { class: "facts" }, factsLine(sample)));
  if (!sample.has.training && run.why_no_training) page.append(note(run.why_no_training, "hint"));
  meta.notes.forEach((words) => page.append(note(words, "hint")));
  page.append(el("div", { class: "two" }, shown.box, panel.box), topSources(sample, shown));
  shown.go(shown.where());
  return page;
}

function factsLine(sample) {
  const { meta, run } = sample;
  const { class_entropy, image_entropy, top_share, distinct } = meta.numbers;
  return [run.model + (run.principles ? ` ${run.principles}` : ""), run.data, meta.asked && `asked for ${meta.asked}`,
    distinct && `from ${plural(distinct, "training image")}`,
    top_share !== null && `top source ${percent(top_share)}`,
    class_entropy !== null && `class entropy ${class_entropy.toFixed(2)}`,
    image_entropy !== null && `image entropy ${image_entropy.toFixed(2)}`].filter(Boolean).join(" · ");
}

function neighbours(run, index) {
  const to = (at, words) => at >= 0 && at < run.shown
    ? el("a", { class: "button", href: `#/run/${run.id}/${at}` }, words) : null;
  return el("nav", { class: "neighbours", "aria-label": "Other samples" }, to(index - 1, "Previous"), to(index + 1, "Next"));
}

/** The most used training images, and what each gave. */
function topSources(sample, shown) {
  const { own, meta, training } = sample;
  if (!meta.top.length) return "";
  const list = el("ol", { class: "uses" });
  for (const use of meta.top) {
    const picture = training.get(use.image);
    const label = `Training image ${use.image} with the pixels outlined that the sample took`;
    const figure = picture ? taken(sample, use, picture, label)
      : el("span", { class: "picture missing", role: "img", "aria-label": label });
    const swatch = el("span", { class: "swatch" });
    swatch.style.background = use.colour;
    const first = own.image.findIndex((number) => number === use.image);
    list.append(el("li", {}, el("button", { type: "button", class: "plain", onclick: () => shown.go(first),
      "aria-label": `Go to the first pixel from training image ${use.image}` }, figure),
      el("p", { class: "name" }, swatch, `Image ${count(use.image)}`),
      use.class ? el("p", { class: "note" }, use.class) : null,
      el("p", { class: "note" }, `${plural(use.pixels, "pixel")}, ${percent(use.share)}`),
      use.given ? el("p", { class: "note" }, `${count(use.given)} of them given`) : null,
      el("a", { href: `#/picture/${sample.run.id}/${use.image}` }, "Other samples")));
  }
  return el("section", { class: "top-sources" }, el("h2", {}, "Training images it used most"),
    el("p", { class: "note" }, "Outlined: the pixels this sample took."), list);
}

function taken(sample, use, picture, label) {
  const { own } = sample;
  const box = trainingPicture(picture, label);
  const used = new Set();
  own.image.forEach((number, at) => {
    if (number === use.image) {
      used.add(Math.floor(own.row[at] / picture.stride) * picture.width + Math.floor(own.col[at] / picture.stride));
    }
  });
  box.lastChild.append(outline((place) => used.has(place), picture.height, picture.width));
  return box;
}
