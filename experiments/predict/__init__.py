"""What a saved model says of new rows: `python -m experiments.predict`."""
