// Pixels on canvases, one screen pixel a pixel: the style sheet enlarges them without smoothing.

import { el, vector } from "./dom.js";

/** Put red, green and blue (or grey) on a canvas of the same size. */
export function paint(canvas, pixels, height, width, channels = 3) {
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const image = new ImageData(width, height);
  const out = image.data;
  for (let at = 0; at < height * width; at++) {
    const from = at * channels;
    out[4 * at] = pixels[from];
    out[4 * at + 1] = pixels[from + (channels > 2 ? 1 : 0)];
    out[4 * at + 2] = pixels[from + (channels > 2 ? 2 : 0)];
    out[4 * at + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** A picture with marks over it: frames and outlines, drawn as lines that never get thicker. */
export function framed(height, width, label) {
  const canvas = el("canvas", { width, height });
  const marks = vector("svg", {
    viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true",
  });
  const box = el("span", { class: "picture", role: "img", "aria-label": label }, canvas, marks);
  box.style.aspectRatio = `${width} / ${height}`;
  return { box, canvas, marks };
}

/** A square frame around a place: dark below light, so that it shows on anything. */
export function frame(top, left, height, width, kind = "patch") {
  const at = { x: left, y: top, width, height };
  return vector("g", { class: `frame ${kind}` },
    vector("rect", { ...at, class: "under" }), vector("rect", { ...at, class: "over" }));
}

/** The boundary of a set of pixels, as one path. */
export function outline(inside, height, width) {
  let path = "";
  const at = (row, col) =>
    row >= 0 && row < height && col >= 0 && col < width && inside(row * width + col);
  for (let row = 0; row <= height; row++) {
    for (let col = 0; col <= width; col++) {
      if (at(row, col) !== at(row - 1, col)) path += `M${col} ${row}h1`;
      if (at(row, col) !== at(row, col - 1)) path += `M${col} ${row}v1`;
    }
  }
  return vector("g", { class: "frame outline" },
    vector("path", { d: path, class: "under" }), vector("path", { d: path, class: "over" }));
}

/** A training picture with the patch around a place framed. */
export function trainingPicture(picture, label, place = null, side = 1) {
  const { height, width, channels, stride, pixels } = picture;
  const { box, canvas, marks } = framed(height, width, label);
  paint(canvas, pixels, height, width, channels);
  if (place) {
    const half = Math.floor(side / 2);
    const [row, col] = place;
    marks.append(
      frame((row - half) / stride, (col - half) / stride, side / stride, side / stride));
    if (side > 1) marks.append(frame(row / stride, col / stride, 1 / stride, 1 / stride, "centre"));
  }
  return box;
}

/** One sample out of a sheet of many. */
export function tile(address, summary, index, label) {
  const { columns, page, size } = summary.sheet;
  const rows = Math.ceil(Math.min(page, summary.shown - Math.floor(index / page) * page) / columns);
  const [row, col] = [Math.floor((index % page) / columns), index % columns];
  const box = el("span", { class: "tile", role: "img", "aria-label": label });
  box.style.aspectRatio = `${size[1]} / ${size[0]}`;
  box.style.backgroundImage = `url("${address}")`;
  box.style.backgroundSize = `${columns * 100}% ${rows * 100}%`;
  box.style.backgroundPosition =
    `${(100 * col) / (columns - 1)}% ${rows > 1 ? (100 * row) / (rows - 1) : 0}%`;
  return box;
}
