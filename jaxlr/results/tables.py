"""Columns as a pandas table, where there is pandas."""

import numpy as np


def table(columns: dict[str, np.ndarray]):
    """A pandas.DataFrame of the columns.

    Raises:
      ImportError: pandas isn't installed.
    """
    try:
        import pandas as pd
    except ImportError:
        raise ImportError("frame() needs pandas: pip install pandas") from None
    return pd.DataFrame(columns)
