"""Filtering: keep what may be used, set the rest aside with reasons, and leave a receipt."""
