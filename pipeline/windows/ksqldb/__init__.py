"""ksqlDB as what makes the windows: its REST interface, its DDL, and how its queries do."""
