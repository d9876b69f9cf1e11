"""The refund service dies between its effect and its answer, is asked again, and refunds twice."""
