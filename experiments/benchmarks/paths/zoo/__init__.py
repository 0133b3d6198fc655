"""Path problems that nobody tuned for."""
