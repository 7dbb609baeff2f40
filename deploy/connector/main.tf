# The connector with Terraform: an example for your own configuration. A test parses it; it has not been run on AWS or
# with the provider.
#
#   just bundle --set wlrm_node_addr=https://node.example.com:5050
#   terraform -chdir=deploy/connector init && terraform -chdir=deploy/connector apply
#
# Then add the associations (see the outputs) to the behavior of your aws_cloudfront_distribution:
#
#   lambda_function_association {
#     event_type   = "viewer-request"
#     lambda_arn   = module.connector.request_version
#     include_body = true
#   }
#   lambda_function_association {
#     event_type = "viewer-response"
#     lambda_arn = module.connector.response_version
#   }
#
# To inspect bodies up to 1 MB instead of 40 KB, build the bundles with --set wlrm_mark_keys=$(openssl rand -hex 32), and
# add the request function at origin-request as well, with include_body = true.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.60"
    }
  }
}

# Lambda@Edge requires functions in us-east-1.
provider "aws" {
  region = "us-east-1"
}

variable "name" {
  description = "Deployment name: functions NAME-request and NAME-response, role NAME."
  type        = string
  default     = "wallarm-connector"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,55}$", var.name))
    error_message = "name: 1 to 55 letters, digits, - and _ (names of Lambda functions have at most 64 characters)."
  }
}

variable "bundles" {
  description = "Output folder of `just bundle`, with the two zips."
  type        = string
  default     = "../../dist"
}

variable "runtime" {
  description = "Python runtime of Lambda."
  type        = string
  default     = "python3.13"
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]
    }
  }
}

locals {
  folder = "${path.module}/${var.bundles}"
  zips = {
    for kind in ["request", "response"] :
    kind => "${local.folder}/${one(fileset(local.folder, "wallarm-cloudfront-${kind}-*.zip"))}"
  }
  # All regions: a function writes its log where it runs.
  log_groups = [
    for kind in ["request", "response"] :
    "arn:${data.aws_partition.current.partition}:logs:*:${data.aws_caller_identity.current.account_id}:log-group:/aws/lambda/us-east-1.${var.name}-${kind}"
  ]
}

data "aws_iam_policy_document" "logs" {
  statement {
    actions   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    resources = concat(local.log_groups, [for group in local.log_groups : "${group}:*"])
  }
}

resource "aws_iam_role" "connector" {
  name                 = var.name
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = aws_iam_policy.boundary.arn
}

# Further policies of the role have no effect.
resource "aws_iam_policy" "boundary" {
  name   = "${var.name}-boundary"
  path   = "/wallarm/"
  policy = data.aws_iam_policy_document.logs.json
}

resource "aws_iam_role_policy" "logs" {
  name   = "logs"
  role   = aws_iam_role.connector.name
  policy = data.aws_iam_policy_document.logs.json
}

resource "aws_lambda_function" "connector" {
  for_each = local.zips

  function_name    = "${var.name}-${each.key}"
  filename         = each.value
  source_code_hash = filebase64sha256(each.value)
  handler          = "lambda_function.lambda_handler"
  runtime          = var.runtime
  architectures    = ["x86_64"]
  memory_size      = 128
  timeout          = 5
  role             = aws_iam_role.connector.arn

  # CloudFront requires numbered versions.
  publish = true
  # Lambda cannot delete a function until CloudFront has removed its replicas, hours after it was detached.
  skip_destroy = true
}

output "request_version" {
  description = "Attach this version at viewer-request or origin-request, or at both with wlrm_mark_keys set, with include_body = true."
  value       = aws_lambda_function.connector["request"].qualified_arn
}

output "response_version" {
  description = "Attach this version at viewer-response or origin-response."
  value       = aws_lambda_function.connector["response"].qualified_arn
}
