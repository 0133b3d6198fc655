"""Any pytree of params as one vector, and back."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr import data
from jaxlr.pytypes import Array, Params


def ravel(params: Params) -> tuple[Array, Callable[[Array], Params]]:
    """All numbers of params as x [D] in their widest dtype, and the function from x to params.

    Raises:
      TypeError: a leaf is not float32 or float64.
      ValueError: params holds no number.
    """
    params = data.as_arrays("params", params)
    leaves, structure = jax.tree.flatten(params)
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        if jnp.result_type(leaf) not in (jnp.float32, jnp.float64):
            raise TypeError(
                f"params{jax.tree_util.keystr(path)} has dtype {jnp.result_type(leaf)}, too "
                "coarse for a line search: cast it to float32 or float64."
            )
    if not sum(np.size(leaf) for leaf in leaves):
        raise ValueError("params holds no number: there is nothing to minimise over.")
    shapes = [np.shape(leaf) for leaf in leaves]
    dtypes = [jnp.result_type(leaf) for leaf in leaves]
    widest = max(dtypes, key=lambda dtype: dtype.itemsize)
    ends = np.cumsum([np.size(leaf) for leaf in leaves])[:-1]

    def unravel(x):
        parts = jnp.split(x, ends)
        parts = zip(parts, shapes, dtypes, strict=True)
        return structure.unflatten([part.reshape(s).astype(d) for part, s, d in parts])

    return jnp.concatenate([jnp.ravel(leaf).astype(widest) for leaf in leaves]), unravel
