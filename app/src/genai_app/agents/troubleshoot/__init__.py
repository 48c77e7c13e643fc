"""Finding the cause of a fault by symptom trees: one question at a time, the dangerous causes first."""
