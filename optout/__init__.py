"""Who said what about which work, and what follows from it."""
