locals {
  # How often each function is called; the compactor at the end of each window.
  schedules = {
    log-generator = "rate(1 minute)"
    log-compactor = "rate(5 minutes)"
  }
}

resource "aws_cloudwatch_event_rule" "tick" {
  for_each            = local.schedules
  name                = each.key
  schedule_expression = each.value
}

resource "aws_cloudwatch_event_target" "tick" {
  for_each  = local.schedules
  rule      = aws_cloudwatch_event_rule.tick[each.key].name
  target_id = each.key
  arn       = aws_lambda_function.function[each.key].arn

  dead_letter_config {
    arn = aws_sqs_queue.dead.arn
  }
}

resource "aws_lambda_permission" "tick" {
  for_each      = local.schedules
  statement_id  = "tick"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.function[each.key].function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.tick[each.key].arn
}

# A tick that failed is made up for by the next one.
resource "aws_lambda_function_event_invoke_config" "tick" {
  for_each               = local.schedules
  function_name          = aws_lambda_function.function[each.key].function_name
  maximum_retry_attempts = 0
}

resource "aws_sqs_queue" "dead" {
  name                      = "log-pipeline-dead"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue_policy" "dead" {
  queue_url = aws_sqs_queue.dead.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.dead.arn
      Condition = { ArnLike = { "aws:SourceArn" = "arn:aws:events:${var.region}:${var.account}:rule/log-*" } }
    }]
  })
}
