// Gradient descent on points of two classes in the plane: the model is the logistic regression, the
// steps are those of jaxlr.training.fit.

import { Chart, button, choice, figure, make, say, slider, svg } from "lecture/kit";
import { names as optimizers, optimizer } from "lecture/optimizers";
import { readAddress, writeAddress } from "lecture/address";
import { read, textOf, told } from "lecture/csv";

// ---- The descent, which knows nothing of the page. Points are {x1: [n], x2: [n], labels: [n]}.

// The rows that each step meets: a fresh shuffle in every epoch, cut into batches; what is left over
// sits that epoch out. With all rows in a batch there is nothing to shuffle. Batch 0 is all.
export function* batches(n, batch, seed) {
  const rows = Array.from({ length: n }, (_, i) => i);
  if (batch <= 0 || batch >= n) for (;;) yield rows;
  const random = uniform(seed);
  for (;;) {
    for (let i = n - 1; i > 0; i -= 1) {
      const j = Math.floor(random() * (i + 1));
      [rows[i], rows[j]] = [rows[j], rows[i]];
    }
    for (let k = 0; k + batch <= n; k += batch) yield rows.slice(k, k + batch);
  }
}

// Numbers in [0, 1) by a shift register of 32 bits (Marsaglia, Xorshift RNGs, 2003).
function uniform(seed) {
  let x = (Math.imul(seed + 1, 0x9e3779b1) >>> 0) || 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
}

// −log P(label) from the logit, with no exponential that overflows.
export function logLoss(z, label) {
  const right = label ? z : -z;
  return Math.max(-right, 0) + Math.log1p(Math.exp(-Math.abs(z)));
}

export function sigmoid(z) {
  const e = Math.exp(-Math.abs(z));
  return (z >= 0 ? 1 : e) / (1 + e);
}

// Mean loss over the rows plus l2/2 |w|², and its gradient (1/n) Σ (ŷ − y) x + l2 w; b is free.
export function risk({ x1, x2, labels }, rows, [w1, w2, b], l2) {
  let sum = 0, d1 = 0, d2 = 0, d0 = 0;
  for (const i of rows) {
    const z = w1 * x1[i] + w2 * x2[i] + b;
    const error = sigmoid(z) - labels[i];
    sum += logLoss(z, labels[i]);
    d1 += error * x1[i];
    d2 += error * x2[i];
    d0 += error;
  }
  const n = rows.length;
  return {
    value: sum / n + (l2 / 2) * (w1 * w1 + w2 * w2),
    grads: [d1 / n + l2 * w1, d2 / n + l2 * w2, d0 / n],
  };
}

// [truth][prediction], predicted 1 where ŷ is above ½.
export function confusion({ x1, x2, labels }, [w1, w2, b]) {
  const table = [[0, 0], [0, 0]];
  labels.forEach((y, i) => { table[y][w1 * x1[i] + w2 * x2[i] + b > 0 ? 1 : 0] += 1; });
  return table;
}

export const WINDOW = 100; // steps over which the risk must go on falling

// One run. `settings` are those of DEFAULTS; `risks` holds the risk of all points before the first
// step and after each, `losses` that of each step's batch.
export class Descent {
  constructor(points, settings) {
    this.points = points;
    this.settings = settings;
    this.rule = optimizer(settings.optimizer, hyper(settings));
    this.params = [0, 0, 0];
    this.state = this.rule.init(this.params);
    this.steps = 0;
    this.losses = [];
    this.risks = [];
    this.changed();
  }

  // The points are others now; the weights go on from where they are.
  changed() {
    const n = this.points.labels.length;
    this.all = Array.from({ length: n }, (_, i) => i);
    this.order = batches(n, this.settings.batch, this.settings.seed);
    this.look();
  }

  look() {
    this.whole = risk(this.points, this.all, this.params, this.settings.l2);
    this.risks[this.steps] = this.whole.value;
  }

  get norm() { return Math.hypot(...this.whole.grads); }

  get perEpoch() {
    const n = this.all.length, { batch } = this.settings;
    return batch <= 0 || batch >= n ? 1 : Math.floor(n / batch);
  }

  // The rows it met.
  step() {
    const rows = this.order.next().value;
    const { value, grads } = rows.length === this.all.length
      ? this.whole : risk(this.points, rows, this.params, this.settings.l2);
    const [updates, state] = this.rule.update(grads, this.state, this.params);
    this.params = this.params.map((p, i) => p + updates[i]);
    this.state = state;
    this.losses.push(value);
    this.steps += 1;
    this.look();
    return rows;
  }

  // Why there is no next step, or null.
  get ended() {
    const { rule, tol, most } = this.settings, now = this.steps;
    if (!this.params.every(isFinite) || !isFinite(this.whole.value)) return "diverged";
    if (rule === "slope" && this.norm < tol) return "slope";
    if (rule === "fall" && now >= WINDOW && !(this.risks[now - WINDOW] - this.whole.value >= tol)) return "fall";
    return now >= most ? "most" : null;
  }
}

// What jaxlr's optimizer of that name is given.
export function hyper({ optimizer: name, rate, memory }) {
  const second = memoryName(name);
  return { learning_rate: rate, ...second && { [second]: memory } };
}

const memoryName = (name) => Object.keys(optimizers[name].takes)[1];

// Whole runs for whoever compares them: {order: [T, B], params: [T + 1, 3], losses: [T], risks}.
export function trajectory(points, settings, steps) {
  const run = new Descent(points, { ...DEFAULTS, ...settings });
  const order = [], params = [run.params];
  for (let t = 0; t < steps; t += 1) {
    order.push([...run.step()]);
    params.push(run.params);
  }
  return { order, params, losses: run.losses, risks: run.risks };
}

// (x − mean) / std; a column without spread becomes zeros.
export function standardise(values) {
  const n = values.length;
  const mean = values.reduce((sum, v) => sum + v / n, 0);
  const std = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2 / n, 0));
  return values.map((v) => (v - mean) / (std > 1e-15 * Math.abs(mean) ? std : 1));
}

// ---- The picture.

export const DEFAULTS = {
  set: "blobs", points: "", optimizer: "sgd", rate: 0.1, memory: 0.9, batch: 0, l2: 0,
  rule: "slope", tol: 1e-3, most: 2000, seed: 1, pace: 1, step: 0,
};
const LIMITS = {
  rate: [1e-4, 100], memory: [0, 0.999], l2: [0, 1], tol: [1e-8, 0.1], most: [1, 20000],
  batch: [0, 1e6], seed: [0, 1e9], step: [0, 20000],
};
const WHOLE = ["batch", "most", "seed", "step"];
const PACES = [0.1, 1, 10, 100];
const NOTCH = (1 - 1e-12) * Math.log10(LIMITS.most[1] / 10) / 66; // of its logarithm, so that 66 reach the end
// On a slide the plane has its pane to itself.
const SLIDE = new URLSearchParams(location.search).has("slides") && innerWidth > 900;
const RULES = ["slope", "fall", "most"];
const DRAWN = 400; // points; more would only hide one another
const CARRIED = 150; // points that fit in an address
const LARGEST = 50e6; // bytes of a file
const NEAR = 14; // CSS pixels around a point that are the point's

const SETS = () => ({
  blobs: say("two clouds", "два облака"),
  overlapping: say("overlapping", "перекрытие"),
  separable: say("separable", "разделимые"),
  xor: say("crosswise (xor)", "крест-накрест (xor)"),
  imbalanced: say("imbalanced", "несбалансированные"),
  cancer: say("breast cancer, two features", "рак молочной железы, два признака"),
  own: say("your file", "ваш файл"),
});

// Which values of an address make sense.
function sound(told, sets) {
  const inside = ([name, [low, high]]) =>
    [name, told[name] >= low && told[name] <= high && (!WHOLE.includes(name) || Number.isInteger(told[name]))];
  return {
    ...Object.fromEntries(Object.entries(LIMITS).map(inside)),
    set: Object.hasOwn(sets, told.set), optimizer: Object.hasOwn(optimizers, told.optimizer),
    rule: RULES.includes(told.rule), pace: PACES.includes(told.pace), points: unpack(told.points) !== null,
  };
}

// Points as the address has them, 1.25*-0.5*1_…, and back; null if they are none.
export const pack = ({ x1, x2, labels }) =>
  labels.map((y, i) => `${carried(x1[i])}*${carried(x2[i])}*${y}`).join("_");
const carried = (coordinate) => +coordinate.toFixed(3); // so that a link's points are these and no others

export function unpack(text) {
  const points = { x1: [], x2: [], labels: [] };
  for (const one of text ? text.split("_") : []) {
    const found = /^(-?\d{1,9}(?:\.\d+)?)\*(-?\d{1,9}(?:\.\d+)?)\*([01])$/.exec(one);
    if (!found) return null;
    points.x1.push(Number(found[1]));
    points.x2.push(Number(found[2]));
    points.labels.push(Number(found[3]));
  }
  return points.labels.length === 1 ? null : points;
}

const shape = (label) => (label ? "M5 0A5 5 0 1 1 -5 0A5 5 0 1 1 5 0Z" : "M-4.5 -4.5H4.5V4.5H-4.5Z");
const colour = (label) => (label ? "var(--accent)" : "var(--warm)");

export function mount(root, data) {
  const sets = Object.fromEntries(Object.entries(data.sets).map(([name, { x, labels, names, classes }]) => [name, {
    x1: x.map((row) => row[0]), x2: x.map((row) => row[1]), labels,
    names: names?.map((pair) => say(...pair)) ?? ["x₁", "x₂"],
    classes: classes?.map((pair) => say(...pair)) ?? ["0", "1"],
  }]));
  const state = readAddress(DEFAULTS, (told) => sound(told, sets));
  let points, shown, run, box, frame = null, owed = 0, since = 0, edited = false, saving = null;
  const marks = []; // of the shown points, in their order
  let hand = "1", now = 0, grabbed = null; // what a click does; the point that has the keyboard

  // -- Panes.
  const plane = new Chart({
    title: say("Points, and the line between the classes", "Точки и прямая между классами"),
    width: 380, height: 340, role: "group", x: { min: -1, max: 1 }, y: { min: -1, max: 1 },
  });
  const { left, right, top, bottom } = plane.size;
  const area = { x: left, y: top, width: right - left, height: bottom - top };
  const field = svg("linearGradient", { id: "descent-field", gradientUnits: "userSpaceOnUse" });
  for (let z = -6; z <= 6; z += 0.5)
    field.append(svg("stop", {
      offset: (z + 6) / 12, "stop-color": colour(z > 0), "stop-opacity": 0.6 * Math.abs(2 * sigmoid(z) - 1),
    }));
  const shade = svg("rect", area);
  plane.element.prepend(
    svg("defs", {}, field, svg("clipPath", { id: "descent-area" }, svg("rect", area))), shade);
  const border = svg("path", { stroke: "var(--ink)", "stroke-width": 2.5, "clip-path": "url(#descent-area)" });
  const dots = svg("g", { stroke: "var(--paper)", "stroke-width": 1 });
  plane.marks.append(border, dots);

  const curve = new Chart({
    title: say("Risk by step", "Риск по шагам"), width: 380, height: 185,
    x: { label: say("step", "шаг"), min: 0, max: 50 }, y: { label: say("risk, nats", "риск, нат"), min: 0, max: 1 },
  });

  const cell = (name) => make("td", { class: "n", style: "white-space:nowrap", "data-told": name });
  const cells = {};
  const row = (name, label) => {
    cells[name] = cell(name);
    return make("tr", {}, make("th", { scope: "row" }, label), cells[name]);
  };
  const numbers = make("table", {}, make("tbody", {},
    row("step", say("step (passes through the data)", "шаг (проходов по данным)")),
    row("risk", say("risk", "риск")), row("norm", say("length of its gradient", "длина градиента")),
    row("accuracy", say("accuracy", "доля верных ответов")),
    row("weights", "w₁, w₂, b")));
  cells.weights.style.whiteSpace = "normal";
  const head = [0, 1].map(() => make("th", { scope: "col" }));
  const side = [0, 1].map(() => make("th", { scope: "row" }));
  const counts = [0, 1].map((t) => [0, 1].map((p) => cell(`${t}${p}`)));
  const table = make("table", {},
    make("caption", {}, say("Confusion matrix: truth by row", "Матрица ошибок: истина по строкам")),
    make("thead", {}, make("tr", {}, make("td"), ...head)),
    make("tbody", {}, ...[0, 1].map((t) => make("tr", {}, side[t], ...counts[t]))));
  const equation = make("strong", { "data-told": "equation" });
  const swatch = (label) => make("span", { style: `color:${colour(label)}`, "aria-hidden": "true" }, label ? "● " : "■ ");
  const kinds = [0, 1].map(() => make("span", { style: "white-space:nowrap" }));
  const legend = make("p", { class: "remark" }, kinds[1], " ", kinds[0],
    say("What is learnt is the line ", "Обучается прямая "), equation, say(
      ", where ŷ = σ(w·x + b) is ½. The shade shows how sure the model is: blue of ●, orange of ■; none at ½.",
      ", на которой ŷ = σ(w·x + b) равно ½. Заливка показывает уверенность модели: синяя — в ●, оранжевая — в ■; без цвета — ½."));
  const lines = make("p", { class: "remark", style: "margin:0" },
    make("span", { style: "color:var(--accent)", "aria-hidden": "true" }, "━ "), say("all points", "все точки"),
    make("span", { "data-told": "batchline" },
      make("span", { style: "color:var(--muted)", "aria-hidden": "true" }, " ─ "), say("each step's minibatch", "мини-батч каждого шага")));
  const note = make("span", { class: "note", "aria-live": "polite", "data-told": "note" });
  const tell = (...sentences) => { note.textContent = sentences.join(" "); };
  // What stands beside the data: of the file they are from, and what a link leaves behind.
  const fileNote = make("span", { "aria-live": "polite", "data-told": "file-note" });
  const linkNote = make("span", { "aria-live": "polite", "data-told": "link-note" });
  const warn = () => {
    const n = points.labels.length;
    const said = state.set === "own" ? say("A link doesn't carry the file's points.", "Точки из файла в ссылку не входят.")
      : points.touched && n > CARRIED ? say(
        `A link carries ${CARRIED} points at most: it leads to the set as it was.`,
        `В ссылку входит не больше ${CARRIED} точек: она ведёт к исходному набору.`)
        : edited ? say(
          "The points changed during the run: a link brings them back at step 0.",
          "Точки менялись на ходу: ссылка вернёт их, но на шаге 0.") : "";
    if (linkNote.textContent !== said) linkNote.textContent = said;
  };

  // -- What is drawn.
  const fit = () => {
    const ends = (values) => {
      let low = Infinity, high = -Infinity;
      for (const v of values) { low = Math.min(low, v); high = Math.max(high, v); }
      const room = 0.12 * (high - low) || 1;
      return { min: low - room, max: high + room };
    };
    box = { x: ends(points.x1), y: ends(points.x2) };
    plane.axes({ ...box.x, label: points.names[0] }, { ...box.y, label: points.names[1] });
    for (const text of plane.frame.querySelectorAll("text")) // readable on the shade
      text.setAttribute("style", "paint-order:stroke;stroke:var(--card);stroke-width:3px");
  };

  const place = (k) => {
    const i = shown[k], mark = marks[k], label = points.labels[i];
    mark.setAttribute("d", shape(label));
    mark.setAttribute("fill", colour(label));
    const size = shown.length > 200 ? " scale(0.7)" : "";
    mark.setAttribute("transform", `translate(${plane.px(points.x1[i])} ${plane.py(points.x2[i])})${size}`);
    mark.setAttribute("aria-label", say(
      `point ${i + 1} of class ${points.classes[label]} at ${figure(points.x1[i], 3)}, ${figure(points.x2[i], 3)}`,
      `точка ${i + 1} класса ${points.classes[label]}: ${figure(points.x1[i], 3)}; ${figure(points.x2[i], 3)}`));
  };

  // One mark of all can be reached by Tab; from there, keys lead to the others.
  const hold = (k, focus = false) => {
    marks[now]?.setAttribute("tabindex", "-1");
    now = Math.max(0, Math.min(marks.length - 1, k));
    marks[now]?.setAttribute("tabindex", "0");
    if (focus) marks[now]?.focus();
  };

  const addMark = () => {
    const mark = svg("path", { role: "button", tabindex: "-1" });
    marks.push(mark);
    dots.append(mark);
  };

  const drawPoints = () => {
    const n = points.labels.length;
    shown = Array.from({ length: n }, (_, i) => i);
    if (n > DRAWN) shown = batches(n, DRAWN, 0).next().value.sort((a, b) => a - b);
    marks.length = 0;
    dots.replaceChildren();
    shown.forEach((_, k) => { addMark(); place(k); });
    hold(0);
    const bare = points.classes.join() === "0,1";
    const side_ = (label) => (bare ? say("class ", "класс ") : "") + points.classes[label];
    kinds.forEach((kind, label) => kind.replaceChildren(swatch(label), `${side_(label)}. `));
    head.forEach((th, label) => {
      const named = say(`answer ${points.classes[label]}`, `ответ: ${points.classes[label]}`);
      th.setAttribute("aria-label", named);
      if (SLIDE && !bare) th.replaceChildren(say("answer ", "ответ "), swatch(label)); // names are long
      else th.textContent = named;
    });
    side.forEach((th, label) => { th.textContent = side_(label); });
  };

  const drawField = () => {
    const [w1, w2, b] = run.params;
    const sx = (right - left) / (box.x.max - box.x.min), sy = (bottom - top) / (box.y.max - box.y.min);
    const [gx, gy] = [w1 / sx, -w2 / sy]; // ∂z by pixel
    const [cx, cy] = [(left + right) / 2, (top + bottom) / 2];
    const z = w1 * (box.x.min + box.x.max) / 2 + w2 * (box.y.min + box.y.max) / 2 + b;
    const g = gx * gx + gy * gy;
    const flat = !(Math.sqrt(g) * 500 > 0.01);
    if (flat) {
      shade.setAttribute("fill", colour(z > 0));
      shade.setAttribute("fill-opacity", isFinite(z) ? 0.6 * Math.abs(2 * sigmoid(z) - 1) : 0);
    } else {
      const at = (level) => [cx + gx * (level - z) / g, cy + gy * (level - z) / g];
      const [[ax, ay], [bx, by]] = [at(-6), at(6)];
      for (const [name, value] of Object.entries({ x1: ax, y1: ay, x2: bx, y2: by })) field.setAttribute(name, value);
      shade.setAttribute("fill", "url(#descent-field)");
      shade.setAttribute("fill-opacity", 1);
      const [mx, my] = at(0), far = 1000 / Math.sqrt(g);
      border.setAttribute("d", `M${mx - gy * far} ${my + gx * far}L${mx + gy * far} ${my - gx * far}`);
    }
    border.setAttribute("visibility", flat ? "hidden" : "visible");
  };

  const drawCurve = () => {
    const { risks, losses, steps } = run;
    let wide = 50;
    while (wide < steps) wide *= 2;
    const every = Math.ceil((steps + 1) / 300);
    const at = [];
    for (let t = 0; t < steps; t += every) at.push(t);
    const whole = [...at, steps];
    const high = Math.max(...whole.map((t) => risks[t]).filter(isFinite), 0.1);
    const ceiling = Math.max(0.75, 0.25 * Math.ceil(4.4 * Math.min(high, 5 * Math.max(risks[0], 0.7))));
    if (wide !== curve.ends.x.max || ceiling !== curve.ends.y.max) curve.axes({ max: wide }, { max: ceiling });
    const some = run.perEpoch > 1;
    const clip = (value) => Math.min(value, 1.02 * ceiling);
    curve.line("batch", some ? at : [], at.map((t) => clip(losses[t])), { stroke: "var(--muted)", "stroke-width": 0.7 });
    curve.line("whole", whole, whole.map((t) => clip(risks[t])));
    curve.point("now", steps, isFinite(risks[steps]) ? clip(risks[steps]) : ceiling, { fill: "var(--accent)", r: 4 });
    lines.lastChild.hidden = !some;
  };

  const drawNumbers = () => {
    const [w1, w2, b] = run.params;
    const matrix = confusion(points, run.params);
    const right_ = matrix[0][0] + matrix[1][1];
    const put = (name, text) => { cells[name].textContent = text; };
    put("step", `${run.steps} (${figure(run.steps / run.perEpoch, 3)})`);
    put("risk", figure(run.whole.value));
    put("norm", figure(run.norm, 3));
    put("accuracy", `${(100 * right_ / points.labels.length).toFixed(1)}%`);
    put("weights", run.params.map((p) => figure(p)).join(say(", ", "; ")));
    counts.forEach((row_, t) => row_.forEach((td, p) => { td.textContent = String(matrix[t][p]); }));
    const term = (value, name) => `${value < 0 ? "−" : "+"} ${figure(Math.abs(value), 3)}${name}`;
    equation.textContent = `${figure(w1, 3)} x₁ ${term(w2, " x₂")} ${term(b, "")} = 0`;
  };

  const draw = () => { drawField(); drawCurve(); drawNumbers(); };

  // -- The address, a little after the hand has rested.
  const save = () => {
    clearTimeout(saving);
    warn();
    saving = setTimeout(() => {
      const many = points.labels.length > CARRIED;
      const kept = { ...state, step: edited || (points.touched && many) ? 0 : run.steps };
      kept.points = points.touched && !many ? pack(points) : "";
      if (kept.set === "own") Object.assign(kept, { set: DEFAULTS.set, points: "", step: 0 });
      writeAddress(kept, DEFAULTS);
    }, 200);
  };

  // -- The run.
  const going = () => frame !== null;
  const why = (reason) => ({
    slope: () => say(
      `Stopped at step ${run.steps}: the gradient is shorter than ${figure(state.tol)}.`,
      `Остановка на шаге ${run.steps}: градиент короче ${figure(state.tol)}.`),
    fall: () => say(
      `Stopped at step ${run.steps}: over ${WINDOW} steps the risk fell by less than ${figure(state.tol)}.`,
      `Остановка на шаге ${run.steps}: за ${WINDOW} шагов риск упал меньше чем на ${figure(state.tol)}.`),
    most: () => say(
      `Stopped at step ${run.steps}: these are all the steps it may take.`,
      `Остановка на шаге ${run.steps}: сделаны все разрешённые шаги.`),
    diverged: () => say(
      `Stopped at step ${run.steps}: the weights have grown past all numbers. Try a smaller learning rate.`,
      `Остановка на шаге ${run.steps}: веса ушли в бесконечность. Возьмите меньшую скорость обучения.`),
  })[reason]();
  const where = () => say(
    `Step ${run.steps}: risk ${cells.risk.textContent}, accuracy ${cells.accuracy.textContent}.`,
    `Шаг ${run.steps}: риск ${cells.risk.textContent}, доля верных ответов ${cells.accuracy.textContent}.`);

  const pause = () => {
    if (going()) cancelAnimationFrame(frame);
    frame = null;
    runButton.textContent = say("Run", "Пуск");
    runButton.setAttribute("aria-pressed", "false");
    save();
  };

  // Steps by the clock, so that a slow screen shows fewer of them and takes as many.
  const tick = () => {
    const from = performance.now();
    owed += 60 * state.pace * Math.min(0.25, (from - since) / 1000);
    since = from;
    while (owed >= 1 && !run.ended) {
      run.step();
      owed -= 1;
      if (performance.now() - from > 12) owed = Math.min(owed, 0); // a frame's time is up
    }
    draw();
    if (run.ended) {
      pause();
      tell(why(run.ended));
    } else frame = requestAnimationFrame(tick);
  };

  const go = () => {
    if (run.ended) { tell(why(run.ended)); return; }
    tell();
    [owed, since] = [1, performance.now()];
    runButton.textContent = say("Pause", "Пауза");
    runButton.setAttribute("aria-pressed", "true");
    frame = requestAnimationFrame(tick);
  };

  const restart = () => {
    run = new Descent(points, { ...state });
    edited = false;
    draw();
    save();
  };

  // A setting that makes it another run; one that goes on from the start if it was going.
  const set = (name, value) => {
    state[name] = value;
    tell();
    restart();
  };

  const take = (name, some) => {
    if (name !== state.set) fileNote.textContent = "";
    points = { ...some, x1: [...some.x1], x2: [...some.x2], labels: [...some.labels] };
    state.set = name;
    grabbed = null;
    fit();
    drawPoints();
    restart();
    fillBatches();
  };

  // -- Points by hand.
  const touched = () => {
    points.touched = true;
    edited = edited || run.steps > 0;
    run.changed();
    if (!going()) draw();
    save();
  };

  const move = (k, x, y) => {
    const clamp = (v, { min, max }) => Math.max(min, Math.min(max, v));
    points.x1[shown[k]] = carried(clamp(x, box.x));
    points.x2[shown[k]] = carried(clamp(y, box.y));
    place(k);
    touched();
  };

  const add = (x, y, label) => {
    points.x1.push(carried(x));
    points.x2.push(carried(y));
    points.labels.push(label);
    shown.push(points.labels.length - 1);
    addMark();
    place(marks.length - 1);
    hold(marks.length - 1);
    touched();
    fillBatches();
  };

  const removePoint = (k, focus) => {
    if (points.labels.length <= 2) {
      tell(say("At least two points must stay.", "Должны остаться хотя бы две точки."));
      return;
    }
    const [i] = shown.splice(k, 1);
    for (const list of [points.x1, points.x2, points.labels]) list.splice(i, 1);
    shown = shown.map((j) => (j > i ? j - 1 : j));
    marks.splice(k, 1)[0].remove();
    for (let j = k; j < marks.length; j += 1) place(j);
    now = 0;
    hold(k, focus);
    touched();
    fillBatches();
  };

  const nearest = (event) => {
    const scale = plane.element.getBoundingClientRect().width / 380;
    const to = plane.at(event);
    let found = -1, least = NEAR / scale;
    shown.forEach((i, k) => {
      const far = Math.hypot(plane.px(points.x1[i]) - plane.px(to.x), plane.py(points.x2[i]) - plane.py(to.y));
      if (far < least) [found, least] = [k, far];
    });
    return found;
  };

  plane.element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const { x, y } = plane.at(event), near = nearest(event);
    if (hand === "remove") { if (near >= 0) removePoint(near, false); return; }
    const inside = x > box.x.min && x < box.x.max && y > box.y.min && y < box.y.max;
    if (near < 0 && !inside) return;
    if (near < 0) add(x, y, Number(hand));
    else hold(near);
    grabbed = now;
    plane.element.setPointerCapture(event.pointerId);
  });
  plane.element.addEventListener("pointermove", (event) => {
    if (grabbed === null) return;
    const { x, y } = plane.at(event);
    move(grabbed, x, y);
  });
  for (const name of ["pointerup", "pointercancel"])
    plane.element.addEventListener(name, () => { grabbed = null; });

  dots.addEventListener("keydown", (event) => {
    const k = marks.indexOf(event.target);
    if (k < 0) return;
    const i = shown[k], far = event.shiftKey ? 0.1 : 0.02;
    const dx = far * (box.x.max - box.x.min), dy = far * (box.y.max - box.y.min);
    const [x, y] = [points.x1[i], points.x2[i]];
    const flip = () => { points.labels[i] = 1 - points.labels[i]; place(k); touched(); };
    const deed = {
      ArrowLeft: () => move(k, x - dx, y), ArrowRight: () => move(k, x + dx, y),
      ArrowUp: () => move(k, x, y + dy), ArrowDown: () => move(k, x, y - dy),
      PageUp: () => hold(k - 1, true), PageDown: () => hold(k + 1, true),
      Home: () => hold(0, true), End: () => hold(marks.length - 1, true),
      Enter: flip, " ": flip,
      Delete: () => removePoint(k, true), Backspace: () => removePoint(k, true),
    }[event.key];
    if (!deed || event.ctrlKey || event.altKey || event.metaKey) return;
    deed();
    event.preventDefault();
    event.stopPropagation();
  });
  dots.addEventListener("focusin", (event) => {
    const k = marks.indexOf(event.target);
    if (k >= 0) hold(k);
  });

  // -- One's own file.
  const open = async (file) => {
    if (!file) return;
    if (file.size > LARGEST) {
      tell(say("The file is larger than 50 MB and wasn't read.", "Файл больше 50 МБ, он не прочитан."));
      return;
    }
    let found;
    try {
      const { text, notes } = await textOf(file);
      found = read(text);
      found.notes?.unshift(...notes);
    } catch (error) {
      tell(say("The file can't be read.", "Файл не читается."), String(error.message ?? error));
      return;
    }
    if (found.refused) {
      tell(`${file.name}: ${told(found.refused)}`, say("The points stay as they were.", "Точки остались прежними."));
      return;
    }
    pause();
    const n = found.labels.length;
    sets.own = {
      ...found, x1: standardise(found.x1), x2: standardise(found.x2),
      names: found.names.slice(0, 2).map((name) => `${name}, ${say("standardised", "стандартизовано")}`),
    };
    take("own", sets.own);
    offer();
    tell();
    fileNote.textContent = [
      `${file.name}: ${say(`${n.toLocaleString("en")} points, standardised.`, `точек: ${n.toLocaleString("ru")}, признаки стандартизованы.`)}`,
      ...found.notes.map(told),
      ...n > DRAWN ? [say(`The model learns from all, ${DRAWN} of them are drawn.`, `Учатся все, нарисованы ${DRAWN}.`)] : [],
    ].join(" ");
  };
  const input = make("input", {
    type: "file", accept: ".csv,.tsv,.txt,text/csv", hidden: true, "data-told": "file",
    on: { change: () => { open(input.files[0]); input.value = ""; } },
  });
  for (const name of ["dragover", "drop"])
    root.addEventListener(name, (event) => {
      event.preventDefault();
      if (name === "drop") open(event.dataTransfer.files[0]);
    });

  // -- Controls.
  const controls = (...parts) => make("div", { class: "controls" }, ...parts.map((part) => part.element ?? part));
  const runButton = button("", () => { if (going()) { pause(); tell(where()); } else go(); });
  const oneStep = button(say("One step", "Один шаг"), () => {
    if (going()) pause();
    if (run.ended) { tell(why(run.ended)); return; }
    run.step();
    draw();
    tell(run.ended ? why(run.ended) : where());
    save();
  });
  const reset = button(say("Back to step 0", "К шагу 0"), () => { pause(); tell(); restart(); });
  const pace = choice(say("speed", "темп"), PACES.map((p) => [String(p), say(`${60 * p} steps a second`, `${60 * p} шагов в секунду`)]),
    String(state.pace), (value) => { state.pace = Number(value); save(); });

  const setChoice = choice(say("Points", "Точки"), [], "", (value) => {
    const on = going();
    pause();
    tell();
    take(value, sets[value]);
    if (on) go();
  });
  const offer = () => {
    const words = SETS();
    setChoice.element.querySelector("select").replaceChildren(
      ...Object.keys(sets).map((name) => make("option", { value: name }, words[name] ?? name)));
    setChoice.set(state.set);
  };
  const file = button(say("Your own file (CSV)…", "Свой файл (CSV)…"), () => input.click());
  const clicks = choice(say("A click", "Щелчок"), [
    ["1", say("adds ● of class 1", "добавляет ● класса 1")],
    ["0", say("adds ■ of class 0", "добавляет ■ класса 0")],
    ["remove", say("removes a point", "удаляет точку")],
  ], hand, (value) => { hand = value; });
  const addButton = button(say("Add a point", "Добавить точку"), () => {
    const middle = ({ min, max }) => (min + max) / 2;
    add(middle(box.x), middle(box.y), hand === "0" ? 0 : 1);
    hold(marks.length - 1, true);
  });
  const undo = button(say("Points as they were", "Вернуть точки"), () => { tell(); take(state.set, sets[state.set]); });

  const rule = choice(say("Optimizer", "Оптимизатор"),
    Object.entries(optimizers).map(([name, { label }]) => [name, say(...label)]), state.optimizer, (value) => {
      const [rate_, memory_] = Object.values(optimizers[value].takes);
      Object.assign(state, { optimizer: value, rate: rate_ ?? 1, memory: memory_ ?? DEFAULTS.memory });
      rate.set(state.rate);
      showMemory();
      set("optimizer", value);
    });
  const rate = slider(say("learning rate α", "скорость обучения α"),
    { min: LIMITS.rate[0], max: LIMITS.rate[1], step: 0.05, value: state.rate, log: true }, (v) => set("rate", v));
  const memory = slider("", { min: 0, max: 0.999, step: 0.001, value: state.memory }, (v) => set("memory", v));
  const showMemory = () => {
    const name = memoryName(state.optimizer);
    memory.element.hidden = !name;
    memory.element.style.display = name ? "" : "none";
    memory.element.firstChild.textContent = {
      momentum: say("momentum β", "импульс β"), decay: say("decay β", "затухание β"),
      rho: say("decay ρ", "затухание ρ"), b1: say("decay β₁", "затухание β₁"),
    }[name] ?? "";
    memory.set(state.memory);
  };
  const batch = choice(say("minibatch", "мини-батч"), [], "", (value) => set("batch", Number(value)));
  const fillBatches = () => {
    const n = points.labels.length, sizes = [];
    for (let size = 1; size < n; size *= 2) sizes.push(size);
    if (state.batch > 0 && state.batch < n && !sizes.includes(state.batch)) sizes.push(state.batch);
    batch.element.querySelector("select").replaceChildren(
      ...sizes.sort((a, b) => a - b).map((size) => make("option", { value: String(size) }, String(size))),
      make("option", { value: "0" }, say(`all ${n}`, `все ${n}`)));
    batch.set(String(state.batch < n ? state.batch : 0));
  };
  const l2 = slider(say("penalty λ", "штраф λ"), {
    min: 0, max: 1, step: 0.01, value: state.l2 ** (1 / 3), shown: (v) => figure(v ** 3, 2),
  }, (v) => set("l2", Number((v ** 3).toPrecision(2))));

  const until = choice(say("Stop when", "Остановиться, когда"), [
    ["slope", say("the gradient is below the tolerance", "градиент меньше допуска")],
    ["fall", say(`${WINDOW} steps lower the risk by less`, `за ${WINDOW} шагов риск упал на меньшее число`)],
    ["most", say("all steps are done", "сделаны все шаги")],
  ], state.rule, (value) => { showTol(value); set("rule", value); });
  const tol = slider(say("tolerance", "допуск"),
    { min: LIMITS.tol[0], max: LIMITS.tol[1], step: 0.5, value: state.tol, log: true, shown: (v) => figure(v, 2) }, (v) => set("tol", v));
  const showTol = (value) => { tol.element.style.display = value === "most" ? "none" : ""; };
  const most = slider(say("steps at most", "не больше шагов"),
    { min: 10, max: LIMITS.most[1], step: NOTCH, value: state.most, log: true, shown: (v) => String(Math.round(v)) },
    (v) => set("most", Math.round(v)));

  root.append(
    controls(runButton, oneStep, reset, pace, note),
    controls(rule, rate, memory, batch, l2, until, tol, most),
    make("div", { class: "panes" },
      make("div", {}, plane.element, ...SLIDE ? [] : [legend]),
      make("div", {}, curve.element, lines, ...SLIDE ? [legend] : [], numbers, table)),
    controls(setChoice, file, input, clicks, addButton, undo),
    make("p", { class: "remark", style: "margin: 0" }, fileNote, " ", linkNote),
    make("p", { class: "remark aside" }, say(
      "Drag a point to move it. By keyboard: Tab to the points; arrows move one (further with Shift), Page Up and Page Down go to another, Enter changes its class, Delete removes it. A file may be dropped here: two columns of numbers and one of classes.",
      "Точку можно перетащить. С клавиатуры: Tab до точек; стрелки двигают точку (с Shift дальше), Page Up и Page Down переходят к другой, Enter меняет её класс, Delete удаляет. Сюда можно бросить файл: два столбца чисел и столбец классов.")));

  runButton.textContent = say("Run", "Пуск");
  runButton.setAttribute("aria-pressed", "false");
  const { step } = state, given = unpack(state.points);
  take(state.set, sets[state.set]);
  if (given.labels.length) {
    Object.assign(points, given, { touched: true });
    fit();
    drawPoints();
    restart();
  }
  fillBatches();
  offer();
  showMemory();
  showTol(state.rule);
  while (run.steps < step && !run.ended) run.step();
  draw();
  if (run.ended) tell(why(run.ended));
}
