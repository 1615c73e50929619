# Service accounts that reach the bucket by name, without a key that could leak.

terraform {
  required_version = ">= 1.9"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.80"
    }
  }
}

locals {
  issuer = trimprefix(var.issuer, "https://")
}

resource "aws_iam_openid_connect_provider" "this" {
  url            = var.issuer
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_iam_policy_document" "assume" {
  for_each = var.accounts
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.this.arn]
    }
    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values   = ["system:serviceaccount:${each.value.namespace}:${each.key}"]
    }
    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "bucket" {
  for_each = var.accounts
  statement {
    actions = concat(
      ["s3:GetObject"],
      each.value.writes ? ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"] : [],
    )
    resources = ["${var.bucket_arn}/*"]
  }
  statement {
    actions   = ["s3:ListBucket"]
    resources = [var.bucket_arn]
  }
  statement {
    actions   = concat(["kms:Decrypt"], each.value.writes ? ["kms:GenerateDataKey"] : [])
    resources = [var.key_arn]
  }
}

resource "aws_iam_role" "this" {
  for_each           = var.accounts
  name               = "${var.name}-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.assume[each.key].json
}

resource "aws_iam_role_policy" "bucket" {
  for_each = var.accounts
  name     = "bucket"
  role     = aws_iam_role.this[each.key].id
  policy   = data.aws_iam_policy_document.bucket[each.key].json
}
