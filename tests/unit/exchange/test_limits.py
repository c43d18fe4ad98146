from pipeline.exchange.limits import BAN_AFTER, BAN_MS, RequestWeight, SlidingLimit


def test_the_limit_slides() -> None:
    limit = SlidingLimit(2, 1.0)
    assert [limit.allows(now) for now in (0.0, 0.1, 0.2, 0.99, 1.0, 1.05, 1.1)] == [
        True,
        True,
        False,
        False,
        True,
        False,
        True,
    ]


def test_weight_is_counted_by_the_minute_of_the_clock() -> None:
    weight = RequestWeight(100)
    assert weight.spend(60, 59_000) == 200
    assert weight.spend(60, 59_500) == 429
    assert weight.used == 120
    assert weight.retry_after(59_500) == 1
    assert weight.retry_after(20_000) == 40
    assert weight.spend(60, 60_000) == 200
    assert weight.used == 60


def test_going_on_after_429_is_banned_and_the_ban_outlasts_the_minute() -> None:
    weight = RequestWeight(10)
    answers = [weight.spend(11, 1_000) for _ in range(BAN_AFTER + 1)]
    assert answers == [429] * BAN_AFTER + [418]
    assert weight.spend(1, 70_000) == 418
    assert weight.retry_after(1_000) == BAN_MS // 1000
    assert weight.spend(1, 1_000 + BAN_MS) == 200
