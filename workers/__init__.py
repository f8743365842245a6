"""Everything slow or outside: fetching, sandboxed decoding, jobs, publishing."""
