// Slides, films, and the choice of light or dark. Without this file the pages are still whole.

const root = document.documentElement;
const say = (english, russian) => (root.lang === "ru" ? russian : english);

function themes() {
  document.getElementById("theme").addEventListener("click", () => {
    const dark = getComputedStyle(root).colorScheme === "dark" ||
      (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.theme = root.dataset.theme; } catch { /* a private window keeps nothing */ }
  });
}

// A film shows one frame; a slider chooses it.
function films() {
  for (const film of document.querySelectorAll("figure.film")) {
    const frames = [...film.querySelectorAll(".frame")];
    const label = document.createElement("label");
    label.className = "frames";
    const slider = Object.assign(document.createElement("input"), {
      type: "range", min: 1, max: frames.length, value: frames.length,
    });
    const place = document.createElement("output");
    label.append(say("Step", "Шаг"), " ", slider, " ", place);
    const show = () => {
      frames.forEach((frame, i) => frame.classList.toggle("shown", i === slider.value - 1));
      place.textContent = `${slider.value} / ${frames.length}`;
    };
    slider.addEventListener("input", show);
    film.insertBefore(label, film.querySelector("figcaption"));
    film.classList.add("live");
    show();
  }
}

// ?slides: one section a screen; arrow keys, space and taps go on, Escape leaves.
function slides() {
  if (!new URLSearchParams(location.search).has("slides")) return;
  root.classList.add("slides");
  const whole = document.querySelector("main > section");
  const first = document.createElement("section");
  first.append(...[...whole.children].filter((part) => part.tagName !== "SECTION"));
  whole.prepend(first);
  const all = [...whole.children];
  const counter = document.createElement("p");
  counter.className = "counter";
  const keys = document.createElement("nav");
  keys.className = "keys";
  keys.setAttribute("aria-label", say("Slides", "Слайды"));
  const button = (sign, name, move) => {
    const made = Object.assign(document.createElement("button"), { type: "button", textContent: sign });
    made.setAttribute("aria-label", name);
    made.addEventListener("click", move);
    return made;
  };
  let now = 0;
  const go = (place) => {
    now = Math.max(0, Math.min(all.length - 1, place));
    all.forEach((slide, i) => { slide.hidden = i !== now; });
    counter.textContent = `${now + 1} / ${all.length}`;
    history.replaceState(null, "", `?slides=${now + 1}${location.hash}`);
    scrollTo(0, 0);
    fit(all[now]);
    dispatchEvent(new Event("resize"));
  };
  const leave = () => { location.search = ""; };
  keys.append(
    button("←", say("Back", "Назад"), () => go(now - 1)), counter,
    button("→", say("On", "Вперёд"), () => go(now + 1)),
    button("×", say("Leave the slides", "Выйти из слайдов"), leave),
  );
  document.body.append(keys);
  addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea, button, [role=slider]")) return;
    if (["ArrowRight", "PageDown", " "].includes(event.key)) go(now + 1);
    else if (["ArrowLeft", "PageUp"].includes(event.key)) go(now - 1);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(all.length - 1);
    else if (event.key === "Escape") leave();
    else return;
    event.preventDefault();
  });
  addEventListener("load", () => go((Number(new URLSearchParams(location.search).get("slides")) || 1) - 1));
}

// As large as the screen allows, and no smaller than a text that one can read from the last row.
function fit(slide) {
  for (let size = 30; size >= 17; size -= 1) {
    slide.style.fontSize = `${size}px`;
    if (slide.scrollHeight <= innerHeight - 60) return;
  }
}

addEventListener("DOMContentLoaded", () => { themes(); films(); slides(); });
