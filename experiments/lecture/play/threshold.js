// One slider, the threshold, and all that hangs on it: ROC, precision against recall, the four
// counts, and what the errors cost.

import { scored, textOf, told } from "lecture/csv";
import { readAddress, writeAddress } from "lecture/address";
import { Chart, button, figure, make, say, slider, svg } from "lecture/kit";

const DEFAULTS = { threshold: "0.5", alarm: 10, miss: 1 };
const BINS = 25;
const HEIGHT = 196;
const DEAREST = 1e9;
const LARGEST = 50e6; // bytes of a file
const DRAWN = 1500; // vertices of a curve that an eye can tell apart

// The counts at every threshold, from the one that flags nothing, down. Equal scores are flagged
// together. `labels` are 0 or 1, and there is one of each.
export function curve(labels, scores) {
  const order = scores.map((_, row) => row).sort((a, b) => scores[b] - scores[a]);
  const thresholds = [Infinity], fp = [0], tp = [0];
  let wrong = 0, right = 0;
  order.forEach((row, place) => {
    if (labels[row] === 1) right += 1; else wrong += 1;
    const next = order[place + 1];
    if (next !== undefined && scores[next] === scores[row]) return;
    thresholds.push(scores[row]);
    fp.push(wrong);
    tp.push(right);
  });
  return rates({ thresholds, fp, tp, tn: fp.map((n) => wrong - n), fn: tp.map((n) => right - n) });
}

function rates(counts) {
  const { tn, fp, fn, tp } = counts;
  const each = (formula) => tp.map((_, k) => formula(tn[k], fp[k], fn[k], tp[k]));
  return {
    ...counts,
    fpr: each((n, a, m, p) => a / (n + a)),
    recall: each((n, a, m, p) => p / (p + m)),
    // Where nothing is flagged precision is 0/0; the curve begins at 1 by convention.
    precision: each((n, a, m, p) => (p + a === 0 ? 1 : p / (p + a))),
    specificity: each((n, a, m, p) => n / (n + a)),
    accuracy: each((n, a, m, p) => (p + n) / (n + a + m + p)),
    f1: each((n, a, m, p) => 2 * p / (2 * p + a + m)),
  };
}

// Under the points (x, y), by trapezoids: a tie's diagonal cuts its cells in half.
export function area(xs, ys) {
  let sum = 0;
  for (let k = 1; k < xs.length; k += 1) sum += (xs[k] - xs[k - 1]) * (ys[k] + ys[k - 1]) / 2;
  return sum;
}

// Precision at every threshold, weighted with the recall that the threshold adds.
export function averagePrecision(precision, recall) {
  let sum = 0;
  for (let k = 1; k < recall.length; k += 1) sum += (recall[k] - recall[k - 1]) * precision[k];
  return sum;
}

// What the errors cost at every threshold, and which is the cheapest (the highest of equals).
export function costs({ fp, fn }, alarm, miss) {
  const all = fp.map((count, k) => alarm * count + miss * fn[k]);
  return { all, best: all.reduce((best, cost, k) => (cost < all[best] ? k : best), 0) };
}

// The place in the curve of a threshold: all that score at least as much are flagged.
export function place({ thresholds }, threshold) {
  if (threshold === "none") return 0;
  const value = Number(threshold);
  let [low, high] = [0, thresholds.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (thresholds[middle] >= value) low = middle; else high = middle - 1;
  }
  return low;
}

// The shares of each class in equal bins over the scores.
export function histogram(labels, scores, { min, max }) {
  const shares = [new Array(BINS).fill(0), new Array(BINS).fill(0)];
  const sizes = [0, 0];
  labels.forEach((label) => { sizes[label] += 1; });
  labels.forEach((label, row) => {
    const bin = Math.min(BINS - 1, Math.floor((scores[row] - min) / (max - min) * BINS));
    shares[label][bin] += 1 / sizes[label];
  });
  return shares;
}

export function mount(root, data) {
  const state = readAddress(DEFAULTS, (told) => ({
    threshold: wellFormed(told.threshold), alarm: priced(told.alarm), miss: priced(told.miss),
  }));
  const picture = new Picture(root, state);
  picture.home = [data.labels, data.scores, [say("honest", "обычное"), say("spam", "спам")]];
  picture.use(...picture.home);
  return picture;
}

const priced = (cost) => cost >= 0 && cost <= DEAREST;
const wellFormed = (text) => text === "none" || (text.trim() !== "" && isFinite(text));

class Picture {
  constructor(root, state) {
    this.root = root;
    this.state = state;
    this.note = make("p", { class: "note", role: "status" });
    this.told = make("p", { "aria-live": "polite" });
    this.taken = make("p", { "aria-live": "polite", class: "remark", "data-told": "file" });
    this.threshold = slider(say("Threshold", "Порог"), { min: 0, max: 1, step: 1, value: 0, shown: (v) => this.shown(v) },
      (value) => this.move(this.last - value));
    this.input = this.threshold.element.querySelector("input");
    this.threshold.element.style.flex = "1 1 20rem";
    this.input.style.flex = "1 1 6rem";
    const prices = [
      ["alarm", say("A false alarm costs", "Цена ложной тревоги")],
      ["miss", say("A miss costs", "Цена пропуска")],
    ].map(([name, label]) => this.priced(name, label));
    this.cheapest = button(say("Cheapest threshold", "Самый дешёвый порог"), () => this.move(this.cost.best));
    root.append(
      make("div", { class: "controls" }, this.threshold.element, ...prices, this.cheapest, this.note),
      this.told, this.charts());
  }

  priced(name, label) {
    const input = make("input", { type: "number", min: "0", step: "any", value: String(this.state[name]), style: "width: 5.5em" });
    input.addEventListener("input", () => {
      const value = Number(input.value);
      const fine = input.value !== "" && priced(value);
      this.note.textContent = fine ? "" : say(
        `A cost lies between 0 and ${DEAREST}; the last one is kept.`, `Цена — число от 0 до ${DEAREST}; пока действует прежняя.`);
      if (!fine) return;
      this.state[name] = value;
      this.weigh();
      this.move(this.at);
    });
    return make("label", {}, label, input);
  }

  charts() {
    const unit = { min: 0, max: 1 };
    const share = say("of its class", "доля своего класса");
    this.bins = new Chart({ height: HEIGHT, title: say("Scores of both classes", "Оценки обоих классов"), x: { ...unit, label: say("score", "оценка") }, y: { min: -1, max: 1 } });
    this.roc = new Chart({ height: HEIGHT, title: say("ROC curve", "ROC-кривая"), x: { ...unit, label: say("false positive rate", "доля ложных срабатываний") }, y: unit });
    this.pr = new Chart({ height: HEIGHT, title: say("Precision against recall", "Точность и полнота"), x: { ...unit, label: say("recall", "полнота") }, y: unit });
    this.bill = new Chart({ height: HEIGHT, title: say("Cost at every threshold", "Цена при каждом пороге"), x: { ...unit, label: say("threshold", "порог") }, y: { min: 0, max: 1 } });
    const { left, right, top, bottom } = this.bill.size;
    this.bill.element.prepend(svg("clipPath", { id: "threshold-bill" }, svg("rect", { x: left, y: top, width: right - left, height: bottom - top })));
    this.heads = [0, 1, 2, 3].map(() => make("p", { style: "margin: 0.2em 0" }));
    this.share = share;
    const panes = [this.bins, this.roc, this.pr, this.bill].map((chart, i) => make("div", {}, this.heads[i], chart.element));
    for (const chart of [this.bins, this.bill]) this.dragged(chart, ({ x }) => place(this.curve, x));
    this.dragged(this.roc, (at) => this.nearest(this.curve.fpr, this.curve.recall, at));
    this.dragged(this.pr, (at) => this.nearest(this.curve.recall, this.curve.precision, at));
    this.counts = make("div");
    this.tables = make("div", {}, this.counts, ...this.files());
    const [bins, roc, pr, bill] = panes;
    return make("div", { class: "panes" }, make("div", {}, bins, bill), this.tables, make("div", {}, roc, pr));
  }

  // One's own rows, from a file chosen or dropped.
  files() {
    const open = async (file) => {
      if (!file) return;
      if (file.size > LARGEST) {
        this.note.textContent = say("The file is larger than 50 MB and wasn't read.", "Файл больше 50 МБ, он не прочитан.");
        return;
      }
      let found;
      try {
        const { text, notes } = await textOf(file);
        found = scored(text);
        found.notes?.unshift(...notes);
      } catch {
        this.note.textContent = `${file.name}: ${say("The file can't be read.", "Файл не читается.")}`;
        return;
      }
      if (found.refused) {
        this.note.textContent = `${file.name}: ${told(found.refused)} ${say("All stays as it was.", "Всё осталось прежним.")}`;
        return;
      }
      this.use(found.labels, found.scores, found.classes);
      back.disabled = false;
      const rows = say(`${this.rows} rows; positive: ${found.classes[1]}.`, `строк: ${this.rows}; положительный класс: ${found.classes[1]}.`);
      this.note.textContent = "";
      this.taken.textContent = [
        `${file.name}: ${rows}`, ...found.notes.map(told), say("A link doesn't carry the file's rows.", "Строки из файла в ссылку не входят."),
      ].join(" ");
    };
    const input = make("input", {
      type: "file", accept: ".csv,.tsv,.txt,text/csv", hidden: true,
      on: { change: () => { open(input.files[0]); input.value = ""; } },
    });
    for (const name of ["dragover", "drop"]) {
      this.root.addEventListener(name, (event) => {
        event.preventDefault();
        if (name === "drop") open(event.dataTransfer.files[0]);
      });
    }
    const back = button(say("The letters again", "Вернуть письма"), () => {
      this.use(...this.home);
      back.disabled = true;
      this.note.textContent = this.taken.textContent = "";
    });
    back.disabled = true;
    const own = button(say("Own file: label, score (CSV)…", "Свой файл: метка, оценка (CSV)…"), () => input.click());
    return [make("div", { class: "controls", style: "margin-top: 0.8rem" }, own, back, input), this.taken];
  }

  // A pointer on a chart moves the threshold; up and down still scrolls a phone.
  dragged(chart, found) {
    chart.element.style.touchAction = "pan-y";
    chart.element.style.cursor = "pointer";
    const heard = (event) => { if (event.buttons & 1) this.move(found(chart.at(event))); };
    chart.element.addEventListener("pointerdown", (event) => {
      chart.element.setPointerCapture(event.pointerId);
      heard(event);
    });
    chart.element.addEventListener("pointermove", heard);
  }

  nearest(xs, ys, { x, y }) {
    let best = 0, least = Infinity;
    for (let k = 0; k < xs.length; k += 1) {
      const apart = (xs[k] - x) ** 2 + (ys[k] - y) ** 2;
      if (apart < least) [best, least] = [k, apart];
    }
    return best;
  }

  // The rows that everything is drawn of; `names` of class 0 and class 1.
  use(labels, scores, names) {
    this.rows = labels.length;
    this.names = names;
    this.curve = curve(labels, scores);
    this.last = this.curve.thresholds.length - 1;
    const [low, high] = [this.curve.thresholds[this.last], this.curve.thresholds[1]];
    this.likeChances = low >= 0 && high <= 1;
    const room = Math.max((high - low) / 20, 1e-6 * Math.max(Math.abs(low), Math.abs(high))) || 0.05;
    this.ends = this.likeChances ? { min: 0, max: 1 } : { min: low - room, max: high + room };
    this.input.max = String(this.last);
    this.lay(labels, scores);
    this.weigh();
    this.show(place(this.curve, this.state.threshold));
  }

  // What doesn't depend on the threshold.
  lay(labels, scores) {
    const { curve: { fpr, recall, precision } } = this;
    const shares = histogram(labels, scores, this.ends);
    const most = Math.max(...shares[0], ...shares[1]);
    this.bins.axes(this.ends, { min: -most, max: most });
    for (const tick of this.bins.frame.querySelectorAll("text[text-anchor=end]"))
      tick.textContent = tick.textContent.replace("−", ""); // downwards is no less than nothing
    for (const label of [0, 1]) {
      const colour = label ? "var(--accent)" : "var(--muted)";
      shares[label].forEach((share, bin) => {
        const wide = (this.ends.max - this.ends.min) / BINS, left = this.ends.min + bin * wide;
        const [top, bottom] = [this.bins.py(label ? share : 0), this.bins.py(label ? 0 : -share)];
        const x = this.bins.px(left);
        const height = share ? Math.max(1, bottom - top) : 0;
        this.bins.mark(`bin${label}-${bin}`, "rect", { x: x + 0.5, y: top, height, width: this.bins.px(left + wide) - x - 1, fill: colour });
      });
    }
    this.heads[0].replaceChildren(
      make("strong", { style: "color: var(--accent)" }, `↑ ${this.names[1]}`), ", ",
      make("strong", { style: "color: var(--muted)" }, `↓ ${this.names[0]}`), `: ${this.share}`);
    this.heads[1].replaceChildren(make("strong", {}, "ROC"), `, AUC ${figure(area(fpr, recall))}; ↑ ${say("recall", "полнота")}`);
    this.heads[2].replaceChildren(make("strong", {}, say("Precision ↑", "Точность ↑")),
      `; ${say("average", "средняя")} ${figure(averagePrecision(precision, recall))}`);
    this.roc.line("chance", [0, 1], [0, 1], { stroke: "var(--muted)", "stroke-width": 1, "stroke-dasharray": "4 4" });
    this.roc.line("curve", thinned(fpr), thinned(recall));
    this.pr.line("curve", thinned(recall), thinned(precision));
  }

  // What depends on the costs.
  weigh() {
    const { alarm, miss } = this.state;
    this.cost = costs(this.curve, alarm, miss);
    const [ends, least] = [[0, this.last].map((k) => this.cost.all[k]), this.cost.all[this.cost.best]];
    const high = Math.max(...ends) || 1;
    const top = Math.max(2.5 * least, 1.2 * Math.min(...ends), high / 20);
    this.bill.axes(this.ends, { min: 0, max: Math.min(top, 1.05 * high) });
    this.x = this.curve.thresholds.map((t, k) => (k ? t : this.ends.max));
    const most = this.bill.ends.y.max;
    this.bill.line("curve", thinned(this.x), thinned(this.cost.all), { "clip-path": "url(#threshold-bill)" });
    const dearest = Math.max(...thinned(this.cost.all));
    const rule = alarm / (alarm + miss);
    if (this.likeChances && isFinite(rule)) {
      this.bill.line("rule", [rule, rule], [0, most], { stroke: "var(--muted)", "stroke-dasharray": "2 4" });
    } else this.bill.remove("rule");
    this.bill.point("best", this.x[this.cost.best], this.cost.all[this.cost.best], { r: 7, fill: "none", stroke: "var(--accent)", "stroke-width": 2.5 });
    this.heads[3].replaceChildren(make("strong", {}, say("Cost ↑", "Цена ↑")),
      say(`; ring: cheapest, ${figure(this.cost.all[this.cost.best])}`, `; кружок: дешевле всего, ${figure(this.cost.all[this.cost.best])}`),
      dearest > most ? say(`; up to ${figure(dearest)} above the frame`, `; выше рамки — до ${figure(dearest)}`) : "",
      this.likeChances ? say("; dotted: if scores were exact", "; пунктир: если верить оценкам") : "");
  }

  // The threshold asked for where no row has that score: what stands in `state` and on the axis.
  between(k) {
    const value = Number(this.state.threshold), { min, max } = this.ends;
    return value > min && value < max && place(this.curve, value) === k ? value : null;
  }

  shown(value) {
    const k = (this.last ?? 0) - value;
    if (this.curve && this.between(k) !== null) return figure(this.between(k));
    return k <= 0 || !this.curve ? say("above all", "выше всех") : figure(this.curve.thresholds[k]);
  }

  move(k) {
    this.state.threshold = k ? String(this.curve.thresholds[k]) : "none";
    this.show(k);
    writeAddress(this.state, DEFAULTS);
  }

  // What depends on the threshold.
  show(k) {
    this.at = k;
    this.threshold.set(this.last - k);
    const now = Object.fromEntries(Object.entries(this.curve).map(([name, values]) => [name, values[k]]));
    const x = this.between(k) ?? this.x[k], cost = this.cost.all[k], dashes = { stroke: "var(--warm)" };
    this.bins.line("here", [x, x], [this.bins.ends.y.min, this.bins.ends.y.max], dashes);
    this.roc.point("here", now.fpr, now.recall);
    this.pr.point("here", now.recall, now.precision);
    this.bill.line("at", [x, x], [0, this.bill.ends.y.max], dashes);
    this.bill.point("here", x, Math.min(cost, this.bill.ends.y.max));
    this.table(now, cost);
    const flagged = now.fp + now.tp;
    const parts = flagged ? figure(now.precision) : "0/0";
    this.told.textContent = say(
      `${flagged} of ${this.rows} flagged; precision ${parts}, recall ${figure(now.recall)}, cost ${figure(cost)}.`,
      `Отмечено ${flagged} из ${this.rows}; точность ${parts}, полнота ${figure(now.recall)}, цена ${figure(cost)}.`);
  }

  table(now, cost) {
    const rows = [["tn", "fp"], ["fn", "tp"]].map((kinds, truth) => make("tr", {},
      make("th", { scope: "row" }, this.names[truth]),
      ...kinds.map((kind, said) => make("td", { style: shade(truth === said, now[kind] / (now[kinds[0]] + now[kinds[1]])) },
        make("strong", {}, String(now[kind])), ` ${kind.toUpperCase()}`))));
    const columns = this.names.map((name) => make("th", { scope: "col" }, `→ ${name}`));
    const flagged = now.fp + now.tp;
    const metrics = [
      [say("accuracy", "доля верных ответов"), now.accuracy],
      [say("precision", "точность"), flagged ? now.precision : NaN],
      [say("recall", "полнота"), now.recall],
      [say("specificity", "специфичность"), now.specificity],
      ["F1", now.f1],
      [say("cost", "цена"), cost],
    ].map(([name, value]) => make("tr", {}, make("th", { scope: "row" }, name),
      make("td", { class: "n" }, isNaN(value) ? "0/0" : figure(value))));
    const wide = "display: table; width: 100%";
    this.counts.replaceChildren(
      make("table", { style: wide }, make("caption", {}, say("Rows: the truth. Columns: the answer.", "Строки — истина, столбцы — ответ.")),
        make("thead", {}, make("tr", {}, make("td"), ...columns)), make("tbody", {}, ...rows)),
      make("table", { style: wide }, make("tbody", {}, ...metrics)));
  }
}

const shade = (right, share) =>
  `background: color-mix(in srgb, var(${right ? "--accent" : "--warm"}) ${Math.round(8 + 24 * share)}%, transparent)`;

// At most DRAWN of the values, both ends among them.
function thinned(values) {
  if (values.length <= DRAWN) return values;
  const step = (values.length - 1) / (DRAWN - 1);
  return Array.from({ length: DRAWN }, (_, i) => values[Math.round(i * step)]);
}
