"""Two result folders beside each other, paired by setting."""
