"""fit: the same steps as a plain loop, and a batch without weight moves nothing."""
