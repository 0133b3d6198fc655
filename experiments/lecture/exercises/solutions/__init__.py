"""Our own answers to the exercises."""
