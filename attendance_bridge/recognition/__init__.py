"""From a frame to a decision about a face. Runs without frappe, without a camera and without a store."""
