"""The simulated exchange: Binance's WebSocket and REST interface on loopback, over generated or recorded trades.

It knows nothing of Kafka, of the producer or of the application; whoever speaks Binance's protocol can use it.
Where Binance's documents are cited: github.com/binance/binance-spot-api-docs (web-socket-streams.md, rest-api.md,
errors.md).
"""
