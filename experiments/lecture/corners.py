"""The loss of a probability that is certain, by the formula as it stands and by jaxlr."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr import losses

CORNERS = ((0, 0), (1, 1), (1, 0), (0, 1))  # (y, ŷ), in the lecture's order
COLUMNS = ("y", "p", "log_p", "log_q", "first", "second", "sum", "slope", "loss", "right_slope")


def as_written(p, y):
    """The sum y ln ŷ + (1 - y) ln(1 - ŷ) as it stands: 0 · ln 0 is NaN."""
    return y * jnp.log(p) + (1 - y) * jnp.log(1 - p)


def table() -> dict:
    """A row for each corner: the terms, their sum and its slope in ŷ; jaxlr's loss and slope."""
    y, p = (jnp.array(column, jnp.float32) for column in zip(*CORNERS, strict=True))
    rows = np.array(_columns(y, p), float).T.tolist()
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    return {"corners": rows, "dead": sum(bool(np.isnan(row["sum"])) for row in rows)}


@jax.jit
def _columns(y, p):
    log_p, log_q = jnp.log(p), jnp.log(1 - p)
    written = jax.vmap(jax.value_and_grad(as_written))(p, y)
    ours = jax.vmap(jax.value_and_grad(losses.log_loss_from_probability))(p, y)
    return [y, p, log_p, log_q, y * log_p, (1 - y) * log_q, *written, *ours]
