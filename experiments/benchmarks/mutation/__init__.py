"""Lines broken on purpose: which of them no test sees."""
