"""`attendance-bridge edge init`: from questions, or options, to a configuration that was tried."""
