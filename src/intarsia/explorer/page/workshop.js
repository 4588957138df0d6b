// Work started from the page: attribute a picture, draw a few; with progress and cancel.

import { choice, count, el, note, speak } from "./dom.js";
import { complaint } from "./store.js";

const EVERY = 400; // milliseconds between looks at a job
const TYPES = ["image/png", "image/jpeg", "image/webp"];

export async function workshopView(site) {
  const jobs = el("ul", { class: "jobs", role: "list", "aria-label": "Jobs" });
  const page = el("article", { class: "workshop" }, el("h1", {}, "Try it"),
    el("p", { class: "lead" }, "Attribute a picture of your own, or draw a few new ones. One job runs at a time."),
    el("div", { class: "two even" }, attributeCard(site, jobs), drawCard(site, jobs)),
    el("h2", {}, "Jobs"), jobs);
  const answer = await fetch("api/jobs");
  const known = answer.ok ? await answer.json() : [];
  known.slice(-6).forEach((job) => follow(job, jobs));
  if (!known.length) jobs.append(el("li", { class: "note empty" }, "None yet."));
  return page;
}

function dataChoice(site, state) {
  state.data = site.corpora[0];
  return choice("Training pictures", site.corpora.map((key) => [key, key]), state.data, (key) => { state.data = key; });
}

function attributeCard(site, jobs) {
  const state = { window: "7", radius: "" };
  const said = el("div", {});
  const input = el("input", { type: "file", accept: TYPES.join(","), class: "hidden", onchange: () => send(input.files[0]) });
  const zone = el("label", { class: "drop" }, input,
    el("span", { class: "name" }, "Drop a picture here, or choose a file"),
    el("span", { class: "note" }, "PNG, JPEG or WebP. It stays on this machine."));
  const over = (on) => (event) => { event.preventDefault(); zone.classList.toggle("over", on); };
  zone.addEventListener("dragover", over(true));
  zone.addEventListener("dragleave", over(false));
  zone.addEventListener("drop", (event) => { over(false)(event); send(event.dataTransfer.files[0]); });

  async function send(file) {
    if (!file) return;
    said.replaceChildren();
    if (!TYPES.includes(file.type)) return said.replaceChildren(note(`${file.name} is neither PNG, JPEG nor WebP.`, "fault"));
    if (file.size > site.limits.bytes) {
      return said.replaceChildren(note(`${file.name} has ${count(file.size)} bytes; at most ${count(site.limits.bytes)} are taken.`, "fault"));
    }
    const query = new URLSearchParams({ data: state.data, window: state.window });
    if (state.radius !== "") query.set("radius", state.radius);
    const answer = await fetch(`api/attribute?${query}`, { method: "POST", body: file, headers: { "content-type": file.type } });
    if (!answer.ok) said.replaceChildren(note(await complaint(answer), "fault"));
    else follow(await answer.json(), jobs);
    input.value = "";
  }
  return el("section", { class: "sheet" }, el("h2", {}, "Attribute a picture"),
    el("p", { class: "note" }, "For each pixel, the training patches nearest to the one around it."), zone,
    el("div", { class: "toolbar" }, dataChoice(site, state),
      choice("Window", ["3", "5", "7", "9", "11"].map((side) => [side, `${side} x ${side}`]), state.window, (side) => { state.window = side; }),
      choice("Look", [["", "everywhere"], ["2", "within 2 pixels"], ["0", "same place"]], state.radius, (radius) => { state.radius = radius; })),
    said);
}

function drawCard(site, jobs) {
  const state = { model: "nps", principles: "NS+L+H", n: 4, seed: 0, limit: "" };
  const said = el("div", {});
  const number = (label, key, least, most, placeholder = "") => el("label", { class: "field narrow" }, el("span", {}, label),
    el("input", { type: "number", min: least, max: most, value: state[key], placeholder, oninput: (event) => { state[key] = event.target.value; } }));
  const principles = choice("Principles", ["L", "NS+L", "NS+H", "NS+L+H"].map((one) => [one, one]), state.principles, (one) => { state.principles = one; });
  const models = [["nps", "nps (paper A)"], ["bbels", "bbels (paper C)"], ["els", "els (paper C)"], ["ls", "ls (paper C)"], ["is", "is (paper C)"]];
  async function send(event) {
    event.preventDefault();
    said.replaceChildren();
    const wish = { model: state.model, data: state.data, n: +state.n, seed: +state.seed };
    if (state.model === "nps") wish.principles = state.principles;
    if (state.limit !== "") wish.limit = +state.limit;
    const answer = await fetch("api/jobs", { method: "POST", body: JSON.stringify(wish), headers: { "content-type": "application/json" } });
    if (!answer.ok) said.replaceChildren(note(await complaint(answer), "fault"));
    else follow(await answer.json(), jobs);
  }
  return el("section", { class: "sheet" }, el("h2", {}, "Draw new pictures"),
    el("p", { class: "note" }, `A small run of up to ${site.limits.samples} samples, kept in a folder of its own. `
      + `The score machines of paper C take at most ${site.limits.machine_pictures} training pictures here.`),
    el("form", { onsubmit: send }, el("div", { class: "toolbar" },
      choice("Model", models, state.model, (model) => { state.model = model; principles.hidden = model !== "nps"; }),
      principles, dataChoice(site, state),
      number("Samples", "n", 1, site.limits.samples), number("Seed", "seed", 0, 2147483647),
      number("First pictures", "limit", 10, 1000000, "all")),
    el("button", { type: "submit", class: "main" }, "Draw")), said);
}

/** Show a job and look at it again until it ends. */
function follow(job, jobs) {
  jobs.querySelector(".empty")?.remove();
  const words = el("p", { class: "name" }, job.words);
  const bar = el("progress", { max: 1, "aria-label": `Progress of ${job.words}` });
  const state = el("p", { class: "note" });
  const preview = el("img", { class: "preview", alt: "The canvases so far", hidden: true });
  const cancel = el("button", { type: "button", onclick: async () => {
    cancel.disabled = true;
    await fetch(`api/jobs/${job.id}`, { method: "DELETE" });
  } }, "Cancel");
  const open = el("a", { class: "button", hidden: true }, "Open");
  const item = el("li", { class: "job", "data-job": job.id }, preview, el("div", {}, words, bar, state), cancel, open);
  jobs.prepend(item);
  const began = performance.now();

  function show(now) {
    item.dataset.state = now.state;
    const active = now.state === "waiting" || now.state === "running";
    bar.hidden = cancel.hidden = !active;
    if (now.total) bar.value = now.done / now.total;
    state.textContent = { waiting: "Waiting for its turn", running: running(now), done: "Done",
      cancelled: "Cancelled", failed: now.error }[now.state];
    state.className = now.state === "failed" ? "fault" : "note";
    if (now.preview && (now.state === "running" || now.state === "done")) {
      preview.src = `api/jobs/${job.id}/preview.png?at=${now.done}`;
      preview.hidden = false;
    }
    if (now.run) {
      open.hidden = false;
      open.href = `#/run/${now.run}/0`;
    }
    if (!active) speak(`${job.words}: ${now.state}`);
    return active;
  }
  function running(now) {
    if (!now.total) return "Getting ready";
    const share = now.done / now.total;
    const left = (performance.now() - began) / 1000 * (1 / share - 1);
    return `${Math.round(100 * share)} %` + (share > 0.05 ? `, about ${Math.ceil(left)} s left` : "");
  }
  async function look() {
    if (!item.isConnected && performance.now() - began > EVERY) return;
    const answer = await fetch(`api/jobs/${job.id}`).catch(() => null);
    if (answer?.ok && !show(await answer.json())) return;
    setTimeout(look, EVERY);
  }
  if (show(job)) setTimeout(look, EVERY);
}
