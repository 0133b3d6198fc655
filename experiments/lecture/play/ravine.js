// The ravine to walk down: f(w) = ½(across² + along²/κ), turned, and the path of an optimizer.

import { Chart, button, choice, figure, make, say, slider, svg } from "lecture/kit";
import { readAddress, writeAddress } from "lecture/address";
import { names, optimizer } from "lecture/optimizers";

export const MOST = 500;      // steps that are looked at
const GOAL = 0.01;            // of the value at the start
const RANGES = { rate: [0.01, 100], beta: [0, 0.99], condition: [1, 1000], x: [-8, 4], y: [-4, 3] };
const MEMORY = { momentum: "momentum", nesterov: "momentum", momentum_ema: "decay", adadelta: "rho", rmsprop: "decay", adam: "b1" };
const DEFAULTS = { angle: Math.PI / 9, condition: 50, rate: 1.96, beta: 0.9, x: -6.05, y: -0.92, steps: 40 };

// Where [x, y] is along and across the ravine.
const turned = ([x, y], angle) =>
  [x * Math.cos(angle) + y * Math.sin(angle), y * Math.cos(angle) - x * Math.sin(angle)];

export function value(w, { angle, condition }) {
  const [along, across] = turned(w, angle);
  return 0.5 * (along ** 2 / condition + across ** 2);
}

export function gradient(w, { angle, condition }) {
  const [along, across] = turned(w, angle);
  return turned([along / condition, across], -angle);
}

// The path from (x, y) and f at each of its points; it ends early where f has grown a millionfold.
export function trajectory(settings, most = MOST) {
  const { method, rate, beta, x, y } = settings;
  const hyper = { learning_rate: rate };
  if (method in MEMORY) hyper[MEMORY[method]] = beta;
  const { init, update } = optimizer(method, hyper);
  let w = [x, y], state = init(w), updates;
  const path = [w], values = [value(w, settings)];
  while (path.length <= most) {
    [updates, state] = update(gradient(w, settings), state, w);
    w = [w[0] + updates[0], w[1] + updates[1]];
    path.push(w);
    values.push(value(w, settings));
    if (!(values.at(-1) <= 1e6 * Math.max(values[0], 1e-12))) return { path, values, diverged: true };
  }
  return { path, values, diverged: false };
}

// How often a step goes across the ravine against the step before it.
export function turns(path, angle) {
  let found = 0, before = 0;
  for (let t = 1; t < path.length; t += 1) {
    const step = turned(path[t], angle)[1] - turned(path[t - 1], angle)[1];
    if (step * before < 0) found += 1;
    before = step;
  }
  return found;
}

// The first step from which f stays within 1 % of the start, or null.
export function arrival(values) {
  let t = values.length;
  while (t > 0 && values[t - 1] <= GOAL * values[0]) t -= 1;
  return t < values.length ? t : null;
}

export function mount(root, data) {
  const { angle, ...defaults } = { ...DEFAULTS, ...data };
  const start = { method: "sgd", ...defaults };
  const state = readAddress(start, allowed);
  let walk, running = 0;

  const set = (change) => { pause(); Object.assign(state, change); look(); remember(); };
  const remember = () => writeAddress(state, start);

  const rate = slider(say("learning rate α", "скорость обучения α"),
    { min: 0.01, max: 100, step: 0.01, value: state.rate, log: true }, (v) => set({ rate: v }));
  const beta = slider("β", { min: 0, max: 0.99, step: 0.01, value: state.beta }, (v) => set({ beta: v }));
  const condition = slider(say("condition number κ", "число обусловленности κ"),
    { min: 1, max: 1000, step: 0.01, value: state.condition, log: true }, (v) => set({ condition: v }));
  const method = choice(say("method", "метод"),
    Object.entries(names).map(([name, { label }]) => [name, say(...label)]),
    state.method, (v) => set({ method: v }));
  const run = button(say("Run", "Пуск"), () => (running ? pause() : go()));
  const step = button(say("One step", "Один шаг"), () => set({ steps: Math.min(state.steps + 1, MOST) }));
  const back = button(say("To the start", "К началу"), () => set({ steps: 0 }));
  const reset = button(say("Reset", "Сброс"), () => {
    set({ ...start });
    for (const [name, control] of Object.entries({ rate, beta, condition, method })) control.set(state[name]);
  });

  const ravine = new Chart({
    title: say("The ravine and the path; the start can be moved", "Овраг и путь; начало можно двигать"),
    width: 380, height: 237, role: "group", style: "cursor: crosshair",
    x: { label: "w₁", min: RANGES.x[0], max: RANGES.x[1] }, y: { label: "w₂", min: RANGES.y[0], max: RANGES.y[1] },
  });
  const curve = new Chart({
    title: say("The value by steps", "Значение по шагам"), width: 300, height: 275,
    x: { label: say("step", "шаг"), min: 0, max: 60 },
    y: { label: say("f / f at the start", "f / f в начале"), min: 1e-3, max: 10, log: true },
  });
  for (const [chart, id] of [[ravine, "clip-ravine"], [curve, "clip-curve"]]) {
    const { left, right, top, bottom } = chart.size;
    chart.element.append(svg("clipPath", { id },
      svg("rect", { x: left, y: top, width: right - left, height: bottom - top })));
    chart.marks.setAttribute("clip-path", `url(#${id})`);
  }
  const numbers = make("p", { class: "numbers" });
  const verdict = make("p", { class: "note", "aria-live": "polite" });

  root.replaceChildren(
    make("div", { class: "controls" }, method.element, rate.element, beta.element, condition.element),
    make("div", { class: "controls" }, run, step, back, reset),
    make("div", { style: "display: flex; flex-wrap: wrap; gap: 1rem; align-items: start" },
      make("div", { style: "flex: 3 1 17rem; min-width: 0" }, ravine.element),
      make("div", { style: "flex: 2 1 14rem; min-width: 0" }, curve.element)),
    numbers, verdict,
    make("p", { class: "remark aside" }, say(
      "Drag the open circle, or choose it with Tab and move it with the arrow keys. The dashed ring is 1% of the value at the start.",
      "Перетащите пустой кружок или выберите его клавишей Tab и двигайте стрелками. Пунктир — 1% от значения в начале.")),
  );

  const handle = ravine.mark("start", "circle", {
    r: 7, fill: "var(--paper)", stroke: "var(--accent)", "stroke-width": 2.5, tabindex: 0, role: "slider",
    "aria-label": say("Start", "Начало"), "aria-valuemin": RANGES.x[0], "aria-valuemax": RANGES.x[1],
    style: "cursor: grab",
  });
  const move = (x, y) => set({ x: between(x, RANGES.x), y: between(y, RANGES.y) });
  handle.addEventListener("keydown", (event) => {
    const far = event.shiftKey ? 1 : 0.1;
    const [dx, dy] = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, far], ArrowDown: [0, -far] }[event.key] ?? [0, 0];
    if (!dx && !dy) return;
    event.preventDefault();
    move(state.x + dx, state.y + dy);
  });
  let dragged = false;
  ravine.element.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    dragged = true;
    ravine.element.setPointerCapture(event.pointerId);
    handle.focus({ preventScroll: true });
    const { x, y } = ravine.at(event);
    move(x, y);
  });
  ravine.element.addEventListener("pointermove", (event) => {
    if (!dragged) return;
    const { x, y } = ravine.at(event);
    move(x, y);
  });
  for (const end of ["pointerup", "pointercancel"])
    ravine.element.addEventListener(end, () => { dragged = false; });

  const shown = () => Math.min(state.steps, walk.path.length - 1);
  const last = () => {
    const arrived = arrival(walk.values);
    return Math.min(walk.path.length - 1, arrived === null ? MOST : Math.max(arrived, 20));
  };

  function go() {
    if (shown() >= last()) state.steps = 0;
    state.steps = shown();
    let next = 0;
    const frame = (now) => {
      if (now >= next) { // some twenty steps a second: slow enough for an eye
        state.steps += 1;
        next = now + 12;
        draw();
      }
      if (shown() >= last()) pause();
      else running = requestAnimationFrame(frame);
    };
    run.textContent = say("Pause", "Пауза");
    running = requestAnimationFrame(frame);
    draw();
  }

  function pause() {
    if (!running) return;
    cancelAnimationFrame(running);
    running = 0;
    run.textContent = say("Run", "Пуск");
    remember();
  }

  // What changes with the settings: the path, the rings, the verdict.
  function look() {
    walk = trajectory({ ...state, angle });
    beta.element.querySelector("input").disabled = !(state.method in MEMORY);
    const unit = ravine.px(1) - ravine.px(0), at = { cx: ravine.px(0), cy: ravine.py(0) };
    const ring = (id, level, look) => ravine.mark(id, "ellipse", {
      ...at, rx: unit * Math.sqrt(2 * level * state.condition), ry: unit * Math.sqrt(2 * level),
      transform: `rotate(${(-180 * angle) / Math.PI} ${at.cx} ${at.cy})`, ...look,
    });
    for (let k = 0; k < 6; k += 1) ring(`ring${k}`, 4 ** (1 - k), { stroke: "var(--muted)", opacity: 0.45 });
    ring("goal", GOAL * walk.values[0], { stroke: "var(--warm)", "stroke-width": 1.6, "stroke-dasharray": "5 4" });
    const arrived = arrival(walk.values);
    verdict.textContent = walk.diverged
      ? say(`Diverges: after ${walk.path.length - 1} steps f is more than a million times what it was. Lower the learning rate.`,
        `Расходится: шагов сделано ${walk.path.length - 1}, а f выросло более чем в миллион раз. Уменьшите скорость обучения.`)
      : arrived === null
        ? say(`In ${MOST} steps f doesn't come to stay within 1% of its value at the start.`, `За ${MOST} шагов f не опускается окончательно ниже 1% от начального значения.`)
        : say(`Within 1% of the value at the start, to stay there, from step ${arrived} on.`, `С шага ${arrived} f остаётся ниже 1% от начального значения.`);
    draw();
  }

  // What changes with the steps shown.
  function draw() {
    const t = shown(), path = walk.path.slice(0, t + 1), values = walk.values.slice(0, t + 1);
    const xs = path.map((w) => w[0]), ys = path.map((w) => w[1]);
    ravine.line("path", xs, ys, { "stroke-width": 1.5 });
    ravine.mark("dots", "path", {
      d: path.map(([x, y]) => `M${ravine.px(x).toFixed(1)} ${ravine.py(y).toFixed(1)}h0`).join(""),
      stroke: "var(--accent)", "stroke-width": 3.5, "stroke-linecap": "round",
    });
    ravine.point("now", xs[t], ys[t], { r: 4, stroke: "var(--paper)" });
    if (ravine.marks.lastChild !== handle) ravine.marks.append(handle); // on top; moving it costs the focus
    handle.setAttribute("cx", ravine.px(state.x));
    handle.setAttribute("cy", ravine.py(state.y));
    handle.setAttribute("aria-valuenow", state.x); // a number, unlike what a reader hears
    handle.setAttribute("aria-valuetext", `w₁ = ${figure(state.x, 3)}, w₂ = ${figure(state.y, 3)}`);
    curve.axes({ max: Math.max(60, t) }, {});
    const { min, max } = curve.ends.x;
    curve.line("goal", [min, max], [GOAL, GOAL], { stroke: "var(--warm)", "stroke-dasharray": "5 4", "stroke-width": 1.6 });
    curve.line("values", values.map((_, i) => i), values.map((v) => v / walk.values[0]), {});
    numbers.textContent = [
      `${say("step", "шаг")} ${t}`, `f = ${figure(values[t], 3)}`,
      `${say("turns across", "поворотов поперёк")}: ${turns(path, angle)}`,
    ].join(" · ");
  }
  look();
}

const between = (v, [low, high]) => Math.round(1000 * Math.min(high, Math.max(low, v))) / 1000;

// Which values of an address a control could have said.
function allowed(told) {
  const within = Object.entries(RANGES).map(([name, [low, high]]) => [name, told[name] >= low && told[name] <= high]);
  return {
    ...Object.fromEntries(within), method: Object.hasOwn(names, told.method),
    steps: Number.isInteger(told.steps) && told.steps >= 0 && told.steps <= MOST,
  };
}
