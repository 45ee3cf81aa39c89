"""Where terminals that push by themselves call this agent."""
