"""A right SQL query for each kind of question of the task data_analysis, as an expert would write it.

They work on the tables as agents see them, so they prove that every question can be answered from there; the
answers themselves are never made with SQL.
"""

from __future__ import annotations

from typing import Any

WITH = """
WITH o AS (SELECT DISTINCT * FROM orders),
l AS (SELECT DISTINCT * FROM order_lines),
local AS (
  SELECT o.*, s.city, o.ordered_at + to_minutes(s.utc_offset_minutes) AS local_at
  FROM o JOIN stores s USING (store_id)
),
valued AS (
  SELECT l.*, p.name, p.category,
    l.quantity * l.unit_price * (100 - coalesce(l.discount_percent, 0)) / 100 AS value
  FROM l JOIN products p USING (product_id)
)
"""

QUERIES = {
    "customers_without_country": "SELECT count(*) FROM customers WHERE country IS NULL",
    "highest_list_price": (
        "SELECT name FROM products WHERE category = '{category}' ORDER BY list_price DESC, name LIMIT 1"
    ),
    "orders_with_status": "SELECT count(*) FROM o WHERE status = '{status}'",
    "customers_from": "SELECT count(*) FROM customers WHERE upper(country) = '{country}'",
    "guest_share": (
        "SELECT round(100.0 * count(*) FILTER (customer_id IS NULL) / count(*), 1) FROM o "
        "WHERE status = 'paid' AND channel = '{channel}'"
    ),
    "category_revenue": (
        "SELECT round(sum(value), 2) FROM valued JOIN o USING (order_id) "
        "WHERE status = 'paid' AND category = '{category}'"
    ),
    "orders_at_night": (
        "SELECT count(*) FROM local WHERE city = '{city}' AND hour(local_at) IN (22, 23, 0, 1)"
    ),
    "never_sold": (
        "SELECT count(*) FROM products WHERE product_id NOT IN "
        "(SELECT product_id FROM l JOIN o USING (order_id) WHERE status = 'paid')"
    ),
    "best_store": (
        "SELECT city FROM stores LEFT JOIN (SELECT store_id, sum(value) AS revenue FROM local "
        "JOIN valued USING (order_id) WHERE status = 'paid' AND month(local_at) = {month} GROUP BY 1) "
        "USING (store_id) ORDER BY coalesce(revenue, 0) DESC, city LIMIT 1"
    ),
    "median_order_value": (
        "SELECT round(median(value), 2) FROM (SELECT order_id, sum(value) AS value FROM local "
        "JOIN valued USING (order_id) WHERE status = 'paid' AND month(local_at) = {month} GROUP BY 1)"
    ),
    "returning_customers": (
        "SELECT count(*) FROM (SELECT customer_id FROM local WHERE status = 'paid' AND customer_id IS NOT NULL "
        "GROUP BY 1 HAVING count(DISTINCT month(local_at)) >= {months})"
    ),
    "revenue_growth": (
        "SELECT round(100.0 * (sum(value) FILTER (month(local_at) > 6) / "
        "sum(value) FILTER (month(local_at) <= 6) - 1), 1) FROM local JOIN valued USING (order_id) "
        "WHERE status = 'paid' AND category = '{category}'"
    ),
    "top_product_of_country": (
        "SELECT p.name FROM products p LEFT JOIN (SELECT product_id, sum(quantity) AS pieces FROM l "
        "JOIN o USING (order_id) JOIN customers c USING (customer_id) "
        "WHERE status = 'paid' AND upper(country) = '{country}' GROUP BY 1) USING (product_id) "
        "ORDER BY coalesce(pieces, 0) DESC, p.name LIMIT 1"
    ),
    "longest_pause": (
        "SELECT coalesce(max(day - before), 0) FROM (SELECT day, lag(day) OVER (ORDER BY day) AS before FROM "
        "(SELECT DISTINCT local_at::DATE AS day FROM local WHERE status = 'paid' AND city = '{city}'))"
    ),
}


def reference_query(question: dict[str, Any]) -> str:
    """For a question as an item file states it."""
    return WITH + QUERIES[question["kind"]].format(**question)


NAIVE = {
    "orders_with_status": "SELECT count(*) FROM orders WHERE status = '{status}'",
    "customers_from": "SELECT count(*) FROM customers WHERE country = '{country}'",
    "category_revenue": (
        "SELECT sum(quantity * unit_price * (100 - discount_percent) / 100) FROM order_lines "
        "JOIN orders USING (order_id) JOIN products USING (product_id) "
        "WHERE status = 'paid' AND category = '{category}'"
    ),
    "orders_at_night": (
        "SELECT count(DISTINCT order_id) FROM orders JOIN stores USING (store_id) "
        "WHERE city = '{city}' AND hour(ordered_at) IN (22, 23, 0, 1)"
    ),
}
"""Queries that overlook a peculiarity of the data."""
