"""The pipeline client: ask a registry or a catalogue."""
