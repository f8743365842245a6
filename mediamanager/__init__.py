"""The surfaces: HTTP API, web pages, command line, pipeline client, offline verifier."""
