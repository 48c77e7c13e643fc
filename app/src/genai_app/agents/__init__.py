"""Who answers a question: routing, the agents as a table, the graph that runs them."""
