"""Asks the sources that no row of production tells of: queues, Prefect, workers."""
