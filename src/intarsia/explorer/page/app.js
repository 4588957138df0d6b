// Addresses after the # to views.

import { compareView } from "./compare.js";
import { el, note } from "./dom.js";
import { galleryView } from "./gallery.js";
import { pictureView } from "./picture.js";
import { sampleView } from "./sample.js";
import { embedded, siteIndex } from "./store.js";
import { workshopView } from "./workshop.js";

const main = document.getElementById("main");
let turn = 0;
let place = location.hash;

function viewOf(site, [name, ...rest]) {
  switch (name) {
    case "run": return sampleView(site, rest[0], +rest[1] || 0);
    case "compare": return compareView(site, rest[0], rest[1], +rest[2]);
    case "picture": return pictureView(site, rest[0], +rest[1]);
    case "make": return site.live ? workshopView(site) : galleryView(site);
    default: return galleryView(site);
  }
}

function navigation(site, name) {
  const links = [["", "Gallery"], ["compare", "Compare"]];
  if (site.live) links.push(["make", "Try it"]);
  const current = name === "compare" || name === "make" ? name : "";
  document.getElementById("views").replaceChildren(...links.map(([key, words]) =>
    el("a", { href: `#/${key}`, "aria-current": key === current ? "page" : null }, words)));
}

async function show() {
  const mine = ++turn;
  const parts = place.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  main.setAttribute("aria-busy", "true");
  try {
    const site = await siteIndex();
    navigation(site, parts[0]);
    const page = await viewOf(site, parts);
    if (mine !== turn) return;
    main.replaceChildren(page);
    performance.mark("shown"); // for `intarsia.benchmarks.explorer`
    document.title = `${page.querySelector("h1")?.textContent ?? "Runs"} · Intarsia`;
  } catch (error) {
    if (mine !== turn) return;
    main.replaceChildren(el("h1", {}, "This cannot be shown"), note(error.message, "fault"),
      el("p", {}, el("a", { href: "#/" }, "Back to all runs")));
  } finally {
    if (mine === turn) main.removeAttribute("aria-busy");
  }
  if (mine === turn && turn > 1) {
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

function go(hash) {
  place = hash;
  show();
}

addEventListener("hashchange", () => { if (location.hash !== "#main") go(location.hash); });
addEventListener("visit", ({ detail }) => { if (embedded) go(detail); else location.hash = detail; });
if (embedded) {
  // Inside a notebook a link to #... would lead to the notebook's own page.
  addEventListener("click", (event) => {
    const hash = event.target.closest("a")?.getAttribute("href");
    if (!hash?.startsWith("#")) return;
    event.preventDefault();
    if (hash !== "#main") go(hash);
  });
}
// A picture dropped beside the drop zone must not replace the page.
for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
show();
