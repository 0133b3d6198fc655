"""The metrics measured beside scikit-learn."""
