// Points of two classes from a table in text: columns apart by commas, semicolons or tabs, with a
// line of names or without one. Whatever the table has wrong becomes a note, which `told` words.

import { say } from "lecture/kit";

const MOST_CLASSES = 20; // a column with more is a measurement
const CLASS_NAMES = /^(class|label|target|species|diagnosis|outcome|y|класс|метка|диагноз)$/i;
const NUMERAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const NO_VALUE = /^(|\?|na|nan|null|none|n\/a)$/i;

// {x1, x2, labels (0 or 1), names: [of x1, of x2, of the class], classes: [of 0, of 1], notes}, or
// {refused: note} where the table has no such points.
export function read(text) {
  const { rows, decimalComma } = split(text);
  const value = (cell) => number(cell, decimalComma);
  const cells = (row, j) => (row.cells[j] ?? "").trim();
  if (!rows.length) return { refused: { what: "empty" } };
  const width = rows[0].cells.length;
  const headed = rows[0].cells.every((cell) => isNaN(value(cell)));
  const names = rows[0].cells.map((cell, j) => (headed && cell.trim()) || `${j + 1}`);
  if (headed) rows.shift();
  if (!rows.length) return { refused: { what: "empty" } };

  const some = rows.slice(0, 1000);
  const numeric = names.map((_, j) => {
    const told = some.map((row) => cells(row, j)).filter((cell) => !NO_VALUE.test(cell));
    return told.length > 0 && 2 * told.filter((cell) => !isNaN(value(cell))).length > told.length;
  });
  let kind = names.findIndex((name) => headed && CLASS_NAMES.test(name));
  if (kind < 0) kind = numeric.lastIndexOf(false);
  if (kind < 0) kind = width - 1;
  const features = names.map((_, j) => j).filter((j) => j !== kind && numeric[j]).slice(0, 2);
  if (features.length < 2) return { refused: { what: "columns", count: features.length } };

  const [first, second] = features;
  const found = { x1: [], x2: [], kinds: [] };
  const wrong = { missing: { count: 0 }, text: { count: 0 } };
  for (const row of rows) {
    const told = [first, second, kind].map((j) => cells(row, j));
    const values = [value(told[0]), value(told[1])];
    const missing = told.some((cell) => NO_VALUE.test(cell));
    const bad = missing ? -1 : values.findIndex(isNaN);
    if (missing || bad >= 0) {
      const counted = wrong[missing ? "missing" : "text"];
      if (!counted.count) Object.assign(counted, { line: row.line, cell: told[bad] });
      counted.count += 1;
      continue;
    }
    found.x1.push(values[0]);
    found.x2.push(values[1]);
    found.kinds.push(isNaN(value(told[2])) ? told[2] : String(value(told[2])));
  }

  const notes = Object.entries(wrong).filter(([, { count }]) => count)
    .map(([what, counted]) => ({ what, ...counted }));
  const kinds = [...new Set(found.kinds)].sort(order);
  if (!kinds.length) return { refused: { what: "nothing", ...notes[0] && { why: notes[0] } } };
  if (kinds.length === 1) return { refused: { what: "one", kind: kinds[0] } };
  if (kinds.length > MOST_CLASSES) return { refused: { what: "measured", name: names[kind], count: kinds.length } };
  const one = kinds.at(-1);
  if (kinds.length > 2) notes.push({ what: "many", count: kinds.length, kind: one });
  if (width > 3) notes.push({ what: "chosen", names: [names[first], names[second], names[kind]] });
  return {
    x1: found.x1, x2: found.x2, labels: found.kinds.map((k) => Number(k === one)),
    names: [names[first], names[second], names[kind]],
    classes: [kinds.length > 2 ? say("the others", "остальные") : kinds[0], one], notes,
  };
}

// A note as one sentence in the page's language.
export function told({ what, count, line, cell, kind, name, names, why }) {
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
