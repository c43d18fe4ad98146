"""What stopping a service interrupts, in words, for the question before it. Pure."""

from cryptostreamx_tui.state import State

GAP = "Trades are not received meanwhile; the outage will be a gap."
WORDS = {
    "inventory": "Topics and consumer groups are not looked at meanwhile. The data goes on.",
    "producer": f"This stops the feed. {GAP}",
    "exchange": f"This stops the simulated exchange, and with it the feed. {GAP}",
    "windows": "No window is closed meanwhile. Trades wait in Kafka; the windows follow, whole, once it runs again.",
    "sink": "Nothing is written to ClickHouse meanwhile. Trades and windows wait in Kafka and are written later.",
    "clickhouse": "Nothing is stored, and nothing can be queried, meanwhile. The sink waits; Kafka keeps what comes.",
    "schema-registry": (
        "Running processes know their schemas and go on; whatever is started meanwhile waits for the registry."
    ),
    "zookeeper": (
        "Brokers go on for some seconds, then leave the cluster one by one: nothing is acknowledged any more, and "
        f"brokers take long to stop. {GAP}"
    ),
}


def interrupted(service: str, state: State) -> str:
    """Return what stops with a service. A broker's answer depends on how many others there are."""
    if service.startswith("kafka-"):
        return _broker(service, state)
    return WORDS.get(service, "")


def _broker(service: str, state: State) -> str:
    seen = state.cluster
    if seen is None or not seen.brokers:
        return "How many brokers are up is not known: acknowledgements may stop."
    others = sum(broker.reachable for broker in seen.brokers if f"kafka-{broker.id}" != service)
    least = _least(state)
    if others >= least:
        return (
            f"{others} other brokers stay up, {least} are needed: trades are acknowledged as before, and partitions "
            "are under-replicated until it is back."
        )
    return (
        f"{others} other {'broker stays' if others == 1 else 'brokers stay'} up and {least} are needed: nothing is "
        "acknowledged meanwhile. The producer holds trades back and, once its queue is full, stops reading the feed: "
        "the outage will be a gap."
    )


def _least(state: State) -> int:
    """Return how many brokers acknowledge a trade: ``min.insync.replicas`` as the trade topic has it, else 1 or 2."""
    topics = state.inventory.topics.seen
    for topic in topics.topics if topics else ():
        value = (topic.config or {}).get("min.insync.replicas", "")
        if topic.name == "binance_trade" and value.isascii() and value.isdigit():
            return int(value)
    return 2 if state.cluster is not None and state.cluster.expected_brokers >= 3 else 1
