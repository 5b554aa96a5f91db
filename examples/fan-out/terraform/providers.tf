terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.90, < 7"
    }
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account]
}

variable "region" {
  description = "Where everything is made."
  type        = string
  default     = "eu-central-1"
}

variable "account" {
  description = "Id of the account, 12 digits."
  type        = string
}

variable "bucket" {
  description = "Name of the bucket, unique among all accounts."
  type        = string
}
