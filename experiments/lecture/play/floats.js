// The logistic trick under a magnifying glass: every step of both formulas, every digit stored.

import { say, make, slider, choice, button, figure } from "lecture/kit";
import { readAddress, writeAddress } from "lecture/address";

// `told`: decimal digits that tell every number of the format from its neighbours.
export const FORMATS = {
  float16: { exponent: 5, fraction: 10, told: 5 },
  float32: { exponent: 8, fraction: 23, told: 9 },
  float64: { exponent: 11, fraction: 52, told: 17 },
};

// --- Numbers of a format ----------------------------------------------------------------------

// The exponent of the largest power of two in |x|, of normal and subnormal numbers alike.
function exponentOf(x) {
  if (x === 0) return -1074;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const stored = (view.getUint32(0) >>> 20) & 0x7ff;
  return stored === 0 ? exponentOf(x * 2 ** 64) - 64 : stored - 1023;
}

// The number of the format nearest to x, of two equally near the one whose last bit is 0.
export function round(x, format) {
  if (format === "float64" || x === 0 || !isFinite(x)) return x;
  if (format === "float32") return Math.fround(x);
  const { exponent, fraction } = FORMATS[format];
  const bias = 2 ** (exponent - 1) - 1;
  const spacing = 2 ** (Math.max(exponentOf(x), 1 - bias) - fraction);
  const steps = Math.abs(x) / spacing, down = Math.floor(steps), rest = steps - down;
  const near = rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
  const size = near * spacing;
  return Math.sign(x) * (size >= 2 ** (bias + 1) ? Infinity : size);
}

// Sign, exponent and fraction of a number that the format holds, as strings of 0 and 1.
export function bits(x, format) {
  const { exponent, fraction } = FORMATS[format];
  const bias = 2 ** (exponent - 1) - 1, all = 2 ** exponent - 1;
  const sign = x < 0 || Object.is(x, -0) ? "1" : "0";
  let stored = 0, rest = 0;
  if (isNaN(x)) [stored, rest] = [all, 2 ** (fraction - 1)];
  else if (!isFinite(x)) stored = all;
  else if (x !== 0) {
    const power = Math.max(exponentOf(x), 1 - bias);
    // In two steps, since 2 ** 1074 is no number.
    const scaled = Math.abs(x) * 2 ** Math.min(1000, fraction - power) * 2 ** Math.max(0, fraction - power - 1000);
    const normal = scaled >= 2 ** fraction;
    stored = normal ? power + bias : 0;
    rest = scaled - (normal ? 2 ** fraction : 0);
  }
  return [sign, stored.toString(2).padStart(exponent, "0"), rest.toString(2).padStart(fraction, "0")];
}

// |x| as [whole number, power of two], exactly.
function parts(x) {
  const size = Math.abs(x), power = Math.max(exponentOf(size), -1022) - 52;
  const whole = power < -1000 ? size * 2 ** 1000 * 2 ** (-power - 1000) : size * 2 ** -power;
  return [BigInt(whole), power];
}

// Every decimal digit of a number: [sign, digits, power of ten of the first one].
export function digits(x) {
  const sign = x < 0 || Object.is(x, -0) ? "−" : "";
  if (x === 0) return [sign, "0", 0];
  const [whole, power] = parts(x);
  // m 2^-k = m 5^k / 10^k
  const text = String(power >= 0 ? whole << BigInt(power) : whole * 5n ** BigInt(-power));
  return [sign, text.replace(/0+$/, ""), text.length - 1 + Math.min(power, 0)];
}

export function decimal(x) {
  if (!isFinite(x)) return figure(x);
  const [sign, all, power] = digits(x);
  if (power >= 0 && power < 21) {
    const padded = all.padEnd(power + 1, "0");
    return sign + padded.slice(0, power + 1) + (padded.length > power + 1 ? `.${padded.slice(power + 1)}` : "");
  }
  if (power < 0 && power >= -7) return `${sign}0.${"0".repeat(-power - 1)}${all}`;
  const raised = String(power).replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]));
  return `${sign}${all[0]}${all.length > 1 ? `.${all.slice(1)}` : ""}·10${raised}`;
}

// --- Both formulas, one rounding after another --------------------------------------------------

// Each step is {name, value, fault}: what went wrong at this very step, or nothing.
function steps(z, format, list) {
  const at = { z: round(z, format) };
  const first = { name: "z", value: at.z, fault: isFinite(at.z) ? "" : "overflow" };
  return [first, ...list.map(([name, key, exact, fault]) => {
    at[key] = round(exact(at), format);
    return { name, key, value: at[key], fault: fault(at) };
  })];
}

const smallest = (format) => 2 ** (2 - 2 ** (FORMATS[format].exponent - 1));
const range = (format, key, positive, zero = "underflow") => (at) => {
  const size = Math.abs(at[key]);
  if (size === Infinity && isFinite(at.z)) return "overflow";
  if (size === 0 && positive(at)) return zero;
  return size > 0 && size < smallest(format) ? "subnormal" : "";
};

// −ln σ(z) and its slope as written: e, 1 + e, σ, −ln σ, and σ − 1.
export function naive(z, format) {
  const yes = () => true;
  return steps(z, format, [
    ["e = exp(−z)", "e", (at) => Math.exp(-at.z), range(format, "e", (at) => isFinite(at.z))],
    ["1 + e", "sum", (at) => 1 + at.e, (at) => (at.e > 0 && at.sum === 1 ? "absorbed"
      : at.sum === at.e && isFinite(at.e) ? "swallowed" : "")],
    ["σ = 1 / (1 + e)", "p", (at) => 1 / at.sum, range(format, "p", yes)],
    ["−ln σ", "loss", (at) => -Math.log(at.p), (at) => ({ [Infinity]: "died", 0: "zero" })[at.loss] ?? ""],
    ["σ − 1", "slope", (at) => at.p - 1, (at) => (at.slope === 0 ? "cancelled" : "")],
  ]);
}

// The same by the trick: nothing is exponentiated that is above 0.
export function stable(z, format) {
  return steps(z, format, [
    ["e = exp(−|z|)", "e", (at) => Math.exp(-Math.abs(at.z)), range(format, "e", (at) => isFinite(at.z), "below")],
    ["ln(1 + e)", "tail", (at) => Math.log1p(at.e), range(format, "tail", (at) => at.e > 0, "below")],
    ["max(−z, 0)", "line", (at) => (at.z < 0 ? -at.z : 0), () => ""],
    ["max(−z, 0) + ln(1 + e)", "loss", (at) => at.line + at.tail, () => ""],
    ["−σ(−z)", "slope", (at) => -(at.z < 0 ? 1 : at.e) / round(1 + at.e, format),
      range(format, "slope", (at) => at.e > 0, "below")],
  ]);
}

// --- The exact answer ---------------------------------------------------------------------------

const FARTHEST = 900; // z whose exponential has digits in so many binary places
const PLACES = 1400n, ONE = 1n << PLACES;

function fixed(x) {
  const [whole, power] = parts(x);
  return (x < 0 ? -whole : whole) * 2n ** (PLACES + BigInt(power));
}

// exp(−|z|) with 1400 binary places: a series of a small part of z, squared again and again.
function exponential(z) {
  const halvings = 16n;
  const part = fixed(Math.abs(z)) >> halvings;
  let sum = ONE, term = ONE;
  for (let k = 1n; term !== 0n; k += 1n) {
    term = -((term * part) >> PLACES) / k;
    sum += term;
  }
  for (let k = 0n; k < halvings; k += 1n) sum = (sum * sum) >> PLACES;
  return sum;
}

// {loss, slope} of −ln σ(z), in units of 2^−1400; nothing beyond what float64 can tell apart.
export function exact(z) {
  if (!isFinite(z) || Math.abs(z) > FARTHEST) return null;
  const e = exponential(z), ratio = (e << PLACES) / (2n * ONE + e), square = (ratio * ratio) >> PLACES;
  let sum = 0n, power = ratio;
  for (let k = 1n; power !== 0n; k += 2n) {
    sum += power / k;
    power = (power * square) >> PLACES;
  }
  const loss = 2n * sum + (z < 0 ? fixed(-z) : 0n);
  return { loss, slope: -((z < 0 ? ONE : e) << PLACES) / (ONE + e) };
}

// |found − truth| in units of the last place that the format has for the truth.
export function ulps(found, truth, format) {
  if (!isFinite(found)) return isNaN(found) ? NaN : Infinity;
  const { exponent, fraction } = FORMATS[format];
  const size = truth < 0n ? -truth : truth;
  const power = size.toString(2).length - 1 - Number(PLACES);
  const place = Math.max(power, 2 - 2 ** (exponent - 1)) - fraction;
  const off = (found === 0 ? 0n : fixed(found)) - truth;
  return Number(((off < 0n ? -off : off) << 20n) >> (PLACES + BigInt(place))) / 2 ** 20;
}

// --- The page -----------------------------------------------------------------------------------

// The number that a text says, or null: nothing but a finite number is one.
export function read(text) {
  const plain = text.trim().replace("−", "-").replace(",", ".");
  if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(plain)) return null;
  return isFinite(Number(plain)) ? Number(plain) : null;
}

const faults = () => ({
  overflow: say("overflow: too large for the format", "переполнение: формат не вмещает"),
  underflow: say("underflow: rounded to 0", "исчезновение порядка: округлено до 0"),
  below: say("nearer to 0 than to any number: 0 is right", "ближе к 0, чем к любому числу: 0 и есть ответ"),
  subnormal: say("subnormal: bits are lost", "субнормальное: биты потеряны"),
  absorbed: say("absorbed: e left no trace beside 1", "поглощение: рядом с 1 от e нет следа"),
  swallowed: say("absorbed: the 1 left no trace beside e", "поглощение: рядом с e от 1 нет следа"),
  died: say("ln 0 = −∞: the loss is lost", "ln 0 = −∞: потери не вычислить"),
  zero: say("0, as if the model were certain", "0, будто модель уверена полностью"),
  cancelled: say("cancelled: no slope is left", "взаимное уничтожение: наклона не осталось"),
});
const HARMLESS = ["swallowed", "subnormal", "below"];

// A step's place on the page, made once; `show` fills it.
function card(format) {
  const short = make("strong"), mark = make("span"), rest = make("span"), all = make("details");
  const every = make("summary", { style: "margin: 0" }), long = make("div"), bit = ["muted", "accent", "ink"].map((color) =>
    make("span", { style: `color: var(--${color}); overflow-wrap: anywhere; margin-right: 0.5em` }));
  all.append(every, long);
  const name = make("span", { style: "color: var(--muted)" });
  const small = "font: 0.85rem ui-monospace, 'DejaVu Sans Mono', monospace; overflow-wrap: anywhere";
  const number = make("div", { style: small }, rest, all);
  const element = make("div", { class: "step", style: "padding: 0.1rem 0 0.1rem 0.6rem; margin: 0.5rem 0; border-left: 3px solid var(--rule)" },
    make("div", {}, name, " = ", short, " ", mark), number, make("div", { style: small }, ...bit));
  const show = (step) => {
    const bad = step.fault && !HARMLESS.includes(step.fault);
    element.style.borderColor = bad ? "var(--warm)" : "var(--rule)";
    element.dataset.fault = step.fault;
    name.textContent = step.name;
    short.textContent = figure(step.value, FORMATS[format()].told);
    mark.textContent = step.fault ? `← ${faults()[step.fault]}` : "";
    mark.style.color = bad ? "var(--warm)" : "var(--muted)";
    const text = decimal(step.value), many = text.length > 60;
    all.hidden = !many;
    rest.textContent = many ? "" : text;
    const count = isFinite(step.value) ? digits(step.value)[1].length : 0;
    every.textContent = many ? `${text.slice(0, 22)}… (${count} ${say("digits", "цифр")})` : "";
    long.textContent = many ? text : "";
    bits(step.value, format()).forEach((part, i) => { bit[i].textContent = part; });
  };
  return { element, show };
}

const LIMIT = 7.3777;  // sinh of it is 800
const told = (z) => String(z).replace("-", "−");

export function mount(root, data) {
  const defaults = { z: data.z ?? -20, format: data.format ?? "float32" };
  const state = readAddress(defaults, ({ format }) => ({ format: Object.hasOwn(FORMATS, format) }));

  const note = make("p", { class: "note", role: "status", style: "margin: 0 0 0.4rem" });
  const text = make("input", { type: "text", inputmode: "text", size: "9", autocomplete: "off", spellcheck: "false" });
  const slide = slider(say("or move it", "или сдвиньте"), { min: -LIMIT, max: LIMIT, step: LIMIT / 500, value: 0,
    shown: () => "" }, (p) => go({ z: Number(Math.sinh(p).toPrecision(3)) }));
  const formats = choice(say("format", "формат"), Object.keys(FORMATS).map((key) => [key, key]), state.format,
    (format) => go({ format }));
  const tries = (data.tries ?? []).map((z) => {
    const made = button(told(z), () => go({ z }));
    made.setAttribute("aria-label", `z = ${told(z)}`);
    return made;
  });
  text.addEventListener("input", () => {
    const z = read(text.value);
    if (z !== null) go({ z }, false);
    else tell(say("This is not a finite number: try −20 or 1e-3.", "Это не конечное число: попробуйте −20 или 1e-3."), true);
  });
  text.addEventListener("change", () => { if (read(text.value) === null) go({}); });

  const columns = [naive, stable].map((formula) => {
    const cards = formula(0, "float64").slice(1).map(() => card(() => state.format));
    return { formula, cards };
  });
  const held = card(() => state.format);
  const titles = [say("As written", "Как написано"), say("The trick", "Трюк")];
  const panes = columns.map(({ cards }, i) => make("section", {}, make("h3", { style: "margin: 0" }, titles[i]),
    ...cards.map((one) => one.element)));
  const body = make("tbody");
  const tight = "padding: 0.3rem 0.45rem";
  const cell = () => make("td", { class: "n", style: tight });
  const table = Object.fromEntries(Object.keys(FORMATS).map((format) => {
    const cells = Array.from({ length: 4 }, cell);
    body.append(make("tr", {}, make("th", { scope: "row", style: tight }, format), ...cells));
    return [format, cells];
  }));
  const heads = ["−ln σ(z)", say("as written", "как написано"), "ulp", say("the trick", "трюк"), "ulp"];
  const summary = make("table", { style: "margin: 0 0 0.6rem; font-size: 0.85rem", "aria-label": say("−ln σ(z) in each format", "−ln σ(z) в каждом формате") },
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col", class: "n", style: tight }, head)))), body);

  root.replaceChildren(
    make("div", { class: "controls" }, make("label", {}, "z =", text), slide.element, formats.element, ...tries),
    note, make("div", { class: "panes" }, summary, held.element), make("div", { class: "panes" }, ...panes));

  function go(change, write = true) {
    Object.assign(state, change);
    if (write) text.value = told(state.z);
    slide.set(Math.max(-LIMIT, Math.min(LIMIT, Math.asinh(state.z))));
    formats.set(state.format);
    writeAddress(state, defaults);
    draw();
  }

  function tell(what, wrong = false) {
    note.textContent = what;
    note.style.color = wrong ? "" : "inherit";
    text.setAttribute("aria-invalid", String(wrong));
  }

  function draw() {
    for (const { formula, cards } of columns) {
      const [z, ...rest] = formula(state.z, state.format);
      rest.forEach((step, i) => cards[i].show(step));
      held.show({ ...z, name: say("z as stored", "z в памяти") });
    }
    for (const [format, cells] of Object.entries(table)) {
      const truth = exact(round(state.z, format));
      [naive, stable].forEach((formula, i) => {
        const loss = formula(state.z, format).find((step) => step.key === "loss").value;
        const off = truth && ulps(loss, truth.loss, format);
        cells[2 * i].textContent = figure(loss, 6);
        cells[2 * i + 1].textContent = off === null ? say("not computed", "не считаются") : figure(off, 3);
        const bad = off > 2 || Number.isNaN(off);
        for (const one of cells.slice(2 * i, 2 * i + 2)) one.style.color = bad ? "var(--warm)" : "";
      });
    }
    const stored = round(state.z, state.format);
    if (exact(stored) === null) {
      tell(isFinite(stored)
        ? say(`Beyond |z| = ${FARTHEST} errors in ulps aren't computed.`, `При |z| больше ${FARTHEST} ошибки в ulp не считаются.`)
        : say(`z itself overflows in ${state.format}: there is nothing to compare with.`, `Само z не помещается в ${state.format}: сравнивать не с чем.`));
      return;
    }
    const [one, two] = [1, 3].map((i) => table[state.format][i].textContent);
    tell(say(`In ${state.format}: as written ${one} ulps off, by the trick ${two}.`,
      `${state.format}: как написано — ошибка ${one} ulp, с трюком — ${two}.`));
  }

  go({});
}
