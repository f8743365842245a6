"""What `mediamanager doctor` looks at: each check is a function that finds one thing, and says how to mend it."""
