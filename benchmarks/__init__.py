"""Long runs whose figures stand in notes and docs; none of them is a test."""
