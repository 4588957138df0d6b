// Elements in one call, and numbers in words.

/** Make an element: properties, attributes (aria-..., data-..., role, for) and on... listeners. */
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name in made && !name.includes("-") && name !== "list") made[name] = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

export function vector(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** A labelled <select>; options are [value, words] pairs. */
export function choice(label, options, value, onchange) {
  const select = el("select", { onchange: () => onchange(select.value) });
  for (const [key, words] of options) {
    select.append(el("option", { value: key, selected: key === value }, words));
  }
  return el("label", { class: "field" }, el("span", {}, label), select);
}

export const count = (number) => Number(number).toLocaleString("en");
export const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)}\u00a0%`;
export const plural = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;

export function ordinal(number) {
  const teens = number % 100 > 10 && number % 100 < 14;
  return count(number) + ((!teens && { 1: "st", 2: "nd", 3: "rd" }[number % 10]) || "th");
}

/** Let screen readers say something. */
export function speak(words) {
  const spoken = document.getElementById("spoken");
  if (spoken.textContent !== words) spoken.textContent = words;
}

export function note(words, kind = "note") {
  return el("p", { class: kind, role: kind === "fault" ? "alert" : null }, words);
}

/** Go to another view. */
export function visit(hash) {
  dispatchEvent(new CustomEvent("visit", { detail: hash }));
}
