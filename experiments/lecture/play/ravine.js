// The ravine to walk down: a long, narrow parabola, an optimizer, and the path that it takes.

export function mount(root) { root.textContent = "…"; }
