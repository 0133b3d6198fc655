"""What separates labels: a linear programme of the margins of all rows and rivals at once."""

import numpy as np
import scipy.optimize
import scipy.sparse


def inseparable(rows):
    """The rows and rivals that no direction separates while it wrongs none; None if unclear."""
    margins, pairs = _margins(rows)
    count, size = margins.shape
    gain = np.r_[np.zeros(size), -np.ones(count)]
    system = scipy.sparse.hstack([-margins, scipy.sparse.eye(count)]).tocsr()
    bounds = [(None, None)] * size + [(0, 1)] * count
    solved = scipy.optimize.linprog(gain, system, np.zeros(count), bounds=bounds, method="highs")
    if solved.x is None:
        return None
    d, apart = solved.x[:size], solved.x[size:] > 0.5
    if not apart.any():
        return rows
    if np.any(~apart):  # what is about 0 is made 0
        dense = margins[~apart].toarray()
        d = d - np.linalg.lstsq(dense, dense @ d, rcond=1e-12)[0]
    left = margins @ d
    if left.min() < -1e-9 * np.abs(left).max() or left[apart].min() < 1e-6:
        return None
    rivals = rows.rivals.copy()
    if rows.kind == "softmax":
        rivals[pairs[0][apart], pairs[1][apart]] = False
        keep = rivals.sum(axis=1) > 1
    else:
        keep = np.ones(len(rows.s), bool)
        keep[pairs[0][apart]] = False
    return rows._replace(
        x=rows.x[keep], labels=rows.labels[keep], s=rows.s[keep], rivals=rivals[keep]
    )


def _margins(rows):
    """A sparse [M, P C] of margins that separation wants >= 0, and (row, rival) of each."""
    n, num_outputs = rows.rivals.shape
    if rows.kind == "log_loss":
        up, down = np.flatnonzero(rows.labels > 0), np.flatnonzero(rows.labels < 1)
        at = np.r_[up, down]
        sign = np.repeat([1.0, -1.0], [len(up), len(down)])
        return scipy.sparse.csr_array(rows.x[at] * sign[:, None]), (at, None)
    others = rows.rivals.copy()
    others[np.arange(n), rows.labels] = False
    at, rival = np.nonzero(others)
    out = np.zeros((len(at), rows.x.shape[1], num_outputs))
    each = np.arange(len(at))
    out[each, :, rows.labels[at]] = rows.x[at]
    out[each, :, rival] = -rows.x[at]
    return scipy.sparse.csr_array(out.reshape(len(at), -1)), (at, rival)
