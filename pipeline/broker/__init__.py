"""Kafka as the application sees it: its topics, the cluster's health, and what is in the topics."""
