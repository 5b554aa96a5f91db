resource "aws_sqs_queue" "dead" {
  name                      = "dead"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue" "work" {
  for_each = toset(["invoice", "payment"])
  name     = each.key
  # Six times the time-out of the function, as AWS recommends.
  visibility_timeout_seconds = 60
  sqs_managed_sse_enabled    = true
  # An hour of failures is survived.
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = 60
  })
}

# Rules of this bus may put messages in, nobody else.
resource "aws_sqs_queue_policy" "work" {
  for_each  = toset(["invoice", "payment"])
  queue_url = aws_sqs_queue.work[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.work[each.key].arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.queued[each.key].arn } }
    }]
  })
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
      Condition = { ArnLike = { "aws:SourceArn" = "arn:aws:events:${var.region}:${var.account}:rule/orders/shop-*" } }
    }]
  })
}

resource "aws_lambda_event_source_mapping" "work" {
  for_each                = toset(["invoice", "payment"])
  function_name           = aws_lambda_function.function[each.key].function_name
  event_source_arn        = aws_sqs_queue.work[each.key].arn
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = 2
  }
}
