// Data by address: from the page itself where it is embedded, else fetched; kept within bounds.

import { unpack } from "./pack.js";

const KEPT_BLOCKS = 24;
const KEPT_PICTURES = 6000;
const ASKED_AT_ONCE = 200;

const embeddedIn = document.getElementById("embedded");
/** The files of a page that is all in one, by address; null where they are fetched. */
export const embedded = embeddedIn ? JSON.parse(embeddedIn.textContent) : null;
const blocks = new Map();

async function bytes(path) {
  if (embedded) {
    if (!(path in embedded)) throw new Error("This page does not hold that.");
    return Uint8Array.from(atob(embedded[path]), (char) => char.charCodeAt(0)).buffer;
  }
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(await complaint(answer));
  return answer.arrayBuffer();
}

/** What the server said was wrong. */
export async function complaint(answer) {
  try {
    const { detail } = await answer.json();
    return typeof detail === "string" ? detail : detail.map((fault) => fault.msg).join("; ");
  } catch {
    return `The server answered ${answer.status}.`;
  }
}

/** Fetch once and keep the last few; `make` turns bytes into what is kept. */
function kept(path, make) {
  if (blocks.has(path)) {
    const found = blocks.get(path);
    blocks.delete(path);
    blocks.set(path, found);
    return found;
  }
  const made = bytes(path).then(make);
  made.catch(() => blocks.delete(path));
  blocks.set(path, made);
  if (blocks.size > KEPT_BLOCKS) blocks.delete(blocks.keys().next().value);
  return made;
}

const parsed = (buffer) => JSON.parse(new TextDecoder().decode(buffer));

export const block = (path) => kept(path, unpack);
export const runSummary = (run) => kept(`data/${run}/run.json`, parsed);
export const siteIndex = async () => parsed(await bytes("data/index.json"));

/** Address of a picture, for an <img> or a background. */
export function address(path) {
  return embedded ? `data:image/png;base64,${embedded[path]}` : path;
}

const galleries = new Map();

/** The training pictures of a run: what came with a sample, and others on request. */
export function trainingOf(run, live) {
  if (!galleries.has(run)) galleries.set(run, new Training(run, live));
  return galleries.get(run);
}

class Training {
  constructor(run, live) {
    this.run = run;
    this.live = live;
    this.pictures = new Map();
    this.asked = new Set();
  }

  get(number) {
    return this.pictures.get(number);
  }

  /** Take the pictures of a block in. */
  absorb(given) {
    const channels = given.meta.channels;
    given.number.forEach((number, at) => {
      const [height, width] = [given.height[at], given.width[at]];
      const start = given.start[at];
      const pixels = given.pixels.subarray(start, start + height * width * channels);
      const stride = given.stride[at];
      this.pictures.set(number, { height, width, channels, stride, pixels, label: given.label[at] });
    });
    for (const number of this.pictures.keys()) {
      if (this.pictures.size <= KEPT_PICTURES) break;
      this.pictures.delete(number);
    }
  }

  /** Fetch what is missing of these; resolves once all are here that can be. */
  async need(numbers) {
    if (!this.live) return;
    const missing = [...new Set(numbers)].filter(
      (number) => number >= 0 && !this.pictures.has(number) && !this.asked.has(number),
    );
    for (let at = 0; at < missing.length; at += ASKED_AT_ONCE) {
      const some = missing.slice(at, at + ASKED_AT_ONCE);
      some.forEach((number) => this.asked.add(number));
      try {
        this.absorb(unpack(await bytes(`data/${this.run}/training.bin?numbers=${some.join(",")}`)));
      } finally {
        some.forEach((number) => this.asked.delete(number));
      }
    }
  }
}
