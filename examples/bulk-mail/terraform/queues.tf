resource "aws_sqs_queue" "dead" {
  name                      = "dead"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue" "mails" {
  name = "mails"
  # Six times the time-out of the function, as AWS recommends.
  visibility_timeout_seconds = 120
  sqs_managed_sse_enabled    = true
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = 3
  })
}

resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  queue_url = aws_sqs_queue.dead.id
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.mails.arn]
  })
}

resource "aws_lambda_event_source_mapping" "mails" {
  function_name           = aws_lambda_function.function["send-mails"].function_name
  event_source_arn        = aws_sqs_queue.mails.arn
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = 2
  }
}
