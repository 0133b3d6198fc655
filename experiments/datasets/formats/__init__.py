"""Each kind of file by itself: bytes to columns or arrays."""
