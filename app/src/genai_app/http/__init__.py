"""What every HTTP reply has in common: problems, headers, request ids, measurements."""
