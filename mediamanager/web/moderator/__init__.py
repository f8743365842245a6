"""Pages of the moderator, a file a page."""
