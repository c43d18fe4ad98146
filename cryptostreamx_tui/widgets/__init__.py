"""What panes and screens are built of; each draws plain lines and knows nothing of Kafka."""
