"""The Avro schemas of the topics, the registry that numbers them, and the codec between records and bytes."""
