"""PURE: uses, preferences, statements, policy, explanations."""
