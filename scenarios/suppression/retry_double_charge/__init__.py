"""An answer is lost, the payment asked for again without a name, and charged twice."""
