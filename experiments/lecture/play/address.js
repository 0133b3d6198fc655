// The state that an address says, where no control could have said otherwise; and the address
// without what it had wrong.

import { readAddress as read, writeAddress as write } from "lecture/kit";

// `right(told)` says of each name whether its value may stand; a default takes the others' place.
export function readAddress(defaults, right) {
  if (!location.hash.startsWith("#play:")) return { ...defaults };
  const state = read(defaults), told = new URLSearchParams(location.hash.slice(6));
  for (const [name, value] of Object.entries(defaults)) // a blank is no 0
    if (typeof value === "number" && !told.get(name)?.trim()) state[name] = value;
  for (const [name, fine] of Object.entries(right(state))) if (!fine) state[name] = defaults[name];
  writeAddress(state, defaults);
  return state;
}

// A place on the page that the address names stays while there is nothing else to say.
export function writeAddress(state, defaults) {
  const said = Object.keys(defaults).some((name) => state[name] !== defaults[name]);
  if (said || !location.hash || location.hash.startsWith("#play:")) write(state, defaults);
}
