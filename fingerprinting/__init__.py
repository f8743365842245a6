"""What content looks like, and which known content it resembles: pure, no database, no network."""
