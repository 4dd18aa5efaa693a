// What all parts of the page share: making elements, writing numbers, colours of clusters, hints, notices and questions.
// Text from outside only ever becomes text: nothing here, and nothing in the page, parses HTML.

export const $ = (id) => document.getElementById(id);

/** Makes an element; `properties` are set as such, `class`, `data-…` and `aria-…` as attributes. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name === "class" || name.includes("-")) made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Sets a text if it is another, so that nothing is laid out in vain and no selection lost. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** 1,234,567 up to a million, then 1.2M. */
export const count = (value) => (value < 1e6 ? whole : compact).format(value);

/** Three digits or so. */
export function short(value) {
  const size = Math.abs(value);
  if (size >= 100) return whole.format(value);
  return value.toFixed(size >= 10 ? 1 : 2);
}

export const percent = (share) => `${share < 0.0995 && share > 0 ? (share * 100).toFixed(1) : Math.round(share * 100)}%`;

/** Seconds as a duration. */
export function duration(seconds) {
  if (seconds < 0.0995) return `${Number((seconds * 1000).toFixed(seconds < 0.00995 ? 1 : 0))} ms`;
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds < 10 ? Number(seconds.toFixed(1)) : Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
}

/** How long ago, given seconds. */
export function ago(seconds) {
  if (seconds < 2) return "now";
  return `${duration(Math.floor(seconds))} ago`;
}

export function bytes(value) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) { value /= 1000; unit += 1; }
  return `${unit && value < 100 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

export const clock = (milliseconds) =>
  new Date(milliseconds).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** A cluster's colour, for this theme: neighbouring numbers are far apart on the wheel. */
export function clusterColour(cluster, style = getComputedStyle(document.documentElement)) {
  const [lightness, chroma] = style.getPropertyValue("--swatch-base").match(/[\d.]+/g).map(Number);
  const hue = (258 + cluster * 137.508) % 360;
  return `oklch(${lightness + ((cluster % 3) - 1) * 0.055} ${chroma} ${hue.toFixed(1)})`;
}

export const pictureAddress = (id) => `/pictures/${encodeURIComponent(id)}`;

/** A picture; `enlarged` ones of few pixels are shown as such. */
export function picture(id, { alt, enlarged = false, lazy = false }) {
  const image = element("img", { alt, decoding: "async" });
  if (lazy) image.loading = "lazy";
  if (enlarged) image.addEventListener("load", () => image.classList.toggle("tiny", image.naturalWidth <= 48));
  image.src = pictureAddress(id);
  return image;
}

/** What a picture is, in words. */
export function describe(picture) {
  const parts = [picture.name ?? "a picture", `from ${picture.source}`, `${percent(picture.confidence)} certain`];
  if (picture.label !== null && picture.label !== undefined) parts.push(`label ${picture.label}`);
  return parts.join(", ");
}

// Hints beside the pointer.

const tip = $("tip");

/** Shows `children` beside a point of the window. */
export function showTip(x, y, ...children) {
  tip.replaceChildren(...children);
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const left = x + 16 + width > innerWidth ? x - 16 - width : x + 16;
  const top = Math.min(Math.max(8, y - height / 2), innerHeight - height - 8);
  tip.style.transform = `translate(${Math.max(8, left)}px, ${top}px)`;
}

export function hideTip() { tip.hidden = true; }

/** The hint for a picture. */
export function pictureTip(x, y, shown, cluster) {
  const swatch = element("span", { class: "swatch" });
  swatch.style.setProperty("--swatch", clusterColour(cluster));
  swatch.style.display = "inline-block";
  const lines = [element("p", {}, swatch, ` Cluster ${cluster}, ${percent(shown.confidence)} certain`)];
  if (shown.name) lines.push(element("p", { class: "soft" }, shown.name));
  lines.push(element("p", { class: "soft" }, `from ${shown.source}`));
  if (shown.label !== null && shown.label !== undefined) lines.push(element("p", { class: "soft" }, `label ${shown.label}`));
  showTip(x, y, picture(shown.id, { alt: "", enlarged: true }), ...lines);
}

// Notices and questions.

/** Tells something for some seconds. */
export function notify(text, isBad = false) {
  const toast = element("div", { class: isBad ? "toast bad" : "toast" }, text);
  $("toasts").append(toast);
  setTimeout(() => toast.remove(), isBad ? 12000 : 5000);
}

/** Asks before something is done that matters. */
export function ask(title, text, action) {
  const dialog = $("ask");
  setText($("ask-title"), title);
  setText($("ask-text"), text);
  setText($("ask-yes"), action);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

// Asking the daemon.

/** The JSON of an address. */
export async function get(address) {
  const response = await fetch(address, { cache: "no-store" });
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response.json();
}

/** Does an operation; says what went wrong, or gives what it answered. */
export async function act(operation, argument) {
  let response;
  try {
    response = await fetch(`/api/${operation}`, {
      method: "POST",
      headers: { "x-clusterd-action": operation, "content-type": "application/json" },
      body: JSON.stringify(argument ?? {}),
    });
  } catch {
    throw new Error("The daemon does not answer.");
  }
  const text = await response.text();
  let answer = null;
  try { answer = JSON.parse(text); } catch { /* A refusal is a line of text. */ }
  if (response.ok && answer?.ok) return answer;
  const reason = answer?.error?.message ?? (text.trim() || `It failed (${response.status}).`);
  throw new Error(reason.charAt(0).toUpperCase() + reason.slice(1) + (/[.!?]$/.test(reason) ? "" : "."));
}

/** Does `button`'s work once at a time, and tells what became of it. */
export async function working(button, work) {
  button.disabled = true;
  try {
    const told = await work();
    if (told) notify(told);
  } catch (error) {
    notify(error.message, true);
  } finally {
    button.disabled = false;
  }
}
