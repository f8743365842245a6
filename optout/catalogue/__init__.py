"""PURE: indexes and preferences in one folder of files, and the one function that answers from them."""
