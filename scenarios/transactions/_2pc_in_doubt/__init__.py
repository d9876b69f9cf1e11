"""A coordinator dies between the votes and the decision, and what was promised stays locked."""
