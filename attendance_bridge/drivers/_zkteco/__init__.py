"""What the ZKTeco drivers share: codes, and how wall times get their pass through a repeated hour."""
