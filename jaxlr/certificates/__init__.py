"""How far from the optimum an answer can be."""
