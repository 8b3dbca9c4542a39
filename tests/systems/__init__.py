"""Real projects whose image builds must work: a small tree of each, in its true shape, and what it was promised."""
