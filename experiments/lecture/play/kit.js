// What the pictures to play with share: two languages, controls, a chart.

export const say = (english, russian) =>
  document.documentElement.lang === "ru" ? russian : english;

// An element with attributes and children; `on` holds listeners.
export function make(tag, attributes = {}, ...children) {
  const { on = {}, ...rest } = attributes;
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(rest)) {
    if (name in made && typeof value !== "string") made[name] = value;
    else made.setAttribute(name, value);
  }
  for (const [name, heard] of Object.entries(on)) made.addEventListener(name, heard);
  made.append(...children);
  return made;
}

export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// A number as one reads it: four significant digits, powers of ten where they are far off.
export function figure(value, digits = 4) {
  if (!isFinite(value)) return isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e6)
    ? value.toExponential(digits - 1) : String(Number(value.toPrecision(digits)));
  return text.replaceAll("-", "−");
}

// Labelled controls. Each is {element, set(value)}; `heard(value)` is called by the user's hand only.
export function slider(label, { min, max, step, value, log = false, shown = figure }, heard) {
  const [into, out] = log ? [Math.log10, (p) => Number((10 ** p).toPrecision(4))] : [(v) => v, Number];
  const input = make("input", { type: "range", min: String(into(min)), max: String(into(max)), step: String(step) });
  const output = make("output");
  const tell = (v) => { output.textContent = shown(v); input.setAttribute("aria-valuetext", shown(v)); };
  input.addEventListener("input", () => { const v = out(Number(input.value)); tell(v); heard(v); });
  const set = (v) => { input.value = String(into(v)); tell(v); };
  set(value);
  return { element: make("label", {}, label, input, output), set };
}

export function choice(label, options, value, heard) {
  const input = make("select", { on: { change: () => heard(input.value) } },
    ...options.map(([key, name]) => make("option", { value: key }, name)));
  const set = (v) => { input.value = v; };
  set(value);
  return { element: make("label", {}, label, input), set };
}

export function button(label, heard) {
  return make("button", { type: "button", on: { click: heard } }, label);
}

// A chart in SVG: linear or logarithmic axes, lines and points in the page's colours.
// new Chart({title, x: {label, min, max, log, ticks}, y: {…}}), ticks where round numbers won't do; then .axes(x, y), .line(id, xs, ys, attributes).
export class Chart {
  constructor({ title, width = 340, height = 250, x, y, ...attributes }) {
    this.size = { left: 46, right: width - 10, top: 10, bottom: height - 38 };
    this.element = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title, ...attributes });
    this.frame = svg("g");
    this.marks = svg("g", { fill: "none", "stroke-linejoin": "round" });
    this.element.append(this.frame, this.marks);
    this.named = new Map();
    this.axes(x, y);
  }

  axes(x, y) {
    this.ends = { x: { ...this.ends?.x, ...x }, y: { ...this.ends?.y, ...y } };
    const { left, right, top, bottom } = this.size;
    this.frame.replaceChildren(
      svg("path", { d: `M${left} ${top}V${bottom}H${right}`, fill: "none", stroke: "var(--muted)" }));
    for (const [axis, ends] of Object.entries(this.ends)) {
      for (const tick of ends.ticks ?? ticks(ends)) {
        const [px, py] = axis === "x" ? [this.px(tick), bottom] : [left, this.py(tick)];
        const [line, dx, dy, anchor] = axis === "x"
          ? [`M${px} ${top}V${bottom}`, 0, 15, "middle"] : [`M${left} ${py}H${right}`, -5, 4, "end"];
        const text = svg("text", { x: px + dx, y: py + dy, "text-anchor": anchor });
        text.textContent = figure(tick, 3);
        this.frame.append(svg("path", { d: line, stroke: "var(--rule)" }), text);
      }
    }
    const under = svg("text", { x: (left + right) / 2, y: bottom + 32, "text-anchor": "middle" });
    under.textContent = this.ends.x.label ?? "";
    const above = svg("text", { x: left + 5, y: top + 8 });
    above.textContent = this.ends.y.label ?? "";
    this.frame.append(under, above);
  }

  px(value) { return this.size.left + (this.size.right - this.size.left) * part(value, this.ends.x); }
  py(value) { return this.size.bottom - (this.size.bottom - this.size.top) * part(value, this.ends.y); }
  // The numbers under a pointer event.
  at(event) {
    const box = this.element.getBoundingClientRect();
    const scale = this.element.viewBox.baseVal.width / box.width;
    const { left, right, top, bottom } = this.size;
    return {
      x: whole((scale * (event.clientX - box.left) - left) / (right - left), this.ends.x),
      y: whole((bottom - scale * (event.clientY - box.top)) / (bottom - top), this.ends.y),
    };
  }

  // The mark called `id`, made once and then only moved.
  mark(id, tag, attributes) {
    if (!this.named.has(id)) {
      this.named.set(id, svg(tag));
      this.marks.append(this.named.get(id));
    }
    const made = this.named.get(id);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  }

  line(id, xs, ys, attributes = {}) {
    let d = "", pen = false;
    xs.forEach((x, i) => {
      const drawn = isFinite(this.px(x)) && isFinite(this.py(ys[i]));
      if (drawn) d += `${pen ? "L" : "M"}${this.px(x).toFixed(2)} ${this.py(ys[i]).toFixed(2)}`;
      pen = drawn;
    });
    return this.mark(id, "path", { d, stroke: "var(--accent)", "stroke-width": 2, ...attributes });
  }

  point(id, x, y, attributes = {}) {
    return this.mark(id, "circle", { cx: this.px(x), cy: this.py(y), r: 5, fill: "var(--warm)", ...attributes });
  }

  remove(id) { this.named.get(id)?.remove(); this.named.delete(id); }
}

function part(value, { min, max, log }) {
  return log ? Math.log(value / min) / Math.log(max / min) : (value - min) / (max - min);
}

function whole(share, { min, max, log }) {
  return log ? min * (max / min) ** share : min + share * (max - min);
}

// Round numbers between the ends: powers of ten, or steps of 1, 2 or 5.
export function ticks({ min, max, log }, most = 6) {
  if (log) {
    const first = Math.ceil(Math.log10(min) - 1e-9), last = Math.floor(Math.log10(max) + 1e-9);
    const every = Math.max(1, Math.ceil((last - first + 1) / most));
    return Array.from({ length: Math.floor((last - first) / every) + 1 }, (_, i) => 10 ** (first + every * i));
  }
  const rough = (max - min) / most, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((s) => s * power >= rough) * power;
  const first = Math.ceil(min / step - 1e-9);
  const found = [];
  for (let i = first; i * step <= max + 1e-9 * step; i += 1) found.push(Number((i * step).toPrecision(12)));
  return found;
}
