// The state of a picture in the page's address, after #play: — a link brings the same picture back.

// `defaults` gives names and kinds, and `right(state)` says of each name whether its value may
// stand; a default takes the others' place, here and in the address.
export function readAddress(defaults, right) {
  const state = { ...defaults };
  if (!location.hash.startsWith("#play:")) return state;
  const told = new URLSearchParams(location.hash.slice("#play:".length));
  for (const [name, value] of Object.entries(defaults)) {
    const text = told.get(name);
    if (text === null) continue;
    if (typeof value === "number") { if (text.trim() && isFinite(text)) state[name] = Number(text); }
    else if (typeof value === "boolean") state[name] = text === "true";
    else state[name] = text;
  }
  for (const [name, fine] of Object.entries(right(state))) if (!fine) state[name] = defaults[name];
  writeAddress(state, defaults);
  return state;
}

// Browsers allow some hundred changes of the address in half a minute, so a slider's come bundled.
// A place on the page that the address names stays while there is nothing else to say.
export function writeAddress(state, defaults) {
  const told = new URLSearchParams();
  for (const [name, value] of Object.entries(state))
    if (name in defaults && value !== defaults[name]) told.set(name, String(value));
  if (!told.size && location.hash && !location.hash.startsWith("#play:")) return;
  const hash = told.size ? `#play:${told}` : "";
  address.next = () => history.replaceState(null, "", location.pathname + location.search + hash);
  if (address.waits) return;
  address.next();
  address.next = null;
  address.waits = setTimeout(() => { address.waits = 0; address.next?.(); address.next = null; }, 300);
}

const address = { waits: 0, next: null };

// What waits is written at once for whoever is about to read the address.
addEventListener("address", () => { address.next?.(); address.next = null; });

// Our own changes are not heard here, so this is another link, opened in the same window.
addEventListener("hashchange", () => {
  if (!location.hash.startsWith("#play:")) return;
  address.next = null;
  location.reload();
});
