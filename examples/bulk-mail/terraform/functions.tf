variable "smtp_host" {
  description = "The mail server."
  type        = string
}

variable "smtp_port" {
  type    = number
  default = 587
}

variable "campaign" {
  description = "Nobody gets two mails of one campaign."
  type        = string
}

locals {
  functions = {
    fill-queue = { timeout = 20, memory = 256, environment = { QUEUE_URL = aws_sqs_queue.mails.url } }
    send-mails = {
      timeout = 20, memory = 256,
      environment = {
        BUCKET    = var.bucket
        CAMPAIGN  = var.campaign
        SMTP_HOST = var.smtp_host
        SMTP_PORT = tostring(var.smtp_port)
      }
    }
  }

  # The policies that the local run enforces, with your account, region and bucket instead of the local ones.
  policies = {
    for name, _ in local.functions : name => replace(
      replace(replace(file("${path.module}/../policies/${name}.json"), "000000000000", var.account), "us-east-1", var.region),
      ":::mail", ":::${var.bucket}"
    )
  }
}

resource "aws_lambda_function" "function" {
  for_each         = local.functions
  function_name    = each.key
  filename         = "${path.module}/../../../out/bundles/bulk-mail/${each.key}.zip"
  source_code_hash = filebase64sha256("${path.module}/../../../out/bundles/bulk-mail/${each.key}.zip")
  handler          = "index.handler"
  runtime          = "nodejs22.x"
  architectures    = ["arm64"]
  role             = aws_iam_role.function[each.key].arn
  timeout          = each.value.timeout
  memory_size      = each.value.memory

  environment {
    variables = each.value.environment
  }

  depends_on = [aws_cloudwatch_log_group.function, aws_iam_role_policy.function, aws_iam_role_policy.logs]
}

# Terraform owns the group, so no function needs logs:CreateLogGroup.
resource "aws_cloudwatch_log_group" "function" {
  for_each          = local.functions
  name              = "/aws/lambda/${each.key}"
  retention_in_days = 30
}

resource "aws_iam_role" "function" {
  for_each = local.functions
  name     = "bulk-mail-${each.key}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "function" {
  for_each = local.functions
  name     = each.key
  role     = aws_iam_role.function[each.key].id
  policy   = local.policies[each.key]
}

resource "aws_iam_role_policy" "logs" {
  for_each = local.functions
  name     = "logs"
  role     = aws_iam_role.function[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.function[each.key].arn}:*"
    }]
  })
}
