// Points of two classes, or scores of two, from a table in text: columns apart by commas, semicolons
// or tabs, with a line of names or without one. Whatever the table has wrong becomes a note, which `told` words.

import { say } from "lecture/kit";

const MOST_CLASSES = 20; // a column with more is a measurement
const LARGEST = 1e30; // beyond it nothing is measured, and squares overflow
const CLASS_NAMES = /^(class|label|target|species|diagnosis|outcome|category|y_?true|truth|класс|метка|диагноз|вид)$/i;
const WEAK_CLASS = /^y$/i; // a class, or the second coordinate
const SCORE_NAMES = /^(scores?|prob|probability|proba|p|y_?(score|prob|proba)|оценка|вероятность)$/i;
const INDEX_NAMES = /^(|id|index|no|row|unnamed: 0|№|номер|индекс)$/i;
const NUMERAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const NO_VALUE = /^(|\?|na|nan|null|none|n\/a)$/i;

// The text of a file, which is UTF-8 or else Windows-1251, as Russian spreadsheets save it:
// {text, notes}.
export async function textOf(file) {
  const bytes = await file.arrayBuffer();
  try { return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), notes: [] }; } catch {
    return { text: new TextDecoder("windows-1251").decode(bytes), notes: [{ what: "encoding" }] };
  }
}

// The table's rows and what each column holds, or {refused}.
function table(text) {
  const { rows, decimalComma } = split(text);
  const value = (cell) => number(cell, decimalComma);
  if (!rows.length) return { refused: { what: "empty" } };
  const headed = rows[0].cells.every((cell) => isNaN(value(cell)));
  const names = rows[0].cells.map((cell, j) => (headed && cell.trim()) || `${j + 1}`);
  const heads = headed ? rows.shift().cells.map((cell) => cell.trim()) : names.map(() => null);
  if (!rows.length) return { refused: { what: "empty" } };
  const cells = (row, j) => (row.cells[j] ?? "").trim();
  const columns = names.map((_, j) => {
    const full = rows.map((row) => cells(row, j)).filter((cell) => !NO_VALUE.test(cell));
    const numbers = full.map(value).filter((one) => !isNaN(one));
    const numeric = 2 * numbers.length > full.length;
    const distinct = new Set(numeric ? numbers : full).size;
    const whole = numeric && numbers.every(Number.isInteger) && distinct === numbers.length;
    const counted = whole && numbers.length > 2 && numbers.every((one, i) => !i || one === numbers[i - 1] + 1);
    // What has no name of a class must come back: a class that every other row has for itself is none.
    const few = distinct <= Math.min(MOST_CLASSES, Math.max(3, full.length / 2));
    return { j, numeric, distinct, whole, counted, few, repeats: distinct < full.length };
  });
  const called = (j, some) => heads[j] !== null && some.test(heads[j]);
  // A row's class, the same for 1, 1.0 and "1"; null where a column of numbers has a text.
  const kind = (row, j) => {
    const cell = cells(row, j), one = value(cell);
    return isNaN(one) ? (columns[j].numeric ? null : cell) : String(one);
  };
  const indexed = ({ j, counted }) => called(j, INDEX_NAMES) || counted;
  return { rows, value, cells, names, columns, called, kind, indexed };
}

// {x1, x2, labels (0 or 1), names: [of x1, of x2, of the class], classes: [of 0, of 1], notes}, or
// {refused: note} where the table has no such points.
export function read(text) {
  const { refused, rows, value, cells, names, columns, called, kind: kindOf, indexed } = table(text);
  if (refused) return { refused };
  const last = columns.length - 1, words = columns.filter(({ numeric, distinct }) => !numeric && distinct);
  const weak = columns.find(({ j, few }) => called(j, WEAK_CLASS) && few);
  const plane = columns.some(({ j }) => called(j, /^x$/i)); // y is a coordinate there
  const kind = [
    columns.find(({ j, distinct }) => called(j, CLASS_NAMES) && distinct <= MOST_CLASSES),
    words.findLast(({ few, distinct }) => few && distinct > 1),
    !plane && weak,
    words.findLast(({ few }) => few),
    columns[last].few && columns[last].distinct && columns[last],
    weak,
    columns[0].few && columns[0].repeats && columns[0].distinct > 1 && columns[0],
    columns.find(({ j }) => called(j, CLASS_NAMES)), words.at(-1), columns[last],
  ].find(Boolean).j;
  const measured = columns.filter(({ j, numeric }) => j !== kind && numeric);
  const features = [...measured.filter((one) => !indexed(one)), ...measured.filter(indexed)].map(({ j }) => j).slice(0, 2);
  if (features.length < 2) return { refused: { what: "columns", count: features.length } };

  const [first, second] = features.sort((a, b) => a - b);
  const found = { x1: [], x2: [], kinds: [] };
  const wrong = { missing: { count: 0 }, text: { count: 0 } };
  for (const row of rows) {
    const told = [first, second, kind].map((j) => cells(row, j));
    const values = [value(told[0]), value(told[1])], own = kindOf(row, kind);
    const missing = told.some((cell) => NO_VALUE.test(cell));
    const bad = missing ? -1 : [...values, own === null ? NaN : 0].findIndex(isNaN);
    if (missing || bad >= 0) {
      const counted = wrong[missing ? "missing" : "text"];
      if (!counted.count) Object.assign(counted, { line: row.line, cell: told[bad] });
      counted.count += 1;
      continue;
    }
    const huge = values.findIndex((one) => Math.abs(one) > LARGEST);
    if (huge >= 0) return { refused: { what: "huge", name: names[features[huge]], line: row.line, cell: told[huge], most: LARGEST } };
    found.x1.push(values[0]);
    found.x2.push(values[1]);
    found.kinds.push(own);
  }

  const notes = Object.entries(wrong).filter(([, { count }]) => count)
    .map(([what, counted]) => ({ what, ...counted }));
  const kinds = [...new Set(found.kinds)].sort(order);
  if (!kinds.length) return { refused: { what: "nothing", ...notes[0] && { why: notes[0] } } };
  if (kinds.length === 1) return { refused: { what: "one", kind: kinds[0] } };
  if (kinds.length > MOST_CLASSES || !(columns[kind].few || called(kind, CLASS_NAMES)))
    return { refused: { what: "measured", name: names[kind], count: kinds.length } };
  const one = kinds.at(-1);
  if (kinds.length > 2) notes.push({ what: "many", count: kinds.length, kind: one });
  if (columns.length > 3 || kind !== last) notes.push({ what: "chosen", names: [names[first], names[second], names[kind]] });
  for (const [values, j] of [[found.x1, first], [found.x2, second]])
    if (lopsided(values)) notes.push({ what: "far", name: names[j] });
  return {
    x1: found.x1, x2: found.x2, labels: found.kinds.map((k) => Number(k === one)),
    names: [names[first], names[second], names[kind]],
    classes: [kinds.length > 2 ? say("the others", "остальные") : kinds[0], one], notes,
  };
}

// Whether a few of the values are so far out that all others fall together on a screen.
function lopsided(values) {
  const sorted = Float64Array.from(values).sort();
  const cut = Math.max(1, Math.floor(values.length / 100));
  const most = sorted.at(-1 - cut) - sorted[cut];
  return most > 0 && sorted.at(-1) - sorted[0] > 1e4 * most;
}

// Labels and scores from a table: {labels (0 or 1), scores, names: [of the label, of the score],
// classes: [of 0, of 1], notes}, or {refused: note}.
export function scored(text) {
  const { refused, rows, value, cells, names, columns, called, kind: kindOf, indexed } = table(text);
  if (refused) return { refused };
  const named = (some, fits) => columns.find((column) => called(column.j, some) && fits(column));
  const two = ({ distinct }) => distinct === 1 || distinct === 2;
  const says = ({ j }) => called(j, SCORE_NAMES);
  const label = named(CLASS_NAMES, two) ?? named(WEAK_CLASS, two) ??
    columns.find((column) => !says(column) && column.distinct === 2 && column.repeats) ??
    columns.find((column) => !says(column) && two(column)) ?? columns.find(two);
  const numbers = columns.filter((column) => column !== label && column.numeric);
  const score = numbers.find(says) ?? numbers.find((column) => !indexed(column) && !column.whole) ??
    numbers.find((column) => !indexed(column)) ?? numbers[0];
  if (label?.distinct === 1) return { refused: { what: "one", kind: rows.map((row) => kindOf(row, label.j)).find((own) => own && !NO_VALUE.test(own)) } };
  if (!label || !score) return { refused: { what: "pair" } };
  const found = { kinds: [], scores: [] };
  const wrong = { missing: { count: 0 }, text: { count: 0 } };
  for (const row of rows) {
    const told = [label.j, score.j].map((j) => cells(row, j)), own = kindOf(row, label.j), given = value(told[1]);
    const fault = told.some((cell) => NO_VALUE.test(cell)) ? wrong.missing : own === null || isNaN(given) ? wrong.text : null;
    if (fault) {
      if (!fault.count) Object.assign(fault, { line: row.line, cell: told[own === null ? 0 : 1] });
      fault.count += 1;
      continue;
    }
    if (Math.abs(given) > LARGEST) return { refused: { what: "huge", name: names[score.j], line: row.line, cell: told[1], most: LARGEST } };
    found.kinds.push(own);
    found.scores.push(given);
  }
  const notes = Object.entries(wrong).filter(([, { count }]) => count).map(([what, counted]) => ({ what, ...counted }));
  const classes = [...new Set(found.kinds)].sort(order);
  if (!classes.length) return { refused: { what: "nothing", ...notes[0] && { why: notes[0] } } };
  if (classes.length === 1) return { refused: { what: "one", kind: classes[0] } };
  if (classes.length > 2) return { refused: { what: "pair" } };
  const chosen = [names[label.j], names[score.j]];
  if (columns.length > 2) notes.push({ what: "chosen", names: chosen });
  return { labels: found.kinds.map((own) => classes.indexOf(own)), scores: found.scores, names: chosen, classes, notes };
}

// A note as one sentence in the page's language.
export function told({ what, count, line, cell, kind, name, names, most, why }) {
  return {
    empty: () => say("The file has no rows.", "В файле нет строк."),
    columns: () => say(
      `A table needs two columns of numbers and one of classes; here ${count} hold numbers.`,
      `Нужны два столбца чисел и столбец классов; столбцов с числами здесь ${count}.`),
    nothing: () => say("No row is left to learn from.", "Не осталось ни одной годной строки.") +
      (why ? ` ${told(why)}` : ""),
    one: () => say(
      `All rows are of one class, ${kind}: two are needed.`,
      `Все строки одного класса, ${kind}: нужны два.`),
    measured: () => say(
      `Column ${name} has ${count} different values: that is no column of classes.`,
      `В столбце ${name} разных значений ${count}: это не классы.`),
    many: () => say(
      `${count} classes: taken as ${kind} against the others.`,
      `Классов ${count}: взят класс ${kind} против остальных.`),
    missing: () => say(
      `Rows left out for a missing cell: ${count}, the first on line ${line}.`,
      `Пропущено строк с пустой ячейкой: ${count}, первая — строка ${line}.`),
    text: () => say(
      `Rows left out for text where a number belongs: ${count}, the first on line ${line} (${cut(cell)}).`,
      `Пропущено строк с текстом вместо числа: ${count}, первая — строка ${line} («${cut(cell)}»).`),
    pair: () => say(
      "Two columns are needed: one of two classes, and one of scores, which are numbers.",
      "Нужны два столбца: с двумя классами и с оценками, то есть числами."),
    huge: () => say(
      `Column ${name} has ${cut(cell)} on line ${line}: numbers beyond ±${most} are refused.`,
      `В столбце ${name} на строке ${line} стоит ${cut(cell)}: числа больше ±${most} не принимаются.`),
    far: () => say(
      `In column ${name} a few numbers are so far out that the others fall together.`,
      `В столбце ${name} несколько чисел так далеки, что остальные сливаются.`),
    encoding: () => say("Read as Windows-1251, since it isn't UTF-8.", "Прочитан как Windows-1251: это не UTF-8."),
    chosen: () => say(
      `Taken of the columns: ${names.join(", ")}.`, `Взяты столбцы: ${names.join(", ")}.`),
  }[what]();
}

const cut = (cell) => (cell.length > 20 ? `${cell.slice(0, 19)}…` : cell);

// Numbers by size, before words by letter.
function order(a, b) {
  const [p, q] = [Number(a), Number(b)];
  if (!isNaN(p) && !isNaN(q)) return p - q;
  return a < b ? -1 : Number(a > b);
}

// NaN unless the cell is a finite number.
export function number(cell, decimalComma) {
  let text = cell.trim().replace("−", "-");
  if (decimalComma) text = text.replace(",", ".");
  return NUMERAL.test(text) && isFinite(text) ? Number(text) : NaN;
}

// The rows that hold something, each with its line. Quotes keep separators and line ends; where
// commas don't separate, they may stand for the decimal point.
export function split(text) {
  const whole = text.replace(/^\uFEFF/, "");
  const bare = whole.slice(0, 10000).replace(/"[^"]*"/g, "").split(/\r?\n|\r/).find((line) => line.trim()) ?? "";
  const mark = ["\t", ";"].find((one) => bare.includes(one)) ?? ",";
  const rows = [];
  let cells = [], cell = "", quoted = false, line = 1, first = 1;
  const end = () => {
    cells.push(cell);
    if (cells.some((c) => c.trim() !== "")) rows.push({ cells, line: first });
    cells = [];
    cell = "";
  };
  for (let i = 0; i < whole.length; i += 1) {
    const c = whole[i];
    if (c === "\n" || (c === "\r" && whole[i + 1] !== "\n")) line += 1;
    if (quoted) {
      if (c !== '"') cell += c;
      else if (whole[i + 1] === '"') { cell += c; i += 1; }
      else quoted = false;
    } else if (c === '"' && cell.trim() === "") { quoted = true; cell = ""; }
    else if (c === mark) { cells.push(cell); cell = ""; }
    else if (c === "\n" || c === "\r") {
      if (c === "\r" && whole[i + 1] === "\n") continue;
      end();
      first = line;
    } else cell += c;
  }
  end();
  return { rows, decimalComma: mark !== "," };
}
