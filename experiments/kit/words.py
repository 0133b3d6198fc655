"""Numbers as a person reads them."""

import math

NAMES = {
    "best": "best mean",
    "learning_rate": "learning rate",
    "batch_size": "batch size",
    "log_loss": "log-loss",
    "squared_error": "squared error",
}
KINDS = {
    "binary": "logistic regressions",
    "multiclass": "softmax regressions",
    "regression": "linear regressions",
}
UNITS = {"log_loss": "nats", "squared_error": "standardised"}
MINUS = "\N{MINUS SIGN}"


def name(key: str) -> str:
    """What a column or setting is called in prose."""
    return NAMES.get(key, key.replace("_", " "))


def loss(key: str) -> str:
    """A loss and its unit, for an axis."""
    return f"{name(key)} ({UNITS[key]})"


def number(value, digits: int = 3) -> str:
    """`digits` significant digits, never more zeros than digits: 0.00123, 4.5e-6, 12,345."""
    value = float(value)
    if not math.isfinite(value):
        return "none" if math.isnan(value) else ("∞" if value > 0 else f"{MINUS}∞")
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    power = int(exponent)
    if not -4 <= power < 6:
        return f"{mantissa}e{int(exponent)}"
    return f"{value:,.{max(0, digits - 1 - power)}f}"


def tidy(value) -> str:
    """A setting as one would type it: no trailing zeros."""
    mantissa, *exponent = number(value).split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return "e".join([mantissa, *exponent])


def amount(value) -> str:
    """A count, or a sum of weights: whole, or to three digits."""
    return f"{value:,.0f}" if value == round(value) else number(value)


def percent(share, places: int = 1) -> str:
    """A share as 97.2%."""
    return f"{100 * float(share):.{places}f}%"


def seconds(value) -> str:
    """A time, its unit on the same line."""
    return f"{value:.1f}\N{NO-BREAK SPACE}s"


def interval(low, high, form=number) -> str:
    """Low to high."""
    return f"{form(low)} to {form(high)}"


def span(low, high, form=number) -> str:
    """Where values lie: low to high, or the one that both are."""
    return " to ".join(dict.fromkeys((form(low), form(high))))


def places(error) -> int:
    """Decimals that show two digits of a standard error, at most 6."""
    if not math.isfinite(error) or error <= 0:
        return 4
    return int(min(6, max(0, 1 - math.floor(math.log10(error)))))


def plus_minus(mean, error, decimals: int | None = None) -> str:
    """Mean ± standard error, with as many decimals as the error deserves."""
    if not math.isfinite(mean) or abs(mean) >= 1e5:
        return number(mean)
    decimals = places(error) if decimals is None else decimals
    spread = f" ± {error:.{decimals}f}" if math.isfinite(error) else ""
    return f"{mean:.{decimals}f}{spread}"


def count(amount, noun: str, plural: str | None = None) -> str:
    """1 fold, 5 folds, 1,280 lanes."""
    amount = round(float(amount), 2)
    text = f"{amount:,.0f}" if amount == int(amount) else f"{amount:,}"
    return f"{text} {noun if amount == 1 else plural or noun + 's'}"


def listed(parts) -> str:
    """One, two and three."""
    parts = list(parts)
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def tally(counts: dict) -> str:
    """3 solved and 1,200 stalled."""
    return listed(f"{number:,} {name}" for name, number in counts.items())


def setting(value) -> str:
    """The value of an option."""
    if value is None or value in ((), []):
        return "not given"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(setting, value))
    return tidy(value) if isinstance(value, float) else str(value)


def clipped(text: str, most: int) -> str:
    """The text, cut to `most` characters with an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + "…"


def lines(head, rows, texts: int = 0) -> list[str]:
    """A table as plain text: the first `texts` columns align left, the others right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    ends = "<" * texts + ">" * (len(widths) - texts)
    return [
        "  ".join(
            f"{cell:{end}{width}}" for cell, end, width in zip(row, ends, widths, strict=True)
        ).rstrip()
        for row in [head, ["-" * width for width in widths], *rows]
    ]
