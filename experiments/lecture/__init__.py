"""The two lectures as a website: every slide computed, drawn, proved, and played with."""
