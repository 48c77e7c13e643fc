"""The agent that works with the workshop's calendar, prices and records, and knows the maintenance manuals."""
