"""Floor 5: Plans and Results for people and programs. The only rooms that know rich."""
