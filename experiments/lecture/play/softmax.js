// A7: scores that the hand moves; softmax, its entropy, its loss and the pull on every score.

import {
  Chart, button, choice, figure, make, say, slider, svg,
} from "lecture/kit";
import { readAddress, writeAddress } from "lecture/address";

// Both charts and the tables on one screen: lower on a slide, so that they take its whole width.
const SLIDE = new URLSearchParams(location.search).has("slides") && innerWidth > 900;
const FIT = SLIDE ? "" : "max-width: max(17rem, 50vh)", WIDE = SLIDE ? 560 : 340;
const TIGHT = "padding: 0.3rem 0.45rem";
const FEWEST = 2, MOST = 6, LARGEST = 10000;
const TEMPERATURES = { min: 0.05, max: 20 }, SHIFTS = { min: -200, max: 200 };
// Of T's logarithm: 130 steps lead to 1, and 260 to the end, whatever is rounded.
const NOTCH = (1 - 1e-12) * Math.log10(TEMPERATURES.max / TEMPERATURES.min) / 260;

// What softmax is of: (z_k + c) / T.
export const logits = ({ scores, temperature, shift }) =>
  scores.map((score) => (score + shift) / temperature);

// e^{u - max u}: each exponential, their sum, and the sum without each of them. For the largest
// class 1 - p cancels, so its rest is summed.
function parts(u) {
  const top = u.indexOf(Math.max(...u));
  const e = u.map((one) => Math.exp(one - u[top]));
  const total = sum(e);
  const rest = e.map((own, k) => (k === top ? sum(e.filter((_, j) => j !== top)) : total - own));
  return { top, e, total, rest };
}

export function softmax(u) {
  const { e, total } = parts(u);
  return e.map((one) => one / total);
}

export function logSoftmax(u) {
  const { top, rest } = parts(u);
  const log = Math.log1p(rest[top]); // of the sum: the largest exponential is 1
  return u.map((one) => one - u[top] - log);
}

export function entropy(u) {
  const p = softmax(u);
  return 0 - sum(logSoftmax(u).map((log, k) => (p[k] === 0 ? 0 : p[k] * log)));
}

export const loss = (u, label) => 0 - logSoftmax(u)[label];

// The loss's derivative in every score: (p - one-hot) / T. At the true class p - 1 is minus the rest.
export function gradient(u, label, temperature) {
  const { e, total, rest } = parts(u);
  return e.map((own, k) => (k === label ? -rest[k] : own) / total / temperature);
}

// The same in float32, every result rounded: with e^u as the formula has it, or e^{u - max u}.
const f32 = Math.fround;

export function written32(u, label) {
  const e = u.map((one) => f32(Math.exp(f32(one))));
  const p = shares32(e);
  return { e, p, loss: f32(0 - f32(Math.log(p[label]))) };
}

export function stable32(u, label) {
  const rounded = u.map(f32), top = Math.max(...rounded);
  const e = rounded.map((one) => f32(Math.exp(f32(one - top))));
  const log = f32(Math.log(sum32(e)));
  return { e, p: shares32(e), loss: f32(log + f32(top - rounded[label])) };
}

const sum = (numbers) => numbers.reduce((total, one) => total + one, 0);
const sum32 = (numbers) => numbers.reduce((total, one) => f32(total + one), 0);
const shares32 = (e) => { const total = sum32(e); return e.map((one) => f32(one / total)); };

// Scores from the text of an address, or null: two to six finite numbers.
export function scoresOf(text) {
  const scores = text.split(",").map((one) => (one.trim() === "" ? NaN : Number(one)));
  const right = scores.length >= FEWEST && scores.length <= MOST && scores.every(isScore);
  return right ? scores : null;
}

const isScore = (score) => Number.isFinite(score) && Math.abs(score) <= LARGEST;
const inside = (value, { min, max }) => value >= min && value <= max;

export function mount(root, data) {
  const start = { ...data, scores: data.scores.join(",") };
  let state = fromAddress();
  let dragged = null;
  let classes = []; // what stands on the page for each class: cells and handles

  function fromAddress() {
    const told = readAddress(start, ({ scores, temperature, shift, label }) => {
      const read = scoresOf(scores) ?? data.scores;
      return {
        scores: scoresOf(scores), temperature: inside(temperature, TEMPERATURES), shift: inside(shift, SHIFTS),
        label: Number.isInteger(label) && inside(label, { min: 1, max: read.length }),
      };
    });
    const scores = scoresOf(told.scores);
    return { ...told, scores, label: Math.min(told.label, scores.length) };
  }

  // Controls.
  const numbers = (most, least = 1) =>
    Array.from({ length: most - least + 1 }, (_, i) => [String(least + i), String(least + i)]);
  const count = choice(say("classes", "классов"), numbers(MOST, FEWEST), String(state.scores.length), (value) => {
    const scores = [...state.scores.slice(0, value), ...Array(Math.max(0, value - state.scores.length)).fill(0)];
    change({ scores, label: Math.min(state.label, scores.length) });
  });
  const truth = choice(say("right class", "верный класс"), numbers(MOST), String(state.label),
    (value) => change({ label: Number(value) }));
  const heat = slider(say("temperature T", "температура T"),
    { ...TEMPERATURES, step: NOTCH, value: state.temperature, log: true },
    (value) => change({ temperature: value }));
  const lift = slider(say("constant c", "константа c"), { ...SHIFTS, step: 1, value: state.shift },
    (value) => change({ shift: value }));
  const again = button(say("Start again", "Сначала"), () => change({ ...data, scores: [...data.scores] }));

  // Pictures.
  const scoreChart = new Chart({
    title: say("Scores, and where descent pushes them", "Оценки и куда их толкает спуск"),
    role: "group", width: WIDE, height: 220, style: FIT, x: { min: 0.4, max: 3.6 }, y: { min: -4, max: 4, label: say("score z", "оценка z") },
  });
  const shareChart = new Chart({
    title: say("Probabilities", "Вероятности"), width: WIDE, height: 220, style: `touch-action: auto; ${FIT}`,
    x: { min: 0.4, max: 3.6 }, y: { min: 0, max: 1.12, label: say("probability", "вероятность") },
  });
  scoreChart.element.addEventListener("pointerdown", (event) => {
    const { x } = scoreChart.at(event);
    const k = Math.round(x) - 1;
    if (k < 0 || k >= state.scores.length) return;
    dragged = k;
    scoreChart.element.setPointerCapture(event.pointerId);
    classes[k].handle.focus({ preventScroll: true });
    event.preventDefault();
    drag(event);
  });
  const drag = (event) => {
    if (dragged === null) return;
    const { min, max } = scoreChart.ends.y;
    const place = Math.min(max, Math.max(min, scoreChart.at(event).y));
    const step = max > 100 ? 1 : max > 10 ? 0.1 : 0.02;
    move(dragged, Math.round(place / step) * step);
  };
  const drop = () => { dragged = null; draw(); };
  scoreChart.element.addEventListener("pointermove", drag);
  scoreChart.element.addEventListener("pointerup", drop);
  scoreChart.element.addEventListener("pointercancel", drop);

  // Tables and words.
  const exact = make("tbody"), narrow = make("tbody");
  const readout = make("p", { "aria-live": "polite", style: "margin: 0" });
  const note = make("p", { class: "note", "aria-live": "polite", style: "margin: 0" });
  const head = (...names) => make("thead", {}, make("tr", {}, ...names.map((name) => make("th", { scope: "col", style: TIGHT }, ...name))));
  const sup = (base, power) => [base, make("sup", {}, power)];
  const wide = { tabindex: "0", style: "margin: 0; white-space: nowrap" };
  const caption = (text) => make("caption", { style: "white-space: normal; max-width: 19rem" }, text);
  root.replaceChildren(
    make("div", { class: "controls" }, count.element, truth.element, heat.element, lift.element, again),
    make("div", { class: "panes" }, scoreChart.element, shareChart.element),
    make("div", { class: "controls" }, readout, note),
    make("div", { class: "panes" },
      make("table", { ...wide },
        caption(say("u = (z + c) / T, m = the largest u; in float64", "u = (z + c) / T, m — наибольшее u; в float64")),
        head([say("class", "класс")], ["z"], sup("e", "u − m"), ["ŷ"], ["∂L/∂z"]), exact),
      make("table", { ...wide },
        caption(say("The same in float32: as written, and shifted by m", "То же во float32: по формуле и со сдвигом на m")),
        head([say("class", "класс")], sup("e", "u"), ["ŷ"], sup("e", "u − m"), ["ŷ"]), narrow)),
  );

  function change(news) {
    state = { ...state, ...news };
    writeAddress({ ...state, scores: state.scores.join(",") }, start);
    draw();
  }

  function move(k, score) {
    const rounded = Number(score.toPrecision(10));
    if (!isScore(rounded)) return;
    change({ scores: state.scores.with(k, rounded) });
  }

  function build() {
    for (const one of classes) one.handle.remove();
    for (const chart of [scoreChart, shareChart])
      for (const id of [...chart.named.keys()]) chart.remove(id);
    const ends = { min: 0.4, max: state.scores.length + 0.6, ticks: state.scores.map((_, k) => k + 1), label: say("class", "класс") };
    scoreChart.axes(ends, {});
    shareChart.axes(ends, {});
    classes = state.scores.map((_, k) => row(k));
    const losses = row(-1);
    exact.replaceChildren(...classes.map((one) => one.exact));
    narrow.replaceChildren(...classes.map((one) => one.narrow), losses.narrow);
    classes.losses = losses;
    [...truth.element.querySelectorAll("option")].forEach((option, k) => {
      option.disabled = option.hidden = k >= state.scores.length;
    });
  }

  // The cells of a class, its number to type in and its handle to drag; -1 is the row of the loss.
  function row(k) {
    const cells = (names) => Object.fromEntries(names.map((name) => [name, make("td", { class: "n", style: TIGHT })]));
    const name = () => make("th", { scope: "row", style: TIGHT }, k < 0 ? say("loss", "потери") : String(k + 1));
    const one = { ...cells(["e", "p", "slope"]), ...cells(["rawE", "rawP", "shiftedE", "shiftedP"]) };
    one.narrow = make("tr", {}, name(), one.rawE, one.rawP, one.shiftedE, one.shiftedP);
    if (k < 0) return one;
    const named = say(`score of class ${k + 1}`, `оценка класса ${k + 1}`);
    one.input = make("input", { type: "number", step: "0.1", style: "width: 5.5em", "aria-label": named, on: {
      input: () => {
        const score = one.input.value === "" ? NaN : Number(one.input.value);
        one.refused = !isScore(score);
        if (one.refused) tell(); else move(k, score);
      },
      change: () => { one.refused = false; draw(); },
      blur: () => { one.refused = false; draw(); },
    } });
    one.handle = svg("circle", { r: 8, fill: "var(--accent)", stroke: "var(--paper)", "stroke-width": 2,
      role: "slider", tabindex: "0", "aria-label": named, "aria-orientation": "vertical", style: "cursor: ns-resize" });
    one.handle.addEventListener("keydown", (event) => {
      const step = { ArrowUp: 0.1, ArrowRight: 0.1, ArrowDown: -0.1, ArrowLeft: -0.1, PageUp: 1, PageDown: -1 }[event.key];
      const { min, max } = scoreChart.ends.y;
      const end = { Home: min, End: max }[event.key];
      if (step === undefined && end === undefined) return;
      event.preventDefault();
      move(k, end ?? state.scores[k] + step);
    });
    scoreChart.element.append(one.handle);
    one.exact = make("tr", {}, name(), make("td", { style: TIGHT }, one.input), one.e, one.p, one.slope);
    return one;
  }

  function draw() {
    if (classes.length !== state.scores.length) build();
    count.set(String(state.scores.length));
    truth.set(String(state.label));
    heat.set(state.temperature);
    lift.set(state.shift);
    const label = state.label - 1, u = logits(state);
    const { e } = parts(u), p = softmax(u), slope = gradient(u, label, state.temperature);
    const raw = written32(u, label), shifted = stable32(u, label);
    if (dragged === null) {
      const largest = Math.max(...state.scores.map(Math.abs));
      const room = [4, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000].find((one) => one >= 1.15 * largest) ?? 12000;
      if (room !== scoreChart.ends.y.max) scoreChart.axes({}, { min: -room, max: room });
    }
    classes.forEach((one, k) => {
      const right = k === label, color = right ? "var(--warm)" : "var(--accent)";
      bar(scoreChart, k, state.scores[k], color, 0.35);
      bar(shareChart, k, p[k], color, 0.85);
      one.handle.setAttribute("cx", scoreChart.px(k + 1));
      one.handle.setAttribute("cy", scoreChart.py(state.scores[k]));
      one.handle.setAttribute("fill", color);
      one.handle.setAttribute("aria-valuemin", scoreChart.ends.y.min);
      one.handle.setAttribute("aria-valuemax", scoreChart.ends.y.max);
      one.handle.setAttribute("aria-valuenow", state.scores[k]);
      arrow(k, -slope[k]);
      shareChart.mark(`p${k}`, "text", { x: shareChart.px(k + 1), y: shareChart.py(p[k]) - 4, "text-anchor": "middle" })
        .textContent = p[k] < 0.0005 ? "≈ 0" : p[k].toFixed(3);
      if (!one.refused && (one.input.value === "" || Number(one.input.value) !== state.scores[k]))
        one.input.value = String(state.scores[k]);
      one.e.textContent = figure(e[k], 3);
      one.p.textContent = figure(p[k]);
      one.slope.textContent = figure(slope[k]);
      put(one.rawE, raw.e[k], 3);
      put(one.rawP, raw.p[k]);
      put(one.shiftedE, shifted.e[k], 3);
      put(one.shiftedP, shifted.p[k]);
      for (const line of [one.exact, one.narrow]) line.classList.toggle("marked", right);
    });
    put(classes.losses.rawP, raw.loss);
    put(classes.losses.shiftedP, shifted.loss);
    readout.textContent = say(
      `Loss ${figure(loss(u, label))} nats. Entropy ${figure(entropy(u))} of at most ln ${p.length} = ${figure(Math.log(p.length))}.`,
      `Потери ${figure(loss(u, label))} нат. Энтропия ${figure(entropy(u))}, наибольшая — ln ${p.length} = ${figure(Math.log(p.length))}.`);
    tell(raw);
  }

  function bar(chart, k, height, color, opacity) {
    const [from, to] = [chart.py(0), chart.py(height)];
    chart.mark(`bar${k}`, "rect", {
      x: chart.px(k + 0.72), width: chart.px(k + 1.28) - chart.px(k + 0.72),
      y: Math.min(from, to), height: Math.abs(from - to), fill: color, "fill-opacity": opacity,
    });
  }

  // Where a step of descent pushes the score: the steeper the loss, the longer, up to a quarter.
  function arrow(k, push) {
    const x = scoreChart.px(k + 1) + 15, y = scoreChart.py(state.scores[k]);
    const length = Math.sign(push) * Math.min(60, 60 * Math.abs(push));
    const tip = y - length, head = Math.min(6, Math.abs(length)) * Math.sign(length);
    scoreChart.mark(`push${k}`, "path", {
      d: `M${x} ${y}V${tip}M${x - 4} ${tip + head}L${x} ${tip}L${x + 4} ${tip + head}`,
      stroke: "var(--ink)", "stroke-width": 2, visibility: Math.abs(length) < 3 ? "hidden" : "visible",
    });
  }

  // What became of the formula as written, and what was refused.
  function tell(raw = written32(logits(state), state.label - 1)) {
    const holds = say("As written, float32 still holds.", "По формуле float32 пока справляется.");
    let told = holds;
    if (raw.p.some(Number.isNaN))
      told = raw.e.includes(Infinity)
        ? say("As written, e^u overflows: ∞ / ∞ is NaN. Shifted by m, all is well.", "По формуле e^u переполняется: ∞ / ∞ — это NaN. Со сдвигом на m всё в порядке.")
        : say("As written, every e^u is 0: 0 / 0 is NaN. Shifted by m, all is well.", "По формуле все e^u равны 0: 0 / 0 — это NaN. Со сдвигом на m всё в порядке.");
    else if (raw.e.includes(Infinity))
      told = say("As written, the sum overflows, and the probabilities are lost.", "По формуле сумма переполняется, и вероятности потеряны.");
    else if (raw.loss === Infinity)
      told = say("As written, the right class has ŷ = 0, and −ln 0 is ∞. Shifted, the loss is right.", "По формуле у верного класса ŷ = 0, и −ln 0 = ∞. Со сдвигом потери верны.");
    if (classes.some((one) => one.refused))
      told = say(`A score is a finite number, at most ${LARGEST}.`, `Оценка — конечное число, не больше ${LARGEST}.`);
    note.style.color = told === holds ? "var(--muted)" : "";
    if (note.textContent !== told) note.textContent = told;
  }

  draw();
}

function put(cell, number, digits) {
  cell.textContent = figure(number, digits);
  cell.style.color = Number.isFinite(number) ? "" : "var(--warm)";
  cell.style.fontWeight = Number.isFinite(number) ? "" : "700";
}
