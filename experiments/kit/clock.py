"""Where a command's time goes, as parts that add up to the wall clock."""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

# Where spans lie within each other, the first of these has the time; the rest is "running".
# JAX tells of a trace, a lowering or a compilation when it ends, and how long it took.
PARTS = ("compiling", "tracing", "importing", "reading", "drawing")
TRACED = "/jax/core/compile/jaxpr_trace_duration"
LOWERED = "/jax/core/compile/jaxpr_to_mlir_module_duration"
COMPILED = "/jax/core/compile/backend_compile_duration"
JAX = {COMPILED: "compiling", LOWERED: "tracing", TRACED: "tracing"}


class Clock:
    """The spans of one command.

    `with clock.part("reading"):` marks one of PARTS; what JAX traces and compiles while `listening`
    is marked by itself.

    Args:
      started: a reading of `time.perf_counter`; None: now.
    """

    def __init__(self, started: float | None = None):
        self.started = time.perf_counter() if started is None else started
        self.spans: dict[str, list[Sequence[float]]] = {name: [] for name in PARTS}
        self._bar, self._shown = None, -math.inf

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Marks the block as this part."""
        span = [time.perf_counter(), math.inf]
        self.spans[name].append(span)
        try:
            yield
        finally:
            span[1] = time.perf_counter()

    @contextmanager
    def listening(self) -> Iterator["Clock"]:
        """Marks what JAX traces and compiles meanwhile."""
        from jax import monitoring

        monitoring.register_event_duration_secs_listener(self._heard)
        try:
            yield self
        finally:
            with suppress(ValueError):  # a caller has cleared all listeners
                monitoring.unregister_event_duration_listener(self._heard)

    @contextmanager
    def bar(self, total: int, unit: str) -> Iterator:
        """A progress bar that says "compiling" while XLA does."""
        from tqdm import tqdm

        with tqdm(total=total, unit=f" {unit}") as self._bar:
            try:
                yield self._bar
            finally:
                self._bar = None

    def parts(self) -> dict[str, float]:
        """Seconds of each part until now; their sum is the time since the start."""
        now = time.perf_counter()
        spans, told, covered = [], {}, 0.0
        for name in PARTS:
            spans = spans + [(start, min(end, now)) for start, end in self.spans[name]]
            told[name] = length(spans) - covered
            covered += told[name]
        told["running"] = now - self.started - covered
        order = ("importing", "reading", "tracing", "compiling", "running", "drawing")
        return {name: told[name] for name in order}

    def summary(self) -> dict:
        """What a summary says of the time until now."""
        parts = self.parts()
        return {
            "compile_seconds": parts["tracing"] + parts["compiling"],
            "run_seconds": parts["running"],
            "seconds": parts,
        }

    def __str__(self):
        parts = self.parts()
        each = ", ".join(f"{name} {seconds:.1f}" for name, seconds in parts.items())
        return f"{sum(parts.values()):.1f} s: {each}"

    def _heard(self, event: str, seconds: float, **_) -> None:
        if event not in JAX:
            return
        now = time.perf_counter()
        self.spans[JAX[event]].append((max(now - seconds, self.started), now))
        if self._bar is not None and event != TRACED:  # a trace may be all that was asked for
            self._bar.set_description_str("compiling" if event == LOWERED else "", False)
            if now - self._shown > self._bar.mininterval:
                self._shown = now
                self._bar.refresh()


def length(spans: Sequence[Sequence[float]]) -> float:
    """Seconds that at least one of the spans covers."""
    covered, end = 0.0, -math.inf
    for start, stop in sorted(spans):
        covered += max(stop - max(start, end), 0.0)
        end = max(end, stop)
    return covered
