resource "aws_cloudwatch_event_bus" "orders" {
  name = "orders"
}

# Every order, for the services behind queues.
resource "aws_cloudwatch_event_rule" "queued" {
  for_each       = toset(["invoice", "payment"])
  name           = "shop-${each.key}"
  event_bus_name = aws_cloudwatch_event_bus.orders.name
  event_pattern = jsonencode({
    source      = ["com.shop.orders"]
    detail-type = ["OrderPlaced"]
  })
}

resource "aws_cloudwatch_event_target" "queued" {
  for_each       = toset(["invoice", "payment"])
  rule           = aws_cloudwatch_event_rule.queued[each.key].name
  event_bus_name = aws_cloudwatch_event_bus.orders.name
  target_id      = "queue"
  arn            = aws_sqs_queue.work[each.key].arn

  dead_letter_config {
    arn = aws_sqs_queue.dead.arn
  }
}

# The big ones, for a function that is called directly.
resource "aws_cloudwatch_event_rule" "alert" {
  name           = "shop-alert"
  event_bus_name = aws_cloudwatch_event_bus.orders.name
  event_pattern = jsonencode({
    source      = ["com.shop.orders"]
    detail-type = ["OrderPlaced"]
    detail      = { total = [{ numeric = [">=", 900] }] }
  })
}

resource "aws_cloudwatch_event_target" "alert" {
  rule           = aws_cloudwatch_event_rule.alert.name
  event_bus_name = aws_cloudwatch_event_bus.orders.name
  target_id      = "function"
  arn            = aws_lambda_function.function["big-order-alert"].arn

  retry_policy {
    maximum_event_age_in_seconds = 86400
    maximum_retry_attempts       = 185
  }

  dead_letter_config {
    arn = aws_sqs_queue.dead.arn
  }
}

resource "aws_lambda_permission" "alert" {
  statement_id  = "shop-alert"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.function["big-order-alert"].function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.alert.arn
}
