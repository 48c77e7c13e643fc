"""The workshop's calendar: what is free, booking, moving and cancelling, and what each service costs."""
