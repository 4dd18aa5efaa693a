// The page's beginning: listens to the daemon's events and has the parts show them; says when the daemon is gone, and goes on
// by itself when it is back.

import { $, element, setText, count, short, percent, duration, act, working, notify } from "./dom.js";
import { Chart } from "./charts.js";
import { Clusters } from "./clusters.js";
import { PictureMap } from "./map.js";
import { Sources } from "./sources.js";
import { Labels } from "./labels.js";
import { Checkpoints } from "./checkpoints.js";

const clusters = new Clusters();
const map = new PictureMap();
const sources = new Sources();
const labels = new Labels();
const checkpoints = new Checkpoints();

// Columns of a point of the history: 0 is the time, then those that the daemon names.
const charts = [
  new Chart($("chart-loss"), {
    title: "Loss", unit: "nats", format: short, nothing: "No training step yet",
    series: [
      { name: "total", column: 1, ink: 1 }, { name: "instance", column: 2, ink: 2, minor: true },
      { name: "cluster", column: 3, ink: 3, minor: true }, { name: "entropy", column: 4, ink: 4, minor: true },
    ],
  }),
  new Chart($("chart-rate"), {
    title: "Throughput", unit: "images a second", format: short, fromZero: true,
    series: [{ name: "assigned", column: 5, ink: 1 }, { name: "trained", column: 6, ink: 2 }],
  }),
  new Chart($("chart-latency"), {
    title: "Latency", unit: "from receiving to publishing", format: duration, axis: (value) => (value < 60 ? duration(value) : `${Number((value / 60).toFixed(1))} min`), fromZero: true, nothing: "No picture yet",
    series: [{ name: "half within", column: 7, ink: 1 }, { name: "99% within", column: 8, ink: 2 }],
  }),
];
const labelChart = new Chart($("chart-labels"), {
  title: "Agreement", format: (value) => value.toFixed(2), fromZero: true, top: 1,
  nothing: "Too few labels in the last minute",
  series: [{ name: "NMI", column: 9, ink: 1 }, { name: "ACC", column: 10, ink: 2 }],
});
/** The points of the last minutes, and those of the whole run. */
let history = { recent: [], whole: [] };
const RECENT = 300;

function drawCharts() {
  const points = history[$("span").value];
  for (const chart of charts) chart.show(points);
  labels.setPresent(points.some((point) => typeof point[9] === "number"));
  labelChart.show(points);
}

$("span").addEventListener("change", drawCharts);

// Figures.

const figures = new Map();

function figure(name, title, value, unit, note) {
  if (!figures.has(name)) {
    const parts = { value: element("span"), unit: element("small"), note: element("div", { class: "note" }) };
    parts.node = element("div", { class: "figure", "data-figure": name }, element("dt", {}, title),
      element("dd", {}, element("div", { class: "value" }, parts.value, parts.unit), parts.note));
    figures.set(name, parts);
    $("figures").append(parts.node);
  }
  const parts = figures.get(name);
  setText(parts.value, value);
  setText(parts.unit, unit ?? "");
  setText(parts.note, note ?? "");
}

function showFigures(status) {
  const { assigning, training, latency, clusters: usage, agreement } = status;
  figure("assigned", "Assigned", count(assigning.images), "images", `${short(assigning.images_per_second)} a second`);
  if (training) {
    figure("trained", "Training", short(training.images_per_second), "images/s", `step ${count(training.step)}`);
    const loss = training.loss;
    figure("loss", "Loss", loss ? short(loss.total) : "–", "", loss ? `instance ${short(loss.instance)}, cluster ${short(loss.cluster)}` : "no step yet");
  } else {
    const lag = status.replica.lag_steps;
    figure("model", "Model", status.model ? `step ${count(status.model.step)}` : "–", "",
      !status.model ? "none yet" : lag ? `the trainer is ${count(lag)} steps ahead` : "as the trainer's");
  }
  figure("latency", "Latency", latency.median === null ? "–" : duration(latency.median), "",
    latency.high === null ? "no picture yet" : `99% within ${duration(latency.high)}`);
  const used = usage.recent.filter((size) => size > 0).length;
  figure("used", "Clusters in use", `${used}`, `of ${count(usage.sizes.length)}`,
    usage.largest_share === null ? "" : `largest has ${percent(usage.largest_share)}`);
  if (agreement) {
    figure("agreement", "Agreement", agreement.nmi.toFixed(2), "NMI", `ACC ${agreement.accuracy.toFixed(2)}, ARI ${agreement.ari.toFixed(2)}`);
  } else if (figures.has("agreement")) {
    figures.get("agreement").node.remove();
    figures.delete("agreement");
  }
}

// State.

const problems = {
  "collapsed": "Nearly all images go to one cluster: the model may have collapsed.",
  "checkpoint-failed": "The last checkpoint could not be written.",
  "journal-failed": "Assignments cannot be written to the journal.",
  "no-model": "There is no model yet: images wait until the trainer's first has been fetched and found good.",
  "trainer-silent": "The trainer is silent.",
  "checkpoint-refused": "The trainer's newest checkpoint was not taken; the model before goes on serving.",
};

function setState(state, text) {
  $("state").dataset.state = state;
  setText($("state-text"), text);
}

function setBanner(text) {
  $("banner").hidden = !text;
  setText($("banner"), text ?? "");
}

let lastStatus = null;

function showStatus(status) {
  const { training, assigning } = status;
  const isFed = assigning.images_per_second > 0;
  if (!status.ready) setState("waiting", status.model ? "Starting or stopping" : "Waiting for a model");
  else if (!training) setState(isFed ? "learning" : "waiting", isFed ? "Assigning" : "Waiting for images");
  else if (training.paused) setState("paused", "Training is paused");
  else if (training.images_per_second > 0) setState("learning", "Learning");
  else if (isFed) setState("waiting", "Gathering a batch");
  else setState("waiting", "Waiting for images");
  setBanner(status.health.problems.map((problem) => problems[problem] ?? problem).join(" "));
  // What learns is another daemon: ask that one.
  document.body.classList.toggle("replica", !training);
  const pause = $("pause");
  pause.hidden = !training;
  if (training) {
    setText(pause, training.paused ? "Resume" : "Pause");
    pause.setAttribute("aria-label", training.paused ? "Resume training" : "Pause training");
  }
  showFigures(status);
  clusters.showSizes(status.clusters);
  sources.show(status.sources, status.t);
  checkpoints.show(status);
  footer(status);
  lastStatus = status;
}

let about = {};

function footer(status) {
  const parts = [
    `clusterd ${about.version ?? status.version}`,
    about.architecture ? `${about.architecture}, ${about.image_size} pixels, batches of ${about.batch_size}` : null,
    `up ${duration(status.uptime)}`, `journal ${count(status.journal.rows)} assignments`,
    status.model ? `label epoch ${status.model.label_epoch}` : null,
  ].filter(Boolean);
  const node = $("footer");
  parts.forEach((part, index) => {
    if (!node.children[index]) node.append(element("span"));
    setText(node.children[index], part);
  });
  while (node.children.length > parts.length) node.lastChild.remove();
}

$("pause").addEventListener("click", (event) => working(event.currentTarget, async () => {
  const { paused } = await act(lastStatus?.training.paused ? "resume" : "pause");
  if (lastStatus) { lastStatus.training.paused = paused; showStatus(lastStatus); }
  return paused ? "Training is paused. Images are still assigned." : "Training goes on.";
}));

// Theme.

const themes = [
  { name: null, sign: "◐", words: "Colours: as the system" },
  { name: "light", sign: "☀", words: "Colours: light" },
  { name: "dark", sign: "☾", words: "Colours: dark" },
];
let theme = Math.max(0, themes.findIndex((one) => one.name === localStorage.getItem("theme")));

function setTheme(index) {
  theme = index;
  const { name, sign, words } = themes[theme];
  if (name) { document.documentElement.dataset.theme = name; localStorage.setItem("theme", name); }
  else { delete document.documentElement.dataset.theme; localStorage.removeItem("theme"); }
  setText($("theme"), sign);
  $("theme").setAttribute("aria-label", words);
  $("theme").title = words;
  clusters.repaint();
  map.show(map.points);
  labels.refresh();
}

$("theme").addEventListener("click", () => setTheme((theme + 1) % themes.length));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTheme(theme));
setTheme(theme);

// The stream.

let stream = null;
let heardAt = 0;
let retry = 0;

function setConnected(isConnected) {
  map.isConnected = labels.isConnected = isConnected;
  document.body.classList.toggle("stale", !isConnected);
  for (const id of ["save", "rollback", "pause"]) $(id).disabled = !isConnected;
  for (const button of document.querySelectorAll("#checkpoint-rows button")) button.disabled = !isConnected;
}

function lose() {
  if (document.hidden) return;
  setConnected(false);
  setState("gone", "Stopped");
  setBanner("The daemon does not answer. This page goes on by itself when it is back; what it shows is of before.");
}

function connect() {
  clearTimeout(retry);
  stream?.close();
  stream = new EventSource("/events");
  const on = (name, show) => stream.addEventListener(name, (event) => {
    heardAt = performance.now();
    show(JSON.parse(event.data));
  });
  on("hello", (value) => {
    const isBack = document.body.classList.contains("stale") && lastStatus;
    about = value;
    setConnected(true);
    setBanner(null);
    checkpoints.newest = undefined;
    if (isBack) notify("The daemon is back.");
    map.refresh();
  });
  on("history", (value) => { history = value; drawCharts(); });
  on("point", ({ point, kept }) => {
    history.recent = [...history.recent, point].slice(-RECENT);
    if (kept) history.whole.push(point);
    drawCharts();
  });
  on("status", showStatus);
  on("pictures", (value) => { clusters.showPictures(value); sources.showPictures(value.last); });
  stream.onerror = () => {
    lose();
    // A refusal ends the stream for good; everything else the browser tries again by itself.
    if (stream.readyState === EventSource.CLOSED) retry = setTimeout(connect, 3000);
  };
}

setInterval(() => {
  if (document.hidden || !stream || performance.now() - heardAt < 8000) return;
  heardAt = performance.now();
  lose();
  connect();
}, 2000);

// Nobody looks: the daemon need not work for it.
let leave = 0;
document.addEventListener("visibilitychange", () => {
  clearTimeout(leave);
  if (document.hidden) {
    leave = setTimeout(() => { stream?.close(); stream = null; }, 20000);
  } else if (!stream) {
    heardAt = performance.now();
    connect();
  } else {
    drawCharts();
  }
});

setConnected(false);
heardAt = performance.now();
connect();
